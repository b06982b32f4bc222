import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from '../management/support.ts';
import { makeOrganizationRole } from '../native/delegated.ts';
import { type Calls, callsOf, walks } from './support.ts';

const noOrganization = { status: 404, message: 'No organization found by that id or name' };
const noUser = { status: 404, message: 'The user does not exist.', errorCode: 'inexistent_user' };
const noRole = { status: 404, message: 'The role does not exist.', errorCode: 'inexistent_role' };
const noMember = {
  status: 404,
  message: 'The user is not a member of the organization.',
  errorCode: 'inexistent_member',
};
const lastOwner = { status: 409, message: /keeps at least one active owner/, errorCode: 'organization.last_owner' };

eachEngine('/api/v2/organizations/{id}/members', (engine) => {
  const clock = new TestClock();
  let server: TestServer;
  let call: Calls;
  let nativeToken: string;
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
    const token = await server.managementToken();
    call = callsOf(server, () => token);
    nativeToken = await server.managementToken(server.nativeAudience);
  });
  after(() => server.close());

  const native = (method: string, path: string, json?: unknown) =>
    server.request(method, `/api${path}`, { token: nativeToken, json });

  let made = 0;
  async function organization(parentId?: string): Promise<string> {
    made += 1;
    const answer = await native('POST', '/organizations', { name: `Organization ${made}`, parentId });
    assert.equal(answer.status, 201, answer.text);
    return answer.body.id;
  }
  async function user(more: object = {}): Promise<string> {
    made += 1;
    const connection = 'Username-Password-Authentication';
    return (await call('POST', '/users', { email: `user-${made}@example.com`, connection, ...more })).body.user_id;
  }
  /** Each of another millisecond: those of one stand in no order that is promised. */
  async function role(): Promise<{ id: string; name: string; type: string }> {
    made += 1;
    clock.advance(1);
    return (await call('POST', '/roles', { name: `Role ${made}` })).body;
  }
  const rolesPath = (organizationId: string, userId: string) =>
    `/organizations/${organizationId}/members/${encodeURIComponent(userId)}/roles`;

  test('members are added, listed and removed with 204, by prefixed and by bare id', async () => {
    const id = await organization();
    const path = `/organizations/${id}/members`;
    const [ann, bob] = [await user({ name: 'Ann', picture: 'https://pictures.example/ann.png' }), await user()];
    const added = await call('POST', path, { members: [ann, bob.slice('auth0|'.length)] });
    assert.deepEqual([added.status, added.text], [204, '']);
    assert.equal((await call('POST', path, { members: [ann] })).status, 204);
    const members = (await call('GET', path)).body;
    assert.equal(members.length, 2);
    const { email, ...rest } = members.find(({ user_id }: { user_id: string }) => user_id === ann);
    assert.match(email, /@example\.com$/);
    assert.deepEqual(rest, { user_id: ann, name: 'Ann', picture: 'https://pictures.example/ann.png' });
    const removed = await call('DELETE', path, { members: [ann, 'auth0|nobody'] });
    assert.deepEqual([removed.status, removed.text], [204, '']);
    const left = (await call('GET', `${path}?include_totals=true`)).body;
    assert.deepEqual([left.total, left.members[0].user_id], [1, bob]);
    const kinds = (await server.logEvents())
      .filter(({ kind, details }) => kind.startsWith('organization_member') && details.includes(id))
      .map(({ kind }) => kind);
    assert.deepEqual(kinds, ['organization_member.added', 'organization_member.added', 'organization_member.removed']);
  });

  test('lists in every shape; machine members and those of organizations above are not in them', async () => {
    const parent = await organization();
    const id = await organization(parent);
    await call('POST', `/organizations/${parent}/members`, { members: [await user()] });
    const client = (await call('POST', '/clients', { name: 'Machine', app_type: 'non_interactive' })).body.client_id;
    const machine = await native('POST', `/organizations/${id}/applications`, { applicationIds: [client] });
    assert.equal(machine.status, 201, machine.text);
    const ids: string[] = [];
    for (let index = 0; index < 9; index += 1) ids.push(await user());
    await call('POST', `/organizations/${id}/members`, { members: ids });
    const shapes = ['offset', 'totals', 'checkpoint'] as const;
    for (const walked of await walks(call, `/organizations/${id}/members`, 'members', 'user_id', shapes)) {
      assert.deepEqual(walked.sort(), [...ids].sort());
    }
  });

  test('fields: as named or without them; roles only when named, and with a scope of their own', async () => {
    const id = await organization();
    const [ann, editor] = [await user(), await role()];
    await call('POST', `/organizations/${id}/members`, { members: [ann] });
    await call('POST', rolesPath(id, ann), { roles: [editor.id] });
    const path = `/organizations/${id}/members`;
    const shown = async (query: string) => (await call('GET', `${path}?${query}`)).body[0];
    assert.deepEqual(await shown('fields=user_id,roles'), {
      user_id: ann,
      roles: [{ id: editor.id, name: editor.name }],
    });
    assert.deepEqual(Object.keys(await shown('')).sort(), ['email', 'name', 'user_id']);
    assert.deepEqual(Object.keys(await shown('fields=email,roles&include_fields=false')).sort(), ['name', 'user_id']);
    const { token } = await callerWith(server, ['read:organization_members']);
    const reader = callsOf(server, () => token);
    assert.equal((await reader('GET', path)).status, 200);
    await reader.refused(
      {
        status: 403,
        message: 'Insufficient scope, expected any of: read:organization_member_roles',
        errorCode: 'insufficient_scope',
      },
      'GET',
      `${path}?fields=roles`,
    );
  });

  test('roles of a member: given, listed, taken; a role counts there and not elsewhere', async () => {
    const id = await organization();
    const [ann, one, two] = [await user(), await role(), await role()];
    await call('POST', `/organizations/${id}/members`, { members: [ann] });
    const given = await call('POST', rolesPath(id, ann), { roles: [one.id, two.id] });
    assert.deepEqual([given.status, given.text], [204, '']);
    assert.equal((await call('POST', rolesPath(id, ann), { roles: [one.id] })).status, 204);
    const listed = await call('GET', `${rolesPath(id, ann)}?include_totals=true`);
    assert.deepEqual(listed.body, { start: 0, limit: 50, total: 2, roles: [one, two] });
    assert.deepEqual((await call('GET', `/users/${encodeURIComponent(ann)}/roles`)).body, []);
    const taken = await call('DELETE', rolesPath(id, ann), { roles: [one.id, 'rol_nothing'] });
    assert.deepEqual([taken.status, taken.text], [204, '']);
    assert.deepEqual((await call('GET', rolesPath(id, ann))).body, [two]);
    await call('DELETE', `/roles/${two.id}`);
    assert.deepEqual((await call('GET', rolesPath(id, ann))).body, []);
  });

  test('what is not there: 404, or 204 when it should go', async () => {
    const id = await organization();
    const [ann, stranger, editor] = [await user(), await user(), await role()];
    await call('POST', `/organizations/${id}/members`, { members: [ann] });
    for (const nowhere of ['org_0000000000000000', '__proto__']) {
      await call.refused(noOrganization, 'GET', `/organizations/${nowhere}/members`);
      await call.refused(noOrganization, 'POST', `/organizations/${nowhere}/members`, { members: [ann] });
      await call.refused(noOrganization, 'GET', rolesPath(nowhere, ann));
      await call.refused(noOrganization, 'POST', rolesPath(nowhere, ann), { roles: [editor.id] });
    }
    for (const member of ['auth0|nobody', '__proto__', 'google-oauth2|1']) {
      await call.refused(noUser, 'POST', `/organizations/${id}/members`, { members: [stranger, member] });
    }
    for (const member of [stranger, 'auth0|nobody', '__proto__']) {
      await call.refused(noMember, 'GET', rolesPath(id, member));
      await call.refused(noMember, 'POST', rolesPath(id, member), { roles: [editor.id] });
    }
    for (const missing of ['rol_nothing', '__proto__', await machineRole()]) {
      await call.refused(noRole, 'POST', rolesPath(id, ann), { roles: [editor.id, missing] });
    }
    const before = await server.stateHash();
    assert.equal((await call('DELETE', '/organizations/org_nothing/members', { members: [ann] })).status, 204);
    assert.equal((await call('DELETE', `/organizations/${id}/members`, { members: [stranger] })).status, 204);
    assert.equal((await call('DELETE', rolesPath(id, ann), { roles: [editor.id] })).status, 204);
    assert.equal((await call('DELETE', rolesPath(id, stranger), { roles: [editor.id] })).status, 204);
    assert.equal(await server.stateHash(), before);
  });

  async function machineRole(): Promise<string> {
    made += 1;
    const answer = await native('POST', '/organization-roles', { name: `Machine ${made}`, type: 'MachineToMachine' });
    assert.ok(answer.status < 300, answer.text);
    return answer.body.id;
  }

  test('bodies and queries that are refused', async () => {
    const id = await organization();
    const path = `/organizations/${id}/members`;
    const ann = await user();
    const invalid = (message: RegExp) => ({ status: 400, message, errorCode: 'invalid_body' });
    await call.refused(invalid(/Missing required property: members/), 'POST', path, {});
    await call.refused(invalid(/too short/), 'POST', path, { members: [] });
    await call.refused(invalid(/too long/), 'POST', path, { members: Array(1001).fill(ann) });
    await call.refused(invalid(/Expected type string/), 'POST', path, { members: [{ user_id: ann }] });
    await call.refused(invalid(/Additional properties not allowed: roles/), 'POST', path, {
      members: [ann],
      roles: [],
    });
    await call.refused(invalid(/Missing required property: members/), 'DELETE', path, {});
    await call.refused(invalid(/Missing required property: roles/), 'POST', rolesPath(id, ann), {});
    const badQuery = { status: 400, message: /^Query validation error/, errorCode: 'invalid_query_string' };
    for (const query of ['take=101', 'from=forged', 'inherited=true']) {
      await call.refused(badQuery, 'GET', `${path}?${query}`);
    }
  });

  test('who is a member by way of an organization above is changed there: 409', async () => {
    const parent = await organization();
    const child = await organization(parent);
    const [ann, bob, editor] = [await user(), await user(), await role()];
    await call('POST', `/organizations/${parent}/members`, { members: [ann] });
    await call('POST', `/organizations/${child}/members`, { members: [bob] });
    const inherited = {
      status: 409,
      message: /comes from an organization above/,
      errorCode: 'organization.member_inherited',
    };
    await call.refused(inherited, 'DELETE', `/organizations/${child}/members`, { members: [bob, ann] });
    await call.refused(inherited, 'POST', rolesPath(child, ann), { roles: [editor.id] });
    await call.refused(inherited, 'DELETE', rolesPath(child, ann), { roles: [editor.id] });
    await call.refused(noMember, 'GET', rolesPath(child, ann));
    assert.equal((await call('POST', `/organizations/${child}/members`, { members: [ann] })).status, 204);
    assert.equal((await call('POST', rolesPath(child, ann), { roles: [editor.id] })).status, 204);
  });

  test('the last owner is neither removed nor demoted, among others or alone', async () => {
    const id = await organization();
    const [ann, bob] = [await user(), await user()];
    made += 1;
    const owner = await makeOrganizationRole(server, {
      scopes: [],
      kind: 'user',
      isOwner: true,
      name: `Owner ${made}`,
    });
    await call('POST', `/organizations/${id}/members`, { members: [ann, bob] });
    assert.equal((await call('POST', rolesPath(id, ann), { roles: [owner] })).status, 204);
    const [shown] = (await call('GET', rolesPath(id, ann))).body;
    assert.equal(shown.type, 'organization');
    await call.refused(lastOwner, 'DELETE', rolesPath(id, ann), { roles: [owner] });
    await call.refused(lastOwner, 'DELETE', `/organizations/${id}/members`, { members: [bob, ann] });
    await call('POST', rolesPath(id, bob), { roles: [owner] });
    assert.equal((await call('DELETE', `/organizations/${id}/members`, { members: [ann] })).status, 204);
    await call.refused(lastOwner, 'DELETE', `/organizations/${id}/members`, { members: [bob] });
  });

  test('a role with management scopes is given only by who holds them, through no door', async () => {
    const id = await organization();
    const ann = await user();
    await call('POST', `/organizations/${id}/members`, { members: [ann] });
    const powerful = await makeOrganizationRole(server, { scopes: ['delete:organizations'], kind: 'user' });
    const scopes = [
      'create:organization_member_roles',
      'create:organization_members',
      'create:organization_invitations',
    ];
    const { token, clientId } = await callerWith(server, scopes);
    const clerk = callsOf(server, () => token);
    const beyond = {
      status: 403,
      message: /scopes you do not hold: delete:organizations/,
      errorCode: 'operation_not_supported',
    };
    await clerk.refused(beyond, 'POST', rolesPath(id, ann), { roles: [powerful] });
    await clerk.refused(beyond, 'POST', `/organizations/${id}/invitations`, {
      inviter: { name: 'Clerk' },
      invitee: { email: 'friend@example.com' },
      client_id: clientId,
      roles: [powerful],
    });
    assert.equal((await call('POST', rolesPath(id, ann), { roles: [powerful] })).status, 204);
  });

  test('the route asks for its own scope', async () => {
    const id = await organization();
    const { token } = await callerWith(server, ['update:organizations', 'read:organizations']);
    const narrow = callsOf(server, () => token);
    const refusal = (scope: string) => ({
      status: 403,
      message: `Insufficient scope, expected any of: ${scope}`,
      errorCode: 'insufficient_scope',
    });
    const path = `/organizations/${id}/members`;
    await narrow.refused(refusal('create:organization_members'), 'POST', path, { members: ['auth0|x'] });
    await narrow.refused(refusal('delete:organization_members'), 'DELETE', path, { members: ['auth0|x'] });
    await narrow.refused(refusal('read:organization_member_roles'), 'GET', rolesPath(id, 'x'));
    await narrow.refused(refusal('create:organization_member_roles'), 'POST', rolesPath(id, 'x'), { roles: ['rol_x'] });
    await narrow.refused(refusal('delete:organization_member_roles'), 'DELETE', rolesPath(id, 'x'), {
      roles: ['rol_x'],
    });
    assert.equal((await server.request('GET', `/api/v2${path}`)).status, 401);
  });
});
