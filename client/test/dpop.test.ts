/** Tokens bound to a key (RFC 9449): asked for with a proof, and let in with a proof only. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ConfigurationError, createVerifier, InvalidTokenError, OAuthClient, ResponseError } from '../src/index.ts';
import { thumbprintOf } from '../src/jose/thumbprint.ts';
import { DpopProver } from '../src/oauth/dpop.ts';
import { createTestIssuer, type TestIssuer } from '../src/testing/index.ts';
import { type Api, frameworks, startApi } from './apis.ts';

const now = () => Date.now();
const decode = (part: string | undefined) => JSON.parse(Buffer.from(part ?? '', 'base64url').toString());
const rsa = { hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
const generate = (name: string, namedCurve?: string) => {
  const parameters = { name, ...(name === 'RSA-PSS' ? rsa : {}), ...(namedCurve && { namedCurve }) };
  return crypto.subtle.generateKey(parameters as never, true, ['sign', 'verify']) as unknown as Promise<{
    publicKey: CryptoKey;
    privateKey: CryptoKey;
  }>;
};
type CryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

describe('OAuthClient with dpop', () => {
  /** A token endpoint in memory that binds tokens; what it was sent is kept. */
  function endpoint(answers: { type?: string; nonce?: string } = {}) {
    const proofs: string[] = [];
    const fetch = async (_url: string, init: RequestInit) => {
      const proof = new Headers(init.headers).get('dpop');
      if (proof !== null) proofs.push(proof);
      const { nonce } = proof === null ? {} : decode(proof.split('.')[1]);
      if (answers.nonce !== undefined && nonce !== answers.nonce) {
        return Response.json({ error: 'use_dpop_nonce' }, { status: 400, headers: { 'dpop-nonce': answers.nonce } });
      }
      return Response.json({ access_token: `t${proofs.length}`, token_type: answers.type ?? 'DPoP', expires_in: 60 });
    };
    return { proofs, fetch };
  }
  const credentials = { clientId: 'c', clientSecret: 's', tokenUrl: 'https://auth.example/oauth/token?x=y' };

  test('sends a new proof with each request, and proofs for APIs', async () => {
    const { proofs, fetch } = endpoint();
    const client = new OAuthClient({ ...credentials, dpop: true, fetch, now: () => 1_700_000_000_999 });
    assert.equal((await client.clientCredentials()).token_type, 'DPoP');
    await client.clientCredentials();
    const [one, two] = proofs.map((proof) => proof.split('.').map((part, index) => (index < 2 ? decode(part) : part)));
    assert.deepEqual([one?.[0].typ, one?.[0].alg], ['dpop+jwt', 'ES256']);
    assert.deepEqual(Object.keys(one?.[0].jwk).sort(), ['crv', 'kty', 'x', 'y']);
    assert.deepEqual([one?.[1].htm, one?.[1].htu], ['POST', 'https://auth.example/oauth/token']);
    assert.equal(one?.[1].iat, 1_700_000_000);
    assert.notEqual(one?.[1].jti, two?.[1].jti);
    assert.deepEqual(one?.[0].jwk, two?.[0].jwk);
    const url = 'https://api.example/orders?page=1#x';
    // Token and hash are RFC 9449's own (§7.1, figure 12).
    const accessToken = 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU';
    const proof = await client.dpopProof({ method: 'get', url, accessToken });
    const { htm, htu, ath } = decode(proof.split('.')[1]);
    assert.deepEqual([htm, htu], ['GET', 'https://api.example/orders']);
    assert.equal(ath, 'fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo');
  });

  test('keeps tokens of one key apart from those of another', async () => {
    const entries = new Map<string, string>();
    const cache = {
      get: (key: string) => entries.get(key),
      set: (key: string, value: string) => void entries.set(key, value),
      delete: (key: string) => void entries.delete(key),
    };
    const { proofs, fetch } = endpoint();
    const one = new OAuthClient({ ...credentials, dpop: true, fetch, cache });
    const two = new OAuthClient({ ...credentials, dpop: true, fetch, cache });
    const tokens = [await one.accessToken(), await two.accessToken(), await one.accessToken()];
    assert.deepEqual(tokens, ['t1', 't2', 't1']);
    assert.equal(proofs.length, 2);
  });

  test('shows the nonce that a server asks for, from then on', async () => {
    const { proofs, fetch } = endpoint({ nonce: 'n-1' });
    const client = new OAuthClient({ ...credentials, dpop: true, fetch, retries: 0 });
    await client.clientCredentials();
    await client.clientCredentials();
    assert.deepEqual(
      proofs.map((proof) => decode(proof.split('.')[1]).nonce),
      [undefined, 'n-1', 'n-1'],
    );
  });

  test('does not take a bearer token for a bound one', async () => {
    const { fetch } = endpoint({ type: 'Bearer' });
    const client = new OAuthClient({ ...credentials, dpop: true, fetch, retries: 0 });
    await assert.rejects(client.clientCredentials(), ResponseError);
    const plain = new OAuthClient({ ...credentials, fetch: endpoint().fetch, retries: 0 });
    await assert.rejects(plain.clientCredentials(), ResponseError);
    await assert.rejects(
      plain.dpopProof({ method: 'GET', url: 'https://a.example', accessToken: 'a' }),
      ConfigurationError,
    );
    assert.deepEqual([client.usesDpop, plain.usesDpop], [true, false]);
  });

  test('takes a key of one’s own in any form, and shows its public half only', async () => {
    for (const [name, curve, alg] of [
      ['ECDSA', 'P-256', 'ES256'],
      ['ECDSA', 'P-384', 'ES384'],
      ['Ed25519', undefined, 'EdDSA'],
      ['RSA-PSS', undefined, 'PS256'],
    ] as const) {
      const { privateKey, publicKey } = await generate(name, curve);
      const jwk = await crypto.subtle.exportKey('jwk', privateKey);
      const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', privateKey)).toString('base64');
      const pem = `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----`;
      const expected = await thumbprintOf(await crypto.subtle.exportKey('jwk', publicKey));
      for (const key of [privateKey, jwk as never, pem]) {
        const prover = new DpopProver({ privateKey: key, algorithm: alg }, now);
        const proof = await prover.proof({ method: 'GET', url: 'https://api.example/' });
        const header = decode(proof.split('.')[0]);
        assert.equal(header.alg, alg);
        assert.equal(await prover.thumbprint(), expected);
        assert.equal(await thumbprintOf(header.jwk), expected);
        for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi']) assert.ok(!(member in header.jwk), member);
      }
    }
    const fixed = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
    const prover = new DpopProver({ privateKey: fixed.privateKey }, now);
    await assert.rejects(prover.proof({ method: 'GET', url: 'https://api.example/' }), ConfigurationError);
  });
});

for (const framework of frameworks) {
  describe(`a bound token at the guards of ${framework}`, () => {
    let issuer: TestIssuer;
    let api: Api;
    const origin = 'https://orders.example';
    const [alice, mallory] = [new DpopProver(true, now), new DpopProver(true, now)];
    let token: string;
    before(async () => {
      issuer = await createTestIssuer();
      api = await startApi(framework, issuer.verifierOptions, { realm: 'orders', dpop: { origin } });
      token = await issuer.mint({ cnf: { jkt: await alice.thumbprint() }, scope: 'org:create read:orders' });
    });
    after(() => api.close());

    const make = (by = alice, change: Partial<Parameters<DpopProver['proof']>[0]> = {}) =>
      by.proof({ method: 'GET', url: `${origin}/me`, accessToken: token, ...change });
    const call = (authorization: string, proof?: string, path = '/me') =>
      fetch(`${api.origin}${path}`, { headers: { authorization, ...(proof === undefined ? {} : { dpop: proof }) } });

    async function refused(answer: Response, scheme: string, error: string) {
      const challenge = answer.headers.get('www-authenticate') ?? '';
      assert.equal(answer.status, 401, challenge);
      assert.ok(challenge.startsWith(`${scheme} realm="orders", error="${error}"`), challenge);
      assert.equal(((await answer.json()) as { error: string }).error, error);
      assert.deepEqual(api.ran.splice(0), []);
    }

    test('gets in with a proof, also behind two guards, and with a query', async () => {
      assert.equal((await call(`DPoP ${token}`, await make())).status, 200);
      assert.equal((await call(`dpop ${token}`, await make())).status, 200);
      assert.equal((await call(`DPoP ${token}`, await make(), '/me?page=1')).status, 200);
      const url = `${origin}/orders`;
      const dpop = await make(alice, { method: 'POST', url });
      const headers = { authorization: `DPoP ${token}`, dpop };
      assert.equal((await fetch(`${api.origin}/orders`, { method: 'POST', body: '{}', headers })).status, 200);
      api.ran.splice(0);
    });

    test('stays out as Bearer, without a proof, and with a proof of anything else', async () => {
      await refused(await call(`Bearer ${token}`), 'Bearer', 'invalid_token');
      await refused(await call(`Bearer ${token}`, await make()), 'Bearer', 'invalid_token');
      await refused(await call(`DPoP ${token}`), 'DPoP', 'invalid_dpop_proof');
      await refused(await call(`DPoP ${token}`, await make(mallory)), 'Bearer', 'invalid_token');
      const wrong = [
        await make(alice, { method: 'POST' }),
        await make(alice, { url: `${origin}/other` }),
        await make(alice, { url: `${api.origin}/me` }),
        await make(alice, { accessToken: `${token}x` }),
        await alice.proof({ method: 'GET', url: `${origin}/me` }),
        await new DpopProver(true, () => Date.now() - 120_000).proof({ method: 'GET', url: `${origin}/me` }),
        `${await make()},${await make()}`,
        'proof',
        '',
      ];
      for (const proof of wrong) await refused(await call(`DPoP ${token}`, proof), 'DPoP', 'invalid_dpop_proof');
    });

    test('stays out with a proof that was used', async () => {
      const proof = await make();
      assert.equal((await call(`DPoP ${token}`, proof)).status, 200);
      api.ran.splice(0);
      await refused(await call(`DPoP ${token}`, proof), 'DPoP', 'invalid_dpop_proof');
    });

    test('an unbound token is a bearer token, and no other', async () => {
      const bearer = await issuer.mint();
      assert.equal((await call(`Bearer ${bearer}`)).status, 200);
      api.ran.splice(0);
      const proof = await make(alice, { accessToken: bearer });
      await refused(await call(`DPoP ${bearer}`, proof), 'Bearer', 'invalid_token');
    });
  });
}

describe('the verifier', () => {
  test('takes ten seconds of difference, and not two minutes', async () => {
    const nowMs = Date.now();
    const issuer = await createTestIssuer({ now: () => nowMs });
    let offset = 0;
    const alice = new DpopProver(true, () => nowMs + offset);
    const token = await issuer.mint({ cnf: { jkt: await alice.thumbprint() } });
    const verifier = createVerifier(issuer.verifierOptions);
    const url = 'https://orders.example/me';
    const verify = async () => {
      const proof = await alice.proof({ method: 'GET', url, accessToken: token });
      return verifier.verifyAccessToken(token, { dpop: { proof, method: 'GET', url } });
    };
    for (offset of [0, -10_000, 10_000]) assert.equal((await verify()).subject, 'test-client@clients');
    for (offset of [-120_000, 120_000]) await assert.rejects(verify(), { problem: 'proof_invalid' });
  });

  test('asks a store in common, where there is one', async () => {
    // Standing still: the proof is noted for as long as it could count, and no longer.
    const nowMs = Date.now();
    const issuer = await createTestIssuer({ now: () => nowMs });
    const seen = new Map<string, number>();
    const usedProofs = {
      async use(key: string, seconds: number) {
        if (seen.has(key)) return false;
        seen.set(key, seconds);
        return true;
      },
    };
    const alice = new DpopProver(true, () => nowMs);
    const thumbprint = await alice.thumbprint();
    const token = await issuer.mint({ cnf: { jkt: thumbprint } });
    const url = 'https://orders.example/me';
    const proof = await alice.proof({ method: 'GET', url, accessToken: token });
    const verifiers = [0, 1].map(() => createVerifier({ ...issuer.verifierOptions, usedProofs }));
    const verify = (index: number) =>
      verifiers[index]?.verifyAccessToken(token, { dpop: { proof, method: 'GET', url } });
    await verify(0);
    await assert.rejects(verify(1) as Promise<unknown>, InvalidTokenError);
    const [[key, seconds]] = [...seen] as [[string, number]];
    assert.ok(key.startsWith(`${thumbprint} `));
    assert.equal(seconds, 61);
  });

  test('a token that is bound to a certificate, or to what it does not know, stays out', async () => {
    const issuer = await createTestIssuer();
    const alice = new DpopProver(true, now);
    const jkt = await alice.thumbprint();
    const verifier = createVerifier(issuer.verifierOptions);
    const url = 'https://orders.example/me';
    for (const cnf of [{ 'x5t#S256': 'a' }, { jkt, 'x5t#S256': 'a' }, { jwk: {} }, {}, null, 'x', [], { jkt: 7 }]) {
      const token = await issuer.mint({ cnf });
      const proof = await alice.proof({ method: 'GET', url, accessToken: token });
      for (const dpop of [undefined, { proof, method: 'GET', url }]) {
        const attempt = verifier.verifyAccessToken(token, dpop === undefined ? {} : { dpop });
        await assert.rejects(attempt, { problem: 'sender_constrained' }, JSON.stringify(cnf));
      }
    }
  });
});
