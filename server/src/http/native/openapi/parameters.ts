import type { RouteEntry } from '../../route-list.ts';
import type { Json, SchemaWriter } from './schemas.ts';

type ObjectSchema = { properties?: Record<string, Json>; required?: string[] };

const dryRun: Json = {
  name: 'dry_run',
  in: 'query',
  description: 'Checks and answers as the change would, and changes nothing; the answer has `Dry-Run: true`.',
  schema: { type: 'boolean', default: false },
};
const idempotencyKey: Json = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'A call made again under the same key within 24 hours gets the first answer again, its secrets as null.',
  schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' },
};
const ifMatch: Json = {
  name: 'If-Match',
  in: 'header',
  description: 'The `ETag` of what was read: changed meanwhile, the call answers 412.',
  schema: { type: 'string' },
};

/** The parameters of a route: of its path, its query, and those that every route of its kind takes. */
export function parametersOf(route: RouteEntry, writer: SchemaWriter): Json[] {
  const { params, querystring } = (route.schema ?? {}) as { params?: ObjectSchema; querystring?: ObjectSchema };
  const inPath = [...route.path.matchAll(/:(\w+)/g)].map(([, name = '']) =>
    parameter(name, 'path', params?.properties?.[name] ?? { type: 'string' }, true, writer),
  );
  const inQuery = Object.entries(querystring?.properties ?? {}).map(([name, schema]) =>
    parameter(name, 'query', schema, querystring?.required?.includes(name) === true, writer),
  );
  const isChange = !['GET', 'HEAD'].includes(route.method);
  return [
    ...inPath,
    ...inQuery,
    ...(isChange ? [dryRun] : []),
    ...(route.method === 'POST' ? [idempotencyKey] : []),
    ...(route.conditional ? [ifMatch] : []),
  ];
}

function parameter(name: string, place: string, schema: Json, required: boolean, writer: SchemaWriter): Json {
  const { description } = schema as { description?: string };
  return {
    name,
    in: place,
    ...(required ? { required } : {}),
    ...(description === undefined ? {} : { description }),
    schema: writer.write(schema),
  };
}
