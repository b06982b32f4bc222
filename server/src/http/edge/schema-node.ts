/** What this folder reads of a JSON Schema (draft 2020-12, as TypeBox writes it); of `true` and `false` it reads nothing. */
export interface SchemaNode {
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: SchemaNode[];
  oneOf?: SchemaNode[];
  allOf?: SchemaNode[];
  properties?: Record<string, SchemaNode>;
  patternProperties?: Record<string, SchemaNode>;
  additionalProperties?: SchemaNode | boolean;
  required?: string[];
  items?: SchemaNode | SchemaNode[];
  prefixItems?: SchemaNode[];
}

/** The JSON type of a value, as problems name it. */
export function typeName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/** The branches of a union, unions inside it included; the schema itself when it is none. */
export function branches(schema: SchemaNode): SchemaNode[] {
  const inner = schema.anyOf ?? schema.oneOf;
  return inner === undefined ? [schema] : inner.flatMap(branches);
}

/** The values of a schema that lists them (`const`, `enum`); undefined for any other. */
export function literals(schema: SchemaNode): unknown[] | undefined {
  return schema.const === undefined ? schema.enum : [schema.const];
}

/** The types a schema accepts, each once; none when it says nothing about the type. */
export function types(schema: SchemaNode): string[] {
  const all = branches(schema).flatMap((branch) => {
    if (branch.type !== undefined) return branch.type;
    return literals(branch)?.map(typeName) ?? [];
  });
  return [...new Set(all)];
}

/** Whether a value has one of the types a schema accepts. */
export function hasType(schema: SchemaNode, value: unknown): boolean {
  const accepted = types(schema);
  const actual = typeName(value);
  return (
    accepted.length === 0 || accepted.includes(actual) || (accepted.includes('integer') && Number.isInteger(value))
  );
}
