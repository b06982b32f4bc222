import type { TSchema } from 'typebox';
// Of TypeBox's compilers this is the one that loads fast: 55 ms after `typebox`, where `typebox/compile` takes 150.
import { Compile, type Validator } from 'typebox/schema';
import { coercion } from './coercion.ts';
import { explain } from './explain.ts';
import { knownFields } from './known-fields.ts';
import type { SchemaNode } from './schema-node.ts';
import { type RequestPart, SchemaProblem } from './schema-problem.ts';

export type Validation = { value: unknown } | { error: SchemaProblem };

/**
 * The check of one part of a route's requests against its TypeBox schema, compiled at the first request that needs it:
 * most routes of most processes are never called, and the start does not wait for them.
 *
 *     server.setValidatorCompiler(({ schema, httpPart }) => lazyValidator(schema, httpPart as RequestPart));
 *
 * Strings of a query and of path parameters are coerced to what the schema asks for (see `coercion`); bodies and headers
 * never are. Defaults in the schema are not applied. Of a body only the fields that the schema names come through (see
 * `knownFields`). Node gives header names in lower case, so a schema of headers must have them so. The error, with what is wrong, is worked out on failure only.
 *
 * A schema that does not compile throws, which Fastify answers with 500.
 */
export function lazyValidator(schema: TSchema, part: RequestPart): (data: unknown) => Validation {
  let compiled: ((data: unknown) => Validation) | undefined;
  return (data) => {
    compiled ??= compile(schema, part);
    return compiled(data);
  };
}

function compile(schema: TSchema, part: RequestPart): (data: unknown) => Validation {
  const coerce = part === 'querystring' || part === 'params' ? coercion(schema) : undefined;
  const keep = part === 'body' ? knownFields(schema as SchemaNode) : undefined;
  const validator: Validator = Compile(schema);
  return (data) => {
    const value = coerce === undefined ? data : coerce(data);
    if (!validator.Check(value)) return { error: new SchemaProblem(part, explain(schema, value)) };
    return { value: keep === undefined ? value : keep(value) };
  };
}
