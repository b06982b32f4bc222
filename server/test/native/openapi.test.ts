import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { TSchema } from 'typebox';
import { Check } from 'typebox/schema';
import { nativeManagementApi } from '../../src/http/native/system-api.ts';
import type { RouteEntry } from '../../src/http/route-list.ts';
import { startServer, type TestServer } from '../harness.ts';

type Json = { [key: string]: unknown };
type Operation = {
  operationId: string;
  summary?: string;
  tags: string[];
  parameters?: { name: string; in: string; schema: Json }[];
  requestBody?: { content: Record<string, { schema: Json; example: unknown }> };
  responses: Record<string, Json>;
  security: { token: string[] }[];
};

/** There for Logto's tools, which then hear why not. */
const alwaysRefuses = new Set([
  'POST /api/organization-invitations/:id/message',
  'POST /api/organizations/:id/jit/sso-connectors',
  'DELETE /api/organizations/:id/jit/sso-connectors/:ssoConnectorId',
]);

let server: TestServer;
let document: Json & {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json> };
};
let routes: RouteEntry[];
before(async () => {
  server = await startServer();
  document = (await server.request('GET', '/api/openapi.json')).body;
  routes = (await server.composed.server.routes()).filter(
    ({ method, path }) => method !== 'HEAD' && /^\/api\/(?!v2(\/|$))/.test(path),
  );
});
after(() => server.close());

const pathOf = (route: RouteEntry): string => route.path.replace(/:(\w+)/g, '{$1}');
const operationOf = (route: RouteEntry): Operation =>
  document.paths[pathOf(route)]?.[route.method.toLowerCase()] as Operation;
const operations = (): [string, Operation][] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [`${method} ${path}`, operation]),
  );

test('anybody may read it, at our path and at those Logto has; it is OpenAPI 3.1 for a standard validator', async () => {
  for (const path of ['/api/openapi.json', '/api/swagger.json', '/api/.well-known/management.openapi.json']) {
    const answer = await server.request('GET', path);
    assert.equal(answer.status, 200, path);
    assert.match(String(answer.headers.get('content-type')), /^application\/json/);
    assert.deepEqual(answer.body, document);
  }
  assert.match(String(document.openapi), /^3\.1\./);
  const verdict = await new Validator().validate(structuredClone(document));
  assert.deepEqual(verdict.errors ?? [], []);
  assert.equal(verdict.valid, true);
  const broken = await new Validator().validate({ ...structuredClone(document), paths: 7 });
  assert.equal(broken.valid, false, 'the validator sees faults');
});

test('every route is in it, and nothing else; every operation has its own id', () => {
  assert.ok(routes.length > 10);
  assert.deepEqual(
    operations()
      .map(([name]) => name)
      .sort(),
    routes.map((route) => `${route.method.toLowerCase()} ${pathOf(route)}`).sort(),
  );
  const ids = operations().map(([, { operationId }]) => operationId);
  assert.equal(new Set(ids).size, ids.length);
});

test('every operation says what it is, who may call it, and what it answers', () => {
  const known = new Set(nativeManagementApi.scopes.map(({ value }) => value));
  for (const route of routes) {
    const name = `${route.method} ${route.path}`;
    const { summary, security, responses, parameters = [], requestBody } = operationOf(route);
    assert.ok(summary !== undefined && summary.length > 3, `${name} has no summary`);
    const scopes = security.map(({ token }) => token[0] as string);
    assert.equal(scopes.length === 0, route.open, name);
    for (const scope of route.scopes ?? []) assert.ok(scopes.includes(scope), `${name} lacks ${scope}`);
    for (const scope of scopes) assert.ok(known.has(scope), `${name}: ${scope} does not exist`);
    const statuses = Object.keys(responses);
    const succeeds = statuses.some((status) => status.startsWith('2'));
    assert.equal(succeeds, !alwaysRefuses.has(name), `${name} tells of no success`);
    if (!route.open) for (const status of ['400', '401', '403']) assert.ok(statuses.includes(status), name);
    const inPath = parameters.filter((one) => one.in === 'path').map((one) => one.name);
    assert.deepEqual(
      inPath,
      [...route.path.matchAll(/:(\w+)/g)].map(([, parameter]) => parameter),
      name,
    );
    const others = parameters.filter((one) => one.in !== 'path').map((one) => one.name);
    assert.equal(others.includes('dry_run'), route.method !== 'GET', name);
    assert.equal(others.includes('Idempotency-Key'), route.method === 'POST', name);
    assert.equal(requestBody !== undefined, route.schema?.body !== undefined, name);
  }
});

test('every property of every schema has a type', () => {
  const untyped: string[] = [];
  const typed = ['type', '$ref', 'anyOf', 'oneOf', 'allOf', 'enum', 'const'];
  const look = (node: unknown, place: string): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, part] of Object.entries(node as Json)) {
      if (key === 'example' || key === 'examples') continue;
      if (key === 'properties') {
        for (const [name, schema] of Object.entries(part as Record<string, Json>)) {
          if (!typed.some((word) => word in schema)) untyped.push(`${place}.${name}`);
        }
      }
      look(part, `${place}/${key}`);
    }
  };
  look(document, '');
  assert.deepEqual(untyped, []);
});

test('every body has an example, and the server itself would take it', () => {
  const wrong: string[] = [];
  for (const route of routes.filter(({ schema }) => schema?.body !== undefined)) {
    const example = operationOf(route).requestBody?.content['application/json']?.example;
    if (!Check(route.schema?.body as TSchema, example)) {
      wrong.push(`${route.method} ${route.path}: ${JSON.stringify(example)}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('no secret of an answer goes unmarked: what is called secret, password or token has x-secret or is no answer', () => {
  const unmarked: string[] = [];
  const look = (node: unknown, place: string): void => {
    if (typeof node !== 'object' || node === null) return;
    const { properties = {} } = node as { properties?: Record<string, Json> };
    for (const [name, schema] of Object.entries(properties)) {
      const isSecret = /^(clientSecret|client_secret|secret|password|subjectToken|value|token)$/.test(name);
      const mayHold = schema.type === 'string' || JSON.stringify(schema.anyOf ?? '').includes('"string"');
      if (isSecret && mayHold && schema['x-secret'] !== true) unmarked.push(`${place}.${name}`);
    }
    for (const [key, part] of Object.entries(node as Json)) look(part, `${place}/${key}`);
  };
  for (const route of routes.filter(({ method }) => method === 'POST')) {
    look(route.schema?.response, `${route.method} ${route.path}`);
  }
  assert.deepEqual(unmarked, []);
});
