import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from '../management/support.ts';
import { type Calls, callsOf, walks } from './support.ts';

const inexistent = { status: 404, message: 'The role does not exist.', errorCode: 'inexistent_role' };
const invalidBody = (message: string | RegExp) => ({ status: 400, message, errorCode: 'invalid_body' });
const audience = 'https://orders.example/';
const permission = (permission_name: string, resource_server_identifier = audience) => ({
  resource_server_identifier,
  permission_name,
});

eachEngine('/api/v2/roles', (engine) => {
  let server: TestServer;
  let call: Calls;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    const token = await server.managementToken();
    call = callsOf(server, () => token);
    const scopes = [{ value: 'read:orders', description: 'Read orders' }, { value: 'write:orders' }];
    await call('POST', '/resource-servers', { identifier: audience, name: 'Orders', scopes });
    await call('POST', '/resource-servers', {
      identifier: 'urn:stock',
      name: 'Stock',
      scopes: [{ value: 'read:stock' }],
    });
  });
  after(() => server.close());

  let made = 0;
  async function roleOf(more: object = {}) {
    made += 1;
    const { status, body, text } = await call('POST', '/roles', { name: `Role ${made}`, ...more });
    assert.equal(status, 200, text);
    return { role: body, path: `/roles/${body.id}` };
  }
  async function userOf(): Promise<string> {
    made += 1;
    const user = {
      email: `user-${made}@example.com`,
      name: `User ${made}`,
      connection: 'Username-Password-Authentication',
    };
    return (await call('POST', '/users', user)).body.user_id;
  }
  /** A role for machine clients, as Logto's API makes it. */
  async function clientRole(): Promise<string> {
    const token = await server.managementToken(server.nativeAudience);
    made += 1;
    const json = { name: `Machine role ${made}`, description: 'For machines', type: 'MachineToMachine' };
    const answer = await server.request('POST', '/api/roles', { token, json });
    assert.equal(answer.status, 200, answer.text);
    return answer.body.id;
  }

  test('a role as on the wire: made with 200, read, changed, deleted with 200 and an empty object', async () => {
    const { role, path } = await roleOf({ name: 'Editor', description: 'Edits orders' });
    assert.match(role.id, /^rol_[0-9A-Za-z]{16}$/);
    assert.deepEqual(role, { id: role.id, name: 'Editor', description: 'Edits orders', type: 'tenant' });
    const read = await call('GET', path);
    assert.deepEqual([read.status, read.body], [200, role]);
    const changed = await call('PATCH', path, { name: 'Chief editor' });
    assert.deepEqual([changed.status, changed.body], [200, { ...role, name: 'Chief editor' }]);
    const unchanged = await call('PATCH', path, {});
    assert.deepEqual([unchanged.status, unchanged.body], [200, changed.body]);
    const deleted = await call('DELETE', path);
    assert.deepEqual([deleted.status, deleted.text], [200, '{}']);
    await call.refused(inexistent, 'GET', path);
    const again = await call('DELETE', path);
    assert.deepEqual([again.status, again.text], [200, '{}']);
  });

  test('a role without description has none; it counts at both levels', async () => {
    const { role } = await roleOf({ type: 'tenant' });
    assert.deepEqual(Object.keys(role).sort(), ['id', 'name', 'type']);
    const row = (await server.rows('roles')).find(({ id }) => id === role.id);
    assert.deepEqual([row.level, row.subject_kind], ['both', 'user']);
  });

  test('each change writes its log event', async () => {
    const { role, path } = await roleOf();
    await call('PATCH', path, { description: 'x' });
    await call('POST', `${path}/permissions`, { permissions: [permission('read:orders')] });
    await call('DELETE', path);
    const kinds = (await server.logEvents())
      .filter(({ details }) => details?.includes(role.id))
      .map(({ kind }) => kind);
    assert.deepEqual(kinds, ['role.created', 'role.updated', 'role.updated', 'role.deleted']);
  });

  test('names are unique in every spelling', async () => {
    await roleOf({ name: 'Straße' });
    const taken = { status: 409, message: 'The role already exists.' };
    for (const name of ['Straße', 'STRASSE', 'Stra\u200bße', ' straße ']) {
      await call.refused(taken, 'POST', '/roles', { name });
    }
    const { path } = await roleOf();
    await call.refused(taken, 'PATCH', path, { name: 'strasse' });
  });

  test('bodies and queries that are refused, naming the field', async () => {
    const { path } = await roleOf();
    const refusals: [string, string, unknown, RegExp][] = [
      ['POST', '/roles', {}, /'Missing required property: name'/],
      ['POST', '/roles', { name: '' }, /too short.* on property name/],
      ['POST', '/roles', { name: '<b>' }, /pattern' on property name/],
      ['POST', '/roles', { name: '\u200b' }, /on property name/],
      ['POST', '/roles', { name: 'x'.repeat(129) }, /too long.* on property name/],
      ['POST', '/roles', { name: 'x', id: 'rol_mine' }, /'Additional properties not allowed: id'/],
      ['POST', '/roles', { name: 'x', permissions: [] }, /'Additional properties not allowed: permissions'/],
      ['POST', '/roles', { name: 'x', type: 'organization' }, /on property type/],
      ['PATCH', path, { type: 'tenant' }, /'Additional properties not allowed: type'/],
      ['PATCH', path, { is_owner: true }, /'Additional properties not allowed: is_owner'/],
      ['POST', `${path}/permissions`, {}, /'Missing required property: permissions'/],
      ['POST', `${path}/permissions`, { permissions: [] }, /too short.* on property permissions/],
      ['POST', `${path}/permissions`, { permissions: [{}] }, /Missing required property/],
      ['POST', `${path}/users`, { users: [] }, /too short.* on property users/],
      ['POST', `${path}/users`, { users: Array(1001).fill('x') }, /too long.* on property users/],
    ];
    for (const [method, target, json, message] of refusals) {
      await call.refused(invalidBody(message), method, target, json);
    }
    const badQuery = { status: 400, message: /^Query validation error/, errorCode: 'invalid_query_string' };
    for (const query of ['per_page=101', 'page=-1', 'type=organization', 'what=1']) {
      await call.refused(badQuery, 'GET', `/roles?${query}`);
    }
  });

  test('what is not there answers 404, by whatever name', async () => {
    for (const id of ['rol_0000000000000000', '__proto__', 'constructor', '%F0%9F%8F%AF', await clientRole()]) {
      await call.refused(inexistent, 'GET', `/roles/${id}`);
      await call.refused(inexistent, 'PATCH', `/roles/${id}`, { name: 'Mine' });
      await call.refused(inexistent, 'GET', `/roles/${id}/permissions`);
      await call.refused(inexistent, 'POST', `/roles/${id}/permissions`, { permissions: [permission('read:orders')] });
      await call.refused(inexistent, 'GET', `/roles/${id}/users`);
      await call.refused(inexistent, 'POST', `/roles/${id}/users`, { users: ['auth0|x'] });
      const before = await server.stateHash();
      const answers = [
        await call('DELETE', `/roles/${id}`),
        await call('DELETE', `/roles/${id}/permissions`, { permissions: [permission('read:orders')] }),
      ];
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 204],
      );
      assert.equal(await server.stateHash(), before);
    }
  });

  test('permissions: given, listed with their API, given twice, taken with a body', async () => {
    const { role, path } = await roleOf();
    const permissions = [permission('read:orders'), permission('read:stock', 'urn:stock')];
    const given = await call('POST', `${path}/permissions`, { permissions });
    assert.deepEqual([given.status, given.text], [201, '{}']);
    const again = await call('POST', `${path}/permissions`, {
      permissions: [...permissions, permission('write:orders')],
    });
    assert.equal(again.status, 201);
    const listed = await call('GET', `${path}/permissions`);
    assert.deepEqual(listed.body, [
      {
        permission_name: 'read:orders',
        description: 'Read orders',
        resource_server_name: 'Orders',
        resource_server_identifier: audience,
      },
      { permission_name: 'write:orders', resource_server_name: 'Orders', resource_server_identifier: audience },
      { permission_name: 'read:stock', resource_server_name: 'Stock', resource_server_identifier: 'urn:stock' },
    ]);
    const page = (await call('GET', `${path}/permissions?page=1&per_page=2&include_totals=true`)).body;
    assert.deepEqual([page.start, page.limit, page.total, page.permissions.length], [2, 2, 3, 1]);
    const gone = [permission('read:orders'), permission('nothing'), permission('x', 'urn:nowhere')];
    const taken = await call('DELETE', `${path}/permissions`, { permissions: gone });
    assert.deepEqual([taken.status, taken.text], [204, '']);
    const left = (await call('GET', `${path}/permissions`)).body;
    assert.deepEqual(
      left.map(({ permission_name }: { permission_name: string }) => permission_name),
      ['write:orders', 'read:stock'],
    );
    const rows = (await server.rows('role_scopes')).filter(({ role_id }) => role_id === role.id);
    assert.equal(rows.length, 2);
  });

  test('permissions that are nowhere are refused, all or none', async () => {
    const { path } = await roleOf();
    const good = permission('read:orders');
    await call.refused(
      invalidBody(/The API has no scope "nothing"\.' on property permissions\.1\.permission_name$/),
      'POST',
      `${path}/permissions`,
      { permissions: [good, permission('nothing')] },
    );
    const noApi = { status: 404, message: /does not exist/, errorCode: 'inexistent_resource_server' };
    const api = (await call('GET', `/resource-servers/${encodeURIComponent(audience)}`)).body;
    for (const identifier of ['urn:nowhere', '__proto__', api.id]) {
      const permissions = [good, permission('read:orders', identifier)];
      await call.refused(noApi, 'POST', `${path}/permissions`, { permissions });
    }
  });

  test('scopes of a management API are not for roles of users, by any of its names', async () => {
    const { path } = await roleOf();
    for (const [identifier, scope] of [
      [server.managementAudience, 'read:clients'],
      [server.nativeAudience, 'all'],
    ] as const) {
      await call.refused(
        invalidBody(/Scopes of a management API can not be put into a tenant-wide role for users/),
        'POST',
        `${path}/permissions`,
        { permissions: [permission(scope, identifier)] },
      );
    }
  });

  test('lists: every walk gives the same, the filter is a part of the name, roles of machines are not there', async () => {
    const machine = await clientRole();
    for (let index = 0; index < 45; index += 1) await roleOf({ name: `Walked ${index}` });
    const [offset, totals] = await walks(call, '/roles', 'roles', 'id', ['offset', 'totals']);
    assert.deepEqual(offset, totals);
    assert.ok((offset?.length ?? 0) > 45 && !offset?.includes(machine));
    const filtered = (await call('GET', '/roles?name_filter=WALKED%204&include_totals=true&type=tenant')).body;
    assert.equal(filtered.total, 6);
    assert.deepEqual(filtered.roles[0].name, 'Walked 4');
    assert.deepEqual((await call('GET', '/roles?name_filter=rol_')).body, []);
    assert.deepEqual((await call('GET', '/roles?name_filter=%25')).body, []);
    const past = (await call('GET', '/roles?page=99&include_totals=true')).body;
    assert.deepEqual([past.start, past.roles], [4950, []]);
  });

  test('users of a role: given to many at once, listed in every shape', async () => {
    const { path } = await roleOf();
    const ids = [await userOf(), await userOf(), await userOf()];
    const given = await call('POST', `${path}/users`, { users: ids });
    assert.deepEqual([given.status, given.text], [200, '{}']);
    const twice = await call('POST', `${path}/users`, { users: [ids[0]] });
    assert.equal(twice.status, 200);
    const shapes = ['offset', 'totals', 'checkpoint'] as const;
    for (const walked of await walks(call, `${path}/users`, 'users', 'user_id', shapes)) {
      assert.deepEqual(walked.sort(), ids.sort());
    }
    const [first] = (await call('GET', `${path}/users?take=1`)).body.users;
    assert.deepEqual(Object.keys(first).sort(), ['email', 'name', 'user_id']);
    await call.refused(
      { status: 404, message: 'The user does not exist.', errorCode: 'inexistent_user' },
      'POST',
      `${path}/users`,
      { users: [await userOf(), 'auth0|nobody'] },
    );
  });

  test('a token with another scope than the route names: 403, nothing changes', async () => {
    const { path } = await roleOf();
    const { token } = await callerWith(server, ['read:roles']);
    const narrow = callsOf(server, () => token);
    const refusal = (scope: string) => ({
      status: 403,
      message: `Insufficient scope, expected any of: ${scope}`,
      errorCode: 'insufficient_scope',
    });
    assert.equal((await narrow('GET', path)).status, 200);
    await narrow.refused(refusal('create:roles'), 'POST', '/roles', { name: 'x' });
    await narrow.refused(refusal('update:roles'), 'PATCH', path, { name: 'x' });
    await narrow.refused(refusal('update:roles'), 'POST', `${path}/permissions`, { permissions: [] });
    await narrow.refused(refusal('delete:roles'), 'DELETE', path);
    await narrow.refused(refusal('read:role_members, read:users'), 'GET', `${path}/users`);
    await narrow.refused(refusal('create:role_members'), 'POST', `${path}/users`, { users: ['auth0|x'] });
    assert.equal((await server.request('GET', `/api/v2${path}`)).status, 401);
  });
});
