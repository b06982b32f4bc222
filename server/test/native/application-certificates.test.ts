/** Who may give applications certificates, and say what their tokens are bound to. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { admin, eachEngine, startServer, type TestServer } from '../harness.ts';
import { withoutLimits } from '../management/support.ts';
import { type DelegatedCaller, delegatedCaller, makeOrganization } from './delegated.ts';
import { Members } from './members-support.ts';

const certificate = { method: 'tls_client_auth', subject: 'CN=warehouse,O=Example,C=JP' };

eachEngine('certificates and token binding of applications', (engine) => {
  let server: TestServer;
  let native: Members;
  let caller: DelegatedCaller;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    native = await Members.of(server);
    const root = await makeOrganization(server, 'Customer');
    caller = await delegatedCaller(server, { organizationId: root, scopes: ['all'] });
  });
  after(() => server.close());

  test('a caller for an organization changes the certificates of its own applications, and finds no other', async () => {
    const as = (status: number, method: string, path: string, json?: unknown) =>
      native.expect(status, method, path, json, caller.token);
    const own = await as(200, 'POST', '/applications', { name: 'Own', type: 'MachineToMachine' });
    const added = await as(201, 'POST', `/applications/${own.id}/certificates`, certificate);
    assert.equal(added.applicationId, own.id);
    assert.deepEqual(await as(200, 'GET', `/applications/${own.id}/certificates`), [added]);
    await as(204, 'DELETE', `/applications/${own.id}/certificates/${added.id}`);

    const theirs = await server.machine();
    const held = await native.expect(201, 'POST', `/applications/${theirs.clientId}/certificates`, certificate);
    const before = await server.stateHash();
    for (const [method, rest, json] of [
      ['GET', '/certificates'],
      ['POST', '/certificates', certificate],
      ['DELETE', `/certificates/${held.id}`],
      ['GET', '/token-binding'],
    ] as const) {
      const answers = await Promise.all(
        [theirs.clientId, 'nothing'].map((id) => as(404, method, `/applications/${id}${rest}`, json)),
      );
      assert.deepEqual(answers[0], answers[1], `${method} ${rest}`);
    }
    assert.equal(await server.stateHash(), before);
  });

  test('what tokens are bound to is the tenant’s to say', async () => {
    const path = `/applications/${caller.clientId}/token-binding`;
    const shown = await native.expect(200, 'GET', path, undefined, caller.token);
    assert.deepEqual(shown, { requiresDpop: false, bindsTokensToCertificate: false });
    const before = await server.stateHash();
    await native.expect(403, 'PATCH', path, { requiresDpop: true }, caller.token);
    assert.equal(await server.stateHash(), before);
  });

  test('nobody gives a certificate to an application that may do more than they', async () => {
    const client = await server.manage('POST', '/clients', { name: 'Narrow', app_type: 'non_interactive' });
    const scope = ['create:application_secrets', 'update:applications', 'delete:application_secrets'];
    await server.manage('POST', '/client-grants', {
      client_id: client.client_id,
      audience: server.nativeAudience,
      scope,
    });
    const { body } = await server.token({
      client_id: client.client_id,
      client_secret: client.client_secret,
      audience: server.nativeAudience,
    });
    const before = await server.stateHash();
    const exceeds = [403, 'auth.exceeds_own'] as const;
    const { access_token: token } = body;
    await native.refuse(exceeds, 'POST', `/applications/${admin.clientId}/certificates`, certificate, token);
    await native.refuse(
      exceeds,
      'PATCH',
      `/applications/${admin.clientId}/token-binding`,
      { requiresDpop: true },
      token,
    );
    assert.equal(await server.stateHash(), before);
  });

  test('a public application has none', async () => {
    const { id } = await native.expect(200, 'POST', '/applications', {
      name: 'Page',
      type: 'SPA',
      oidcClientMetadata: { redirectUris: [], postLogoutRedirectUris: [] },
    });
    const before = await server.stateHash();
    const { data } = await native.expect(400, 'POST', `/applications/${id}/certificates`, certificate);
    assert.equal(data.path, 'method');
    assert.equal(await server.stateHash(), before);
  });
});
