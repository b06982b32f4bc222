/** Tenants, parents and children, deletions, cursors: every route of the native and the accounts API keeps them apart. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { exampleOf, type Json } from '../../src/http/native/openapi/schemas.ts';
import type { RouteEntry } from '../../src/http/route-list.ts';
import { type Answer, eachEngine, startServer, type TestServer } from '../harness.ts';
import { forAll, rawRequest, withoutLimits } from './support.ts';

/** One thing of each kind, by the first part of its path. */
type Things = Record<string, string>;

const none: Things = {
  organizations: 'org_0000000000000000',
  accounts: 'org_0000000000000000',
  applications: 'Z'.repeat(32),
  users: '0'.repeat(24),
  'organization-invitations': 'inv_0000000000000000',
  'organization-roles': 'rol_1111111111111111',
  'organization-scopes': 'osc_0000000000000000',
  roles: 'rol_0000000000000000',
  resources: 'res_0000000000000000',
  scopes: 'scp_0000000000000000',
  members: 'mem_0000000000000000',
  'auth-policies': '0'.repeat(24),
  'api-keys': 'apk_0000000000000000000000',
};

/** Which thing a parameter that is not the first names. */
const kindOf: Things = {
  userId: 'users',
  applicationId: 'applications',
  memberId: 'members',
  member_id: 'members',
  organizationRoleId: 'organization-roles',
  organizationScopeId: 'organization-scopes',
  roleId: 'roles',
  scopeId: 'scopes',
};

/** Undefined where the path names nothing, or something that this file does not make. */
function pathOf({ path }: RouteEntry, first: Things, others: Things): string | undefined {
  const [, surface = '', parameters] = /^\/api\/([a-z-]+)(.*)$/.exec(path) ?? [];
  const id = first[surface];
  if (id === undefined || !parameters?.includes(':')) return undefined;
  const named = path.replace(/:\w+/, id).replace(/:(\w+)/g, (all, name) => others[kindOf[name] ?? ''] ?? all);
  return named.replace(':name', 'Default%20secret').replace(/:\w+/, 'nothing');
}

const tables = [
  'resource_servers scopes clients credentials client_grants client_grant_scopes users user_terms organizations',
  'organization_scopes roles role_scopes role_organization_scopes role_assignments memberships membership_roles',
  'organization_client_grants organization_invitations organization_invitation_roles organization_email_domains',
  'organization_jit_roles resource_server_aliases idempotency_keys',
]
  .join(' ')
  .split(' ');

eachEngine('tenants, parents and children are kept apart', (engine) => {
  let server: TestServer;
  let routes: RouteEntry[];
  let a: { host: string; token: string };
  let b: { host: string; token: string };
  let one: Things;
  let other: Things;

  const send = (at: typeof a, method: string, path: string, json?: unknown, headers: Record<string, string> = {}) =>
    rawRequest(server, method, path, {
      host: at.host,
      token: at.token,
      ...(json === undefined
        ? { headers }
        : { headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(json) }),
    });
  const made = async (method: string, path: string, json?: unknown): Promise<Answer['body']> => {
    const answer = await send(a, method, `/api${path}`, json);
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  };

  /** Everything that refers to anything, once. */
  async function things(name: string): Promise<Things> {
    const id = async (path: string, json: object) => (await made('POST', path, json)).id as string;
    const m2m = { name, description: name, type: 'MachineToMachine' };
    const resources = await id('/resources', { name, indicator: `https://${name}.example` });
    const scopes = await id(`/resources/${resources}/scopes`, { name: 'read:it', description: 'x' });
    const organizationScope = await id('/organization-scopes', { name: `read:${name}` });
    const role = { resourceScopeIds: [scopes], organizationScopeIds: [organizationScope] };
    const organizationRole = await id('/organization-roles', { name, ...role });
    const roles = await id('/roles', { name, description: name, scopeIds: [scopes] });
    const organizations = await id('/organizations', { name });
    const applications = await id('/applications', m2m);
    const users = await id('/users', { primaryEmail: `${name}@example.com`, username: name });
    const later = { invitee: `later@${name}.example`, expiresAt: Date.now() + 1e8, inviterId: null };
    const invited = { organizationId: organizations, ...later, organizationRoleIds: [organizationRole] };
    const member = { userId: users, organizationRoleIds: [organizationRole] };
    const members = (await made('POST', `/organizations/${organizations}/members`, member)).id;
    await made('POST', `/organizations/${organizations}/applications`, { applicationIds: [applications] });
    await made('POST', `/users/${users}/roles`, { roleIds: [roles] });
    await made('POST', `/organizations/${organizations}/jit/email-domains`, { emailDomain: `${name}.example` });
    await made('POST', `/organizations/${organizations}/jit/roles`, { organizationRoleIds: [organizationRole] });
    return {
      ...{ organizations, accounts: organizations, applications, users, roles, resources, scopes, members },
      'organization-invitations': await id('/organization-invitations', invited),
      'organization-roles': organizationRole,
      'organization-scopes': organizationScope,
      'auth-policies': await id('/auth-policies', { name, type: 'password', configuration: {} }),
      'api-keys': await id('/api-keys', { label: name, scopes: ['read:users'], expiresAt: Date.now() + 1e8 }),
    };
  }

  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    const isOurs = ({ path, method, open }: RouteEntry) =>
      /^\/api\/(?!v2|tenants)/.test(path) && method !== 'HEAD' && !open;
    routes = (await server.composed.server.routes()).filter(isOurs);
    a = { host: `localhost:${server.port}`, token: await server.managementToken(server.nativeAudience) };
    const tenant = await made('POST', '/tenants', { id: 'other' });
    const host = `other.localhost:${server.port}`;
    const { clientId, clientSecret } = tenant.managementClient;
    const issued = await rawRequest(server, 'POST', '/oauth/token', {
      host,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        ...{ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret },
        audience: `http://${host}/api`,
      }).toString(),
    });
    b = { host, token: issued.body.access_token };
    one = await things('one');
    other = await things('two');
  });
  after(() => server.close());

  const bodyOf = (route: RouteEntry) =>
    route.schema?.body === undefined ? undefined : exampleOf(route.schema.body as Json);

  async function assertSame(at: typeof a, route: RouteEntry, real: string, ghost: string): Promise<void> {
    const [theirs, nothing] = [
      await send(at, route.method, real, bodyOf(route)),
      await send(at, route.method, ghost, bodyOf(route)),
    ];
    const shown = ({ status, text, headers }: typeof theirs) => {
      let plain = `${status} ${headers['content-type']} ${text}`;
      for (const id of [one, other, none].flatMap((some) => Object.values(some))) plain = plain.replaceAll(id, 'ID');
      return plain;
    };
    assert.equal(shown(theirs), shown(nothing), `${route.method} ${real}`);
    assert.ok(theirs.status >= 400 && theirs.status < 500, `${route.method} ${real}: ${theirs.status} ${theirs.text}`);
  }

  test('a token of one tenant opens nothing at the host of another, whatever a header or query says', async () => {
    const before = await server.stateHash();
    await forAll(routes, async (route) => {
      const path = pathOf(route, one, one) ?? route.path;
      for (const [at, way] of [
        [{ host: b.host, token: a.token }, ''],
        [{ host: a.host, token: b.token }, '?organization=default&tenant_id=other'],
      ] as const) {
        const headers = { 'x-org-id': 'default', 'x-tenant-id': 'default', 'x-forwarded-host': a.host };
        const answer = await send(at, route.method, `${path}${way}`, bodyOf(route), headers);
        assert.equal(answer.status, 401, `${route.method} ${path}: ${answer.status} ${answer.text}`);
      }
    });
    assert.equal(await server.stateHash(), before);
  });

  test('ids of one tenant are at another what made-up ids are', async () => {
    const before = await server.stateHash();
    let tried = 0;
    await forAll(routes, async (route) => {
      const [real, ghost] = [pathOf(route, one, one), pathOf(route, none, none)];
      if (real === undefined || ghost === undefined) return;
      await assertSame(b, route, real, ghost);
      tried += 1;
    });
    assert.ok(tried > 90, String(tried));
    assert.equal(await server.stateHash(), before);
    for (const route of routes.filter(({ method, path }) => method === 'GET' && !path.includes(':'))) {
      const { text } = await send(b, 'GET', route.path);
      for (const id of Object.values(one)) assert.ok(!text.includes(id), `${route.path} shows ${id}`);
    }
  });

  test('a child of another parent is none of this one', async () => {
    const before = await server.stateHash();
    let tried = 0;
    for (const route of routes.filter(({ path }) => path.split(':').length > 2)) {
      const [real, ghost] = [pathOf(route, one, other), pathOf(route, one, none)];
      if (real === undefined || ghost === undefined || real === ghost) continue;
      // The caller may know each of them: which one is missing here it may be told.
      const statuses = [];
      for (const path of [real, ghost]) statuses.push((await send(a, route.method, path, bodyOf(route))).status);
      assert.deepEqual(statuses, [statuses[1], statuses[1]], `${route.method} ${real}`);
      assert.ok(
        statuses.every((status) => status >= 400 && status < 500),
        `${route.method} ${real}: ${statuses}`,
      );
      tried += 1;
    }
    assert.ok(tried > 20, String(tried));
    assert.equal(await server.stateHash(), before);
  });

  test('a cursor is good for its own list only, as it was given', async () => {
    const lists = routes.filter(({ method, schema, path }) => {
      const query = schema?.querystring as { properties?: object } | undefined;
      return (
        method === 'GET' &&
        query?.properties !== undefined &&
        'cursor' in query.properties &&
        !/(hooks|sso-connectors)$/.test(path)
      );
    });
    assert.ok(lists.length > 20, String(lists.length));
    const first = await send(a, 'GET', '/api/roles?cursor=&page_size=1');
    const cursor = new URL(/<([^>]+)>/.exec(String(first.headers.link))?.[1] ?? '').searchParams.get(
      'cursor',
    ) as string;
    const [payload, tag] = cursor.split('.');
    const injected = Buffer.from(`[0,"' or 1=1--"]`).toString('base64url');
    const forged = ['x', 'a.b', payload, `${injected}.${tag}`, `${cursor}A`, 'null', '%00', '%F0%9F%98%80', cursor];
    await forAll(lists, async (route) => {
      const path = pathOf(route, one, one) ?? route.path;
      for (const each of forged.filter((text) => text !== cursor || path !== '/api/roles')) {
        const answer = await send(a, 'GET', `${path}?cursor=${each}`);
        assert.equal(answer.status, 400, `${path}?cursor=${each}: ${answer.status} ${answer.text}`);
      }
    });
    assert.equal((await send(a, 'GET', `/api/roles?cursor=${cursor}`)).status, 200);
    assert.equal((await send(b, 'GET', `/api/roles?cursor=${cursor}`)).status, 400, 'of another tenant');
  });

  test('odd ids and odd text in a query find nothing, and are never our fault', async () => {
    const odd = [
      '__proto__',
      'constructor',
      'toString',
      'null',
      '%27%20OR%201%3D1--',
      '%F0%9F%98%80',
      '%E2%80%AE',
      '*',
    ];
    const unreadable = ['%00', 'a%00b', '%ED%A0%80', '%C0%AF', '%FF', '%252e%252e', '%25', 'x'.repeat(1500)];
    const before = await server.stateHash();
    await forAll(routes, async (route) => {
      for (const text of [...odd, ...unreadable]) {
        const all = Object.fromEntries(Object.keys(one).map((kind) => [kind, text]));
        for (const path of new Set([pathOf(route, all, all), pathOf(route, one, all)])) {
          if (path?.includes(text) !== true) continue;
          const { status, text: said } = await send(a, route.method, path, bodyOf(route));
          assert.ok(status >= 400 && status < 500, `${route.method} ${path}: ${status} ${said}`);
        }
        if (route.method !== 'GET') continue;
        const query = route.schema?.querystring as { properties?: object } | undefined;
        for (const field of Object.keys(query?.properties ?? {})) {
          const path = `${pathOf(route, one, one) ?? route.path}?${field}=${text}`;
          const { status, text: said } = await send(a, 'GET', path);
          assert.ok(status < 500, `${path}: ${status} ${said}`);
          if (text.includes('%00')) assert.ok(status >= 400, `${path}: ${status} ${said}`);
        }
      }
    });
    assert.equal(await server.stateHash(), before);
  });

  test('nothing can be searched or sorted by what is secret, or named like a builtin', async () => {
    const fields = ['password', 'passwordHash', 'password_hash', 'secret', 'secret_hash', '__proto__', 'constructor'];
    for (const list of ['users', 'applications', 'roles', `roles/${one.roles}/users`]) {
      for (const field of fields) {
        const answer = await send(a, 'GET', `/api/${list}?search.${field}=%25a%25`);
        assert.equal(answer.status, 400, `${list}?search.${field}: ${answer.status} ${answer.text}`);
      }
    }
  });

  test('of twins by case, width or ligature one is made, also at once; of two changes of one state one stands', async () => {
    const names = ['fix', 'FIX', 'ﬁx', 'ｆｉｘ'];
    const roleOf = (name: string) => ({ name, description: 'x' });
    for (const [path, bodyOf] of [
      ['/api/organization-roles', roleOf],
      ['/api/roles', roleOf],
      ['/api/users', (name: string) => ({ primaryEmail: `${name}@example.com` })],
      ['/api/users', (name: string) => ({ username: name })],
    ] as const) {
      const answers = await Promise.all(names.map((name) => send(a, 'POST', path, bodyOf(name))));
      const statuses = answers.map(({ status }) => status).sort();
      assert.ok((statuses[0] as number) < 300, `${path}: ${answers[0]?.text}`);
      assert.deepEqual(
        statuses.slice(1).filter((status) => status !== 422 && status !== 400),
        [],
        `${path}: ${statuses}`,
      );
    }
    for (const path of [
      `/api/organizations/${one.organizations}`,
      `/api/accounts/${one.organizations}`,
      `/api/roles/${one.roles}`,
    ]) {
      const { headers } = await send(a, 'GET', path);
      const conditional = { 'if-match': String(headers.etag) };
      const answers = await Promise.all(
        ['x', 'y', 'z'].map((name) => send(a, 'PATCH', path, { name: `${path} ${name}`.slice(5) }, conditional)),
      );
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 412, 412], path);
    }
  });

  test('what is deleted is in no row any more', async () => {
    const gone = await things('gone');
    await made('POST', `/organizations/${gone.organizations}/users`, { userIds: [other.users] });
    await made('POST', `/roles/${gone.roles}/users`, { userIds: [other.users] });
    const at = gone;
    const left = async (id: string): Promise<string[]> => {
      const found = await Promise.all(
        tables.map(async (table) => ((JSON.stringify(await server.rows(table)) as string).includes(id) ? table : '')),
      );
      return found.filter((table) => table !== '');
    };
    for (const [path, ids] of [
      [`/resources/${at.resources}/scopes/${at.scopes}`, [at.scopes]],
      [`/resources/${at.resources}`, [at.resources]],
      [`/organization-scopes/${at['organization-scopes']}`, [at['organization-scopes']]],
      [`/organization-roles/${at['organization-roles']}`, [at['organization-roles']]],
      [`/roles/${at.roles}`, [at.roles]],
      [`/users/${at.users}`, [at.users, at.members]],
      [`/applications/${at.applications}`, [at.applications]],
      [`/organizations/${at.organizations}`, [at.organizations, at['organization-invitations']]],
    ] as const) {
      await made('DELETE', path);
      for (const id of ids) assert.deepEqual(await left(id as string), [], path);
    }
    await made('DELETE', '/tenants/other');
    for (const table of tables) {
      assert.ok(
        (await server.rows(table)).every(({ tenant_id }) => tenant_id === 'default'),
        table,
      );
    }
    assert.equal((await send(b, 'GET', '/api/organizations')).status, 401);
  });
});
