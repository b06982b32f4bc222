import type { FastifySchema } from 'fastify';
import type { SchemaNode } from '../edge/schema-node.ts';

type Marked = SchemaNode & { 'x-secret'?: boolean };

/** The body without its secrets, which the schema of the answer marks with `x-secret`: null in their place. */
export function withoutSecrets(schema: FastifySchema | undefined, status: number, body: unknown): unknown {
  const answers = (schema?.response ?? {}) as Record<string, Marked>;
  const answer = answers[String(status)];
  return answer === undefined ? body : nulled(answer, body);
}

function nulled(schema: Marked, value: unknown): unknown {
  if (schema['x-secret'] === true) return null;
  if (typeof value !== 'object' || value === null) return value;
  const parts = [...(schema.allOf ?? []), ...(schema.anyOf ?? [])];
  const whole = parts.reduce<unknown>((known, part) => nulled(part as Marked, known), value);
  if (Array.isArray(whole)) {
    const { items } = schema as { items?: Marked };
    return items === undefined ? whole : whole.map((item) => nulled(items, item));
  }
  const properties = (schema.properties ?? {}) as Record<string, Marked>;
  return Object.fromEntries(
    Object.entries(whole as object).map(([name, part]) => {
      const known = Object.hasOwn(properties, name) ? properties[name] : undefined;
      return [name, known === undefined ? part : nulled(known, part)];
    }),
  );
}
