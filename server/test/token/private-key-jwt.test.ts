import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Answer, eachEngine, freePort, startServer, TestClock, type TestServer } from '../harness.ts';
import { assertionType, claimsOf, keyPair, type Pair, proof, sign } from './assertions.ts';
import { sendTo, startNodes } from './nodes.ts';
import { assertRefusal, refused, visible, withoutLimits } from './refusals.ts';

/** Made once: RSA keys cost. */
const pairs = Object.fromEntries(['RS256', 'ES256', 'ES384', 'EdDSA'].map((alg) => [alg, keyPair(alg)])) as Record<
  'RS256' | 'ES256' | 'ES384' | 'EdDSA',
  Pair
>;
const stranger = keyPair('ES256');

const credentials = (...list: Record<string, unknown>[]) => ({
  client_authentication_methods: {
    private_key_jwt: { credentials: list.map((entry) => ({ credential_type: 'public_key', ...entry })) },
  },
});

const invalid = { status: 401, error: 'invalid_client', description: 'The client assertion is not valid.' };

eachEngine('private_key_jwt', (engine) => {
  let server: TestServer;
  const clock = new TestClock();
  let machine: Awaited<ReturnType<TestServer['machine']>>;
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
    machine = await server.machine({ client: credentials({ pem: pairs.ES256.pem, name: 'first' }) });
  });
  after(() => server.close());

  const claims = (clientId = machine.clientId) => claimsOf(server, clientId, clock.now());
  const ask = (assertion: string, target = machine) =>
    server.token({ client_id: target.clientId, audience: target.audience, ...proof(assertion) });
  const signed = (change: Record<string, unknown>, header: Record<string, unknown> = { alg: 'ES256' }) =>
    sign(pairs.ES256.privateKey, header, { ...claims(), ...change });

  describe('registration and use', () => {
    test('an assertion as Auth0’s SDKs make it (no kid, no typ, no client_id beside it) gives a token', async () => {
      const answer = await ask(await signed({}));
      assert.equal(answer.status, 200, answer.text);
      const alone = await server.token({ audience: machine.audience, ...proof(await signed({})) });
      assert.equal(alone.status, 200, alone.text);
    });

    for (const alg of ['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA'] as const) {
      test(`${alg} by PEM, by JWK and by JWKS`, async () => {
        const pair = pairs[/^[RP]S/.test(alg) ? 'RS256' : (alg as 'ES256')];
        const registrations = [
          credentials({ pem: pair.pem, alg }),
          credentials({ jwk: pair.jwk, alg }),
          { jwks: { keys: [{ ...pair.jwk, alg, kid: 'key-1' }] } },
        ];
        for (const client of registrations) {
          const target = await server.machine({ client });
          const answer = await ask(await sign(pair.privateKey, { alg }, claims(target.clientId)), target);
          assert.equal(answer.status, 200, answer.text);
        }
      });
    }

    test('with a kid only that key counts, without one every key of the client', async () => {
      const target = await server.machine({
        client: credentials({ pem: pairs.ES256.pem, kid: 'a' }, { pem: stranger.pem, kid: 'b' }),
      });
      const by = (pair: Pair, kid?: string) =>
        sign(pair.privateKey, { alg: 'ES256', ...(kid === undefined ? {} : { kid }) }, claims(target.clientId));
      for (const [pair, kid] of [
        [pairs.ES256, 'a'],
        [stranger, 'b'],
        [pairs.ES256, undefined],
        [stranger, undefined],
      ] as const) {
        assert.equal((await ask(await by(pair, kid), target)).status, 200);
      }
      for (const [pair, kid] of [
        [pairs.ES256, 'b'],
        [stranger, 'a'],
        [pairs.ES256, 'c'],
      ] as const) {
        const assertion = await by(pair, kid);
        await refused(server, () => ask(assertion, target), { ...invalid, reason: 'assertion_invalid' });
      }
    });

    test('a key that the client does not refer to counts for nothing; taken out, it ends at once', async () => {
      const target = await server.machine({ client: credentials({ pem: pairs.ES256.pem }) });
      const path = `/clients/${target.clientId}`;
      const added = await server.manage('POST', `${path}/credentials`, {
        credential_type: 'public_key',
        pem: stranger.pem,
      });
      const by = async (pair: Pair) =>
        (await ask(await sign(pair.privateKey, { alg: 'ES256' }, claims(target.clientId)), target)).status;
      assert.deepEqual([await by(pairs.ES256), await by(stranger)], [200, 401]);
      await server.manage('PATCH', path, {
        client_authentication_methods: { private_key_jwt: { credentials: [{ id: added.id }] } },
      });
      assert.deepEqual([await by(pairs.ES256), await by(stranger)], [401, 200]);
    });

    test('an expired key is refused', async () => {
      const expires_at = new Date(clock.now() + 3_600_000).toISOString();
      const target = await server.machine({ client: credentials({ pem: pairs.ES256.pem, expires_at }) });
      const assertion = () => sign(pairs.ES256.privateKey, { alg: 'ES256' }, claims(target.clientId));
      assert.equal((await ask(await assertion(), target)).status, 200);
      clock.advance(3_601_000);
      const late = await assertion();
      const { event } = await refused(server, () => ask(late, target), { ...invalid, reason: 'assertion_invalid' });
      assert.match(event.description, /expired/);
    });

    const small = keyPair('RS256');
    const bad: [string, Record<string, unknown>][] = [
      ['a private key as PEM', { pem: small.privateKey.export({ type: 'pkcs8', format: 'pem' }) }],
      ['a private key as JWK', { jwk: small.privateKey.export({ format: 'jwk' }) }],
      ['a symmetric key', { jwk: { kty: 'oct', k: 'c2VjcmV0' } }],
      ['an algorithm the key does not fit', { pem: pairs.ES256.pem, alg: 'RS256' }],
      ['a text that is no key', { pem: '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----' }],
      ['nothing', {}],
      ['PEM and JWK at once', { pem: pairs.ES256.pem, jwk: pairs.ES256.jwk }],
    ];
    for (const [name, key] of bad) {
      test(`${name} is refused at registration, by both doors`, async () => {
        const token = await server.managementToken();
        const before = await server.stateHash();
        for (const [path, json] of [
          ['/api/v2/clients', { name: 'x', ...credentials(key) }],
          [`/api/v2/clients/${machine.clientId}/credentials`, { credential_type: 'public_key', ...key }],
        ] as const) {
          const answer = await server.request('POST', path, { token, json });
          assert.equal(answer.status, 400, answer.text);
          assert.ok(!/BEGIN|"d"/.test(answer.text), 'the key is not sent back');
        }
        assert.equal(await server.stateHash(), before);
      });
    }
  });

  describe('claims', () => {
    const cases: [string, () => Record<string, unknown>][] = [
      ['aud of another server', () => ({ aud: 'https://other.example/oauth/token' })],
      ['aud as a list with another server', () => ({ aud: [server.issuer, 'https://other.example/'] })],
      ['aud as a list of one', () => ({ aud: [server.issuer] })],
      ['aud of the token endpoint', () => ({ aud: `${server.origin}/oauth/token` })],
      ['aud without the issuer’s slash', () => ({ aud: server.origin })],
      ['aud with more than the issuer', () => ({ aud: `${server.issuer}x` })],
      ['aud of another tenant', () => ({ aud: server.issuer.replace('://', '://other.') })],
      ['no aud', () => ({ aud: undefined })],
      ['aud null', () => ({ aud: null })],
      ['iss of another client', () => ({ iss: 'other' })],
      ['no iss', () => ({ iss: undefined })],
      ['sub of another client', () => ({ sub: 'admin' })],
      ['no sub', () => ({ sub: undefined })],
      ['no exp', () => ({ exp: undefined })],
      ['exp past', () => ({ exp: Math.floor(clock.now() / 1000) - 11 })],
      ['exp five minutes past', () => ({ exp: Math.floor(clock.now() / 1000) - 300 })],
      ['exp as text', () => ({ exp: String(Math.floor(clock.now() / 1000) + 60) })],
      ['exp too far ahead', () => ({ exp: Math.floor(clock.now() / 1000) + 330 })],
      ['exp ten years ahead', () => ({ exp: Math.floor(clock.now() / 1000) + 315_360_000 })],
      ['exp negative', () => ({ exp: -1 })],
      ['iat ahead', () => ({ iat: Math.floor(clock.now() / 1000) + 60 })],
      ['iat as text', () => ({ iat: 'now' })],
      ['nbf ahead', () => ({ nbf: Math.floor(clock.now() / 1000) + 60 })],
      ['no jti', () => ({ jti: undefined })],
      ['jti empty', () => ({ jti: '' })],
      ['jti a number', () => ({ jti: 7 })],
      ['jti too long', () => ({ jti: 'j'.repeat(65) })],
      ['jti with NUL', () => ({ jti: 'a\0b' })],
      ['jti with half a surrogate pair', () => ({ jti: 'a\ud800' })],
    ];
    for (const [name, change] of cases) {
      test(`${name}: refused`, async () => {
        const assertion = await signed(change());
        const before = (await server.rows('used_assertions')).length;
        await refused(server, () => ask(assertion), { ...invalid, reason: 'assertion_invalid' });
        assert.equal((await server.rows('used_assertions')).length, before);
      });
    }

    test('a number beyond every time is refused', async () => {
      const text = JSON.stringify({ ...claims(), exp: 0 }).replace('"exp":0', '"exp":1e999');
      const assertion = await sign(pairs.ES256.privateKey, { alg: 'ES256' }, text);
      await refused(server, () => ask(assertion), { ...invalid, reason: 'assertion_invalid' });
    });

    test('a payload that is no object is refused', async () => {
      for (const payload of ['null', '[]', '"text"', '7', 'no json', '']) {
        const assertion = await sign(pairs.ES256.privateKey, { alg: 'ES256' }, payload);
        await refused(server, () => ask(assertion), { ...invalid, reason: 'assertion_invalid' });
      }
    });

    test('a clock that is ten seconds off is forgiven', () =>
      clock.standingStill(async () => {
        const now = Math.floor(clock.now() / 1000);
        for (const change of [{ exp: now - 9 }, { iat: now + 10 }, { nbf: now + 10 }]) {
          assert.equal((await ask(await signed(change))).status, 200);
        }
      }));
  });

  describe('algorithms and keys', () => {
    const forged: [string, () => Promise<string>][] = [
      [
        'alg none',
        async () => {
          const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
          return `${part({ alg: 'none' })}.${part(claims())}.`;
        },
      ],
      ...['none', 'None', 'NONE', 'nOnE'].map((alg): [string, () => Promise<string>] => [
        `alg ${alg} with a signature`,
        async () => {
          const [, payload, signature] = (await signed({})).split('.');
          return `${Buffer.from(JSON.stringify({ alg })).toString('base64url')}.${payload}.${signature}`;
        },
      ]),
      ['HS256 keyed with the public key’s PEM', () => sign(Buffer.from(pairs.ES256.pem), { alg: 'HS256' }, claims())],
      [
        'HS256 keyed with the PEM after a space',
        () => sign(Buffer.from(` ${pairs.ES256.pem}`), { alg: 'HS256' }, claims()),
      ],
      [
        'HS256 keyed with the public JWK',
        () => sign(Buffer.from(JSON.stringify(pairs.ES256.jwk)), { alg: 'HS256' }, claims()),
      ],
      ['RS256 where ES256 is registered', () => sign(pairs.RS256.privateKey, { alg: 'RS256' }, claims())],
      ['ES384 where ES256 is registered', () => sign(pairs.ES384.privateKey, { alg: 'ES384' }, claims())],
      ['a key of nobody', () => sign(stranger.privateKey, { alg: 'ES256' }, claims())],
      [
        'a key in the header',
        () => sign(stranger.privateKey, { alg: 'ES256', jwk: stranger.jwk, jku: 'https://evil.example' }, claims()),
      ],
      [
        'a changed payload',
        async () => {
          const [header, , signature] = (await signed({})).split('.');
          return `${header}.${Buffer.from(JSON.stringify(claims())).toString('base64url')}.${signature}`;
        },
      ],
      ['no signature', async () => (await signed({})).replace(/[^.]+$/, '')],
      ['two parts', async () => (await signed({})).split('.').slice(0, 2).join('.')],
      ['five parts', async () => `${await signed({})}.a.b`],
      ['no JWS at all', async () => 'assertion'],
      ...[
        '../../../../etc/passwd',
        "' OR 1=1--",
        '__proto__',
        'constructor',
        'a\0b',
        'k'.repeat(10_240),
        7,
        [],
        {},
        null,
        true,
      ].map((kid): [string, () => Promise<string>] => [
        `kid ${JSON.stringify(kid).slice(0, 40)}`,
        async () => {
          // By hand: libraries do not sign under such a header.
          const [, payload, signature] = (await signed({})).split('.');
          const header = Buffer.from(JSON.stringify({ alg: 'ES256', kid })).toString('base64url');
          return `${header}.${payload}.${signature}`;
        },
      ]),
    ];
    for (const [name, make] of forged) {
      test(`${name}: refused`, async () => {
        const assertion = await make();
        await refused(server, () => ask(assertion), { ...invalid, reason: 'assertion_invalid' });
      });
    }

    test('an unknown critical header is refused (RFC 7515 §4.1.11)', async () => {
      const [, payload] = (await signed({})).split('.');
      const header = Buffer.from(JSON.stringify({ alg: 'ES256', crit: ['x'], x: 1 })).toString('base64url');
      const { sign: rawSign } = await import('node:crypto');
      const signature = rawSign('sha256', Buffer.from(`${header}.${payload}`), {
        key: pairs.ES256.privateKey,
        dsaEncoding: 'ieee-p1363',
      });
      const assertion = `${header}.${payload}.${signature.toString('base64url')}`;
      await refused(server, () => ask(assertion), { ...invalid, reason: 'assertion_invalid' });
    });

    test('an unknown client, one without keys and a wrong signature are not told apart', async () => {
      const bySecret = await server.machine();
      const open = await server.machine({ client: { app_type: 'spa', token_endpoint_auth_method: 'none' } });
      const seen: Answer[] = [];
      for (const [clientId, reason] of [
        ['nobody', 'client_unknown'],
        [bySecret.clientId, 'auth_method_not_registered'],
        [open.clientId, 'client_public'],
        [machine.clientId, 'assertion_invalid'],
      ] as const) {
        const assertion = await sign(stranger.privateKey, { alg: 'ES256' }, claims(clientId));
        const send = () => ask(assertion, { ...machine, clientId });
        seen.push((await refused(server, send, { ...invalid, reason })).answer);
      }
      for (const answer of seen) assert.deepEqual(visible(answer), visible(seen[0] as Answer));
    });

    test('a secret does not help where a key is registered, nor with a decoy beside it', async () => {
      const secret = { client_id: machine.clientId, client_secret: 'x'.repeat(64), audience: machine.audience };
      await refused(server, () => server.token(secret), {
        status: 401,
        error: 'access_denied',
        description: 'Unauthorized',
        reason: 'auth_method_not_registered',
      });
      await refused(server, () => server.token({ ...secret, ...proof('e30.e30.') }), {
        status: 400,
        error: 'invalid_request',
        reason: 'several_auth_methods',
      });
    });

    test('an assertion without its type, of another type, or too long can not be read', async () => {
      const assertion = await signed({});
      const base = { client_id: machine.clientId, audience: machine.audience, client_assertion: assertion };
      for (const change of [
        {},
        { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer' },
        { client_assertion_type: assertionType, client_assertion: 'a'.repeat(20_000) },
      ]) {
        await refused(server, () => server.token({ ...base, ...change }), {
          status: 401,
          error: 'invalid_client',
          reason: 'credentials_malformed',
        });
      }
      assert.equal((await ask(assertion)).status, 200, 'and was not used up by that');
    });

    test('a subject no client can have is not looked up', async () => {
      for (const sub of ['a\0b', '\ud800', 's'.repeat(65), 7, null, {}]) {
        const assertion = await signed({ sub, iss: sub });
        const answer = await server.token({ audience: machine.audience, ...proof(assertion) });
        assertRefusal(answer, { status: 401, error: 'invalid_client' });
      }
    });
  });

  describe('an assertion is used once', () => {
    test('the second time it is refused, with the same answer as a bad one', async () => {
      const assertion = await signed({});
      assert.equal((await ask(assertion)).status, 200);
      await refused(server, () => ask(assertion), { ...invalid, reason: 'assertion_replayed' });
      const path = '/oauth/introspect';
      const form = { token: 'x', client_id: machine.clientId, ...proof(assertion) };
      const elsewhere = await server.request('POST', path, { form });
      assertRefusal(elsewhere, invalid);
    });

    test('of twenty at once, one succeeds', async () => {
      const assertion = await signed({});
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask(assertion)));
      const statuses = answers.map(({ status }) => status).sort();
      assert.deepEqual(statuses, [200, ...Array.from({ length: 19 }, () => 401)]);
    });

    test('under another signature of the same jti too', async () => {
      const same = claims();
      const [first, second] = await Promise.all([signed(same), signed(same)]);
      assert.notEqual(first, second, 'ECDSA signatures differ');
      assert.equal((await ask(first)).status, 200);
      await refused(server, () => ask(second), { ...invalid, reason: 'assertion_replayed' });
    });

    test('a jti belongs to its client: another one may use the same', async () => {
      const other = await server.machine({ client: credentials({ pem: pairs.ES256.pem }) });
      const jti = 'the-same-for-both';
      const ofOther = await sign(pairs.ES256.privateKey, { alg: 'ES256' }, { ...claims(other.clientId), jti });
      assert.equal((await ask(ofOther, other)).status, 200);
      assert.equal((await ask(await signed({ jti }))).status, 200);
    });

    test('a forgery does not use up the jti of the real one', async () => {
      const real = claims();
      const forged = await sign(stranger.privateKey, { alg: 'ES256' }, real);
      assert.equal((await ask(forged)).status, 401);
      assert.equal((await ask(await signed(real))).status, 200);
    });

    test('what is used is forgotten only when it has expired', async () => {
      const assertion = await signed({});
      assert.equal((await ask(assertion)).status, 200);
      clock.advance(189_000);
      assert.equal((await ask(assertion)).status, 401);
      clock.advance(5_000);
      await refused(server, () => ask(assertion), { ...invalid, reason: 'assertion_invalid' });
    });
  });
});

describe('an assertion is used once, wherever it is shown', () => {
  const claimsAt = (node: TestServer, clientId: string) =>
    sign(pairs.ES256.privateKey, { alg: 'ES256' }, claimsOf(node, clientId));

  test('on two nodes over one PostgreSQL, one after the other and at once', async (t) => {
    const [first, second] = await startNodes();
    t.after(() => Promise.all([first.close(), second.close()]));
    const { clientId, audience } = await first.machine({ client: credentials({ pem: pairs.ES256.pem }) });
    const ask = (node: TestServer, assertion: string) => {
      const form = { grant_type: 'client_credentials', client_id: clientId, audience, ...proof(assertion) };
      return sendTo(node, 'POST', '/oauth/token', { form });
    };
    const once = await claimsAt(first, clientId);
    assert.equal((await ask(first, once)).status, 200);
    assertRefusal(await ask(second, once), invalid);

    const raced = await claimsAt(first, clientId);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => ask(index % 2 === 0 ? first : second, raced)),
    );
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.equal(answers.filter(({ status }) => status === 401).length, 19);
  });

  test('after a restart on a SQLite file', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'sekisho-restart-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const options = {
      databaseUrl: `sqlite:${join(folder, 'restart.sqlite')}`,
      env: { ...withoutLimits, SEKISHO_PORT: String(await freePort()) },
    };
    const before = await startServer(options);
    const { clientId, audience } = await before.machine({ client: credentials({ pem: pairs.ES256.pem }) });
    const assertion = await claimsAt(before, clientId);
    const form = { grant_type: 'client_credentials', client_id: clientId, audience, ...proof(assertion) };
    const ask = (node: TestServer, change = {}) =>
      sendTo(node, 'POST', '/oauth/token', { form: { ...form, ...change } });
    assert.equal((await ask(before)).status, 200);
    await before.close();

    const again = await startServer(options);
    t.after(() => again.close());
    await refused(again, () => ask(again), { ...invalid, reason: 'assertion_replayed' });
    assert.equal((await ask(again, proof(await claimsAt(again, clientId)))).status, 200);
  });
});
