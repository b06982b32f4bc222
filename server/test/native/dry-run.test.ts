import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { exampleOf, type Json } from '../../src/http/native/openapi/schemas.ts';
import type { RouteEntry } from '../../src/http/route-list.ts';
import { type Answer, eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from '../management/support.ts';
import { nativeToken } from './delegated.ts';

eachEngine('dry_run', (engine) => {
  let server: TestServer;
  let token: string;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    token = await nativeToken(server);
    await call('POST', '/tenants', { id: 'there' });
  });
  after(() => server.close());

  const call = (method: string, path: string, json?: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
    server.request(method, `/api${path}`, { token, headers, ...(json === undefined ? {} : { json }) });
  const everything = async (): Promise<unknown> => [await server.stateHash(), await server.logEvents()];

  test('answers what would have been, secrets as null, and writes nothing', async () => {
    const before = await everything();
    const created = await call('POST', '/tenants?dry_run=true', { id: 'maybe', name: 'Maybe' });
    assert.equal(created.status, 201, created.text);
    assert.equal(created.headers.get('dry-run'), 'true');
    assert.deepEqual([created.body.id, created.body.name], ['maybe', 'Maybe']);
    assert.equal(created.body.managementClient.clientSecret, null);
    const changed = await call('PATCH', '/tenants/there?dry_run=true', { name: 'Changed' });
    assert.equal(changed.status, 200, changed.text);
    assert.equal(changed.body.name, 'Changed');
    const deleted = await call('DELETE', '/tenants/there?dry_run=true');
    assert.equal(deleted.status, 204, deleted.text);
    assert.equal(deleted.headers.get('dry-run'), 'true');
    assert.deepEqual(await everything(), before);
    assert.equal((await call('GET', '/tenants/maybe')).status, 404);
    assert.equal((await call('GET', '/tenants/there')).body.name, 'there');
  });

  test('refuses as the change itself would', async () => {
    const { token: reader } = await callerWith(server, ['read:organizations'], server.nativeAudience);
    const forbidden = await server.request('POST', '/api/tenants?dry_run=true', { token: reader, json: { id: 'x' } });
    assert.equal(forbidden.status, 403);
    const before = await everything();
    assert.equal((await call('POST', '/tenants?dry_run=true', { id: 'there' })).status, 409);
    assert.equal((await call('POST', '/tenants?dry_run=true', { id: 7 })).status, 400);
    assert.equal((await call('DELETE', '/tenants/default?dry_run=true')).body.code, 'tenant.default_protected');
    assert.equal((await call('PATCH', '/tenants/nobody?dry_run=true', {})).status, 404);
    const stale = await call('PATCH', '/tenants/there?dry_run=true', { name: 'x' }, { 'if-match': '"x"' });
    assert.equal(stale.status, 412);
    assert.deepEqual(await everything(), before);
  });

  test('keeps no idempotency key, and says nothing wrong of one', async () => {
    const headers = { 'idempotency-key': 'later' };
    assert.equal((await call('POST', '/tenants?dry_run=true', { id: 'later' }, headers)).status, 201);
    assert.deepEqual(await server.rows('idempotency_keys'), []);
    const made = await call('POST', '/tenants', { id: 'later' }, headers);
    assert.equal(made.status, 201, made.text);
    assert.equal(made.headers.get('idempotency-replayed'), null);
  });

  test('anything but true and false is refused: a misspelling must not change anything', async () => {
    const before = await everything();
    for (const query of ['dry_run=', 'dry_run=yes', 'dry_run=1', 'dry_run=TRUE', 'dry_run=true&dry_run=true']) {
      const answer = await call('PATCH', `/tenants/there?${query}`, { name: 'x' });
      assert.equal(answer.status, 400, `${query}: ${answer.text}`);
      assert.equal(answer.body.data.path, 'dry_run');
    }
    assert.deepEqual(await everything(), before);
    assert.equal((await call('PATCH', '/tenants/there?dry_run=false', { name: 'Real' })).body.name, 'Real');
  });

  test('every change can be tried on things that are there; none hangs, fails or writes', {
    timeout: 60_000,
  }, async () => {
    const things = await makeThings();
    const changes = (await server.composed.server.routes()).filter(
      ({ method, path, scopes = [] }) =>
        /^\/api\/(?!v2(\/|$))/.test(path) &&
        !['GET', 'HEAD'].includes(method) &&
        // What reads by POST changes nothing anyway.
        !scopes.some((scope) => scope.startsWith('read:') || scope.startsWith('explain:')),
    );
    const before = await everything();
    const done: string[] = [];
    for (const route of changes) {
      const path = `${pathOf(route, things)}?dry_run=true`;
      const answer = await call(route.method, path.slice('/api'.length), bodyFor(route, things));
      const what = `${route.method} ${route.path}: ${answer.status} ${answer.text.slice(0, 300)}`;
      assert.ok(answer.status < 500, what);
      if (answer.status >= 300) continue;
      assert.equal(answer.headers.get('dry-run'), 'true', `not tried but done: ${what}`);
      done.push(`${route.method} ${route.path}`);
    }
    assert.deepEqual(await everything(), before);
    assert.ok(done.length > changes.length / 3, `of ${changes.length} only ${done.length} succeed: ${done.join(', ')}`);
  });

  /** One of everything that a path or a body of a change can name. */
  async function makeThings(): Promise<Things> {
    const make = async (path: string, json: unknown): Promise<string> => {
      const answer = await call('POST', path, json);
      assert.ok(answer.status < 300, `${path}: ${answer.text}`);
      return answer.body.id;
    };
    const organization = await make('/organizations', { name: 'There' });
    const application = (await server.machine()).clientId;
    const user = await server.manage('POST', '/users', {
      connection: 'Username-Password-Authentication',
      email: 'there@example.com',
      password: 'Correct-horse-9-battery',
    });
    const resource = await make('/resources', { name: 'There', indicator: 'https://there.example' });
    const things = {
      organization,
      application,
      user: String(user.user_id).replace('auth0|', ''),
      resource,
      scope: await make(`/resources/${resource}/scopes`, { name: 'there' }),
      role: await make('/roles', { name: 'There', description: 'd' }),
      organizationRole: await make('/organization-roles', { name: 'There' }),
      organizationScope: await make('/organization-scopes', { name: 'there' }),
      member: '',
    };
    await call('POST', `/organizations/${organization}/users`, { userIds: [things.user] });
    await call('POST', `/organizations/${organization}/applications`, { applicationIds: [application] });
    things.member = (await server.rows('memberships'))[0].id;
    return things;
  }
});

type Things = Record<
  | 'organization'
  | 'application'
  | 'user'
  | 'resource'
  | 'scope'
  | 'role'
  | 'organizationRole'
  | 'organizationScope'
  | 'member',
  string
>;

/** The path with ids of things that are there. */
function pathOf({ path }: RouteEntry, things: Things): string {
  const ofCollection: Record<string, string> = {
    organizations: things.organization,
    'organization-roles': things.organizationRole,
    'organization-scopes': things.organizationScope,
    applications: things.application,
    users: things.user,
    roles: things.role,
    resources: things.resource,
    tenants: 'there',
  };
  const ofName: Record<string, string> = { account_id: things.organization, ...withSuffix(things, 'Id') };
  const collection = path.split('/')[2] ?? '';
  return path
    .replace(':id', ofCollection[collection] ?? 'nothing')
    .replace(/:(application|member)_id/, (_all, name: 'application' | 'member') => things[name])
    .replace(/:(\w+)/g, (_all, name: string) => ofName[name] ?? 'nothing');
}

/** The route's own example, its references to things that are there. */
function bodyFor({ schema }: RouteEntry, things: Things): unknown {
  if (schema?.body === undefined) return undefined;
  const { organizationRoleNames, parentId, ...example } = exampleOf(schema.body as Json) as Json;
  const one = withSuffix(things, 'Id');
  const many = Object.fromEntries(Object.entries(withSuffix(things, 'Ids')).map(([name, id]) => [name, [id]]));
  const known = Object.entries({ ...one, ...many }).filter(([name]) => name in example);
  return { ...example, ...(parentId === undefined ? {} : { parentId: null }), ...Object.fromEntries(known) };
}

const withSuffix = (things: Things, suffix: string): Record<string, string> =>
  Object.fromEntries(Object.entries(things).map(([name, id]) => [`${name}${suffix}`, id]));
