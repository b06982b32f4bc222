/** Tokens for an organization, of both issuers, at the guards: who they speak for, and when they end. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { decodeJwt } from 'jose';
import { createVerifier, OAuthClient, OAuthError } from '../../../client/src/index.ts';
import { createManagementClient, type ManagementClient } from '../../../client/src/management/index.ts';
import { type Api, startApi } from '../../../client/test/apis.ts';
import { admin, eachEngine, startServer, type TestServer } from '../harness.ts';
import { withoutLimits } from '../token/refusals.ts';

const audience = 'https://orders.example';

eachEngine('tokens for an organization at the guards', (engine) => {
  let server: TestServer;
  let management: ManagementClient;
  let api: Api;
  let acme: string;
  let tokyo: string;
  let memberId: string;
  let scopeId: string;
  let machine: { clientId: string; clientSecret: string };
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    const { clientId, clientSecret } = admin;
    const auth = new OAuthClient({ issuer: server.issuer, clientId, clientSecret });
    management = createManagementClient({ baseUrl: server.origin, auth });
    acme = (await management.organizations.create({ name: 'Acme' })).id;
    tokyo = (await management.organizations.create({ name: 'Tokyo', parentId: acme })).id;
    const resource = await management.resources.create({ name: 'Orders', indicator: audience });
    const scope = await management.resources.createScope(resource.id, { name: 'read:orders' });
    scopeId = scope.id;
    const see = await management.organizationScopes.create({ name: 'see:plan' });
    const role = await management.organizationRoles.create({
      name: 'reader',
      type: 'MachineToMachine',
      resourceScopeIds: [scope.id],
      organizationScopeIds: [see.id],
    });
    const application = await management.applications.create({ name: 'Backend', type: 'MachineToMachine' });
    machine = { clientId: application.id, clientSecret: application.secret as string };
    const member = { applicationId: application.id, organizationRoleIds: [role.id] };
    memberId = (await management.members.add(acme, member)).id;
    api = await startApi('fastify', { issuer: [server.issuer, `${server.origin}/oidc`], audience });
  });
  after(async () => {
    await api.close();
    await server.close();
  });

  const clientAt = (issuer: string) => new OAuthClient({ issuer, ...machine });
  const oidc = () => `${server.origin}/oidc`;
  const get = async (organizationId: string, token: string) => {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${api.origin}/organizations/${organizationId}/orders`, { headers });
    return { status: answer.status, ran: api.ran.splice(0).length > 0 };
  };

  test('of the root issuer: org_id', async () => {
    const token = await clientAt(server.issuer).accessToken({ audience, organization: tokyo });
    assert.equal(decodeJwt(token).org_id, tokyo);
    assert.deepEqual(await get(tokyo, token), { status: 200, ran: true });
    assert.deepEqual(await get(acme, token), { status: 403, ran: false }, 'it speaks for one organization only');
  });

  test('of /oidc: organization_id', async () => {
    const request = { resource: audience, organizationId: tokyo, scope: 'read:orders' };
    const token = await clientAt(oidc()).accessToken(request);
    assert.equal(decodeJwt(token).organization_id, tokyo);
    assert.deepEqual(await get(tokyo, token), { status: 200, ran: true });
    assert.deepEqual(await get(acme, token), { status: 403, ran: false });
    const { scope: _scope, ...without } = request;
    assert.deepEqual(await get(tokyo, await clientAt(oidc()).accessToken(without)), { status: 403, ran: false });
  });

  test('of /oidc for the organization itself: good where organizationTokens says so, and nowhere else', async () => {
    const token = await clientAt(oidc()).accessToken({ organizationId: acme, scope: 'see:plan' });
    assert.equal(decodeJwt(token).aud, `urn:logto:organization:${acme}`);
    const options = { issuer: oidc(), audience };
    const { organizationId, scopes } = await createVerifier({ ...options, organizationTokens: true }).verifyAccessToken(
      token,
    );
    assert.deepEqual([organizationId, scopes], [acme, ['see:plan']]);
    await assert.rejects(createVerifier(options).verifyAccessToken(token), { problem: 'audience_not_accepted' });
    assert.deepEqual(await get(acme, token), { status: 401, ran: false });
  });

  test('a token that speaks for nobody has the scope and does not get in', async () => {
    const ofTenant = await management.roles.create({
      name: 'reader of all',
      description: 'Reads every order.',
      type: 'MachineToMachine',
      scopeIds: [scopeId],
    });
    await management.applications.addRoles(machine.clientId, { roleIds: [ofTenant.id] });
    const token = await clientAt(server.issuer).accessToken({ audience });
    assert.equal(decodeJwt(token).scope, 'read:orders');
    assert.deepEqual(await get(acme, token), { status: 403, ran: false });
  });

  test('without the membership there is no further token; asked of introspection, the old one ends too', async () => {
    const guardian = await server.manage('POST', '/clients', {
      name: 'The API',
      app_type: 'resource_server',
      resource_server_identifier: audience,
    });
    const asking = createVerifier({
      issuer: server.issuer,
      audience,
      introspection: { clientId: guardian.client_id, clientSecret: guardian.client_secret },
    });
    const client = clientAt(server.issuer);
    const token = await client.accessToken({ audience, organization: tokyo });
    assert.deepEqual((await asking.verifyAccessToken(token)).scopes, ['read:orders']);
    await management.members.remove(acme, memberId);
    await assert.rejects(client.clientCredentials({ audience, organization: tokyo }), (error) => {
      assert.ok(error instanceof OAuthError);
      assert.equal(error.status, 403);
      return true;
    });
    await assert.rejects(asking.verifyAccessToken(token), { problem: 'revoked' });
    assert.deepEqual(await get(tokyo, token), { status: 200, ran: true }, 'offline it is good until it ends');
  });
});
