/** A public client never gets a token for a management audience, whatever grant someone configures. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { caller } from './support.ts';

eachEngine('a public client and the accounts API', (engine) => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ engine });
  });
  after(() => server.close());

  /** The alias is what Inbox Manager's clients ask for. */
  const alias = 'https://api.inbox.example';

  test('it is refused the audience, and the configuration of it is refused', async () => {
    const registered = await caller(server)('PATCH', '/resources/management-api', { aliases: [alias] });
    assert.equal(registered.status, 200, registered.text);
    const page = await server.manage('POST', '/clients', { name: 'Browser', app_type: 'spa' });
    const before = await server.stateHash();
    for (const audience of [server.nativeAudience, alias]) {
      const token = await server.token({ client_id: page.client_id, audience });
      assert.ok(token.status === 401 || token.status === 403, token.text);
      assert.equal(token.body.access_token, undefined);
      const grant = await server.request('POST', '/api/v2/client-grants', {
        token: await server.managementToken(),
        json: { client_id: page.client_id, audience, scope: ['read:organizations'] },
      });
      assert.equal(grant.status, 400, grant.text);
      assert.match(grant.body.message, /management audience can not be granted to a public client/);
    }
    assert.equal(await server.stateHash(), before);
  });

  test('a client that had the audience loses it when it becomes public', async () => {
    const client = await server.manage('POST', '/clients', { name: 'Backend', app_type: 'non_interactive' });
    const json = { client_id: client.client_id, audience: server.nativeAudience, scope: ['read:organizations'] };
    await server.manage('POST', '/client-grants', json);
    const credentials = { client_id: client.client_id, client_secret: client.client_secret };
    const issued = await server.token({ ...credentials, audience: server.nativeAudience });
    assert.equal(issued.status, 200, issued.text);
    const call = caller(server, issued.body.access_token);
    assert.equal((await call('GET', '/accounts')).status, 200);
    const changed = await server.request('PATCH', `/api/v2/clients/${client.client_id}`, {
      token: await server.managementToken(),
      json: { token_endpoint_auth_method: 'none' },
    });
    assert.equal(changed.status, 200, changed.text);
    assert.equal((await call('GET', '/accounts')).status, 401);
    assert.notEqual((await server.token({ client_id: client.client_id, audience: server.nativeAudience })).status, 200);
  });

  test('the alias is the same audience: its token works, and wrong ones are told the expected one', async () => {
    const call = caller(server, await server.managementToken(alias));
    assert.equal((await call('GET', '/accounts')).status, 200);
  });
});
