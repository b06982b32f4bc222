import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { eachEngine, startServer, type TestServer } from '../harness.ts';

eachEngine('the first token', (engine) => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ engine });
  });
  after(() => server.close());

  test('an API, a client and a grant give a token that verifies with the published keys', async () => {
    const { audience, clientId, clientSecret } = await server.machine({ granted: ['read:orders'] });
    const answer = await server.token({ client_id: clientId, client_secret: clientSecret, audience });
    assert.equal(answer.status, 200);
    assert.deepEqual(Object.keys(answer.body).sort(), ['access_token', 'expires_in', 'scope', 'token_type']);
    assert.equal(answer.body.token_type, 'Bearer');
    assert.equal(answer.body.expires_in, 86_400);
    assert.equal(answer.body.scope, 'read:orders');
    assert.equal(answer.headers.get('cache-control'), 'no-store');

    const keys = createRemoteJWKSet(new URL(`${server.origin}/.well-known/jwks.json`));
    const { payload, protectedHeader } = await jwtVerify(answer.body.access_token, keys, {
      issuer: server.issuer,
      audience,
    });
    assert.equal(protectedHeader.alg, 'RS256');
    assert.equal(payload.sub, `${clientId}@clients`);
    assert.equal(payload.scope, 'read:orders');

    const events = (await server.logEvents()).filter((event) => event.token_id === payload.jti);
    assert.equal(events.length, 1);
    assert.equal(events[0].kind, 'token.issued');
  });
});
