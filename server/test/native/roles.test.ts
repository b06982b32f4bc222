import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { admin, eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from '../management/support.ts';
import { AscendingClock } from './ascending-clock.ts';
import { delegatedCaller, makeOrganization, makeUser } from './delegated.ts';
import { nativeCaller, refused } from './roles-support.ts';

const seeded = 'Logto Management API access';

eachEngine('roles', (engine) => {
  let server: TestServer;
  let call: ReturnType<typeof nativeCaller>;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits, clock: new AscendingClock() });
    call = nativeCaller(server, await server.managementToken(server.nativeAudience));
  });
  after(() => server.close());

  const role = async (name: string, more = {}): Promise<string> => {
    const made = await call('POST', '/roles', { name, description: '', ...more });
    assert.equal(made.status, 200, made.text);
    return made.body.id as string;
  };
  const machineRole = (name: string, more = {}) => role(name, { type: 'MachineToMachine', ...more });
  const client = async (app_type = 'non_interactive', name = 'Robot') =>
    server.manage('POST', '/clients', { name, app_type });
  const managementScope = async (name: string): Promise<string> => {
    const { body } = await call('GET', '/resources/management-api/scopes?page_size=100');
    return body.find((one: { name: string }) => one.name === name).id as string;
  };
  const ids = ({ body }: { body: { id: string }[] }) => body.map(({ id }) => id);
  let users = 0;
  const user = () => {
    users += 1;
    return makeUser(server, { email: `person-${users}@example.com`, name: `Person ${users}` });
  };

  test('every tenant begins with the role of the management API, and reading it is harmless', async () => {
    const { body } = await call('GET', `/roles?q=${encodeURIComponent(seeded)}`);
    const [{ id, description }] = body;
    assert.deepEqual(body, [
      {
        tenantId: 'default',
        id,
        name: seeded,
        description,
        type: 'MachineToMachine',
        isDefault: false,
        usersCount: 0,
        featuredUsers: [],
        applicationsCount: 0,
        featuredApplications: [],
      },
    ]);
    const [scope] = (await call('GET', `/roles/${id}/scopes`)).body;
    assert.deepEqual(
      [scope.name, scope.resourceId, scope.resource.id, scope.resource.indicator],
      ['all', 'management-api', 'management-api', server.nativeAudience],
    );
    // It works: who has it has the scope, without a grant.
    const robot = await client();
    const given = await call('POST', `/roles/${id}/applications`, { applicationIds: [robot.client_id] });
    assert.deepEqual([given.status, given.body], [201, { applicationIds: [robot.client_id] }]);
    const ask = { client_id: robot.client_id, client_secret: robot.client_secret, audience: server.nativeAudience };
    const token = await server.token(ask);
    assert.equal(token.body.scope, 'all');
    assert.equal((await nativeCaller(server, token.body.access_token)('GET', '/roles')).status, 200);
    assert.equal((await call('DELETE', `/roles/${id}/applications/${robot.client_id}`)).status, 204);
    const after = await nativeCaller(server, token.body.access_token)('GET', '/roles');
    assert.notEqual(after.status, 200);
  });

  test('a role is made, read, changed, deleted, in Logto’s bodies', async () => {
    const machine = await server.machine({ identifier: 'https://roles.example' });
    const [read] = (await call('GET', `/resources/${machine.apiId}/scopes`)).body;
    const made = await call('POST', '/roles', {
      name: 'support',
      description: 'Helps.',
      scopeIds: [read.id],
      isDefault: true,
      isOwner: true,
      level: 'both',
      extras: { auth0: { x: 1 } },
      createdAt: 1,
      tenantId: 'x',
    });
    assert.equal(made.status, 200, made.text);
    const { id } = made.body;
    assert.match(id, /^rol_/);
    const entity = { tenantId: 'default', id, name: 'support', description: 'Helps.', type: 'User', isDefault: true };
    assert.deepEqual(made.body, entity);
    assert.deepEqual((await call('GET', `/roles/${id}`)).body, entity);
    const assertOnlyOurs = async () => {
      const row = (await server.rows('roles')).find((one) => one.id === id);
      assert.deepEqual([row.level, row.subject_kind, row.is_owner, row.extras], ['tenant', 'user', 0, '{}']);
    };
    await assertOnlyOurs();
    assert.deepEqual((await call('GET', `/roles/${id}/scopes`)).body, [
      {
        tenantId: 'default',
        id: read.id,
        resourceId: machine.apiId,
        name: 'read:orders',
        description: null,
        resource: {
          tenantId: 'default',
          id: machine.apiId,
          name: 'Orders',
          indicator: machine.audience,
          isDefault: false,
          accessTokenTtl: 86_400,
        },
      },
    ]);
    const changed = await call('PATCH', `/roles/${id}`, {
      description: 'More.',
      isDefault: false,
      type: 'MachineToMachine',
      isOwner: true,
      extras: { x: {} },
      level: 'both',
    });
    assert.deepEqual(changed.body, { ...entity, description: 'More.', isDefault: false });
    await assertOnlyOurs();
    // It is no organization role.
    await refused(server, () => call('GET', `/organization-roles/${id}`), 404, 'entity.not_exists_with_id');
    assert.equal((await call('DELETE', `/roles/${id}`)).status, 204);
    await refused(server, () => call('GET', `/roles/${id}`), 404, 'entity.not_exists_with_id');
    await refused(server, () => call('PATCH', `/roles/${id}`, { name: 'x' }), 404, 'entity.not_exists');
    await refused(server, () => call('DELETE', `/roles/${id}`), 404, 'entity.not_found');
  });

  test('the list is filtered by type, search, and who does not have it', async () => {
    const person = await user();
    const robot = await client();
    // A colon, since a search looks at ids too, and a random id may hold any four letters.
    const a = await role('list: a');
    const b = await machineRole('list: b');
    await call('POST', `/roles/${a}/users`, { userIds: [person] });
    await call('POST', `/roles/${b}/applications`, { applicationIds: [robot.client_id] });
    const list = async (query: string) => ids(await call('GET', `/roles?${query}`));
    assert.deepEqual(await list('q=LIST:'), [a, b]);
    assert.deepEqual(await list('q=list:&type=User'), [a]);
    assert.deepEqual(await list('q=list:&type=MachineToMachine'), [b]);
    assert.deepEqual(await list(`q=list:&excludeUserId=${person}`), [b]);
    assert.deepEqual(await list(`q=list:&excludeApplicationId=${robot.client_id}`), [a]);
    assert.deepEqual(await list('search=%25LIST:%25'), [a, b]);
    assert.deepEqual(await list('search=list:'), []);
    assert.deepEqual(await list('search.name=list:%20a'), [a]);
    assert.deepEqual(await list(`search.id=${b}`), [b]);
    assert.deepEqual(await list('search_params[search.name]=LIST:%20B&mode.name=exact'), [b]);
    await refused(server, () => call('GET', '/roles?search=a&mode=posix'), 400, 'request.invalid_input', 'mode');
    await refused(server, () => call('GET', '/roles?search.x=a'), 400, 'request.invalid_input', 'search.x');
    assert.deepEqual(await list('q=%25'), []);
    const [first, second] = (await call('GET', '/roles?q=list:')).body;
    assert.deepEqual(
      [first.usersCount, first.featuredUsers, first.applicationsCount],
      [1, [{ id: person, avatar: null, name: `Person ${users}` }], 0],
    );
    assert.deepEqual(second.featuredApplications, [{ id: robot.client_id, name: 'Robot', type: 'MachineToMachine' }]);
    await refused(server, () => call('GET', '/roles?type=Robot'), 400, 'guard.invalid_input');
    await refused(server, () => call('GET', '/roles?page=0'), 400, 'guard.invalid_pagination');
  });

  test('users and applications get a role, are listed, and lose it', async () => {
    const people = [await user(), await user(), await user(), await user()];
    const id = await role('people');
    const given = await call('POST', `/roles/${id}/users`, { userIds: people });
    assert.deepEqual([given.status, given.body], [201, { userIds: people }]);
    const listed = await call('GET', `/roles/${id}/users`);
    assert.equal(listed.headers.get('total-number'), '4');
    assert.deepEqual(ids(listed).sort(), [...people].sort());
    assert.equal(listed.body[0].hasPassword, false);
    assert.doesNotMatch(listed.text, /password_hash|passwordHash/);
    assert.deepEqual(ids(await call('GET', `/roles/${id}/users?q=PERSON%20${users}`)), [people[3]]);
    const found = async (query: string) => ids(await call('GET', `/roles/${id}/users?${query}`));
    assert.deepEqual(await found(`search.primaryEmail=PERSON-${users}@%25`), [people[3]]);
    assert.deepEqual(await found('search=nobody'), []);
    const walked: string[] = [];
    for (let path: string | undefined = `/roles/${id}/users?cursor=&page_size=3`; path !== undefined; ) {
      const page = await call('GET', path);
      walked.push(...ids(page));
      const next = /<([^>]+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1];
      path = next === undefined ? undefined : next.slice(server.nativeAudience.length);
    }
    assert.deepEqual(walked, ids(listed));
    const [{ usersCount, featuredUsers }] = (await call('GET', '/roles?q=people')).body;
    assert.deepEqual([usersCount, featuredUsers.length], [4, 3]);
    const again = () => call('POST', `/roles/${id}/users`, { userIds: [people[0]] });
    await refused(server, again, 422, 'role.user_exists', 'userIds');
    assert.equal((await call('DELETE', `/roles/${id}/users/${people[0]}`)).status, 204);
    await refused(server, () => call('DELETE', `/roles/${id}/users/${people[0]}`), 404, 'entity.not_found');
    const unknown = () => call('POST', `/roles/${id}/users`, { userIds: [people[0], 'nobody'] });
    await refused(server, unknown, 404, 'entity.relation_foreign_key_not_found', 'userIds');
    await refused(server, () => call('POST', `/roles/${id}/users`, { userIds: [] }), 400, 'guard.invalid_input');
    const events = (await server.logEvents()).filter(({ kind }) => kind.startsWith('role.'));
    assert.equal(events.filter(({ kind }) => kind === 'role.assigned').length >= 4, true);
    assert.equal(events.at(-1).kind, 'role.unassigned');
  });

  test('a role is for users or for machines; a public client has none', async () => {
    const [person, robot, spa] = [await user(), await client(), await client('spa')];
    const ofUsers = await role('only users');
    const ofMachines = await machineRole('only machines');
    const toUsers = (id: string, userIds: unknown) => () => call('POST', `/roles/${id}/users`, { userIds });
    const toMachines = (id: string, applicationIds: unknown) => () =>
      call('POST', `/roles/${id}/applications`, { applicationIds });
    await refused(server, toUsers(ofMachines, [person]), 422, 'user.invalid_role_type');
    await refused(server, toMachines(ofUsers, [robot.client_id]), 422, 'application.invalid_role_type');
    await refused(server, toMachines(ofMachines, [spa.client_id]), 422, 'application.invalid_type', 'applicationIds');
    await refused(server, toMachines(ofMachines, [person]), 404, 'entity.relation_foreign_key_not_found');
    await call('POST', `/roles/${ofMachines}/applications`, { applicationIds: [robot.client_id] });
    await refused(server, toMachines(ofMachines, [robot.client_id]), 422, 'role.application_exists');
    const [application] = (await call('GET', `/roles/${ofMachines}/applications`)).body;
    assert.deepEqual([application.id, application.type], [robot.client_id, 'MachineToMachine']);
    const search = (text: string) => call('GET', `/roles/${ofMachines}/applications?search.name=${text}`);
    assert.deepEqual(ids(await search('robot')), [robot.client_id]);
    assert.deepEqual(ids(await search('rob')), []);
    for (const part of ['users', 'applications']) {
      await refused(server, () => call('GET', `/roles/rol_nowhere/${part}`), 404, 'entity.not_exists_with_id');
    }
    const isDefault = { name: 'x', description: '', type: 'MachineToMachine', isDefault: true };
    await refused(server, () => call('POST', '/roles', isDefault), 400, 'guard.invalid_input', 'isDefault');
  });

  test('scopes of a role are added and removed; refused: twice, unknown, of a management API for users', async () => {
    const machine = await server.machine({ identifier: 'https://role-scopes.example' });
    const [read, write] = ids(await call('GET', `/resources/${machine.apiId}/scopes`)) as [string, string];
    const id = await role('scoped');
    const base = `/roles/${id}/scopes`;
    const added = await call('POST', base, { scopeIds: [read] });
    assert.equal(added.status, 201);
    assert.deepEqual(ids(added), [read]);
    assert.deepEqual(ids(await call('POST', base, { scopeIds: [write] })), [read, write]);
    await refused(server, () => call('POST', base, { scopeIds: [write] }), 422, 'role.scope_exists', 'scopeIds');
    const unknown = () => call('POST', base, { scopeIds: ['nowhere'] });
    await refused(server, unknown, 404, 'entity.relation_foreign_key_not_found', 'scopeIds');
    assert.equal((await call('DELETE', `${base}/${read}`)).status, 204);
    await refused(server, () => call('DELETE', `${base}/${read}`), 404, 'entity.not_found');
    const management = 'role.management_api_scopes_not_assignable_to_user_role';
    const all = await managementScope('read:users');
    await refused(server, () => call('POST', base, { scopeIds: [all] }), 422, management, 'scopeIds');
    const create = () => call('POST', '/roles', { name: 'y', description: '', scopeIds: [all] });
    await refused(server, create, 422, management, 'scopeIds');
    const missing = () => call('POST', '/roles', { name: 'y', description: '', scopeIds: ['nowhere'] });
    await refused(server, missing, 404, 'entity.relation_foreign_key_not_found', 'scopeIds');
  });

  test('a default role is given to who comes after, and never holds management scopes', async () => {
    const early = await user();
    const id = await role('newcomers', { isDefault: true });
    const late = await user();
    assert.deepEqual(ids(await call('GET', `/roles/${id}/users`)), [late]);
    const add = async () => call('POST', `/roles/${id}/scopes`, { scopeIds: [await managementScope('all')] });
    await refused(server, add, 422, 'role.management_api_scopes_not_assignable_to_user_role');
    await call('PATCH', `/roles/${id}`, { isDefault: false });
    const later = await user();
    assert.deepEqual(ids(await call('GET', `/roles/${id}/users`)), [late]);
    assert.ok(early !== later);
  });

  test('a tenant of its own begins with the same roles; roles of another tenant are not there', async () => {
    const created = await call('POST', '/tenants', { id: 'elsewhere' });
    assert.equal(created.status, 201, created.text);
    const rows = (await server.rows('roles')).filter(({ tenant_id }) => tenant_id === 'elsewhere');
    assert.deepEqual(rows.map(({ name }) => name).sort(), [seeded, 'Sekisho administrator']);
    const foreign = rows.find(({ name }) => name === seeded);
    const unknown = await call('GET', '/roles/rol_nowhere');
    assert.deepEqual((await call('GET', `/roles/${foreign.id}`)).body, unknown.body);
    await refused(server, () => call('DELETE', `/roles/${foreign.id}`), 404, 'entity.not_found');
    const people = { userIds: [await user()] };
    await refused(server, () => call('POST', `/roles/${foreign.id}/users`, people), 404, 'entity.not_exists');
  });

  test('names are unique without regard to case and to what is not drawn', async () => {
    await role('مشرف 🛡️');
    await role('Größe');
    for (const name of ['م\u200cشرف 🛡', 'GRÖSSE', ' größe ', 'Gro\u0308ße']) {
      const twin = () => call('POST', '/roles', { name, description: '' });
      await refused(server, twin, 422, 'role.name_in_use', 'name');
    }
    const other = await role('another');
    await refused(server, () => call('PATCH', `/roles/${other}`, { name: 'GRÖSSE' }), 422, 'role.name_in_use', 'name');
    for (const name of ['', '\u200b\u200d', 'x'.repeat(129), 7]) {
      const bad = () => call('POST', '/roles', { name, description: '' });
      await refused(server, bad, 400, 'guard.invalid_input', 'name');
    }
    const answers = await Promise.all(
      ['Race', 'race', 'RACE'].map((name) => call('POST', '/roles', { name, description: '' })),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 422, 422]);
  });

  test('nobody makes or gives a role with more than they hold, by any door', async () => {
    const verbs = ['create:roles', 'read:roles', 'update:roles', 'delete:roles', 'assign:roles'];
    const caller = await callerWith(server, verbs, server.nativeAudience);
    const as = nativeCaller(server, caller.token);
    const all = await managementScope('all');
    const own = await managementScope('read:roles');
    const [accessRole] = ids(await call('GET', `/roles?q=${encodeURIComponent(seeded)}`)) as [string];
    const powerful = await machineRole('powerful', { scopeIds: [await managementScope('read:logs')] });
    const empty = await machineRole('empty');
    const body = { name: 'mine', description: '', type: 'MachineToMachine', scopeIds: [all] };
    const self = { applicationIds: [caller.clientId] };
    await refused(server, () => as('POST', '/roles', body), 403, 'auth.exceeds_own');
    await refused(server, () => as('POST', `/roles/${empty}/scopes`, { scopeIds: [all] }), 403, 'auth.exceeds_own');
    await refused(server, () => as('POST', `/roles/${accessRole}/applications`, self), 403, 'auth.exceeds_own');
    await refused(server, () => as('POST', `/roles/${powerful}/applications`, self), 403, 'auth.exceeds_own');
    // What it holds, it may give.
    assert.equal((await as('POST', `/roles/${empty}/scopes`, { scopeIds: [own] })).status, 201);
    assert.equal((await as('POST', `/roles/${empty}/applications`, self)).status, 201);
    // A role that somebody has already gets nothing more either.
    await refused(server, () => as('POST', `/roles/${empty}/scopes`, { scopeIds: [all] }), 403, 'auth.exceeds_own');
    const reader = nativeCaller(server, (await callerWith(server, ['read:roles'], server.nativeAudience)).token);
    for (const [method, path, json] of [
      ['POST', '/roles', body],
      ['PATCH', `/roles/${empty}`, { name: 'x' }],
      ['DELETE', `/roles/${empty}`, undefined],
      ['POST', `/roles/${empty}/scopes`, { scopeIds: [own] }],
      ['POST', `/roles/${empty}/applications`, self],
      ['GET', `/roles/${empty}/users`, undefined],
      ['GET', `/roles/${empty}/applications`, undefined],
    ] as const) {
      await refused(server, () => reader(method, path, json), 403, 'auth.forbidden');
    }
  });

  test('the last client able to manage clients keeps its role', async () => {
    const other = await startServer({ engine, env: withoutLimits });
    try {
      const as = nativeCaller(other, await other.managementToken(other.nativeAudience));
      const [access] = ids(await as('GET', `/roles?q=${encodeURIComponent(seeded)}`)) as [string];
      const given = await as('POST', `/roles/${access}/applications`, { applicationIds: [admin.clientId] });
      assert.equal(given.status, 201, given.text);
      const native = nativeCaller(other, await other.managementToken(other.nativeAudience));
      await other.composed.services.db.transact((trx) => trx.deleteFrom('client_grants').execute());
      const [all] = ids(await native('GET', `/roles/${access}/scopes`)) as [string];
      const last = 'client.last_administrator';
      const base = `/roles/${access}`;
      await refused(other, () => native('DELETE', `${base}/applications/${admin.clientId}`), 409, last);
      await refused(other, () => native('DELETE', base), 409, last);
      await refused(other, () => native('DELETE', `${base}/scopes/${all}`), 409, last);
    } finally {
      await other.close();
    }
  });

  test('a delegated caller sees roles, and of those who have them only its own', async () => {
    const organizationId = await makeOrganization(server, 'Customer');
    const { token } = await delegatedCaller(server, { organizationId, scopes: ['all'] });
    const as = nativeCaller(server, token);
    const stranger = await user();
    const id = await role('shared');
    await call('POST', `/roles/${id}/users`, { userIds: [stranger] });
    const [seen] = (await as('GET', '/roles?q=shared')).body;
    assert.deepEqual([seen.id, seen.usersCount, seen.featuredUsers], [id, 0, []]);
    assert.deepEqual((await as('GET', `/roles/${id}/users`)).body, []);
    // Which roles a stranger has can not be found out by what is left out.
    assert.deepEqual(ids(await as('GET', `/roles?q=shared&excludeUserId=${stranger}`)), [id]);
    assert.deepEqual(ids(await call('GET', `/roles?q=shared&excludeUserId=${stranger}`)), []);
    for (const [method, path, json] of [
      ['POST', '/roles', { name: 'x', description: '' }],
      ['PATCH', `/roles/${id}`, { name: 'x' }],
      ['DELETE', `/roles/${id}`, undefined],
      ['POST', `/roles/${id}/users`, { userIds: [stranger] }],
      ['DELETE', `/roles/${id}/users/${stranger}`, undefined],
    ] as const) {
      await refused(server, () => as(method, path, json), 403, 'auth.organization_token');
    }
  });
});
