import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import { eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { sign } from './assertions.ts';
import { type Holder, holder, type ProofChanges, proofOf, tokenUrl } from './dpop-proofs.ts';
import { type Expected, refused, withoutLimits } from './refusals.ts';

const alice = holder();
const mallory = holder();
const rsa = holder('RS256');

const invalid: Expected = {
  status: 400,
  error: 'invalid_dpop_proof',
  description: 'The DPoP proof is not valid for this request.',
  reason: 'dpop_proof_invalid',
};

eachEngine('DPoP at the token endpoint', (engine) => {
  let server: TestServer;
  const clock = new TestClock();
  let machine: Awaited<ReturnType<TestServer['machine']>>;
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
    machine = await server.machine();
  });
  after(() => server.close());

  const credentials = (of = machine) => ({
    client_id: of.clientId,
    client_secret: of.clientSecret,
    audience: of.audience,
  });
  const make = (changes: ProofChanges = {}, by: Holder = alice, url = tokenUrl(server)) =>
    proofOf(by, 'POST', url, { now: clock.now(), ...changes });
  const ask = (dpop: string, of = machine) => server.token(credentials(of), { dpop });

  /** The proof is refused for what `detail` says, and is not kept. */
  async function refusedProof(proof: string, detail: RegExp): Promise<void> {
    const kept = (await server.rows('used_proofs')).length;
    const { event } = await refused(server, () => ask(proof), invalid);
    assert.match(event.description, detail);
    assert.equal((await server.rows('used_proofs')).length, kept);
  }

  describe('a good proof', () => {
    test('binds the token to its key, and the answer says DPoP', async () => {
      const answer = await ask(await make());
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.body.token_type, 'DPoP');
      assert.deepEqual(decodeJwt(answer.body.access_token).cnf, { jkt: alice.thumbprint });
      const [row] = (await server.rows('used_proofs')).filter(({ thumbprint }) => thumbprint === alice.thumbprint);
      assert.ok(Number(row.expires_at) > clock.now() + 59_000 && Number(row.expires_at) < clock.now() + 75_000);
    });

    test('is not needed: without one the token is a bearer token', async () => {
      const answer = await server.token(credentials());
      assert.equal(answer.body.token_type, 'Bearer');
      assert.equal(decodeJwt(answer.body.access_token).cnf, undefined);
    });

    test('is taken at both issuers, in either case of the header', async () => {
      const form = {
        grant_type: 'client_credentials',
        client_id: machine.clientId,
        client_secret: machine.clientSecret,
      };
      const answer = await server.request('POST', '/oidc/token', {
        form: { ...form, resource: machine.audience },
        headers: { DPOP: await make({}, alice, `${server.origin}/oidc/token`) },
      });
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.body.token_type, 'DPoP');
    });

    for (const alg of ['ES256', 'ES384', 'PS256', 'EdDSA', 'Ed25519']) {
      test(`is signed with ${alg}`, async () => {
        const by = alg === 'PS256' ? rsa : holder(alg === 'Ed25519' ? 'EdDSA' : alg);
        const answer = await ask(await make({ header: { alg } }, by));
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual(decodeJwt(answer.body.access_token).cnf, { jkt: by.thumbprint });
      });
    }

    test('may have nbf and exp, and further members', () =>
      clock.standingStill(async () => {
        const now = Math.floor(clock.now() / 1000);
        const claims = { nbf: now, exp: now + 300, extra: { a: 1 } };
        assert.equal((await ask(await make({ claims, header: { extra: 'x', kid: 'k' } }))).status, 200);
        for (const wrong of [{ exp: now - 11 }, { nbf: now + 12 }]) {
          await refusedProof(await make({ claims: wrong }), /^(exp is past|nbf is ahead)$/);
        }
      }));

    test('is compared with the address without query and fragment, after normalization', async () => {
      const url = tokenUrl(server);
      const same = [
        `${url}?a=b`,
        `${url}#c`,
        `${url}?a=b#c`,
        url.replace('http', 'HTTP').replace('localhost', 'LocalHost'),
        url.replace('/oauth', '/x/../oauth'),
        url.replace('token', 't%6fken'),
        // Another of the tenant's own hosts.
        url.replace('localhost', '127.0.0.1'),
      ];
      for (const htu of same) assert.equal((await ask(await make({ claims: { htu } }))).status, 200, htu);
    });

    test('may be ten seconds off, and no more than a minute', () =>
      clock.standingStill(async () => {
        const now = clock.now() / 1000;
        for (const offset of [-10, 10, -60, 60]) {
          const answer = await ask(await make({ claims: { iat: now + offset } }));
          assert.equal(answer.status, 200, `${offset}: ${answer.text}`);
        }
        for (const offset of [-300, 300, -3600, 3600, -61, 61]) {
          await refusedProof(await make({ claims: { iat: now + offset } }), /^iat is not within/);
        }
      }));
  });

  describe('a proof that is not one', () => {
    const cases: [name: string, changes: () => ProofChanges, detail: RegExp][] = [
      ['typ JWT', () => ({ header: { typ: 'JWT' } }), /typ/],
      ['typ at+jwt', () => ({ header: { typ: 'at+jwt' } }), /typ/],
      ['no typ', () => ({ header: { typ: undefined } }), /typ/],
      ['no jwk', () => ({ header: { jwk: undefined } }), /no jwk/],
      ['jwk a text', () => ({ header: { jwk: 'key' } }), /no jwk/],
      ['jwk of another key', () => ({ header: { jwk: mallory.jwk } }), /signature verification failed/],
      ['jwk with the private key', () => ({ header: { jwk: alice.privateKey.export({ format: 'jwk' }) } }), /private/],
      ['a symmetric jwk', () => ({ header: { jwk: { kty: 'oct', k: 'c2VjcmV0' } } }), /symmetric/],
      ['a point off the curve', () => ({ header: { jwk: { ...alice.jwk, x: alice.jwk.y } } }), /read|verification/],
      ['an RSA key', () => ({ header: { jwk: rsa.jwk } }), /does not fit/],
      ['an unknown critical header', () => ({ header: { crit: ['x'], x: 1 } }), /x/],
      ['no htm', () => ({ claims: { htm: undefined } }), /htm/],
      ['htm GET', () => ({ claims: { htm: 'GET' } }), /htm/],
      ['htm in lower case', () => ({ claims: { htm: 'post' } }), /htm/],
      ['no htu', () => ({ claims: { htu: undefined } }), /htu/],
      ['htu no URL', () => ({ claims: { htu: '/oauth/token' } }), /htu/],
      ['htu of another path', () => ({ claims: { htu: `${server.origin}/oauth/tokens` } }), /htu/],
      ['htu with a slash more', () => ({ claims: { htu: `${tokenUrl(server)}/` } }), /htu/],
      ['htu of another host', () => ({ claims: { htu: 'https://other.example/oauth/token' } }), /htu/],
      ['htu of another port', () => ({ claims: { htu: 'http://localhost:1/oauth/token' } }), /htu/],
      ['htu of https', () => ({ claims: { htu: tokenUrl(server).replace('http:', 'https:') } }), /htu/],
      ['htu of another tenant', () => ({ claims: { htu: tokenUrl(server).replace('://', '://other.') } }), /htu/],
      ['htu with somebody in it', () => ({ claims: { htu: tokenUrl(server).replace('://', '://a@') } }), /htu/],
      ['htu a list', () => ({ claims: { htu: [tokenUrl(server)] } }), /htu/],
      ['no iat', () => ({ claims: { iat: undefined } }), /iat/],
      ['iat a text', () => ({ claims: { iat: String(Math.floor(clock.now() / 1000)) } }), /iat/],
      ['no jti', () => ({ claims: { jti: undefined } }), /jti/],
      ['jti empty', () => ({ claims: { jti: '' } }), /jti/],
      ['jti a number', () => ({ claims: { jti: 7 } }), /jti/],
      ['jti too long', () => ({ claims: { jti: 'j'.repeat(257) } }), /jti/],
      ['jti with NUL', () => ({ claims: { jti: 'a\0b' } }), /jti/],
      ['jti with half a surrogate pair', () => ({ claims: { jti: 'a\ud800' } }), /jti/],
    ];
    for (const [name, changes, detail] of cases) {
      test(`${name}: refused`, async () => {
        const { header, ...rest } = changes();
        // Signed as it should be, then with another header where a library would not sign under it.
        const proof = await make({ ...rest, header: {} });
        await refusedProof(header === undefined ? proof : await under(header, proof), detail);
      });
    }

    /** The claims of a proof, signed with Alice's key under a changed header. */
    async function under(change: Record<string, unknown>, proof: string): Promise<string> {
      const { sign: rawSign } = await import('node:crypto');
      const [, payload] = proof.split('.');
      const header = { alg: 'ES256', typ: 'dpop+jwt', jwk: alice.jwk, ...change };
      const input = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}`;
      const key = { key: alice.privateKey, dsaEncoding: 'ieee-p1363' as const };
      return `${input}.${rawSign('sha256', Buffer.from(input), key).toString('base64url')}`;
    }

    test('algorithms that are none of ours: refused', async () => {
      for (const alg of ['none', 'None', 'HS256', 'RS256', 'ES512', '', '__proto__']) {
        await refusedProof(await under({ alg }, await make()), /^alg is none of/);
      }
      await refusedProof(await make({}, rsa), /^alg is none of/);
      const secret = Buffer.from(JSON.stringify(alice.jwk));
      const claims = decodeJwt(await make()) as Record<string, unknown>;
      const forged = await sign(secret, { alg: 'HS256', typ: 'dpop+jwt', jwk: alice.jwk }, claims);
      await refusedProof(forged, /^alg is none of/);
    });

    test('texts that are no signed JWT, and two proofs in one: refused', async () => {
      const good = await make();
      const [header, payload, signature] = good.split('.') as [string, string, string];
      const texts = [
        '',
        'proof',
        'a.b.c',
        `${header}.${payload}`,
        `${header}.${payload}.`,
        `${good}.x`,
        `${good},${await make()}`,
        `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
        'a'.repeat(9000),
      ];
      for (const text of texts) await refusedProof(text, /./);
      assert.equal((await ask(good)).status, 200, 'and the good one was not used up by that');
    });

    test('two DPoP headers: refused', async () => {
      const [first, second] = [await make(), await make()];
      const { request } = await import('node:http');
      const body = new URLSearchParams({ grant_type: 'client_credentials', ...credentials() }).toString();
      const headers = { 'content-type': 'application/x-www-form-urlencoded', dpop: [first, second] };
      const [status, text] = await new Promise<[number | undefined, string]>((resolve, reject) => {
        const sent = request(tokenUrl(server), { method: 'POST', headers }, async (response) => {
          resolve([response.statusCode, Buffer.concat(await response.toArray()).toString()]);
        });
        sent.once('error', reject);
        sent.end(body);
      });
      assert.equal(status, 400);
      assert.equal(JSON.parse(text).error, 'invalid_dpop_proof');
    });
  });

  describe('a proof is used once', () => {
    test('the second time it is refused', async () => {
      const proof = await make();
      assert.equal((await ask(proof)).status, 200);
      await refused(server, () => ask(proof), { ...invalid, reason: 'dpop_proof_replayed' });
    });

    test('of twenty at once, one succeeds', async () => {
      const proof = await make();
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask(proof)));
      const statuses = answers.map(({ status }) => status).sort();
      assert.deepEqual(statuses, [200, ...Array.from({ length: 19 }, () => 400)]);
    });

    test('its jti belongs to its key: another one may use the same', async () => {
      const claims = { jti: 'the-same-for-both' };
      assert.equal((await ask(await make({ claims }))).status, 200);
      assert.equal((await ask(await make({ claims }, mallory))).status, 200);
      assert.equal((await ask(await make({ claims }))).status, 400);
    });

    test('a client that could not prove who it is uses up nothing', async () => {
      const proof = await make();
      const wrong = await server.token({ ...credentials(), client_secret: 'wrong' }, { dpop: proof });
      assert.equal(wrong.status, 401);
      assert.equal((await ask(proof)).status, 200);
    });

    test('what is used is forgotten only when it is past its window', () =>
      clock.standingStill(async () => {
        const proof = await make();
        assert.equal((await ask(proof)).status, 200);
        clock.advance(59_000);
        await server.composed.housekeeping.run();
        await refused(server, () => ask(proof), { ...invalid, reason: 'dpop_proof_replayed' });
        // Another one was of a minute ahead: it is good for two, and kept ten seconds longer.
        clock.advance(75_000);
        await server.composed.housekeeping.run();
        assert.deepEqual(await server.rows('used_proofs'), []);
        await refused(server, () => ask(proof), invalid);
      }));
  });

  describe('a client that asks for bound tokens only', () => {
    test('gets none without a proof, and one with it', async () => {
      const bound = await server.machine({ client: { require_proof_of_possession: true } });
      await refused(server, () => server.token(credentials(bound)), {
        status: 400,
        error: 'invalid_dpop_proof',
        description: 'The client must send a DPoP proof.',
        reason: 'dpop_proof_missing',
      });
      const answer = await ask(await make(), bound);
      assert.equal(answer.body.token_type, 'DPoP', answer.text);
    });

    test('is set so by the native API too', async () => {
      const target = await server.machine();
      const token = await server.managementToken(server.nativeAudience);
      const path = `/api/applications/${target.clientId}/token-binding`;
      const read = await server.request('GET', path, { token });
      assert.deepEqual(read.body, { requiresDpop: false, bindsTokensToCertificate: false });
      const changed = await server.request('PATCH', path, { token, json: { requiresDpop: true } });
      assert.deepEqual(changed.body, { requiresDpop: true, bindsTokensToCertificate: false }, changed.text);
      assert.equal((await server.token(credentials(target))).body.error, 'invalid_dpop_proof');
      assert.equal((await ask(await make(), target)).status, 200);
    });
  });

  test('introspection says what the token is bound to', async () => {
    const { access_token: token } = (await ask(await make())).body;
    const answer = await server.request('POST', '/oauth/introspect', { form: { ...credentials(), token } });
    assert.equal(answer.body.active, true, answer.text);
    assert.equal(answer.body.token_type, 'DPoP');
    assert.deepEqual(answer.body.cnf, { jkt: alice.thumbprint });
  });

  test('discovery names the algorithms of proofs', async () => {
    const { body } = await server.request('GET', '/.well-known/oauth-authorization-server');
    assert.deepEqual(body.dpop_signing_alg_values_supported, ['ES256', 'ES384', 'PS256', 'EdDSA', 'Ed25519']);
  });
});
