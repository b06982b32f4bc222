import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from '../management/support.ts';
import { AscendingClock } from './ascending-clock.ts';
import { delegatedCaller, makeOrganization } from './delegated.ts';
import { Members } from './members-support.ts';

const invalidInput = [400, 'guard.invalid_input'] as const;

eachEngine('/api/users/:userId/roles', (engine) => {
  let server: TestServer;
  let native: Members;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits, clock: new AscendingClock() });
    native = await Members.of(server);
  });
  after(() => server.close());

  let made = 0;
  const role = (more = {}) => {
    made += 1;
    return native.expect(200, 'POST', '/roles', { name: `role ${made}`, description: '', ...more });
  };
  const user = async (more = {}): Promise<string> => (await native.expect(200, 'POST', '/users', more)).id;
  const idsOf = (list: { id: string }[]) => list.map(({ id }) => id);

  test('roles are given, found, replaced and taken, each change in the log', async () => {
    const [first, second, third] = [await role(), await role(), await role()];
    const id = await user();
    const path = `/users/${id}/roles`;
    assert.deepEqual(await native.expect(201, 'POST', path, { roleIds: [first.id, second.id] }), {
      roleIds: [first.id, second.id],
      addedRoleIds: [first.id, second.id],
    });
    assert.deepEqual(await native.expect(201, 'POST', path, { roleIds: [second.id, third.id] }), {
      roleIds: [second.id, third.id],
      addedRoleIds: [third.id],
    });
    assert.deepEqual(await native.expect(200, 'GET', path), [first, second, third]);
    assert.deepEqual(await native.expect(200, 'GET', `${path}?q=${second.name.toUpperCase().replace(' ', '%20')}`), [
      second,
    ]);
    const paged = await native.call('GET', `${path}?page=2&page_size=2`);
    assert.deepEqual([idsOf(paged.body), paged.headers.get('total-number')], [[third.id], '3']);
    const without = await native.expect(200, 'GET', `/users?excludeRoleId=${first.id}&page_size=100`);
    assert.ok(!idsOf(without).includes(id));
    assert.deepEqual(await native.expect(200, 'PUT', path, { roleIds: [third.id] }), { roleIds: [third.id] });
    assert.deepEqual(await native.expect(200, 'GET', path), [third]);
    await native.expect(204, 'DELETE', `${path}/${third.id}`);
    assert.deepEqual(await native.expect(200, 'GET', path), []);
    const events = (await server.logEvents()).filter((event) => event.user_id === id);
    assert.deepEqual(
      events.map(({ kind }) => kind),
      [
        'user.created',
        'role.assigned',
        'role.assigned',
        'role.assigned',
        'role.unassigned',
        'role.unassigned',
        'role.unassigned',
      ],
    );
  });

  test('a role of another kind, an unknown one, none and too many are refused', async () => {
    const [own, ofMachines] = [await role(), await role({ type: 'MachineToMachine' })];
    const id = await user();
    const path = `/users/${id}/roles`;
    await native.expect(201, 'POST', path, { roleIds: [own.id] });
    for (const method of ['POST', 'PUT']) {
      await native.refuse([422, 'user.invalid_role_type'], method, path, { roleIds: [own.id, ofMachines.id] });
      await native.refuse([404, 'entity.relation_foreign_key_not_found'], method, path, { roleIds: ['rol_none'] });
      await native.refuse(invalidInput, method, path, { roleIds: Array.from({ length: 1001 }, (_, i) => `rol_${i}`) });
      await native.refuse(invalidInput, method, path, { roleIds: own.id });
      await native.refuse([404, 'entity.not_exists'], method, '/users/nobody/roles', { roleIds: [own.id] });
    }
    await native.refuse(invalidInput, 'POST', path, { roleIds: [] });
    await native.refuse([404, 'entity.not_found'], 'DELETE', `${path}/${ofMachines.id}`);
    await native.refuse([404, 'entity.not_exists_with_id'], 'GET', '/users/nobody/roles');
    assert.deepEqual(idsOf(await native.expect(200, 'GET', path)), [own.id]);
  });

  test('giving and taking need assign:roles', async () => {
    const { id: roleId } = await role();
    const id = await user();
    const caller = await callerWith(server, ['update:users', 'update:roles'], server.nativeAudience);
    for (const [method, path, json] of [
      ['POST', `/users/${id}/roles`, { roleIds: [roleId] }],
      ['PUT', `/users/${id}/roles`, { roleIds: [] }],
      ['DELETE', `/users/${id}/roles/${roleId}`, undefined],
    ] as const) {
      await native.refuse([403, 'auth.forbidden'], method, path, json, caller.token);
    }
    const giver = await callerWith(server, ['assign:roles'], server.nativeAudience);
    await native.expect(201, 'POST', `/users/${id}/roles`, { roleIds: [roleId] }, giver.token);
  });

  test('a token for an organization reads the roles of its own people and changes none', async () => {
    const organization = await makeOrganization(server, 'Customer');
    const { id: roleId, name } = await role();
    const own = await user({ ownerOrganizationId: organization });
    const other = await user();
    for (const id of [own, other]) await native.expect(201, 'POST', `/users/${id}/roles`, { roleIds: [roleId] });
    const { token } = await delegatedCaller(server, { organizationId: organization, scopes: ['all'] });
    const listed = await native.expect(200, 'GET', `/users/${own}/roles`, undefined, token);
    assert.deepEqual(
      listed.map((one: { name: string }) => one.name),
      [name],
    );
    const hidden = await native.refuse(
      [404, 'entity.not_exists_with_id'],
      'GET',
      `/users/${other}/roles`,
      undefined,
      token,
    );
    const absent = await native.refuse(
      [404, 'entity.not_exists_with_id'],
      'GET',
      '/users/nobody/roles',
      undefined,
      token,
    );
    assert.deepEqual(hidden, absent);
    const forbidden = [403, 'auth.organization_token'] as const;
    await native.refuse(forbidden, 'POST', `/users/${own}/roles`, { roleIds: [roleId] }, token);
    await native.refuse(forbidden, 'PUT', `/users/${own}/roles`, { roleIds: [] }, token);
    await native.refuse(forbidden, 'DELETE', `/users/${own}/roles/${roleId}`, undefined, token);
  });
});
