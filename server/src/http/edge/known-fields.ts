import { branches, type SchemaNode } from './schema-node.ts';

type Keep = (value: unknown) => unknown;

/**
 * What leaves out of a body, at any depth, the fields that its schema does not name: no handler ever sees them, so none
 * can take one over by mistake (mass assignment). An object that names no field, or that takes others
 * (`additionalProperties`, `patternProperties`), is left as it is. Undefined when there is nothing to leave out.
 */
export function knownFields(schema: SchemaNode): Keep | undefined {
  const parts = branches(schema);
  const list = parts.find(({ items }) => items !== undefined && !Array.isArray(items));
  const items = list === undefined ? undefined : knownFields(list.items as SchemaNode);
  const fields = namedFields(parts);
  if (items === undefined && fields === undefined) return undefined;
  return (value) => {
    if (Array.isArray(value)) return items === undefined ? value : value.map(items);
    return fields === undefined || typeof value !== 'object' || value === null ? value : pick(value, fields);
  };
}

/** The fields of all branches together; undefined when one of them takes any. */
function namedFields(parts: readonly SchemaNode[]): Map<string, Keep | undefined> | undefined {
  const objects = parts.flatMap((part) => part.allOf ?? [part]).filter(({ type }) => type === 'object');
  const isOpen = (node: SchemaNode) =>
    node.patternProperties !== undefined ||
    (node.additionalProperties !== undefined && node.additionalProperties !== false) ||
    Object.keys(node.properties ?? {}).length === 0;
  if (objects.length === 0 || objects.some(isOpen)) return undefined;
  const schemas = new Map<string, SchemaNode[]>();
  for (const [name, node] of objects.flatMap(({ properties }) => Object.entries(properties ?? {}))) {
    schemas.set(name, [...(schemas.get(name) ?? []), node]);
  }
  return new Map([...schemas].map(([name, nodes]) => [name, knownFields({ anyOf: nodes })]));
}

function pick(value: object, fields: ReadonlyMap<string, Keep | undefined>): unknown {
  const known = Object.entries(value).flatMap(([name, inner]) => {
    if (!fields.has(name)) return [];
    const keep = fields.get(name);
    return [[name, keep === undefined ? inner : keep(inner)]];
  });
  return Object.fromEntries(known);
}
