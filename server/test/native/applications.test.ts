import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { admin, eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from '../management/support.ts';
import { AscendingClock } from './ascending-clock.ts';
import { makeMembership, makeOrganization, makeOrganizationRole } from './delegated.ts';
import { Members } from './members-support.ts';

const invalidInput = [400, 'guard.invalid_input'] as const;
const missing = [404, 'entity.not_exists_with_id'] as const;

eachEngine('/api/applications', (engine) => {
  let server: TestServer;
  let native: Members;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits, clock: new AscendingClock() });
    native = await Members.of(server);
  });
  after(() => server.close());

  const make = (body: object) => native.expect(200, 'POST', '/applications', body);
  const machine = (name = 'Machine', more = {}) => make({ name, type: 'MachineToMachine', ...more });
  const idsOf = (list: { id: string }[]) => list.map(({ id }) => id);

  test('an application is shown in whole, its secret once', async () => {
    const made = await machine('Robot 🤖 רובוט', { description: 'Counts', customData: { a: { b: 1 } } });
    const { id, createdAt, secret, ...rest } = made;
    assert.match(id, /^[0-9A-Za-z]{32}$/);
    assert.match(secret, /^[0-9A-Za-z]{64}$/);
    assert.deepEqual(rest, {
      tenantId: 'default',
      name: 'Robot 🤖 רובוט',
      description: 'Counts',
      type: 'MachineToMachine',
      oidcClientMetadata: { redirectUris: [], postLogoutRedirectUris: [] },
      customClientMetadata: {},
      protectedAppMetadata: null,
      customData: { a: { b: 1 } },
      isThirdParty: false,
      appLevelAccessControlEnabled: false,
      authPolicyIds: null,
      updatedAt: createdAt,
      status: 'active',
      ownerOrganizationId: null,
    });
    const shown = { id, createdAt, ...rest };
    assert.deepEqual(await native.expect(200, 'GET', `/applications/${id}`), { ...shown, isAdmin: false });
    assert.deepEqual(await native.expect(200, 'GET', `/applications?search.id=${id}`), [shown]);
    assert.equal((await native.expect(200, 'GET', `/applications/${admin.clientId}`)).isAdmin, true);
    assert.ok(!JSON.stringify(await server.logEvents()).includes(secret));
    assert.ok(!JSON.stringify(await server.rows('credentials')).includes(secret));
    const known = await server.token({ client_id: id, client_secret: secret, audience: server.nativeAudience });
    assert.equal(known.status, 403, 'the secret is known, and the application has no grant');
    await native.expect(204, 'DELETE', `/applications/${id}`);
    await native.refuse(missing, 'GET', `/applications/${id}`);
    await native.refuse([404, 'entity.not_found'], 'DELETE', `/applications/${id}`);
    await native.refuse([404, 'entity.not_exists'], 'PATCH', `/applications/${id}`, { name: 'x' });
  });

  test('each type has its grants and its way to authenticate; two are not possible', async () => {
    for (const [type, hasSecret, grants, method] of [
      ['MachineToMachine', true, ['client_credentials'], null],
      ['Traditional', true, ['authorization_code', 'refresh_token'], null],
      ['SPA', false, ['authorization_code', 'refresh_token'], 'none'],
      ['Native', false, ['authorization_code', 'refresh_token'], 'none'],
    ] as const) {
      const made = await make({ name: type, type });
      assert.deepEqual([made.type, 'secret' in made], [type, hasSecret]);
      const [row] = (await server.rows('clients')).filter(({ id }) => id === made.id);
      assert.deepEqual([JSON.parse(row.grant_types), row.auth_method], [grants, method]);
    }
    for (const type of ['Protected', 'SAML']) {
      const body = await native.refuse([422, 'application.invalid_type'], 'POST', '/applications', {
        name: type,
        type,
      });
      assert.equal(body.data.path, 'type');
    }
    await native.refuse(invalidInput, 'POST', '/applications', { name: 'x', type: 'Other' });
    await native.refuse(invalidInput, 'POST', '/applications', { type: 'SPA' });
  });

  test('fields of the server can not be set, and unknown ones are dropped', async () => {
    const made = await machine('Assigned', {
      id: 'mine',
      tenantId: 'other',
      createdAt: 1,
      secret: 'x'.repeat(64),
      isAdmin: true,
      ownerOrganizationId: 'org_x',
      protectedAppMetadata: {},
      grantTypes: ['client_credentials', 'password'],
      customClientMetadata: { surprise: true, rotateRefreshToken: false },
    });
    assert.notEqual(made.id, 'mine');
    assert.notEqual(made.secret, 'x'.repeat(64));
    assert.deepEqual(
      [made.tenantId, made.ownerOrganizationId, made.customClientMetadata],
      ['default', null, { rotateRefreshToken: false }],
    );
    const changed = await native.expect(200, 'PATCH', `/applications/${made.id}`, {
      id: 'mine',
      type: 'SPA',
      secret: 'x'.repeat(64),
      isAdmin: true,
      ownerOrganizationId: 'org_x',
    });
    const { secret, ...before } = made;
    assert.deepEqual({ ...changed, updatedAt: 0 }, { ...before, updatedAt: 0 });
    assert.equal((await native.expect(200, 'GET', `/applications/${made.id}`)).isAdmin, false);
  });

  test('a change replaces each object, custom data at its own address merges', async () => {
    const oidcClientMetadata = { redirectUris: ['https://app.example/cb'], postLogoutRedirectUris: [] };
    const { id } = await make({ name: 'Web', type: 'Traditional', oidcClientMetadata, isThirdParty: true });
    const changed = await native.expect(200, 'PATCH', `/applications/${id}`, {
      name: 'Web 2',
      description: null,
      oidcClientMetadata: { postLogoutRedirectUris: ['https://app.example'], surprise: 1 },
      customClientMetadata: { allowTokenExchange: true, idTokenTtl: 600 },
      customData: { a: 1 },
      isThirdParty: false,
    });
    assert.deepEqual(
      [changed.name, changed.oidcClientMetadata, changed.customClientMetadata, changed.isThirdParty],
      [
        'Web 2',
        { redirectUris: [], postLogoutRedirectUris: ['https://app.example'] },
        { allowTokenExchange: true, idTokenTtl: 600 },
        false,
      ],
    );
    const grants = async () => JSON.parse((await server.rows('clients')).find((row) => row.id === id).grant_types);
    const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
    assert.deepEqual(await grants(), ['authorization_code', 'refresh_token', exchange]);
    const less = await native.expect(200, 'PATCH', `/applications/${id}`, { customClientMetadata: {} });
    assert.deepEqual([less.customClientMetadata, less.customData], [{}, { a: 1 }]);
    assert.deepEqual(await grants(), ['authorization_code', 'refresh_token']);
    const path = `/applications/${id}/custom-data`;
    assert.deepEqual(await native.expect(200, 'PATCH', path, { b: 2, a: null }), { b: 2 });
    await native.refuse(invalidInput, 'PATCH', path, { text: 'x'.repeat(17_000) });
    const disabled = await native.expect(200, 'PATCH', `/applications/${id}`, { status: 'disabled' });
    assert.equal(disabled.status, 'disabled');
  });

  test('an address nobody should be sent to is refused and named', async () => {
    const { id } = await make({ name: 'Addresses', type: 'SPA' });
    for (const [change, path] of [
      [{ oidcClientMetadata: { redirectUris: ['https://*.example.com/cb'] } }, 'oidcClientMetadata.redirectUris.0'],
      [
        { oidcClientMetadata: { redirectUris: ['https://a.example', 'javascript:alert(1)'] } },
        'oidcClientMetadata.redirectUris.1',
      ],
      [
        { oidcClientMetadata: { postLogoutRedirectUris: ['/relative'] } },
        'oidcClientMetadata.postLogoutRedirectUris.0',
      ],
      [{ oidcClientMetadata: { logoUri: 'data:text/html,x' } }, 'oidcClientMetadata.logoUri'],
      [{ customClientMetadata: { corsAllowedOrigins: ['nowhere'] } }, 'customClientMetadata.corsAllowedOrigins.0'],
    ] as const) {
      const made = await native.refuse(invalidInput, 'POST', '/applications', { name: 'x', type: 'SPA', ...change });
      assert.equal(made.data.path, path);
      await native.refuse(invalidInput, 'PATCH', `/applications/${id}`, change);
    }
  });

  test('a list is whole unless a page is asked for, and is narrowed by type, role, organization, search', async () => {
    const organization = await makeOrganization(server, 'Listed');
    const robot = await machine('Zulu Robot', { description: 'sweeps' });
    const web = await make({ name: 'Zulu Web', type: 'Traditional', isThirdParty: true });
    const spa = await make({ name: 'Zulu SPA', type: 'SPA' });
    await makeMembership(server, { organizationId: organization, subjectId: robot.id, kind: 'client' });
    const find = async (query: string) => idsOf(await native.expect(200, 'GET', `/applications?${query}`));
    const zulu = `search.name=${encodeURIComponent('zulu%')}`;
    for (const [query, found] of [
      [zulu, [robot.id, web.id, spa.id]],
      [`${zulu}&types=SPA`, [spa.id]],
      [`${zulu}&types=SPA&types=Traditional`, [web.id, spa.id]],
      [`${zulu}&types=SAML`, []],
      [`${zulu}&isThirdParty=true`, [web.id]],
      [`${zulu}&isThirdParty=false`, [robot.id, spa.id]],
      [`${zulu}&excludeOrganizationId=${organization}`, [web.id, spa.id]],
      [`search=${encodeURIComponent('%sweeps%')}`, [robot.id]],
      [`search_params[search]=${encodeURIComponent('Zulu SPA')}&search_params[mode]=exact`, [spa.id]],
    ] as const) {
      assert.deepEqual(await find(query), found, query);
      assert.deepEqual(await find(`${query}&cursor=`), found, `${query} by cursor`);
    }
    const page = await native.call('GET', `/applications?${zulu}&page=2&page_size=2`);
    assert.deepEqual([idsOf(page.body), page.headers.get('total-number')], [[spa.id], '3']);
    const whole = await native.call('GET', '/applications');
    assert.deepEqual([whole.headers.get('total-number'), whole.headers.get('link')], [null, null]);
    await native.refuse(invalidInput, 'GET', '/applications?types=Other');
    await native.refuse(invalidInput, 'GET', '/applications?excludeRoleId=a&excludeOrganizationId=b');
    await native.refuse([400, 'request.invalid_input'], 'GET', '/applications?search=x&mode=posix');
    const [listed] = await native.expect(200, 'GET', `/applications/${robot.id}/organizations`);
    assert.deepEqual([listed.id, listed.organizationRoles], [organization, []]);
  });

  test('the last application that is able to manage applications stays', async () => {
    const last = [409, 'client.last_administrator'] as const;
    await native.refuse(last, 'DELETE', `/applications/${admin.clientId}`);
    await native.refuse(last, 'PATCH', `/applications/${admin.clientId}`, { status: 'disabled' });
  });

  test('roles are given, replaced and taken; a public application has none', async () => {
    const role = await native.expect(200, 'POST', '/roles', {
      name: 'machines',
      description: '',
      type: 'MachineToMachine',
    });
    const forUsers = await native.expect(200, 'POST', '/roles', { name: 'people', description: '' });
    const { id } = await machine('With roles');
    const spa = await make({ name: 'Public', type: 'SPA' });
    const path = `/applications/${id}/roles`;
    const given = await native.expect(201, 'POST', path, { roleIds: [role.id] });
    assert.deepEqual(given, { roleIds: [role.id], addedRoleIds: [role.id] });
    assert.deepEqual((await native.expect(201, 'POST', path, { roleIds: [role.id] })).addedRoleIds, []);
    assert.deepEqual(await native.expect(200, 'GET', path), [role]);
    assert.ok(!idsOf(await native.expect(200, 'GET', `/applications?excludeRoleId=${role.id}`)).includes(id));
    await native.refuse([422, 'application.invalid_role_type'], 'POST', path, { roleIds: [forUsers.id] });
    await native.refuse([422, 'application.invalid_type'], 'POST', `/applications/${spa.id}/roles`, {
      roleIds: [role.id],
    });
    await native.refuse([404, 'entity.relation_foreign_key_not_found'], 'POST', path, { roleIds: ['rol_none'] });
    await native.refuse(invalidInput, 'POST', path, { roleIds: [] });
    await native.refuse(invalidInput, 'POST', path, { roleIds: Array.from({ length: 10_000 }, (_, i) => `rol_${i}`) });
    assert.deepEqual(await native.expect(200, 'PUT', path, { roleIds: [] }), { roleIds: [] });
    await native.expect(200, 'PUT', path, { roleIds: [role.id] });
    await native.expect(204, 'DELETE', `${path}/${role.id}`);
    await native.refuse([404, 'entity.not_found'], 'DELETE', `${path}/${role.id}`);
    assert.deepEqual(await native.expect(200, 'GET', path), []);
    await native.refuse(missing, 'GET', '/applications/nothing/roles');
  });

  test('the last owner of a root can not be disabled or deleted', async () => {
    const organization = await makeOrganization(server, 'Owned by a machine');
    const owner = await makeOrganizationRole(server, { scopes: [], isOwner: true });
    const { id } = await machine('Owner');
    await makeMembership(server, { organizationId: organization, subjectId: id, kind: 'client', roleIds: [owner] });
    const last = [409, 'organization.last_owner'] as const;
    await native.refuse(last, 'DELETE', `/applications/${id}`);
    await native.refuse(last, 'PATCH', `/applications/${id}`, { status: 'disabled' });
    await native.expect(200, 'PATCH', `/applications/${id}`, { name: 'Still the owner' });
  });

  test('a deleted application leaves no membership and no role behind', async () => {
    const organization = await makeOrganization(server, 'Left by a machine');
    const role = await native.expect(200, 'POST', '/roles', {
      name: 'left behind',
      description: '',
      type: 'MachineToMachine',
    });
    const { id } = await machine('Leaver');
    await native.expect(201, 'POST', `/applications/${id}/roles`, { roleIds: [role.id] });
    await makeMembership(server, { organizationId: organization, subjectId: id, kind: 'client' });
    await native.expect(204, 'DELETE', `/applications/${id}`);
    for (const table of ['memberships', 'role_assignments', 'credentials']) {
      const left = (await server.rows(table)).filter((row) => row.subject_id === id || row.client_id === id);
      assert.deepEqual(left, [], table);
    }
  });

  test('every route names its scope', async () => {
    const caller = await callerWith(server, ['read:roles'], server.nativeAudience);
    const { id } = await machine('Guarded');
    for (const [method, path, json] of [
      ['GET', '/applications'],
      ['POST', '/applications', { name: 'x', type: 'SPA' }],
      ['GET', `/applications/${id}`],
      ['PATCH', `/applications/${id}`, {}],
      ['DELETE', `/applications/${id}`],
      ['PATCH', `/applications/${id}/custom-data`, {}],
      ['GET', `/applications/${id}/organizations`],
      ['GET', `/applications/${id}/roles`],
      ['POST', `/applications/${id}/roles`, { roleIds: ['rol_x'] }],
      ['PUT', `/applications/${id}/roles`, { roleIds: [] }],
      ['DELETE', `/applications/${id}/roles/rol_x`],
    ] as const) {
      await native.refuse([403, 'auth.forbidden'], method, path, json, caller.token);
      const before = await server.stateHash();
      assert.equal((await server.request(method, `/api${path}`, json === undefined ? {} : { json })).status, 401);
      assert.equal(await server.stateHash(), before);
    }
  });
});
