import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { managementRoutes, scopesPage, scopesPagePath, surfaceOf } from '../../../scripts/scopes.ts';
import type { RouteEntry } from '../../src/http/route-list.ts';
import { type Answer, admin, eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from './support.ts';

/** All that answers without a management token. Whoever adds a route here says why. */
const openRoutes = [
  // The process, for whoever runs it.
  /^\/(healthz|readyz|metrics)$/,
  // What verifiers and clients read before they have anything.
  /^\/\.well-known\//,
  // These authenticate the client themselves.
  /^\/(oauth|oauth2)\/(token|introspect|revoke)\/?$/,
];

const named = ({ method, path }: RouteEntry): string => `${method} ${path}`;

/** A path of the route that names things which do not exist. */
const pathOf = (route: RouteEntry): string => route.path.replace(/:[a-z_]+/gi, 'nothing').replaceAll('*', 'nothing');

eachEngine('the authorization of every management route', (engine) => {
  const clock = new TestClock();
  let server: TestServer;
  let all: RouteEntry[];
  let routes: RouteEntry[];
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
    all = await server.composed.server.routes();
    routes = all.filter(({ path }) => surfaceOf(path) !== undefined);
  });
  after(() => server.close());

  const audienceOf = (route: RouteEntry): string =>
    surfaceOf(route.path)?.path === '/api/v2' ? server.managementAudience : server.nativeAudience;
  const call = (route: RouteEntry, token?: string): Promise<Answer> =>
    server.request(route.method, pathOf(route), token === undefined ? {} : { token });

  function assertRefused(route: RouteEntry, answer: Answer, status: 401 | 403): void {
    assert.equal(answer.status, status, `${named(route)}: ${answer.text}`);
    if (route.method === 'HEAD') return;
    if (surfaceOf(route.path)?.path === '/api/v2') {
      assert.equal(answer.body.statusCode, status, named(route));
      if (status === 403) {
        assert.deepEqual(answer.body, {
          statusCode: 403,
          error: 'Forbidden',
          message: `Insufficient scope, expected any of: ${route.scopes?.join(', ')}`,
          errorCode: 'insufficient_scope',
        });
      }
    } else {
      assert.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8');
      assert.equal(answer.body.status, status, named(route));
      assert.match(String(answer.headers.get('www-authenticate')), /^Bearer realm="/);
    }
  }

  test('every route is either open for a known reason or under a management surface', () => {
    const others = all.filter(({ path }) => surfaceOf(path) === undefined);
    const unexplained = others.filter(({ path }) => !openRoutes.some((open) => open.test(path)));
    assert.deepEqual(unexplained.map(named), []);
  });

  test('every method and path has one owner, and every management route names scopes that exist', async () => {
    const names = all.map(named);
    assert.deepEqual(
      names.filter((name, index) => names.indexOf(name) !== index),
      [],
    );
    const known = new Set((await server.rows('scopes')).map(({ value }) => value));
    for (const route of routes) {
      assert.ok((route.scopes?.length ?? 0) > 0, `${named(route)} names no scope`);
      for (const scope of route.scopes ?? [])
        assert.ok(known.has(scope), `${named(route)}: ${scope} is granted nowhere`);
    }
  });

  test('no token: 401 on every route, and nothing changes', async () => {
    const before = await server.stateHash();
    for (const route of routes) assertRefused(route, await call(route), 401);
    assert.equal(await server.stateHash(), before);
  });

  test('an expired token of the first client, which holds every scope: 401 on every route', async () => {
    const tokens = new Map<string, string>();
    for (const audience of [server.managementAudience, server.nativeAudience]) {
      tokens.set(audience, await server.managementToken(audience));
    }
    const before = await server.stateHash();
    clock.advance(86_401_000);
    try {
      for (const route of routes) assertRefused(route, await call(route, tokens.get(audienceOf(route))), 401);
    } finally {
      clock.advance(-86_401_000);
    }
    assert.equal(await server.stateHash(), before);
  });

  test('a token of the other management audience: 401 on every route', async () => {
    const forAuth0 = await server.managementToken();
    const forNative = await server.managementToken(server.nativeAudience);
    for (const route of routes) {
      const wrong = audienceOf(route) === server.nativeAudience ? forAuth0 : forNative;
      assertRefused(route, await call(route, wrong), 401);
    }
  });

  test('a client with zero scopes: 403 on every route, before anything is said about what exists', async () => {
    const auth0 = await callerWith(server, []);
    const native = await callerWith(server, [], server.nativeAudience);
    const before = await server.stateHash();
    for (const route of routes) {
      const { token } = audienceOf(route) === server.nativeAudience ? native : auth0;
      assertRefused(route, await call(route, token), 403);
    }
    assert.equal(await server.stateHash(), before);
  });

  test('each single scope opens the routes that name it and no other', async () => {
    const scopes = await server.rows('scopes');
    const apis = (await server.rows('resource_servers')).filter(({ system_kind }) => system_kind !== null);
    for (const api of apis) {
      const audience = api.system_kind === 'api_v2' ? server.managementAudience : server.nativeAudience;
      const own = routes.filter((route) => audienceOf(route) === audience);
      for (const { value } of scopes.filter(({ resource_server_id }) => resource_server_id === api.id)) {
        const { token } = await callerWith(server, [value], audience);
        const before = await server.stateHash();
        for (const route of own.filter(({ scopes: needed }) => !needed?.includes(value))) {
          // The umbrella scope is no single scope; what it does not bring is tested with the tenants.
          if (value === 'all' && !route.scopes?.every((scope) => scope === 'manage:tenants')) continue;
          assertRefused(route, await call(route, token), 403);
        }
        assert.equal(await server.stateHash(), before, `${value} changed something it may not`);
        for (const route of own.filter(({ scopes: needed }) => needed?.includes(value))) {
          const answer = await call(route, token);
          assert.notEqual(answer.status, 401, `${named(route)} with ${value}`);
          // A route may ask for more once it has read the request; never again for what the token has.
          if (answer.status === 403 && route.method !== 'HEAD') {
            assert.doesNotMatch(
              String(answer.body.message),
              new RegExp(`expected any of:.*${value}(,|$)`),
              named(route),
            );
          }
          assert.ok(answer.status < 500, `${named(route)} with ${value}: ${answer.text}`);
        }
      }
    }
  });

  test('a write route with the read scopes of its surface only: 403', async () => {
    const readScopes = [...new Set(routes.flatMap(({ scopes = [] }) => scopes))].filter((s) => s.startsWith('read:'));
    const { token } = await callerWith(server, readScopes);
    const before = await server.stateHash();
    const writes = routes.filter(
      (r) => !['GET', 'HEAD'].includes(r.method) && audienceOf(r) === server.managementAudience,
    );
    for (const route of writes) assertRefused(route, await call(route, token), 403);
    assert.equal(await server.stateHash(), before);
  });

  test('a refusal is logged with what lacked and who asked, and no token in it', async () => {
    const caller = await callerWith(server, []);
    await server.request('GET', '/api/v2/clients', { token: caller.token });
    const event = (await server.logEvents()).filter(({ kind }) => kind === 'access.refused').at(-1);
    assert.equal(event.client_id, caller.clientId);
    assert.equal(event.tenant_id, 'default');
    assert.match(event.description, /lacks read:clients/);
    assert.ok(!JSON.stringify(event).includes(caller.token.split('.')[2] as string));
    assert.ok(!JSON.stringify(await server.logEvents()).includes(admin.clientSecret));
  });

  test('docs/scopes.md lists exactly these routes and scopes', () => {
    const page = scopesPage(all);
    assert.equal(readFileSync(scopesPagePath, 'utf8'), page, 'run: node scripts/scopes.ts');
    for (const route of managementRoutes(routes)) assert.ok(page.includes(`\`${route.method}\` | \`${route.path}\``));
  });
});
