import { branches, literals, type SchemaNode } from './schema-node.ts';

type Coerce = (value: unknown) => unknown;

/**
 * What turns the strings of a query or a path into what the schema asks for, or undefined when the schema asks for
 * strings only. It changes `5` into 5 for integers and numbers (`0|-?[1-9][0-9]{0,15}`, within the safe integers),
 * `true` and `false` into booleans, and one value into an array of one. Anything else stays as it came, for the schema
 * to refuse. A property that takes free text is never touched. The input is left alone: a change makes a copy.
 */
export function coercion(schema: SchemaNode): Coerce | undefined {
  const plan = Object.entries(properties(schema)).flatMap(([name, property]): [string, Coerce][] => {
    const coerce = coerceProperty(property);
    return coerce === undefined ? [] : [[name, coerce]];
  });
  if (plan.length === 0) return undefined;
  return (data) => {
    if (typeof data !== 'object' || data === null) return data;
    const copy: Record<string, unknown> = Object.assign(Object.create(null), data);
    for (const [name, coerce] of plan) if (name in copy) copy[name] = coerce(copy[name]);
    return copy;
  };
}

/** The properties of an object schema, those of an intersection together. */
function properties(schema: SchemaNode): Record<string, SchemaNode> {
  return Object.assign({}, ...(schema.allOf ?? []).map(properties), schema.properties);
}

function coerceProperty(schema: SchemaNode): Coerce | undefined {
  const parts = branches(schema);
  const accepts = (type: string) => parts.some((part) => [part.type].flat().includes(type));
  // A listed text (`all` beside an integer) is not free text: it can not be taken for a number or a boolean.
  const takesText = parts.some((part) => literals(part) === undefined && [part.type].flat().includes('string'));
  if (takesText) return undefined;

  const list = parts.find((part) => part.type === 'array');
  if (list !== undefined) {
    const item = list.items === undefined || Array.isArray(list.items) ? undefined : coerceProperty(list.items);
    return (value) => {
      const values = Array.isArray(value) ? value : [value];
      return item === undefined ? values : values.map(item);
    };
  }
  const takesNumber = accepts('integer') || accepts('number');
  const takesBoolean = accepts('boolean');
  if (!takesNumber && !takesBoolean) return undefined;
  return (value) => {
    if (takesNumber && typeof value === 'string' && /^(?:0|-?[1-9][0-9]{0,15})$/.test(value)) {
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : value;
    }
    return takesBoolean && (value === 'true' || value === 'false') ? value === 'true' : value;
  };
}
