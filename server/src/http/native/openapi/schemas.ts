import * as contract from '@sekisho/contract';
import { Check } from 'typebox/schema';

/** A JSON Schema as it stands in a route. */
export type Json = { [key: string]: unknown };

/** The schemas of the contract by their names, so that the document says each once. */
const names = new Map<unknown, string>(Object.entries(contract).map(([name, schema]) => [schema, name]));

/** Writes schemas for the document; those of the contract become components, which `components` holds in the end. */
export class SchemaWriter {
  readonly components: Record<string, unknown> = {};

  write(schema: unknown): unknown {
    if (Array.isArray(schema)) return schema.map((part) => this.write(part));
    if (typeof schema !== 'object' || schema === null) return schema;
    const name = names.get(schema);
    if (name === undefined) return this.#parts(schema);
    if (!(name in this.components)) {
      this.components[name] = {};
      this.components[name] = this.#parts(schema);
    }
    return { $ref: `#/components/schemas/${name}` };
  }

  #parts(schema: object): Json {
    return Object.fromEntries(Object.entries(schema).map(([key, part]) => [key, this.write(part)]));
  }
}

/** A value that the schema takes, made of its examples and, where it has none, of its types; `name` is the field's. */
export function exampleOf(schema: Json, name = 'text'): unknown {
  const { examples, enum: values, anyOf, allOf, type } = schema as { [key: string]: unknown[] } & { type?: unknown };
  if (examples?.[0] !== undefined) return examples[0];
  if (schema.const !== undefined) return schema.const;
  if (schema.default !== undefined) return schema.default;
  if (values !== undefined) return values[0];
  if (anyOf !== undefined) return exampleOf(anyOf[0] as Json, name);
  if (allOf !== undefined) return Object.assign({}, ...allOf.map((part) => exampleOf(part as Json, name)));
  switch (type) {
    case 'object':
      return objectExample(schema);
    case 'array':
      return [exampleOf((schema.items ?? {}) as Json, name.replace(/s$/, ''))];
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return name;
  }
}

/** Fields that need not be there are left out when no value that fits is known. */
function objectExample({
  properties = {},
  required = [],
}: {
  properties?: object;
  required?: readonly string[];
}): Json {
  const fields = Object.entries(properties as Record<string, Json>).map(
    ([field, part]) => [field, part, exampleOf(part, field)] as const,
  );
  const shown = fields.filter(([field, part, value]) => required.includes(field) || Check(part, value));
  return Object.fromEntries(shown.map(([field, , value]) => [field, value]));
}
