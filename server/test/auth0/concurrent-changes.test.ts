import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';

eachEngine('changes at the same time', (engine) => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ engine });
  });
  after(() => server.close());

  const keys = ['one', 'two', 'three', 'four'];

  test('no metadata key of a client is lost', async () => {
    const { client_id } = await server.manage('POST', '/clients', { name: 'Shared' });
    await Promise.all(
      keys.map((key) => server.manage('PATCH', `/clients/${client_id}`, { client_metadata: { [key]: 'kept' } })),
    );
    const { client_metadata } = await server.manage('GET', `/clients/${client_id}`);
    assert.deepEqual(Object.keys(client_metadata).sort(), [...keys].sort());
  });

  test('no setting of an API is lost', async () => {
    const { id } = await server.manage('POST', '/resource-servers', { identifier: 'urn:shared', name: 'Shared' });
    const changes = [{ allow_offline_access: true }, { enforce_policies: true }, { token_lifetime: 60 }];
    await Promise.all(changes.map((change) => server.manage('PATCH', `/resource-servers/${id}`, change)));
    const api = await server.manage('GET', `/resource-servers/${id}`);
    for (const change of changes) assert.deepEqual({ ...api, ...change }, api);
  });

  test('no field of a grant is lost', async () => {
    const { grantId } = await server.machine();
    const changes = [{ allow_any_organization: true }, { organization_usage: 'allow' }, { scope: ['read:orders'] }];
    await Promise.all(changes.map((change) => server.manage('PATCH', `/client-grants/${grantId}`, change)));
    const grant = await server.manage('GET', `/client-grants/${grantId}`);
    for (const change of changes) assert.deepEqual({ ...grant, ...change }, grant);
  });

  test('a refusal by a rule leaves one event that names who tried', async () => {
    const weak = await server.manage('POST', '/clients', { name: 'Weak', app_type: 'non_interactive' });
    const audience = server.managementAudience;
    const scope = ['create:client_grants'];
    await server.manage('POST', '/client-grants', { client_id: weak.client_id, audience, scope });
    const { client_id, client_secret } = weak;
    const token = (await server.token({ client_id, client_secret, audience })).body.access_token as string;
    const other = await server.manage('POST', '/clients', { name: 'Other', app_type: 'non_interactive' });
    const before = await server.stateHash();
    const json = { client_id: other.client_id, audience, scope: ['delete:clients'] };
    const answer = await server.request('POST', '/api/v2/client-grants', { token, json });
    assert.equal(answer.status, 403);
    assert.equal(await server.stateHash(), before);
    const events = (await server.logEvents()).filter((event) => event.kind === 'access.refused');
    assert.deepEqual(
      events.map((event) => [event.client_id, event.reason]),
      [[client_id, 'auth.exceeds_own']],
    );
  });

  test('a client made again under its old id does not revive the tokens of the first', async () => {
    const { services } = server.composed;
    const token = await server.managementToken();
    await services.db.transact((trx) =>
      trx
        .updateTable('clients')
        .set({ created_at: services.clock.now() + 2000 })
        .where('id', '=', 'admin')
        .execute(),
    );
    const answer = await server.request('GET', '/api/v2/clients', { token });
    assert.equal(answer.status, 401);
  });
});
