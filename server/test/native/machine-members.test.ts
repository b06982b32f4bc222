import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { withoutLimits } from '../management/support.ts';
import { delegatedCaller, makeMembership, makeOrganization, makeOrganizationRole } from './delegated.ts';
import { Members } from './members-support.ts';

const reference = [422, 'entity.relation_foreign_key_not_found'] as const;
const machinesOnly = [422, 'entity.db_constraint_violated'] as const;
const notMember = [422, 'organization.require_membership'] as const;

eachEngine('machine clients in organizations', (engine) => {
  let server: TestServer;
  let api: Members;
  let root: string;
  let sub: string;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    api = await Members.of(server);
    root = await makeOrganization(server, 'Acme');
    sub = await makeOrganization(server, 'Acme Sub', root);
  });
  after(() => server.close());

  test('they are added, listed with their roles, replaced and removed', async () => {
    const id = await makeOrganization(server, 'Machines');
    const [one, two] = [(await api.machine('One robot')).clientId, (await api.machine('Two')).clientId];
    const path = `/organizations/${id}/applications`;
    assert.deepEqual(await api.expect(201, 'POST', path, { applicationIds: [one, two] }), {
      applicationIds: [one, two],
    });
    await api.expect(201, 'POST', path, { applicationIds: [one] });
    const role = await makeOrganizationRole(server, { scopes: [], name: 'Robot' });
    const body = { applicationIds: [one], organizationRoleIds: [role] };
    assert.deepEqual(await api.expect(201, 'POST', `${path}/roles`, body), body);
    const list = await api.call('GET', `${path}?q=oNe%20r`);
    assert.equal(list.headers.get('total-number'), '1');
    const [listed] = list.body;
    assert.deepEqual(listed, {
      tenantId: 'default',
      id: one,
      name: 'One robot',
      description: null,
      type: 'MachineToMachine',
      oidcClientMetadata: { redirectUris: [], postLogoutRedirectUris: [] },
      // It was made in Auth0's words, with Auth0's lifetimes.
      customClientMetadata: { idTokenTtl: 36_000, refreshTokenTtl: 31_557_600, rotateRefreshToken: false },
      protectedAppMetadata: null,
      customData: {},
      isThirdParty: false,
      appLevelAccessControlEnabled: false,
      authPolicyIds: null,
      createdAt: listed.createdAt,
      updatedAt: listed.updatedAt,
      status: 'active',
      ownerOrganizationId: null,
      organizationRoles: [{ id: role, name: 'Robot' }],
    });
    assert.ok(!list.text.includes('secret'));
    const roles = `${path}/${one}/roles`;
    assert.deepEqual(await api.expect(200, 'GET', roles), [
      { tenantId: 'default', id: role, name: 'Robot', description: null, type: 'MachineToMachine', isOwner: false },
    ]);
    const other = await makeOrganizationRole(server, { scopes: [] });
    const added = await api.expect(201, 'POST', roles, { organizationRoleIds: [other] });
    assert.deepEqual(added, { organizationRoleIds: [other] });
    await api.expect(204, 'PUT', roles, { organizationRoleIds: [other] });
    await api.expect(204, 'DELETE', `${roles}/${other}`);
    await api.refuse([404, 'entity.not_found'], 'DELETE', `${roles}/${other}`);
    assert.deepEqual(await api.expect(200, 'GET', roles), []);
    await api.refuse([400, 'guard.invalid_input'], 'POST', roles, { organizationRoleIds: [] });
    await api.expect(204, 'PUT', path, { applicationIds: [two] });
    const left = await api.expect(200, 'GET', path);
    assert.deepEqual(
      left.map((client: { id: string }) => client.id),
      [two],
    );
    await api.refuse(notMember, 'GET', roles);
    await api.expect(204, 'DELETE', `${path}/${two}`);
    await api.refuse([404, 'entity.not_found'], 'DELETE', `${path}/${two}`);
  });

  test('users and machines are told apart', async () => {
    const id = await makeOrganization(server, 'Both');
    const ann = await api.user('Ann');
    const { clientId } = await api.machine('One');
    await api.expect(201, 'POST', `/organizations/${id}/users`, { userIds: [ann] });
    await api.expect(201, 'POST', `/organizations/${id}/applications`, { applicationIds: [clientId] });
    await api.refuse([404, 'entity.not_found'], 'DELETE', `/organizations/${id}/users/${clientId}`);
    await api.refuse([404, 'entity.not_found'], 'DELETE', `/organizations/${id}/applications/${ann}`);
    await api.refuse(notMember, 'GET', `/organizations/${id}/users/${clientId}/roles`);
    await api.refuse(notMember, 'GET', `/organizations/${id}/applications/${ann}/roles`);
    await api.expect(204, 'PUT', `/organizations/${id}/users`, { userIds: [] });
    const kinds = await api.expect(200, 'GET', `/organizations/${id}/members`);
    assert.deepEqual(
      kinds.map(({ kind, applicationId }: { kind: string; applicationId: string }) => [kind, applicationId]),
      [['client', clientId]],
      'replacing the users leaves the machines',
    );
    const userRole = await makeOrganizationRole(server, { scopes: [], kind: 'user' });
    const roles = `/organizations/${id}/applications/${clientId}/roles`;
    for (const method of ['POST', 'PUT']) {
      await api.refuse(machinesOnly, method, roles, { organizationRoleIds: [userRole] });
    }
  });

  test('a client that can not keep a secret is no member, by any route', async () => {
    const good = await api.machine();
    for (const publicly of [{ token_endpoint_auth_method: 'none' }, { app_type: 'spa' }, { app_type: 'native' }]) {
      const { clientId } = await api.machine('Public', publicly);
      const ids = { applicationIds: [good.clientId, clientId] };
      await api.refuse(machinesOnly, 'POST', `/organizations/${root}/applications`, ids);
      await api.refuse(machinesOnly, 'PUT', `/organizations/${root}/applications`, ids);
      await api.refuse(machinesOnly, 'POST', `/organizations/${root}/members`, { applicationId: clientId });
    }
    const unknown = { applicationIds: [good.clientId, 'x'.repeat(32)] };
    await api.refuse(reference, 'POST', `/organizations/${root}/applications`, unknown);
  });

  test('a member gets a token for its organization, with the scopes of its roles, until it is removed', async () => {
    const { audience, scopeIds } = await api.api(['read:orders', 'write:orders']);
    const reader = await api.roleOf([scopeIds.get('read:orders') as string]);
    const machine = await api.machine();
    const applications = `/organizations/${root}/applications`;
    assert.equal(await api.scopesIn(machine, root, audience), undefined);
    await api.expect(201, 'POST', applications, { applicationIds: [machine.clientId] });
    assert.deepEqual(await api.scopesIn(machine, root, audience), []);
    const roles = { organizationRoleIds: [reader] };
    await api.expect(201, 'POST', `${applications}/${machine.clientId}/roles`, roles);
    const token = await api.tokenFor(machine, root, audience);
    assert.deepEqual([token.status, token.body.scope], [200, 'read:orders']);
    const claims = JSON.parse(Buffer.from(token.body.access_token.split('.')[1], 'base64url').toString());
    assert.deepEqual([claims.org_id, claims.aud], [root, audience]);
    const wider = await server.token({
      client_id: machine.clientId,
      client_secret: machine.clientSecret,
      audience,
      organization: root,
      scope: 'read:orders write:orders',
    });
    assert.equal(wider.status, 403, wider.text);
    await api.expect(204, 'DELETE', `${applications}/${machine.clientId}/roles/${reader}`);
    assert.deepEqual(await api.scopesIn(machine, root, audience), []);
    await api.expect(204, 'DELETE', `${applications}/${machine.clientId}`);
    assert.equal(await api.scopesIn(machine, root, audience), undefined);
  });

  test('a token for an organization adds the clients that its subtree owns, and no others', async () => {
    const verbs = ['read', 'create', 'update', 'delete'].map((verb) => `${verb}:organization_members`);
    const caller = await delegatedCaller(server, { organizationId: root, scopes: verbs });
    const own = await api.machine('Own');
    await api.own(own.clientId, sub);
    const tenants = await api.machine('Of the tenant');
    const foreign = await api.machine('Of another customer');
    await api.own(foreign.clientId, await makeOrganization(server, 'Another'));
    for (const id of [tenants.clientId, foreign.clientId, 'x'.repeat(32)]) {
      const both = { applicationIds: [own.clientId, id] };
      await api.refuse(reference, 'POST', `/organizations/${sub}/applications`, both, caller.token);
      await api.refuse(reference, 'PUT', `/organizations/${sub}/applications`, both, caller.token);
      await api.refuse(reference, 'POST', `/organizations/${sub}/members`, { applicationId: id }, caller.token);
    }
    const ids = { applicationIds: [own.clientId] };
    await api.expect(201, 'POST', `/organizations/${sub}/applications`, ids, caller.token);
    // Whoever put it there: a membership in the subtree is the caller's to end.
    const put = { organizationId: sub, subjectId: tenants.clientId, kind: 'client' as const };
    await makeMembership(server, put);
    await server.manage('PATCH', `/clients/${tenants.clientId}`, { client_metadata: { plan: 'secret' } });
    const list = await api.call('GET', `/organizations/${sub}/applications`, undefined, caller.token);
    assert.equal(list.body.length, 2);
    assert.ok(!list.text.includes('"plan"'), 'what others keep about it is not shown');
    await api.expect(204, 'PUT', `/organizations/${sub}/applications`, ids, caller.token);
    assert.equal((await api.expect(200, 'GET', `/organizations/${sub}/applications`)).length, 1);
  });
});
