/** What holds for every route of the native and the accounts API, read off the running server. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { SchemaNode } from '../../src/http/edge/schema-node.ts';
import { exampleOf, type Json } from '../../src/http/native/openapi/schemas.ts';
import type { RouteEntry } from '../../src/http/route-list.ts';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { type RawAnswer, rawRequest, withoutLimits } from '../management/support.ts';
import { nativeToken } from './delegated.ts';

const named = ({ method, path }: RouteEntry): string => `${method} ${path}`;
const queryOf = (route: RouteEntry): Record<string, SchemaNode> =>
  (route.schema?.querystring as SchemaNode | undefined)?.properties ?? {};

/** Ids that nothing has. */
const oddIds = [
  '__proto__',
  'constructor',
  'null',
  '%27%20OR%201%3D1--',
  '%F0%9F%98%80',
  '%E2%80%AE',
  '%252e%252e',
  'org_0000000000000000',
  'x'.repeat(1900),
  '-1',
];
/** Paths that can not be read. */
const brokenIds = ['a%00b', '%ED%A0%80', '%FF', '%C0%AF', '%', '%zz'];

eachEngine('every route of the native API', (engine) => {
  let server: TestServer;
  let token: string;
  let routes: RouteEntry[];
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    token = await nativeToken(server);
    routes = (await server.composed.server.routes()).filter(
      ({ method, path, open }) => method !== 'HEAD' && !open && /^\/api\/(?!v2(\/|$))/.test(path),
    );
  });
  after(() => server.close());

  /** A request with a body that the route takes, so that nothing but its path is wrong. */
  function call(route: RouteEntry, path: string): Promise<RawAnswer> {
    const schema = route.schema?.body as Json | undefined;
    if (schema === undefined) return rawRequest(server, route.method, path, { token });
    const headers = { 'content-type': 'application/json' };
    return rawRequest(server, route.method, path, { token, headers, body: JSON.stringify(exampleOf(schema)) });
  }

  test('an id that nothing has, at each place of a path: 4xx, and nothing changes', async () => {
    const before = await server.stateHash();
    for (const route of routes.filter(({ path }) => path.includes(':'))) {
      for (const id of oddIds) {
        const answer = await call(route, route.path.replace(/:\w+/g, id));
        const what = `${named(route)} with ${id.slice(0, 40)}: ${answer.status} ${answer.text.slice(0, 300)}`;
        assert.ok(answer.status >= 400 && answer.status < 500, what);
        assert.notEqual(answer.status, 401, what);
        assert.notEqual(answer.status, 403, what);
      }
      for (const id of brokenIds) {
        const answer = await call(route, route.path.replace(/:\w+/g, id));
        assert.ok(answer.status === 400 || answer.status === 404, `${named(route)} with ${id}: ${answer.text}`);
        assert.ok(!answer.text.includes('FST_ERR'), answer.text);
      }
    }
    assert.equal(await server.stateHash(), before);
  });

  test('paging that is none: 400 naming the parameter, on every list', async () => {
    const wrong = {
      page: ['0', '-1', '1.5', 'NaN', '1e12', '9999999999999999999', ''],
      page_size: ['0', '-1', '101', 'x', ''],
    };
    let lists = 0;
    for (const route of routes.filter(({ method }) => method === 'GET')) {
      const query = queryOf(route);
      if (query.page === undefined) continue;
      lists += 1;
      for (const [name, values] of Object.entries(wrong)) {
        if (query[name] === undefined) continue;
        for (const value of values) {
          const answer = await call(route, `${route.path.replace(/:\w+/g, 'nothing')}?${name}=${value}`);
          assert.equal(answer.status, 400, `${named(route)}?${name}=${value}: ${answer.text}`);
          if (answer.body.code === undefined || answer.body.error !== undefined) continue;
          assert.equal(answer.body.code, 'guard.invalid_pagination', answer.text);
          assert.equal(answer.body.data.path, name);
        }
      }
    }
    assert.ok(lists > 5);
  });

  test('a cursor that is none: 400 on every list that is there; a page far beyond the end is empty', async () => {
    for (const route of routes.filter(({ method, path }) => method === 'GET' && !path.includes(':'))) {
      const query = queryOf(route);
      if (query.cursor !== undefined && route.path !== '/api/hooks') {
        for (const cursor of ['x', 'a.b', 'bnVsbA.AAAA', '%F0%9F%98%80', 'x'.repeat(900), 'x'.repeat(5000)]) {
          const answer = await call(route, `${route.path}?cursor=${cursor}`);
          assert.equal(answer.status, 400, `${named(route)}?cursor=${cursor.slice(0, 20)}: ${answer.text}`);
        }
      }
      if (query.page === undefined) continue;
      const beyond = await call(route, `${route.path}?page=900000000`);
      assert.equal(beyond.status, 200, `${named(route)}: ${beyond.text}`);
      assert.deepEqual(beyond.body.items ?? beyond.body.data ?? beyond.body, [], named(route));
    }
  });

  test('a query that can not be read: 400, wherever', async () => {
    const broken = ['q=%00', 'q=%ff', 'q=%', 'q=%ED%A0%80', 'a=1&'.repeat(251)];
    for (const route of routes) {
      for (const query of broken) {
        const answer = await call(route, `${route.path.replace(/:\w+/g, 'nothing')}?${query}`);
        assert.equal(answer.status, 400, `${named(route)}?${query.slice(0, 20)}: ${answer.status} ${answer.text}`);
      }
    }
  });
});
