import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { withoutLimits } from '../management/support.ts';
import { type Calls, callsOf } from './support.ts';

const noUser = { status: 404, message: 'The user does not exist.', errorCode: 'inexistent_user' };
const noRole = { status: 404, message: 'The role does not exist.', errorCode: 'inexistent_role' };

eachEngine('/api/v2/users/{id}/roles, permissions and organizations', (engine) => {
  const clock = new TestClock();
  let server: TestServer;
  let call: Calls;
  let native: (
    method: string,
    path: string,
    json?: unknown,
  ) => Promise<{ status: number; body: { id: string }; text: string }>;
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
    const token = await server.managementToken();
    call = callsOf(server, () => token);
    const nativeToken = await server.managementToken(server.nativeAudience);
    native = (method, path, json) => server.request(method, `/api${path}`, { token: nativeToken, json });
    const scopes = [{ value: 'read:a', description: 'Read' }, { value: 'write:a' }];
    await call('POST', '/resource-servers', { identifier: 'urn:a', name: 'A', scopes });
  });
  after(() => server.close());

  let made = 0;
  async function user() {
    made += 1;
    const { body } = await call('POST', '/users', {
      email: `user-${made}@example.com`,
      connection: 'Username-Password-Authentication',
    });
    return { id: body.user_id as string, path: `/users/${encodeURIComponent(body.user_id)}` };
  }
  /** Each of another millisecond: those of one stand in no order that is promised. */
  async function role(...permissions: string[]): Promise<{ id: string; name: string }> {
    made += 1;
    clock.advance(1);
    const { body } = await call('POST', '/roles', { name: `Role ${made}` });
    if (permissions.length > 0) {
      await call('POST', `/roles/${body.id}/permissions`, {
        permissions: permissions.map((permission_name) => ({ resource_server_identifier: 'urn:a', permission_name })),
      });
    }
    return body;
  }

  test('roles are given and taken with 204, by prefixed and by bare id', async () => {
    const { id, path } = await user();
    const [one, two] = [await role(), await role()];
    const given = await call('POST', `${path}/roles`, { roles: [one.id, two.id] });
    assert.deepEqual([given.status, given.text], [204, '']);
    const bare = `/users/${id.slice('auth0|'.length)}/roles`;
    assert.equal((await call('POST', bare, { roles: [one.id] })).status, 204);
    const listed = await call('GET', `${path}/roles?include_totals=true&per_page=1&page=1`);
    assert.deepEqual(listed.body, {
      start: 1,
      limit: 1,
      total: 2,
      roles: [{ id: two.id, name: two.name, type: 'tenant' }],
    });
    const taken = await call('DELETE', bare, { roles: [one.id, 'rol_nothing', one.id] });
    assert.deepEqual([taken.status, taken.text], [204, '']);
    assert.deepEqual((await call('GET', bare)).body, [{ id: two.id, name: two.name, type: 'tenant' }]);
  });

  test('a role that is nowhere, or for machines, or of organizations only: 404, and none of the others is given', async () => {
    const { path } = await user();
    const good = await role();
    const machine = await native('POST', '/roles', { name: 'Machine', description: 'm', type: 'MachineToMachine' });
    const organization = await native('POST', '/organization-roles', { name: 'Inside only', type: 'User' });
    for (const id of ['rol_nothing', '__proto__', machine.body.id, organization.body.id]) {
      await call.refused(noRole, 'POST', `${path}/roles`, { roles: [good.id, id] });
    }
    await call.refused(noUser, 'POST', '/users/auth0%7Cnobody/roles', { roles: [good.id] });
    await call.refused(noUser, 'GET', '/users/google-oauth2%7Cnobody/roles');
    const before = await server.stateHash();
    assert.equal((await call('DELETE', '/users/auth0%7Cnobody/roles', { roles: [good.id] })).status, 204);
    assert.equal(await server.stateHash(), before);
  });

  test('bodies that are refused', async () => {
    const { path } = await user();
    const invalid = (message: RegExp) => ({ status: 400, message, errorCode: 'invalid_body' });
    await call.refused(invalid(/Missing required property: roles/), 'POST', `${path}/roles`, {});
    await call.refused(invalid(/too short/), 'POST', `${path}/roles`, { roles: [] });
    await call.refused(invalid(/Expected type string/), 'POST', `${path}/roles`, { roles: [1] });
    await call.refused(invalid(/Additional properties not allowed: level/), 'POST', `${path}/roles`, {
      roles: ['rol_x'],
      level: 'both',
    });
    await call.refused(invalid(/Missing required property: roles/), 'DELETE', `${path}/roles`, {});
  });

  test('permissions are those of the roles, each once, with where they come from', async () => {
    const { path } = await user();
    const [reader, writer] = [await role('read:a'), await role('write:a', 'read:a')];
    await call('POST', `${path}/roles`, { roles: [reader.id, writer.id] });
    const source = ({ id, name }: { id: string; name: string }) => ({
      source_id: id,
      source_name: name,
      source_type: 'ROLE',
    });
    const api = { resource_server_name: 'A', resource_server_identifier: 'urn:a' };
    assert.deepEqual((await call('GET', `${path}/permissions`)).body, [
      { permission_name: 'read:a', description: 'Read', ...api, sources: [source(reader), source(writer)] },
      { permission_name: 'write:a', ...api, sources: [source(writer)] },
    ]);
    const page = (await call('GET', `${path}/permissions?include_totals=true&per_page=1&page=1`)).body;
    assert.deepEqual([page.total, page.permissions[0].permission_name], [2, 'write:a']);
    await call.refused(noUser, 'GET', '/users/auth0%7Cnobody/permissions');
  });

  test('permissions given directly are not served: the answer of a known route', async () => {
    const { path } = await user();
    for (const [method, scope] of [
      ['POST', 'create:users'],
      ['DELETE', 'delete:users'],
    ] as const) {
      await call.refused(
        { status: 403, message: `Insufficient scope, expected any of: ${scope}`, errorCode: 'insufficient_scope' },
        method,
        `${path}/permissions`,
        { permissions: [{ resource_server_identifier: 'urn:a', permission_name: 'read:a' }] },
      );
    }
  });

  test('organizations are those the user is a direct member of', async () => {
    const { id, path } = await user();
    const parent = await native('POST', '/organizations', { name: 'Parent' });
    const child = await native('POST', '/organizations', { name: 'Child', parentId: parent.body.id });
    assert.equal(child.status, 201, child.text);
    await call('POST', `/organizations/${parent.body.id}/members`, { members: [id] });
    const listed = await call('GET', `${path}/organizations?include_totals=true`);
    assert.deepEqual(listed.body, {
      start: 0,
      limit: 50,
      total: 1,
      organizations: [{ id: parent.body.id, name: 'parent', display_name: 'Parent' }],
    });
    await call.refused(noUser, 'GET', '/users/auth0%7Cnobody/organizations');
  });

  test('the last owner of a root organization is neither deleted nor blocked', async () => {
    const owner = await user();
    const other = await user();
    const root = await native('POST', '/organizations', { name: 'Owned' });
    const ownerRole = await native('POST', '/organization-roles', { name: `Owner ${engine}`, isOwner: true });
    await call('POST', `/organizations/${root.body.id}/members`, { members: [owner.id, other.id] });
    const given = await call('POST', `/organizations/${root.body.id}/members/${owner.id}/roles`, {
      roles: [ownerRole.body.id],
    });
    assert.equal(given.status, 204, given.text);
    const refusal = { status: 409, message: /keeps at least one active owner/, errorCode: 'organization.last_owner' };
    await call.refused(refusal, 'DELETE', owner.path);
    await call.refused(refusal, 'PATCH', owner.path, { blocked: true });
    assert.equal((await call('DELETE', other.path)).status, 204);
    const { id } = await user();
    await call('POST', `/organizations/${root.body.id}/members`, { members: [id] });
    await call('POST', `/organizations/${root.body.id}/members/${id}/roles`, { roles: [ownerRole.body.id] });
    assert.equal((await call('DELETE', owner.path)).status, 204);
    assert.ok(!(await server.rows('memberships')).some(({ subject_id }) => `auth0|${subject_id}` === owner.id));
  });
});
