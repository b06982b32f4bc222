import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { managementRoutes, scopesPage, scopesPagePath, surfaceOf } from '../../../scripts/scopes.ts';
import type { RouteEntry } from '../../src/http/route-list.ts';
import { type Answer, admin, eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { delegatedCaller, makeOrganization } from '../native/delegated.ts';
import { callerWith, forAll, withoutLimits } from './support.ts';

/** All that answers without a management token. Whoever adds a route here says why. */
const openRoutes = [
  // The process, for whoever runs it.
  /^\/(healthz|readyz|metrics)$/,
  // What verifiers and clients read before they have anything.
  /^\/\.well-known\//,
  // These authenticate the client themselves.
  /^\/(oauth|oauth2)\/(token|introspect|revoke)\/?$/,
  // The same under Logto's issuer.
  /^\/oidc\/(\.well-known\/openid-configuration|jwks|token(\/introspection|\/revocation)?)$/,
  // People begin here; requests are pushed, devices ask, tokens of people are shown, applications register themselves.
  /^\/(authorize|userinfo|oauth\/(par|device\/code)|oidc\/(auth|me|par|device\/auth|register(\/:\w+)?|reg(\/:\w+)?))$/,
  // Pages: a form counts from our own page in the same browser only.
  /^\/(interaction\/:id(\/[a-z-]+)?|device(\/[a-z-]+)?|setup(\/done)?|signed-out|sign-out|pages\/.+|v2\/logout|oidc\/(logout|session\/end)(\/[a-z-]+)?)$/,
  // A provider sends people back here: it counts once, in the browser that began.
  /^\/sign-in\/callback\/:policyId$/,
  // RHMAP's: apps sign people in, pages of providers land; its calls that manage policies are asked in `rhmap/`.
  /^\/box\/srv\/1\.1\/(app\/init|arm\/\w+|admin\/authpolicy\/\w+)$/,
  // Whether the API is up; what it is, which tells of the program and of no tenant.
  /^\/api\/(status|openapi\.json|swagger\.json|\.well-known\/management\.openapi\.json)$/,
];

/** The accounts API, a dialect of its own under the same audience. */
const isAccounts = (path: string): boolean => /^\/api\/(accounts(\/|$)|applications\/:\w+\/users)/.test(path);

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
    routes = all.filter(({ path, open }) => surfaceOf(path) !== undefined && !open);
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
    } else if (isAccounts(route.path)) {
      assert.equal(typeof answer.body.error, 'string', answer.text);
      if (status === 401) assert.match(String(answer.headers.get('www-authenticate')), /^Bearer realm="/);
    } else {
      assert.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8');
      assert.equal(answer.body.status, status, named(route));
      assert.match(String(answer.headers.get('www-authenticate')), /^Bearer realm="/);
    }
  }

  test('every route is either open for a known reason or under a management surface', () => {
    const others = all.filter(({ path, open }) => surfaceOf(path) === undefined || open);
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
    await forAll(routes, async (route) => assertRefused(route, await call(route), 401));
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
      await forAll(routes, async (route) =>
        assertRefused(route, await call(route, tokens.get(audienceOf(route))), 401),
      );
    } finally {
      clock.advance(-86_401_000);
    }
    assert.equal(await server.stateHash(), before);
  });

  test('a token of the other management audience: 401 on every route', async () => {
    const forAuth0 = await server.managementToken();
    const forNative = await server.managementToken(server.nativeAudience);
    await forAll(routes, async (route) => {
      const wrong = audienceOf(route) === server.nativeAudience ? forAuth0 : forNative;
      assertRefused(route, await call(route, wrong), 401);
    });
  });

  test('a client with zero scopes: 403 on every route, before anything is said about what exists', async () => {
    const auth0 = await callerWith(server, []);
    const native = await callerWith(server, [], server.nativeAudience);
    const before = await server.stateHash();
    await forAll(routes, async (route) => {
      const { token } = audienceOf(route) === server.nativeAudience ? native : auth0;
      assertRefused(route, await call(route, token), 403);
    });
    assert.equal(await server.stateHash(), before);
  });

  interface Surface {
    own: RouteEntry[];
    scopes: string[];
    tokenWith(scopes: readonly string[]): Promise<string>;
  }

  /**
   * Routes (without HEAD, which goes with its GET) and scopes of each surface, the umbrella scope aside; and tokens with
   * some of them, of a client that holds them all.
   */
  async function surfaces(): Promise<Surface[]> {
    const apis = (await server.rows('resource_servers')).filter(({ system_kind }) => system_kind !== null);
    const rows = await server.rows('scopes');
    const made = apis.map(async ({ id, system_kind }) => {
      const audience = system_kind === 'api_v2' ? server.managementAudience : server.nativeAudience;
      const own = routes.filter((route) => audienceOf(route) === audience && route.method !== 'HEAD');
      const scopes = rows.filter((row) => row.resource_server_id === id).map(({ value }) => value as string);
      const single = scopes.filter((scope) => scope !== 'all');
      const { clientId, clientSecret } = await callerWith(server, single, audience);
      const tokenWith = async (some: readonly string[]): Promise<string> => {
        const credentials = { client_id: clientId, client_secret: clientSecret, audience };
        return (await server.token({ ...credentials, scope: some.join(' ') })).body.access_token;
      };
      return { own, scopes: single, tokenWith };
    });
    return Promise.all(made);
  }

  test('all scopes of a surface but those that a route names do not open it', async () => {
    const all = await surfaces();
    const before = await server.stateHash();
    for (const { own, scopes, tokenWith } of all) {
      for (const needed of new Set(own.map((route) => route.scopes?.join(' ') ?? ''))) {
        const others = scopes.filter((scope) => !needed.split(' ').includes(scope));
        const token = await tokenWith(others);
        const closed = own.filter((route) => route.scopes?.join(' ') === needed);
        await forAll(closed, async (route) => assertRefused(route, await call(route, token), 403));
      }
    }
    assert.equal(await server.stateHash(), before);
  });

  test('each single scope opens the routes that name it', async () => {
    for (const { own, scopes, tokenWith } of await surfaces()) {
      for (const scope of scopes) {
        const opened = own.filter(({ scopes: needed }) => needed?.includes(scope));
        if (opened.length === 0) continue;
        const token = await tokenWith([scope]);
        await forAll(opened, async (route) => {
          const answer = await call(route, token);
          assert.notEqual(answer.status, 401, `${named(route)} with ${scope}`);
          assert.ok(answer.status < 500, `${named(route)} with ${scope}: ${answer.text}`);
          // A route may ask for more once it has read the request; never again for what the token has.
          if (answer.status !== 403) return;
          assert.doesNotMatch(
            answer.text,
            new RegExp(`(expected any of|one of the scopes)[^"]*${scope}[,."]`),
            named(route),
          );
        });
      }
    }
  });

  test('a write route with the read scopes of its surface only: 403', async () => {
    for (const audience of [server.managementAudience, server.nativeAudience]) {
      const own = routes.filter((route) => audienceOf(route) === audience);
      const readScopes = [...new Set(own.flatMap(({ scopes = [] }) => scopes))].filter((s) => s.startsWith('read:'));
      const { token } = await callerWith(server, readScopes, audience);
      const before = await server.stateHash();
      const writes = own.filter(({ method, scopes = [] }) => {
        // A search by POST reads.
        return !['GET', 'HEAD'].includes(method) && !scopes.some((scope) => scope.startsWith('read:'));
      });
      assert.ok(writes.length > 5);
      await forAll(writes, async (route) => assertRefused(route, await call(route, token), 403));
      assert.equal(await server.stateHash(), before);
    }
  });

  test('a token that speaks for an organization: only where the route filters by its subtree', async () => {
    const organizationId = await makeOrganization(server, 'Customer');
    const { token } = await delegatedCaller(server, { organizationId, scopes: ['all'], isOwner: true });
    const before = await server.stateHash();
    await forAll(routes, async (route) => {
      const answer = await call(route, token);
      if (audienceOf(route) !== server.nativeAudience) return assertRefused(route, answer, 401);
      if (!route.delegated) {
        assertRefused(route, answer, 403);
        if (route.method === 'HEAD' || isAccounts(route.path) || route.scopes?.includes('manage:tenants')) return;
        return assert.equal(answer.body.code, 'auth.organization_token', named(route));
      }
      assert.ok(answer.status !== 401 && answer.status < 500, `${named(route)}: ${answer.status} ${answer.text}`);
      // What is named here is nowhere: nothing but an open list or a call without a name can succeed.
      if (route.path.includes(':')) assert.ok(answer.status >= 400, `${named(route)}: ${answer.text}`);
    });
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
