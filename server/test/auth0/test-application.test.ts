import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';

eachEngine('create_test_application', (engine) => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ engine });
  });
  after(() => server.close());

  const named = async (name: string) =>
    (await server.manage('GET', '/clients')).filter((client: { name: string }) => client.name === name);

  test('an API gets no test application unless it is asked for', async () => {
    await server.manage('POST', '/resource-servers', { identifier: 'urn:plain', name: 'Plain' });
    assert.deepEqual(await named('Plain (Test Application)'), []);
  });

  test('makes a machine client with a grant of every scope of the API', async () => {
    await server.manage('POST', '/resource-servers', {
      identifier: 'urn:tried',
      name: 'Tried',
      scopes: [{ value: 'read:things' }, { value: 'write:things' }],
      create_test_application: true,
    });
    const [client, ...others] = await named('Tried (Test Application)');
    assert.deepEqual(others, []);
    const { client_secret } = await server.manage('POST', `/clients/${client.client_id}/rotate-secret`);
    const answer = await server.token({ client_id: client.client_id, client_secret, audience: 'urn:tried' });
    assert.equal(answer.body.scope, 'read:things write:things');
  });

  test('is refused to who may make APIs but no clients or no grants, and nothing is made', async () => {
    for (const scope of [
      ['create:resource_servers'],
      ['create:resource_servers', 'create:clients'],
      ['create:resource_servers', 'create:client_grants'],
    ]) {
      const maker = await server.manage('POST', '/clients', { name: 'Maker', app_type: 'non_interactive' });
      const audience = server.managementAudience;
      await server.manage('POST', '/client-grants', { client_id: maker.client_id, audience, scope });
      const { client_id, client_secret } = maker;
      const token = (await server.token({ client_id, client_secret, audience })).body.access_token as string;
      const before = await server.stateHash();
      const json = { identifier: 'urn:refused', name: 'Refused', create_test_application: true };
      const answer = await server.request('POST', '/api/v2/resource-servers', { token, json });
      assert.equal(answer.status, 403);
      assert.equal(answer.body.errorCode, 'insufficient_scope');
      assert.equal(await server.stateHash(), before);
    }
  });
});
