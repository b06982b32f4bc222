/** The client library's DPoP against the server: tokens, the management API, and an API of one's own. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createVerifier, OAuthClient } from '../../../client/src/index.ts';
import { createManagementClient } from '../../../client/src/management/index.ts';
import { admin, eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { withoutLimits } from '../token/refusals.ts';

eachEngine('the client library with DPoP', (engine) => {
  let server: TestServer;
  const clock = new TestClock();
  const now = () => clock.now();
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
  });
  after(() => server.close());

  test('a token of either issuer is bound, and verified with a proof only', async () => {
    const machine = await server.machine({ api: { token_dialect: 'rfc9068_profile' } });
    const url = 'https://orders.example/orders';
    for (const issuer of [server.issuer, `${server.origin}/oidc`]) {
      const { clientId, clientSecret } = machine;
      const client = new OAuthClient({ issuer, clientId, clientSecret, dpop: true, now });
      const request = issuer.endsWith('/oidc') ? { resource: machine.audience } : { audience: machine.audience };
      const token = await client.accessToken(request);
      assert.equal(await client.accessToken(request), token, 'kept');
      const verifier = createVerifier({ issuer, audience: machine.audience, now });
      const proof = await client.dpopProof({ method: 'GET', url, accessToken: token });
      const verified = await verifier.verifyAccessToken(token, { dpop: { proof, method: 'GET', url } });
      assert.equal(verified.clientId, clientId);
      const again = verifier.verifyAccessToken(token, { dpop: { proof, method: 'GET', url } });
      await assert.rejects(again, { problem: 'proof_invalid' });
      await assert.rejects(verifier.verifyAccessToken(token), { problem: 'sender_constrained' });
    }
  });

  test('the management client calls with proofs', async () => {
    const auth = new OAuthClient({ issuer: server.issuer, ...admin, dpop: true, now });
    const management = createManagementClient({ baseUrl: server.origin, auth });
    const made = await management.applications.create({ name: 'Bound', type: 'MachineToMachine' });
    assert.equal((await management.applications.get(made.id)).name, 'Bound');
    const binding = await management.applications.updateTokenBinding(made.id, { requiresDpop: true });
    assert.deepEqual(binding, { requiresDpop: true, bindsTokensToCertificate: false });
    const token = await auth.accessToken({ audience: server.nativeAudience });
    assert.equal((await server.request('GET', '/api/applications', { token })).status, 401, 'as Bearer it is nothing');
  });
});
