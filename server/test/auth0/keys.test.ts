import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, before, test } from 'node:test';
import { type Answer, eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith } from '../management/support.ts';

eachEngine('/api/v2/keys/signing', (engine) => {
  let server: TestServer;
  let token: string;
  before(async () => {
    server = await startServer({ engine });
    token = await server.managementToken();
  });
  after(() => server.close());

  const call = (method: string, path = ''): Promise<Answer> =>
    server.request(method, `/api/v2/keys/signing${path}`, { token });
  const stateOf = (key: Record<string, unknown>) =>
    ['current', 'next', 'previous', 'revoked'].filter((state) => key[state] === true);

  test('keys are listed with certificate and state, and never with the private key', async () => {
    const answer = await call('GET');
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.body.map(stateOf), [['current'], ['next']]);
    const [current] = answer.body;
    const { kid, cert, pkcs7, current_since, fingerprint, thumbprint, ...rest } = current;
    assert.deepEqual(rest, { alg: 'RS256', current: true, next: false, previous: false, revoked: false });
    const certificate = new X509Certificate(cert);
    assert.equal(fingerprint, certificate.fingerprint);
    assert.equal(thumbprint, certificate.fingerprint.replaceAll(':', '').toLowerCase());
    assert.match(pkcs7, /^-----BEGIN PKCS7-----/);
    assert.ok(Date.parse(current_since) > 0);
    assert.doesNotMatch(answer.text, /PRIVATE|private/);
    assert.deepEqual((await call('GET', `/${kid}`)).body, current);
    const { keys } = (await server.request('GET', '/.well-known/jwks.json')).body;
    assert.ok(keys.some((key: { kid: string }) => key.kid === kid));
  });

  test('rotating makes the next key sign; what is current or next can not be revoked, what is previous can, once', async () => {
    const [before, next] = (await call('GET')).body;
    const rotated = await call('POST', '/rotate');
    assert.equal(rotated.status, 201);
    assert.deepEqual(rotated.body, { kid: next.kid, cert: next.cert });
    const after = (await call('GET')).body;
    assert.deepEqual(after.map(stateOf), [['current'], ['next'], ['previous']]);
    assert.equal(after[0].kid, next.kid);
    assert.equal(after[2].kid, before.kid);
    assert.ok(Date.parse(after[2].current_until) > 0);

    const state = await server.stateHash();
    for (const key of [after[0], after[1]]) {
      const refused = await call('PUT', `/${key.kid}/revoke`);
      assert.equal(refused.status, 400);
      assert.match(refused.body.message, /can not be revoked/);
    }
    assert.equal((await call('PUT', '/missing/revoke')).status, 404);
    assert.deepEqual((await call('GET', '/missing')).body, {
      statusCode: 404,
      error: 'Not Found',
      message: 'The signing key does not exist.',
      errorCode: 'inexistent_signing_key',
    });
    assert.equal(await server.stateHash(), state);

    // The token in hand was signed with the key that goes now.
    token = await server.managementToken();
    const revoked = await call('PUT', `/${before.kid}/revoke`);
    assert.equal(revoked.status, 200);
    assert.deepEqual(revoked.body, { kid: before.kid, cert: before.cert });
    const key = (await call('GET', `/${before.kid}`)).body;
    assert.deepEqual(stateOf(key), ['revoked']);
    assert.ok(Date.parse(key.revoked_at) > 0);
    assert.equal((await call('PUT', `/${before.kid}/revoke`)).status, 409);
    const kinds = (await server.logEvents()).map(({ kind }) => kind);
    assert.deepEqual(
      kinds.filter((kind) => kind.startsWith('signing_key.')),
      ['signing_key.rotated', 'signing_key.revoked'],
    );
  });

  test('each route asks for its scopes; rotating for both', async () => {
    const cases: [string, string, string[], string][] = [
      ['GET', '', ['update:signing_keys'], 'read:signing_keys'],
      ['GET', '/x', ['update:signing_keys'], 'read:signing_keys'],
      ['POST', '/rotate', ['update:signing_keys'], 'create:signing_keys'],
      ['POST', '/rotate', ['create:signing_keys'], 'update:signing_keys'],
      ['PUT', '/x/revoke', ['read:signing_keys'], 'update:signing_keys'],
    ];
    for (const [method, path, held, expected] of cases) {
      const caller = (await callerWith(server, held)).token;
      const state = await server.stateHash();
      const refused = await server.request(method, `/api/v2/keys/signing${path}`, { token: caller });
      assert.equal(refused.status, 403, `${method} ${path}`);
      assert.equal(refused.body.message, `Insufficient scope, expected any of: ${expected}`);
      assert.equal((await server.request(method, `/api/v2/keys/signing${path}`)).status, 401);
      assert.equal(await server.stateHash(), state);
    }
    assert.equal((await call('GET', '?page=1')).status, 400);
  });
});
