import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { withoutLimits } from '../management/support.ts';
import {
  type DelegatedCaller,
  delegatedCaller,
  makeMembership,
  makeOrganization,
  makeOrganizationRole,
  organizationToken,
} from './delegated.ts';
import { type Machine, Members } from './members-support.ts';

const notMember = [422, 'organization.require_membership'] as const;
const reference = [422, 'entity.relation_foreign_key_not_found'] as const;
const wrongKind = [422, 'entity.db_constraint_violated'] as const;

eachEngine('roles of members', (engine) => {
  let server: TestServer;
  let api: Members;
  let root: string;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    api = await Members.of(server);
    root = await makeOrganization(server, 'Acme');
  });
  after(() => server.close());

  const member = async (name: string, organizationId = root): Promise<string> => {
    const userId = await api.user(name);
    await api.expect(201, 'POST', `/organizations/${organizationId}/users`, { userIds: [userId] });
    return userId;
  };
  const roleIds = async (userId: string, organizationId = root): Promise<string[]> =>
    (await api.expect(200, 'GET', `/organizations/${organizationId}/users/${userId}/roles`)).map(
      ({ id }: { id: string }) => id,
    );

  test('roles of a user are given by id and by name, replaced and taken', async () => {
    const ann = await member('Ann');
    const reader = await makeOrganizationRole(server, { scopes: [], kind: 'user', name: 'Reader' });
    const writer = await makeOrganizationRole(server, { scopes: [], kind: 'user', name: 'Writer' });
    const path = `/organizations/${root}/users/${ann}/roles`;
    const given = await api.expect(201, 'POST', path, {
      organizationRoleIds: [reader],
      organizationRoleNames: ['wRITER'],
    });
    assert.deepEqual(given, { organizationRoleIds: [reader, writer] });
    await api.expect(201, 'POST', path, { organizationRoleIds: [reader] });

    const whole = await api.call('GET', path);
    assert.equal(whole.headers.get('total-number'), null, 'no paging unless asked for');
    assert.deepEqual(whole.body, [
      { tenantId: 'default', id: reader, name: 'Reader', description: null, type: 'User', isOwner: false },
      { tenantId: 'default', id: writer, name: 'Writer', description: null, type: 'User', isOwner: false },
    ]);
    const page = await api.call('GET', `${path}?page=2&page_size=1`);
    assert.equal(page.headers.get('total-number'), '2');
    assert.deepEqual(page.body, [whole.body[1]]);
    const first = await api.call('GET', `${path}?cursor=&page_size=1`);
    const next = new URL(/<([^>]+)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] ?? '');
    const second = await server.request('GET', `${next.pathname}${next.search}`, { token: api.token });
    assert.deepEqual([...first.body, ...second.body], whole.body);

    await api.expect(204, 'PUT', path, { organizationRoleIds: [writer] });
    assert.deepEqual(await roleIds(ann), [writer]);
    await api.expect(204, 'DELETE', `${path}/${writer}`);
    await api.refuse([404, 'entity.not_found'], 'DELETE', `${path}/${writer}`);
    assert.deepEqual(await roleIds(ann), []);
    await api.expect(204, 'PUT', path, { organizationRoleNames: ['Reader', 'reader'] });
    assert.deepEqual(await roleIds(ann), [reader]);
    await api.expect(204, 'PUT', path, {});
    assert.deepEqual(await roleIds(ann), []);
  });

  test('many get many roles at once: all or none', async () => {
    const users = [await member('Ann'), await member('Bob')];
    const roles = [
      await makeOrganizationRole(server, { scopes: [], kind: 'user' }),
      await makeOrganizationRole(server, { scopes: [], kind: 'user' }),
    ];
    const path = `/organizations/${root}/users/roles`;
    const body = { userIds: users, organizationRoleIds: roles };
    assert.deepEqual(await api.expect(201, 'POST', path, body), body);
    await api.expect(201, 'POST', path, body);
    for (const user of users) assert.deepEqual((await roleIds(user)).toSorted(), roles.toSorted());
    const stranger = await api.user('Cy');
    const role = await makeOrganizationRole(server, { scopes: [], kind: 'user' });
    await api.refuse(notMember, 'POST', path, { userIds: [users[0], stranger], organizationRoleIds: [role] });
    await api.refuse(reference, 'POST', path, { userIds: users, organizationRoleIds: [role, 'rol_0000000000000000'] });
    for (const bad of [
      { userIds: users },
      { organizationRoleIds: roles },
      { userIds: [], organizationRoleIds: roles },
    ]) {
      await api.refuse([400, 'guard.invalid_input'], 'POST', path, bad);
    }
  });

  test('who is no member has no roles here, known or unknown', async () => {
    const stranger = await api.user('Cy');
    const role = await makeOrganizationRole(server, { scopes: [], kind: 'user' });
    for (const [method, suffix, json] of [
      ['GET', 'roles', undefined],
      ['GET', 'scopes', undefined],
      ['POST', 'roles', { organizationRoleIds: [role] }],
      ['PUT', 'roles', { organizationRoleIds: [role] }],
      ['DELETE', `roles/${role}`, undefined],
    ] as const) {
      const known = await api.refuse(notMember, method, `/organizations/${root}/users/${stranger}/${suffix}`, json);
      const unknown = `/organizations/${root}/users/0123456789abcdef01234567/${suffix}`;
      assert.deepEqual(known, await api.refuse(notMember, method, unknown, json));
    }
  });

  test('a role must be there, of organizations, and for users', async () => {
    const ann = await member('Ann');
    const path = `/organizations/${root}/users/${ann}/roles`;
    const machine = await makeOrganizationRole(server, { scopes: [], kind: 'client', name: 'Robot' });
    const tenantWide = await makeOrganizationRole(server, { scopes: [], kind: 'user' });
    await server.composed.services.db.transact((trx) =>
      trx.updateTable('roles').set({ level: 'tenant' }).where('id', '=', tenantWide).execute(),
    );
    for (const method of ['POST', 'PUT']) {
      await api.refuse(reference, method, path, { organizationRoleIds: ['rol_0000000000000000'] });
      await api.refuse(reference, method, path, { organizationRoleIds: [tenantWide] });
      await api.refuse(wrongKind, method, path, { organizationRoleIds: [machine] });
      await api.refuse(wrongKind, method, path, { organizationRoleNames: ['robot'] });
      const names = [422, 'organization.role_names_not_found'] as const;
      await api.refuse(names, method, path, { organizationRoleNames: ['Robot', 'Nobody made this'] });
      await api.refuse([400, 'guard.invalid_input'], method, path, { organizationRoleIds: [''] });
    }
  });

  test('the organization scopes of a user are those that count now', async () => {
    const parent = await makeOrganization(server, 'Parent');
    const child = await makeOrganization(server, 'Child', parent);
    const ann = await member('Ann', parent);
    await api.expect(201, 'POST', `/organizations/${child}/users`, { userIds: [ann] });
    const above = await api.organizationRole(['read:above', 'write:above']);
    const here = await api.organizationRole(['read:here']);
    await api.expect(201, 'POST', `/organizations/${parent}/users/${ann}/roles`, { organizationRoleIds: [above] });
    await api.expect(201, 'POST', `/organizations/${child}/users/${ann}/roles`, { organizationRoleIds: [here] });
    const names = async (organizationId: string) =>
      (await api.expect(200, 'GET', `/organizations/${organizationId}/users/${ann}/scopes`)).map(
        ({ name }: { name: string }) => name,
      );
    assert.deepEqual(await names(child), ['read:above', 'read:here', 'write:above']);
    assert.deepEqual(await names(parent), ['read:above', 'write:above']);
    const [scope] = await api.expect(200, 'GET', `/organizations/${parent}/users/${ann}/scopes`);
    assert.deepEqual(scope, { tenantId: 'default', id: scope.id, name: 'read:above', description: null });
    await server.manage('PATCH', `/users/auth0|${ann}`, { blocked: true });
    assert.deepEqual(await names(child), [], 'blocked');
    await server.manage('PATCH', `/users/auth0|${ann}`, { blocked: false });
    await server.composed.services.db.transact((trx) =>
      trx.updateTable('organizations').set({ status: 'suspended' }).where('id', '=', parent).execute(),
    );
    assert.deepEqual(await names(child), [], 'suspended above');
  });
});

eachEngine('nobody gives a member more than they hold', (engine) => {
  let server: TestServer;
  let api: Members;
  let root: string;
  let sub: string;
  let manager: DelegatedCaller;
  let puppet: Machine;
  let ann: string;
  const verbs = ['read', 'create', 'update', 'delete'].map((verb) => `${verb}:organization_members`);
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    api = await Members.of(server);
    root = await makeOrganization(server, 'Acme');
    sub = await makeOrganization(server, 'Acme Sub', root);
    manager = await delegatedCaller(server, { organizationId: root, scopes: verbs });
    puppet = await api.machine('Puppet');
    await api.own(puppet.clientId, sub);
    ann = await api.user('Ann');
  });
  after(() => server.close());

  const beyond = [403, 'auth.exceeds_own'] as const;

  /** Every way a manager could give a role of machines, to itself and to its puppet. */
  async function assertNoDoor(roleId: string): Promise<void> {
    const roles = { organizationRoleIds: [roleId] };
    const refuse = (method: string, path: string, json: unknown) =>
      api.refuse(beyond, method, path, json, manager.token);
    for (const organizationId of [root, sub]) {
      const at = `/organizations/${organizationId}`;
      await refuse('POST', `${at}/members`, { applicationId: puppet.clientId, ...roles });
      const membershipId = await makeMembership(server, { organizationId, subjectId: puppet.clientId, kind: 'client' });
      const subjects = organizationId === root ? [manager.clientId, puppet.clientId] : [puppet.clientId];
      for (const subject of subjects) {
        await refuse('POST', `${at}/applications/${subject}/roles`, roles);
        await refuse('PUT', `${at}/applications/${subject}/roles`, roles);
      }
      await refuse('POST', `${at}/applications/roles`, { applicationIds: subjects, ...roles });
      await refuse('PATCH', `${at}/members/${membershipId}`, roles);
      if (organizationId === root) await refuse('PATCH', `${at}/members/${manager.membershipId}`, roles);
      await api.expect(204, 'DELETE', `${at}/members/${membershipId}`);
    }
  }

  test('a role with management scopes above its own: by no door', async () => {
    await assertNoDoor(await makeOrganizationRole(server, { scopes: [...verbs, 'delete:organizations'] }));
    await assertNoDoor(await makeOrganizationRole(server, { scopes: ['all'] }));
  });

  test('a role with scopes of an API it does not hold: by no door', async () => {
    const { scopeIds } = await api.api(['read:orders']);
    await assertNoDoor(await api.roleOf([...scopeIds.values()]));
  });

  test('a role with organization scopes it does not hold: by no door', async () => {
    await assertNoDoor(await api.organizationRole(['approve:payments'], 'client'));
  });

  test('an owner is made by an owner: by no door, not even by one who owns an organization below', async () => {
    const owner = await makeOrganizationRole(server, { scopes: [], isOwner: true });
    await assertNoDoor(owner);
    const membership = { organizationId: sub, subjectId: manager.clientId, kind: 'client' as const, roleIds: [owner] };
    const below = await makeMembership(server, membership);
    await assertNoDoor(owner);
    const token = await organizationToken(server, manager, sub);
    await api.expect(
      201,
      'POST',
      `/organizations/${sub}/members`,
      {
        applicationId: puppet.clientId,
        organizationRoleIds: [owner],
      },
      token,
    );
    await api.expect(204, 'DELETE', `/organizations/${sub}/applications/${puppet.clientId}`);
    await api.expect(204, 'DELETE', `/organizations/${sub}/members/${below}`);
  });

  test('roles for people, by the same measure', async () => {
    const role = await makeOrganizationRole(server, { scopes: ['delete:users'], kind: 'user' });
    const membershipId = await makeMembership(server, { organizationId: sub, subjectId: ann, kind: 'user' });
    const roles = { organizationRoleIds: [role] };
    const at = `/organizations/${sub}`;
    await api.refuse(beyond, 'POST', `${at}/users/${ann}/roles`, roles, manager.token);
    await api.refuse(beyond, 'PUT', `${at}/users/${ann}/roles`, roles, manager.token);
    await api.refuse(beyond, 'POST', `${at}/users/roles`, { userIds: [ann], ...roles }, manager.token);
    await api.refuse(beyond, 'PATCH', `${at}/members/${membershipId}`, roles, manager.token);
    const name = (await server.rows('roles')).find(({ id }) => id === role).name;
    const byName = { organizationRoleNames: [name] };
    await api.refuse(beyond, 'POST', `${at}/users/${ann}/roles`, byName, manager.token);
    await api.expect(204, 'DELETE', `${at}/users/${ann}`);
  });

  test('to let a membership count below is to give its roles there', async () => {
    const strong = await makeOrganizationRole(server, { scopes: ['delete:organizations'] });
    const membershipId = await makeMembership(server, {
      organizationId: root,
      subjectId: puppet.clientId,
      kind: 'client',
      roleIds: [strong],
      thisOrganizationOnly: true,
    });
    const one = `/organizations/${root}/members/${membershipId}`;
    await api.refuse(beyond, 'PATCH', one, { thisOrganizationOnly: false }, manager.token);
    await api.expect(200, 'PATCH', one, { thisOrganizationOnly: true }, manager.token);
    await api.expect(200, 'PATCH', one, { thisOrganizationOnly: false, organizationRoleIds: [] }, manager.token);
    await api.expect(204, 'DELETE', one);
  });

  test('to move an organization below another is to give the roles above its new place', async () => {
    const mover = await delegatedCaller(server, { organizationId: root, scopes: ['update:organizations'] });
    const strong = await makeOrganizationRole(server, { scopes: ['delete:organizations'] });
    const strongholds = await makeOrganization(server, 'Stronghold', root);
    const victim = await makeOrganization(server, 'Victim', root);
    const membership = { organizationId: strongholds, subjectId: mover.clientId, kind: 'client' as const };
    const id = await makeMembership(server, { ...membership, roleIds: [strong] });
    const below = { parentId: strongholds };
    await api.refuse(beyond, 'POST', `/organizations/${victim}/move`, below, mover.token);
    await api.expect(200, 'PATCH', `/organizations/${strongholds}/members/${id}`, { thisOrganizationOnly: true });
    await api.expect(200, 'POST', `/organizations/${victim}/move`, below, mover.token);
    // Up again: the members of the root reach it as they did.
    await api.expect(200, 'POST', `/organizations/${victim}/move`, { parentId: root }, mover.token);
  });

  test('what it holds it may give, and what others hold it may take', async () => {
    const own = await makeOrganizationRole(server, { scopes: ['read:organization_members'] });
    const strong = await makeOrganizationRole(server, { scopes: ['delete:organizations'] });
    const body = { applicationId: puppet.clientId, organizationRoleIds: [own] };
    const { id } = await api.expect(201, 'POST', `/organizations/${sub}/members`, body, manager.token);
    await api.expect(200, 'PATCH', `/organizations/${sub}/members/${id}`, { organizationRoleIds: [own, strong] });
    const kept = { organizationRoleIds: [strong] };
    await api.expect(200, 'PATCH', `/organizations/${sub}/members/${id}`, kept, manager.token);
    const roles = `/organizations/${sub}/applications/${puppet.clientId}/roles`;
    await api.expect(204, 'DELETE', `${roles}/${strong}`, undefined, manager.token);
    await api.expect(204, 'DELETE', `/organizations/${sub}/members/${id}`, undefined, manager.token);
  });

  test('a caller of the whole tenant gives no management scope it lacks either', async () => {
    const clerk = await server.manage('POST', '/clients', { name: 'Clerk', app_type: 'non_interactive' });
    const audience = server.nativeAudience;
    await server.manage('POST', '/client-grants', { client_id: clerk.client_id, audience, scope: verbs });
    const credentials = { client_id: clerk.client_id, client_secret: clerk.client_secret };
    const token = (await server.token({ ...credentials, audience })).body.access_token;
    const role = await makeOrganizationRole(server, { scopes: ['all'] });
    const body = { applicationId: clerk.client_id, organizationRoleIds: [role] };
    await api.refuse(beyond, 'POST', `/organizations/${root}/members`, body, token);
  });
});
