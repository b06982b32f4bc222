/**
 * The OpenAPI 3.1 document of everything under `/api` but `/api/v2`, made of the routes themselves: their paths, scopes
 * and schemas are what the server checks requests against, so the document can not say otherwise.
 */
import { Problem } from '@sekisho/contract';
import type { SystemApi } from '../../../domain/resource-servers/system.ts';
import { STATUS_CODES } from '../../node-http.ts';
import type { RouteEntry } from '../../route-list.ts';
import { parametersOf } from './parameters.ts';
import { exampleOf, type Json, SchemaWriter } from './schemas.ts';

const description = [
  'Organizations, members, users, roles, applications and API resources of one tenant.',
  'Lists: `page` (from 1) and `page_size` with `Total-Number`, or `cursor`, which costs the same at any depth; `Link`',
  'names the next page. A list whose paging is optional answers its first 10 000 items when none is asked for.',
  'Changes: `dry_run=true` tries one; a POST with an `Idempotency-Key` happens once; `If-Match` with the `ETag` of a GET',
  'keeps two editors apart. Errors are problem details (RFC 9457) with a stable `code`.',
].join(' ');

const isTold = ({ method, path }: RouteEntry): boolean => method !== 'HEAD' && /^\/api\/(?!v2(\/|$))/.test(path);

/** The document for the tenant at `origin`. */
export function openApiDocument(routes: readonly RouteEntry[], api: SystemApi, origin: string): Json {
  const writer = new SchemaWriter();
  const paths: Record<string, Json> = {};
  // What PATCH can be made conditional by, DELETE and PUT of the same thing can, too.
  const conditionals = new Set(routes.filter((route) => route.conditional).map(({ path }) => path));
  for (const route of routes.filter(isTold)) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    const conditional = conditionals.has(route.path) && ['PATCH', 'PUT', 'DELETE'].includes(route.method);
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf({ ...route, conditional }, api, writer) };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Sekisho management API',
      version: '1.0.0',
      description,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: origin }],
    paths,
    components: {
      schemas: writer.components,
      securitySchemes: {
        token: {
          type: 'oauth2',
          description: `A token for the audience ${origin}${api.path}.`,
          flows: {
            clientCredentials: {
              tokenUrl: `${origin}/oauth/token`,
              scopes: Object.fromEntries(api.scopes.map(({ value, description }) => [value, description ?? value])),
            },
          },
        },
      },
    },
  };
}

function operationOf(route: RouteEntry, api: SystemApi, writer: SchemaWriter): Json {
  const { summary, description, body } = (route.schema ?? {}) as Json & { body?: Json };
  const about = [description, route.delegated && 'With a token for an organization: in its subtree only.'];
  const parameters = parametersOf(route, writer);
  return {
    operationId: idOf(route),
    tags: [route.path.split('/')[2]],
    summary,
    ...(about.some(Boolean) ? { description: about.filter(Boolean).join(' ') } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body === undefined ? {} : { requestBody: { required: true, content: contentOf(body, writer) } }),
    responses: responsesOf(route, writer),
    security: route.open ? [] : securityOf(route.scopes ?? [], api),
  };
}

/** `GET /api/users/:userId/roles` is `getUsersByUserIdRoles`. */
function idOf({ method, path }: RouteEntry): string {
  const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
  const words = path
    .slice('/api/'.length)
    .split('/')
    .flatMap((part) => (part.startsWith(':') ? ['by', part.slice(1)] : part.split(/[^A-Za-z0-9]+/)));
  return method.toLowerCase() + words.map(capital).join('');
}

/** Any one of the scopes, or the one that stands for all. */
function securityOf(scopes: readonly string[], api: SystemApi): Json[] {
  const isImplied = (scope: string): boolean => !api.scopes.find(({ value }) => value === scope)?.defaultTenantOnly;
  const umbrella = scopes.some(isImplied) && api.umbrellaScope !== undefined ? [api.umbrellaScope] : [];
  return [...new Set([...scopes, ...umbrella])].map((scope) => ({ token: [scope] }));
}

const contentOf = (schema: Json, writer: SchemaWriter): Json => ({
  [(schema as unknown) === Problem ? 'application/problem+json' : 'application/json']: {
    schema: writer.write(schema),
    ...((schema as unknown) === Problem ? {} : { example: exampleOf(schema) }),
  },
});

/** What any call may answer beside what its route says, by what it is. */
function commonRefusals({ method, path, open }: RouteEntry): number[] {
  if (open) return [];
  const isChange = method !== 'GET';
  return [
    ...[400, 401, 403, 429, 503],
    ...(path.includes(':') ? [404] : []),
    ...(isChange ? [409, 412, 413, 415] : []),
    ...(method === 'POST' ? [422] : []),
  ];
}

function responsesOf(route: RouteEntry, writer: SchemaWriter): Json {
  const own = ((route.schema as Json | undefined)?.response ?? {}) as Record<string, Json>;
  const refusal = own[400] ?? own[401] ?? (Problem as unknown as Json);
  const common = Object.fromEntries(commonRefusals(route).map((status) => [status, refusal]));
  return Object.fromEntries(
    Object.entries({ ...common, ...own }).map(([status, schema]) => {
      const description = (schema.description as string | undefined) ?? STATUS_CODES[status] ?? 'Answer';
      if (schema.type === 'null') return [status, { description }];
      return [status, { description, ...headersOf(route, Number(status)), content: contentOf(schema, writer) }];
    }),
  );
}

const etag: Json = { description: 'For `If-Match` of the next change.', schema: { type: 'string' } };

function headersOf(route: RouteEntry, status: number): Json {
  const query = ((route.schema as Json | undefined)?.querystring ?? {}) as { properties?: Json };
  if (status !== 200) return {};
  if (query.properties?.page === undefined) return route.conditional ? { headers: { ETag: etag } } : {};
  return {
    headers: {
      'Total-Number': { description: 'Items of all pages; not sent by cursor.', schema: { type: 'integer' } },
      Link: { description: 'Other pages: first, prev, next, last (RFC 8288).', schema: { type: 'string' } },
    },
  };
}
