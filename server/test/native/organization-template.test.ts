import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from '../management/support.ts';
import { delegatedCaller, makeMembership, makeOrganization } from './delegated.ts';
import { nativeCaller, refused } from './roles-support.ts';

eachEngine('organization template', (engine) => {
  let server: TestServer;
  let call: ReturnType<typeof nativeCaller>;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    call = nativeCaller(server, await server.managementToken(server.nativeAudience));
  });
  after(() => server.close());

  const scope = async (name: string): Promise<string> =>
    (await call('POST', '/organization-scopes', { name })).body.id as string;
  const role = async (name: string, more = {}): Promise<string> => {
    const made = await call('POST', '/organization-roles', { name, ...more });
    assert.equal(made.status, 201, made.text);
    return made.body.id as string;
  };
  const managementScope = async (name: string): Promise<string> => {
    const { body } = await call('GET', '/resources/management-api/scopes?page_size=100');
    return body.find((one: { name: string }) => one.name === name).id as string;
  };
  const ids = ({ body }: { body: { id: string }[] }) => body.map(({ id }) => id);

  test('an organization scope is made, listed, read, changed, deleted', async () => {
    const made = await call('POST', '/organization-scopes', { name: 'read:data', description: 'Sees.', id: 'mine' });
    assert.equal(made.status, 201);
    const { id } = made.body;
    const entity = { tenantId: 'default', id, name: 'read:data', description: 'Sees.' };
    assert.deepEqual(made.body, entity);
    assert.deepEqual((await call('GET', `/organization-scopes/${id}`)).body, entity);
    assert.deepEqual((await call('GET', '/organization-scopes?q=READ')).body, [entity]);
    assert.equal((await call('GET', '/organization-scopes?page=1')).headers.get('total-number'), '1');
    const changed = await call('PATCH', `/organization-scopes/${id}`, { name: 'see:data', description: null });
    assert.deepEqual(changed.body, { ...entity, name: 'see:data', description: null });
    await refused(
      server,
      () => call('POST', '/organization-scopes', { name: 'see:data' }),
      422,
      'entity.unique_integrity_violation',
      'name',
    );
    for (const name of ['', 'a b', 'é', 'x'.repeat(281)]) {
      await refused(server, () => call('POST', '/organization-scopes', { name }), 400, 'guard.invalid_input', 'name');
    }
    assert.equal((await call('DELETE', `/organization-scopes/${id}`)).status, 204);
    await refused(server, () => call('GET', `/organization-scopes/${id}`), 404, 'entity.not_exists_with_id');
    await refused(server, () => call('PATCH', `/organization-scopes/${id}`, {}), 404, 'entity.not_exists');
    await refused(server, () => call('DELETE', `/organization-scopes/${id}`), 404, 'entity.not_found');
  });

  test('an organization role is made of scopes, listed with them, read, changed, deleted', async () => {
    const own = await scope('invite:member');
    const machine = await server.machine({ identifier: 'https://template.example' });
    const [read] = (await call('GET', `/resources/${machine.apiId}/scopes`)).body;
    const made = await call('POST', '/organization-roles', {
      name: 'editor',
      description: 'Edits.',
      organizationScopeIds: [own],
      resourceScopeIds: [read.id],
      tenantId: 'other',
    });
    assert.equal(made.status, 201, made.text);
    const { id } = made.body;
    assert.match(id, /^rol_/);
    const entity = { tenantId: 'default', id, name: 'editor', description: 'Edits.', type: 'User', isOwner: false };
    assert.deepEqual(made.body, entity);
    assert.deepEqual((await call('GET', `/organization-roles/${id}`)).body, entity);
    const listed = await call('GET', '/organization-roles?q=edit');
    assert.equal(listed.headers.get('total-number'), '1');
    assert.deepEqual(listed.body, [
      {
        ...entity,
        scopes: [{ id: own, name: 'invite:member' }],
        resourceScopes: [{ id: read.id, name: 'read:orders', resource: { id: machine.apiId, name: 'Orders' } }],
      },
    ]);
    // The seeded tenant-wide role is no organization role.
    assert.equal((await call('GET', '/organization-roles?q=Logto')).body.length, 0);
    const changed = await call('PATCH', `/organization-roles/${id}`, {
      name: 'writer',
      isOwner: true,
      type: 'MachineToMachine',
    });
    assert.deepEqual(changed.body, { ...entity, name: 'writer', isOwner: true });
    assert.equal((await call('DELETE', `/organization-roles/${id}`)).status, 204);
    await refused(server, () => call('GET', `/organization-roles/${id}`), 404, 'entity.not_exists_with_id');
    await refused(server, () => call('DELETE', `/organization-roles/${id}`), 404, 'entity.not_found');
  });

  test('what a role is made of is added, replaced, removed', async () => {
    const [a, b, c] = [await scope('op:a'), await scope('op:b'), await scope('op:c')];
    const machine = await server.machine({ identifier: 'https://parts.example' });
    const [read, write] = ids(await call('GET', `/resources/${machine.apiId}/scopes`)) as [string, string];
    const id = await role('parts');
    for (const [part, key, first, second, third] of [
      ['scopes', 'organizationScopeIds', a, b, c],
      ['resource-scopes', 'scopeIds', read, write, await managementScope('read:users')],
    ] as const) {
      const base = `/organization-roles/${id}/${part}`;
      const added = await call('POST', base, { [key]: [first, second] });
      assert.deepEqual([added.status, added.body], [201, { [key]: [first, second] }]);
      const again = await call('POST', base, { [key]: [second, third] });
      assert.deepEqual([again.status, again.body], [201, { [key]: [third] }]);
      assert.deepEqual(ids(await call('GET', base)).sort(), [first, second, third].sort());
      assert.equal((await call('GET', `${base}?page=1&page_size=2`)).body.length, 2);
      assert.equal((await call('PUT', base, { [key]: [first] })).status, 204);
      assert.deepEqual(ids(await call('GET', base)), [first]);
      assert.equal((await call('DELETE', `${base}/${first}`)).status, 204);
      assert.deepEqual((await call('GET', base)).body, []);
      await refused(server, () => call('DELETE', `${base}/${first}`), 404, 'entity.not_found');
      const unknown = 'entity.relation_foreign_key_not_found';
      await refused(server, () => call('POST', base, { [key]: [first, 'nowhere'] }), 422, unknown, key);
      await refused(server, () => call('PUT', base, { [key]: ['nowhere'] }), 422, unknown, key);
      await refused(server, () => call('POST', base, { [key]: [] }), 400, 'guard.invalid_input', key);
      const many = Array.from({ length: 1001 }, (_, index) => `id-${index}`);
      await refused(server, () => call('PUT', base, { [key]: many }), 400, 'guard.invalid_input', key);
      const nowhere = `/organization-roles/rol_nowhere/${part}`;
      await refused(server, () => call('POST', nowhere, { [key]: [first] }), 404, 'entity.not_exists');
      await refused(server, () => call('GET', nowhere), 404, 'entity.not_exists_with_id');
    }
    const [scopes] = (await call('GET', '/organization-roles?q=parts')).body;
    assert.deepEqual([scopes.scopes, scopes.resourceScopes], [[], []]);
  });

  test('names: emoji and right-to-left are fine; a twin in case, width or what is not drawn is refused', async () => {
    const family = '👨‍👩‍👧 家族';
    for (const name of [family, 'مدير', 'Straße', 'Ünïcode admin']) assert.match(await role(name), /^rol_/);
    for (const name of [
      '👨👩👧 家族',
      'م\u200bدير',
      'STRASSE',
      'ünïcode  ADMIN',
      'Ünïcode\u00a0admin\u200d',
      'Ｓｔｒａßｅ',
    ]) {
      const twin = () => call('POST', '/organization-roles', { name });
      await refused(server, twin, 422, 'entity.unique_integrity_violation', 'name');
    }
    for (const name of ['', '\u200b', ' ', '\u202e\u2066', 'x'.repeat(129)]) {
      await refused(server, () => call('POST', '/organization-roles', { name }), 400, 'guard.invalid_input', 'name');
    }
    const other = await role('Other');
    const rename = () => call('PATCH', `/organization-roles/${other}`, { name: 'strasse' });
    await refused(server, rename, 422, 'entity.unique_integrity_violation', 'name');
    assert.equal((await call('PATCH', `/organization-roles/${other}`, { name: 'OTHER' })).status, 200);
    // A tenant-wide role of the same name is another one.
    assert.equal((await call('POST', '/roles', { name: 'Straße', description: '' })).status, 200);
  });

  test('nobody puts more into a role than they hold', async () => {
    const scopes = ['read', 'create', 'update', 'delete'].map((verb) => `${verb}:organization_template`);
    const caller = await callerWith(server, [...scopes, 'read:users'], server.nativeAudience);
    const as = nativeCaller(server, caller.token);
    const all = await managementScope('all');
    const users = await managementScope('read:users');
    const id = await role('target', { type: 'MachineToMachine' });
    const base = `/organization-roles/${id}/resource-scopes`;
    const create = () => as('POST', '/organization-roles', { name: 'more', resourceScopeIds: [all] });
    await refused(server, create, 403, 'auth.exceeds_own');
    await refused(server, () => as('POST', base, { scopeIds: [all] }), 403, 'auth.exceeds_own');
    await refused(server, () => as('PUT', base, { scopeIds: [users, all] }), 403, 'auth.exceeds_own');
    assert.equal((await as('POST', base, { scopeIds: [users] })).status, 201);
    // What is there already is not given again.
    assert.equal((await call('POST', base, { scopeIds: [all] })).status, 201);
    assert.equal((await as('PUT', base, { scopeIds: [users, all] })).status, 204);
  });

  test('the last owner keeps the role, and its being an owner’s', async () => {
    const owner = await role('boss', { type: 'MachineToMachine', isOwner: true });
    const organization = await makeOrganization(server, 'Acme');
    const { client_id } = await server.manage('POST', '/clients', { name: 'Owner', app_type: 'non_interactive' });
    await makeMembership(server, {
      organizationId: organization,
      subjectId: client_id,
      kind: 'client',
      roleIds: [owner],
    });
    const path = `/organization-roles/${owner}`;
    await refused(server, () => call('PATCH', path, { isOwner: false }), 409, 'organization.last_owner');
    await refused(server, () => call('DELETE', path), 409, 'organization.last_owner');
  });

  test('a delegated caller reads the template and changes nothing of it', async () => {
    const organizationId = await makeOrganization(server, 'Delegated');
    const { token } = await delegatedCaller(server, { organizationId, scopes: ['all'] });
    const as = nativeCaller(server, token);
    const id = await role('seen');
    const own = await scope('op:seen');
    assert.equal((await as('GET', '/organization-roles')).status, 200);
    assert.equal((await as('GET', `/organization-roles/${id}`)).body.name, 'seen');
    assert.equal((await as('GET', '/organization-scopes')).status, 200);
    for (const [method, path, json] of [
      ['POST', '/organization-roles', { name: 'mine' }],
      ['PATCH', `/organization-roles/${id}`, { name: 'mine' }],
      ['DELETE', `/organization-roles/${id}`, undefined],
      ['POST', `/organization-roles/${id}/scopes`, { organizationScopeIds: [own] }],
      ['PUT', `/organization-roles/${id}/scopes`, { organizationScopeIds: [own] }],
      ['POST', `/organization-roles/${id}/resource-scopes`, { scopeIds: ['x'] }],
      ['POST', '/organization-scopes', { name: 'mine' }],
      ['PATCH', `/organization-scopes/${own}`, { name: 'mine' }],
      ['DELETE', `/organization-scopes/${own}`, undefined],
    ] as const) {
      await refused(server, () => as(method, path, json), 403, 'auth.organization_token');
    }
  });

  test('two roles of one name at once: one is made', async () => {
    const answers = await Promise.all(
      ['Twins', 'twins', 'TWINS', 'tw\u200bins'].map((name) => call('POST', '/organization-roles', { name })),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 422, 422, 422]);
    assert.equal((await call('GET', '/organization-roles?q=twins')).body.length, 1);
  });
});
