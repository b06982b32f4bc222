/** Client assertions, read back by `jose`. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, test } from 'node:test';
import { exportJWK, generateKeyPair, jwtVerify } from 'jose';
import { ConfigurationError, type Jwk, OAuthClient, type PrivateKey } from '../src/index.ts';

const issuer = 'https://auth.test/';

/** The assertions that a client sends with this key; the endpoint answers 503 first, so that it sends two. */
async function assertionsBy(options: { privateKey: PrivateKey; privateKeyAlgorithm?: 'PS256'; privateKeyId?: string }) {
  const sent: URLSearchParams[] = [];
  const fetch = async (_url: string, init: RequestInit) => {
    sent.push(new URLSearchParams(init.body as string));
    return sent.length < 2
      ? new Response('', { status: 503, headers: { 'retry-after': '0' } })
      : Response.json({ access_token: 't', token_type: 'Bearer', expires_in: 1 });
  };
  const client = new OAuthClient({
    tokenUrl: 'https://auth.test/token',
    issuer,
    clientId: 'machine',
    fetch,
    ...options,
  });
  await client.clientCredentials();
  for (const form of sent) {
    assert.equal(form.get('client_assertion_type'), 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    assert.equal(form.get('client_secret'), null);
  }
  return sent.map((form) => form.get('client_assertion') as string);
}

async function assertGood(assertion: string, publicKey: KeyObject, alg: string, kid?: string) {
  const { payload, protectedHeader } = await jwtVerify(assertion, publicKey, { issuer: 'machine', subject: 'machine' });
  assert.deepEqual(protectedHeader, { alg, typ: 'JWT', ...(kid === undefined ? {} : { kid }) });
  assert.equal(payload.aud, issuer, 'one text, not a list');
  assert.equal((payload.exp as number) - (payload.iat as number), 60);
  assert.match(payload.jti as string, /^[A-Za-z0-9_-]{32}$/);
  return payload.jti;
}

const pairs: [string, { publicKey: KeyObject; privateKey: KeyObject }][] = [
  ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ['ES384', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
  ['ES512', generateKeyPairSync('ec', { namedCurve: 'P-521' })],
  ['EdDSA', generateKeyPairSync('ed25519')],
];

describe('private_key_jwt', () => {
  for (const [alg, { publicKey, privateKey }] of pairs) {
    test(`${alg} by PEM and by JWK, with a new assertion for each attempt`, async () => {
      const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
      const jwk = privateKey.export({ format: 'jwk' }) as Jwk;
      for (const [key, kid] of [
        [pem],
        [jwk],
        [{ ...jwk, kid: 'first', use: 'sig', key_ops: ['sign'] }, 'first'],
      ] as const) {
        const [one, two] = await assertionsBy({ privateKey: key });
        const first = await assertGood(one as string, publicKey, alg, kid);
        assert.notEqual(await assertGood(two as string, publicKey, alg, kid), first);
      }
    });
  }

  test('by a CryptoKey that can not be taken out, with a kid', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const [assertion] = await assertionsBy({ privateKey, privateKeyId: 'k1' });
    await assertGood(assertion as string, publicKey as never, 'ES256', 'k1');
  });

  test('another algorithm of an RSA key, by option or by the JWK', async () => {
    const { publicKey, privateKey } = (pairs[0] as (typeof pairs)[0])[1];
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    const [byOption] = await assertionsBy({ privateKey: pem, privateKeyAlgorithm: 'PS256' });
    await assertGood(byOption as string, publicKey, 'PS256');
    const [byJwk] = await assertionsBy({ privateKey: { ...(await exportJWK(privateKey)), alg: 'RS512' } as Jwk });
    await assertGood(byJwk as string, publicKey, 'RS512');
  });

  test('what is no such key is a ConfigurationError that does not quote it', async () => {
    const rsa = (pairs[0] as (typeof pairs)[0])[1].privateKey;
    const pkcs1 = rsa.export({ type: 'pkcs1', format: 'pem' }) as string;
    const pem = rsa.export({ type: 'pkcs8', format: 'pem' }) as string;
    const jwk = rsa.export({ format: 'jwk' }) as Jwk;
    const { publicKey } = await generateKeyPair('ES256');
    const wrong: PrivateKey[] = [
      'nonsense',
      pkcs1,
      pem.replace(/[A-Za-z0-9+/]{40}/, ''),
      pem.slice(0, 200),
      { ...jwk, d: undefined },
      { ...jwk, alg: 'ES256' },
      { ...jwk, alg: 'HS256' },
      { kty: 'oct', k: 'AAAA' },
      publicKey,
    ];
    for (const privateKey of wrong) {
      await assert.rejects(assertionsBy({ privateKey }), (error: Error) => {
        assert.ok(error instanceof ConfigurationError, String(error));
        assert.ok(!error.message.includes(pem.slice(40, 80)));
        return true;
      });
    }
  });
});
