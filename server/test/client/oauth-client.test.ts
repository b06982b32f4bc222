/** The client library's `OAuthClient` against the server, on both engines. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { decodeJwt } from 'jose';
import {
  type Jwk,
  NetworkError,
  OAuthClient,
  type OAuthClientOptions,
  OAuthError,
  type TokenCache,
} from '../../../client/src/index.ts';
import { eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { keyPair } from '../token/assertions.ts';
import { withoutLimits } from '../token/refusals.ts';
import { countedFetch } from './support.ts';

eachEngine('OAuthClient', (engine) => {
  let server: TestServer;
  let machine: Awaited<ReturnType<TestServer['machine']>>;
  const clock = new TestClock();
  const now = () => clock.now();
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
    machine = await server.machine();
  });
  after(() => server.close());

  const clientOf = (options: Partial<OAuthClientOptions> = {}, of = machine) => {
    const counted = countedFetch();
    const { clientId, clientSecret } = of;
    const place = options.issuer === undefined ? { tokenUrl: `${server.origin}/oauth2/token` } : {};
    const proof = options.privateKey === undefined ? { clientSecret } : {};
    const client = new OAuthClient({ clientId, fetch: counted.fetch, now, ...place, ...proof, ...options });
    return { client, counted };
  };

  describe('a token', () => {
    test('as the contract says it: tokenUrl, id, secret, audience', async () => {
      const client = new OAuthClient({
        tokenUrl: `${server.origin}/oauth2/token`,
        clientId: machine.clientId,
        clientSecret: machine.clientSecret,
      });
      const answer = await client.clientCredentials({ audience: machine.audience });
      assert.deepEqual(Object.keys(answer).sort(), ['access_token', 'expires_in', 'scope', 'token_type']);
      assert.deepEqual(
        [answer.token_type, answer.expires_in, answer.scope],
        ['Bearer', 86_400, 'read:orders write:orders'],
      );
      assert.equal(decodeJwt(answer.access_token).aud, machine.audience);
    });

    test('by Basic, for a client that is registered so', async () => {
      const strict = await server.machine({ client: { token_endpoint_auth_method: 'client_secret_basic' } });
      const basic = clientOf({ clientAuthentication: 'client_secret_basic' }, strict);
      assert.ok(await basic.client.accessToken({ audience: strict.audience }));
      await assert.rejects(clientOf({}, strict).client.accessToken({ audience: strict.audience }), OAuthError);
    });

    test('by discovery, which happens once', async () => {
      const { client, counted } = clientOf({ issuer: server.issuer });
      await client.clientCredentials({ audience: machine.audience });
      await client.clientCredentials({ resource: machine.audience, scope: 'read:orders' });
      assert.equal(counted.count('/.well-known/openid-configuration'), 1);
      assert.equal(counted.count('/oauth/token'), 2);
    });

    test('an issuer without its last slash is not taken for the same', async () => {
      const { client, counted } = clientOf({ issuer: server.origin });
      await assert.rejects(client.accessToken({ audience: machine.audience }), {
        name: 'ConfigurationError',
        message: new RegExp(`calls itself "${server.issuer}"`),
      });
      assert.equal(counted.count('/oauth/token'), 0);
    });

    test('with narrower scopes', async () => {
      const { client } = clientOf();
      const { scope } = await client.clientCredentials({ audience: machine.audience, scope: ['read:orders'] });
      assert.equal(scope, 'read:orders');
    });

    for (const alg of ['RS256', 'ES256', 'ES384', 'EdDSA'] as const) {
      test(`by a private key (${alg}): as PEM with tokenUrl, as JWK by discovery`, async () => {
        const pair = keyPair(alg);
        const credential = { credential_type: 'public_key', pem: pair.pem, alg, kid: 'first' };
        const target = await server.machine({
          client: { client_authentication_methods: { private_key_jwt: { credentials: [credential] } } },
        });
        const pem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
        const jwk = { ...pair.privateKey.export({ format: 'jwk' }), alg, kid: 'first' } as Jwk;
        const request = { audience: target.audience };
        const place = { tokenUrl: `${server.origin}/oauth/token`, issuer: server.issuer };
        const byPem = new OAuthClient({ ...place, clientId: target.clientId, privateKey: pem, now });
        // Each request proves itself anew: an assertion is good once.
        for (let count = 0; count < 3; count += 1) assert.ok(await byPem.clientCredentials(request));
        const byJwk = clientOf({ issuer: server.issuer, privateKey: jwk }, target);
        assert.ok(await byJwk.client.accessToken(request));
        const stranger = clientOf(
          { issuer: server.issuer, privateKey: keyPair(alg).privateKey.export({ format: 'jwk' }) as Jwk },
          target,
        );
        await assert.rejects(stranger.client.accessToken(request), { status: 401, error: 'invalid_client' });
      });
    }
  });

  describe('the cache', () => {
    const request = () => ({ audience: machine.audience });

    test('twenty at once make one request, and later ones none', async () => {
      const { client, counted } = clientOf();
      const tokens = await Promise.all(Array.from({ length: 20 }, () => client.accessToken(request())));
      assert.equal(new Set([...tokens, await client.accessToken(request())]).size, 1);
      assert.equal(counted.count('/oauth2/token'), 1);
    });

    test('a token is replaced before it ends', async () => {
      const short = await server.machine({ api: { token_lifetime: 600 } });
      const { client, counted } = clientOf({}, short);
      const first = await client.accessToken({ audience: short.audience });
      clock.advance(500_000);
      assert.equal(await client.accessToken({ audience: short.audience }), first);
      clock.advance(45_000);
      assert.notEqual(await client.accessToken({ audience: short.audience }), first);
      assert.equal(counted.count('/oauth2/token'), 2);
    });

    test('two clients share what one was given', async () => {
      const store = new Map<string, string>();
      const cache: TokenCache = {
        get: async (key) => store.get(key),
        set: async (key, value) => store.set(key, value),
        delete: async (key) => store.delete(key),
      };
      const [one, two] = [clientOf({ cache }), clientOf({ cache })];
      assert.equal(await one.client.accessToken(request()), await two.client.accessToken(request()));
      assert.equal(two.counted.count('/oauth2/token'), 0);
      await two.client.invalidate(request());
      await one.client.accessToken(request());
      assert.equal(one.counted.count('/oauth2/token'), 2);
      assert.ok(!JSON.stringify([...store]).includes(machine.clientSecret));
    });
  });

  describe('a refusal', () => {
    test('is an OAuthError with the server’s words, changes nothing, and holds no secret', async () => {
      const before = await server.stateHash();
      const wrong = clientOf({ clientSecret: 'MRK-wrong-secret-0123456789abcdef' });
      const cases: [() => Promise<unknown>, number, string][] = [
        [() => wrong.client.accessToken({ audience: machine.audience }), 401, 'access_denied'],
        [() => clientOf().client.accessToken({ audience: 'https://nowhere.example' }), 403, 'access_denied'],
        [() => clientOf().client.accessToken({ audience: machine.audience, scope: 'all' }), 403, 'access_denied'],
        [() => clientOf().client.accessToken({ resource: 'not a URI' }), 400, 'invalid_target'],
      ];
      for (const [work, status, error] of cases) {
        await assert.rejects(work(), (refusal) => {
          assert.ok(refusal instanceof OAuthError, String(refusal));
          assert.deepEqual([refusal.status, refusal.error], [status, error]);
          assert.ok(refusal.errorDescription);
          assert.doesNotMatch(inspect(refusal, { showHidden: true, depth: 9 }), /MRK/);
          return true;
        });
      }
      assert.equal(wrong.counted.count('/oauth2/token'), 1, 'a refusal is not tried again');
      assert.equal(await server.stateHash(), before);
    });
  });
});

describe('OAuthClient and the limits of the server', () => {
  test('429 with Retry-After is an OAuthError that says when; it is not hammered', async (t) => {
    const server = await startServer({ env: { SEKISHO_RATE_LIMIT_REQUESTS_PER_CLIENT: '6' } });
    t.after(() => server.close());
    const machine = await server.machine();
    const counted = countedFetch();
    const client = new OAuthClient({
      tokenUrl: `${server.origin}/oauth/token`,
      clientId: machine.clientId,
      clientSecret: machine.clientSecret,
      fetch: counted.fetch,
      // Less than the ten seconds that Retry-After says at least, and enough for a slow machine.
      totalTimeoutMs: 5_000,
    });
    const outcomes: PromiseSettledResult<unknown>[] = [];
    for (let count = 0; count < 7; count += 1) {
      outcomes.push(...(await Promise.allSettled([client.clientCredentials({ audience: machine.audience })])));
    }
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason);
    assert.equal(refused.length, 1);
    const [error] = refused;
    assert.ok(error instanceof OAuthError, String(error));
    assert.equal(error.status, 429);
    assert.ok((error.retryAfterSeconds as number) >= 1, String(error.retryAfterSeconds));
    assert.equal(counted.count('/oauth/token'), 7, 'longer than its time, so not tried again');
  });

  test('a server that is not there is a NetworkError, after the attempts', async () => {
    const counted = countedFetch();
    // Nothing listens on port 2 (fetch knows 1 as a bad one); on a port that was free just now something may.
    const tokenUrl = 'http://127.0.0.1:2/oauth/token';
    const client = new OAuthClient({ tokenUrl, clientId: 'a', clientSecret: 'MRK-b', fetch: counted.fetch });
    await assert.rejects(client.accessToken({ audience: 'x' }), (error) => {
      assert.ok(error instanceof NetworkError);
      assert.match(error.message, /ECONNREFUSED/);
      assert.doesNotMatch(inspect(error, { showHidden: true, depth: 9 }), /MRK/);
      return true;
    });
    assert.equal(counted.count('/oauth/token'), 3);
  });
});
