/** What is refused before any handler runs has this dialect's shape too. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { rawRequest } from '../management/support.ts';
import { nativeToken } from '../native/delegated.ts';
import { caller } from './support.ts';

eachEngine('errors of the accounts API', (engine) => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ engine, env: { SEKISHO_RATE_LIMIT_REQUESTS_PER_CLIENT: '20' } });
  });
  after(() => server.close());

  const unreadable = (error_description: string, field?: string) => ({
    error: 'invalid_request',
    error_description,
    code: 'input.malformed',
    ...(field === undefined ? {} : { field }),
  });

  test('a path, a query or a body that can not be read', async () => {
    const token = await nativeToken(server);
    const path = await rawRequest(server, 'GET', '/api/accounts/%zz', { token });
    assert.deepEqual([path.status, path.body], [400, unreadable('The path can not be read.')]);
    const query = await rawRequest(server, 'GET', '/api/accounts?limit=1&limit=%ff', { token });
    assert.deepEqual([query.status, query.body.error, query.body.code], [400, 'invalid_request', 'input.malformed']);
    const nul = await rawRequest(server, 'GET', '/api/accounts/%00', { token });
    assert.deepEqual([nul.status, nul.body.error, nul.body.field], [400, 'invalid_request', 'account_id']);
    const large = await server.request('POST', '/api/accounts', { token, json: { name: 'x'.repeat(1_100_000) } });
    assert.deepEqual([large.status, large.body], [413, unreadable('The request can not be read.')]);
    for (const type of ['application/x-www-form-urlencoded', 'text/plain']) {
      const form = await server.request('POST', '/api/accounts', {
        token,
        body: 'name=x',
        headers: { 'content-type': type },
      });
      assert.deepEqual([form.status, form.body], [415, unreadable('The request can not be read.')]);
    }
    assert.equal((await server.rows('organizations')).length, 0);
  });

  test('a path that is none of this API', async () => {
    const token = await nativeToken(server);
    for (const [method, path] of [
      ['GET', '/api/accounts/x/y/z'],
      ['PUT', '/api/accounts'],
      ['DELETE', '/api/accounts'],
    ] as const) {
      const { status, body } = await server.request(method, path, { token });
      assert.deepEqual(
        [status, body],
        [404, { error: 'not_found', error_description: 'There is nothing here.' }],
        `${method} ${path}`,
      );
    }
  });

  test('every route of it is in the OpenAPI document, with its scope', async () => {
    const { body } = await server.request('GET', '/api/openapi.json', { token: await nativeToken(server) });
    const routes = (await server.composed.server.routes()).filter(
      ({ method, path }) => method !== 'HEAD' && /^\/api\/(accounts|applications\/:application_id\/users)/.test(path),
    );
    assert.equal(routes.length, 18);
    for (const { method, path, scopes = [] } of routes) {
      const operation = body.paths[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];
      assert.ok(operation !== undefined, `${method} ${path}`);
      assert.ok(JSON.stringify(operation).includes(String(scopes[0])), `${method} ${path} names ${scopes[0]}`);
      assert.ok(operation.responses['401'] !== undefined && operation.responses['403'] !== undefined);
    }
  });

  test('too many requests: 429 with the time to wait', async () => {
    const call = caller(server);
    let answer = await call('GET', '/accounts');
    for (let count = 0; count < 30 && answer.status === 200; count += 1) answer = await call('GET', '/accounts');
    assert.equal(answer.status, 429);
    assert.deepEqual([answer.body.error, answer.body.code], ['rate_limited', 'rate.limited']);
    assert.ok(Number(answer.headers.get('retry-after')) > 0);
  });
});
