import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { admin, eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { withoutLimits } from './refusals.ts';

eachEngine('access tokens', (engine) => {
  let server: TestServer;
  const clock = new TestClock();
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
  });
  after(() => server.close());

  type Machine = Awaited<ReturnType<TestServer['machine']>>;
  const tokenOf = async (machine: Machine, more: Record<string, string> = {}): Promise<string> => {
    const { clientId: client_id, clientSecret: client_secret, audience } = machine;
    const answer = await server.token({ client_id, client_secret, audience, ...more });
    assert.equal(answer.status, 200, answer.text);
    return answer.body.access_token;
  };
  const publishedKeys = async (): Promise<JSONWebKeySet> =>
    (await server.request('GET', '/.well-known/jwks.json')).body;

  describe('token dialects, claim for claim', () => {
    const shared = (machine: Machine, iat: number, jti: string) => ({
      iss: server.issuer,
      sub: `${machine.clientId}@clients`,
      aud: machine.audience,
      iat,
      exp: iat + 86_400,
      jti,
      scope: 'read:orders write:orders',
    });
    const classic = (machine: Machine) => ({ azp: machine.clientId, gty: 'client-credentials' });
    const rfc9068 = (machine: Machine) => ({ client_id: machine.clientId });
    const permissions = { permissions: ['read:orders', 'write:orders'] };
    const golden: Record<string, { typ: string; own: (machine: Machine) => object; withoutScopes: object }> = {
      access_token: { typ: 'JWT', own: classic, withoutScopes: {} },
      access_token_authz: {
        typ: 'JWT',
        own: (machine) => ({ ...classic(machine), ...permissions }),
        withoutScopes: { permissions: [] },
      },
      rfc9068_profile: { typ: 'at+jwt', own: rfc9068, withoutScopes: {} },
      rfc9068_profile_authz: {
        typ: 'at+jwt',
        own: (machine) => ({ ...rfc9068(machine), ...permissions }),
        withoutScopes: { permissions: [] },
      },
    };

    for (const [dialect, { typ, own, withoutScopes }] of Object.entries(golden)) {
      test(dialect, async () => {
        const machine = await server.machine({ api: { token_dialect: dialect } });
        const earliest = Math.floor(clock.now() / 1000);
        const token = await tokenOf(machine);
        const { iat, jti, ...rest } = decodeJwt(token);
        assert.ok(iat !== undefined && iat >= earliest && iat <= clock.now() / 1000);
        assert.match(jti as string, /^[A-Za-z0-9_-]{24}$/);
        assert.deepEqual({ iat, jti, ...rest }, { ...shared(machine, iat, jti as string), ...own(machine) });
        const { kid, ...header } = decodeProtectedHeader(token);
        assert.deepEqual(header, { alg: 'RS256', typ });
        assert.ok((await publishedKeys()).keys.some((key) => key.kid === kid));

        const bare = await server.machine({ api: { token_dialect: dialect }, scopes: ['a'], granted: [] });
        const { scope, permissions: given } = decodeJwt(await tokenOf(bare));
        assert.deepEqual(given === undefined ? {} : { permissions: given }, withoutScopes);
        assert.equal(scope, undefined, 'no scope claim without scopes');
      });
    }

    test('scopes asked for narrow the token, repeats and order included', async () => {
      const machine = await server.machine({ api: { token_dialect: 'access_token_authz' }, scopes: ['a', 'b', 'c'] });
      const claims = decodeJwt(await tokenOf(machine, { scope: ' c  a c ' }));
      assert.equal(claims.scope, 'c a');
      assert.deepEqual(claims.permissions, ['c', 'a']);
    });

    test('parameters of the request become no claims', async () => {
      const machine = await server.machine();
      const attempt = { sub: 'root', iss: 'https://evil.example', act: '{}', roles: 'admin', azp: 'other' };
      const more = { ...attempt, org_id: 'org_1', expires_in: '9999999', lifetime: '9999999', exp: '9999999999' };
      const claims = decodeJwt(await tokenOf(machine, more));
      assert.deepEqual(Object.keys(claims).sort(), ['aud', 'azp', 'exp', 'gty', 'iat', 'iss', 'jti', 'scope', 'sub']);
      assert.equal(claims.sub, `${machine.clientId}@clients`);
      assert.equal(claims.exp, (claims.iat as number) + 86_400);
    });

    test('no two tokens share a jti', async () => {
      const machine = await server.machine();
      const tokens = await Promise.all(Array.from({ length: 50 }, () => tokenOf(machine)));
      assert.equal(new Set(tokens.map((token) => decodeJwt(token).jti)).size, 50);
    });
  });

  describe('lifetime', () => {
    for (const [name, lifetime] of [
      ['nothing', 0],
      ['a second', 1],
      ['thirty days at most', 2_592_000],
    ] as const) {
      test(`a token lives ${name} when its API says so`, async () => {
        const machine = await server.machine({ api: { token_lifetime: lifetime } });
        const { clientId: client_id, clientSecret: client_secret, audience } = machine;
        const { body } = await server.token({ client_id, client_secret, audience });
        assert.strictEqual(body.expires_in, lifetime);
        const { iat, exp } = decodeJwt(body.access_token);
        assert.equal((exp as number) - (iat as number), lifetime);
      });
    }

    for (const lifetime of [-1, 2_592_001, 1.5, '60', null]) {
      test(`a lifetime of ${JSON.stringify(lifetime)} is refused and stores nothing`, async () => {
        const token = await server.managementToken();
        const before = await server.stateHash();
        const json = { identifier: `https://never-${lifetime}.example`, token_lifetime: lifetime };
        const answer = await server.request('POST', '/api/v2/resource-servers', { token, json });
        assert.equal(answer.status, 400);
        assert.equal(await server.stateHash(), before);
      });
    }
  });

  describe('signatures', () => {
    for (const alg of ['RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA']) {
      test(`${alg} verifies with the published keys and is advertised`, async () => {
        const machine = await server.machine({ api: { signing_alg: alg } });
        const token = await tokenOf(machine);
        const keys = createLocalJWKSet(await publishedKeys());
        const { protectedHeader } = await jwtVerify(token, keys, {
          algorithms: [alg],
          issuer: server.issuer,
          audience: machine.audience,
          currentDate: new Date(clock.now()),
        });
        assert.equal(protectedHeader.alg, alg);
        const { body } = await server.request('GET', '/.well-known/openid-configuration');
        assert.ok(body.id_token_signing_alg_values_supported.includes(alg));
        await assert.rejects(jwtVerify(`${token.slice(0, -8)}AAAAAAAA`, keys));
      });
    }

    test('HS256 verifies with the API’s own secret, which is in no key set and in no answer', async () => {
      const secret = 'MRK-hs256-0123456789abcdefghijklmnopqrstuvwxyz';
      const machine = await server.machine({ api: { signing_alg: 'HS256', signing_secret: secret } });
      const token = await tokenOf(machine);
      assert.deepEqual(decodeProtectedHeader(token), { alg: 'HS256', typ: 'JWT' });
      await jwtVerify(token, Buffer.from(secret), { algorithms: ['HS256'], currentDate: new Date(clock.now()) });
      const keys = await publishedKeys();
      assert.ok(keys.keys.every(({ kty }) => kty !== 'oct'));
      const shown = await server.manage('GET', `/resource-servers/${machine.apiId}`);
      // Four characters stand somewhere in the key set by chance.
      assert.ok(!JSON.stringify([keys, shown]).includes(secret.slice(0, 12)));
    });

    test('one API’s HS256 secret signs for no other API', async () => {
      const secrets = ['first', 'second'].map((name) => `${name}-0123456789abcdefghijklmnopqrstuvwxyz`);
      const [first, second] = await Promise.all(
        secrets.map((signing_secret) => server.machine({ api: { signing_alg: 'HS256', signing_secret } })),
      );
      const token = await tokenOf(first as Machine);
      const { audience } = second as Machine;
      await assert.rejects(jwtVerify(token, Buffer.from(secrets[1] as string), { audience }));
    });

    test('published keys hold nothing private', async () => {
      for (const key of (await publishedKeys()).keys) {
        assert.deepEqual(
          Object.keys(key).filter((member) => ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'].includes(member)),
          [],
        );
        assert.equal(key.use, 'sig');
      }
    });
  });

  describe('rotation and revocation of signing keys', () => {
    type State = 'current' | 'next' | 'previous';
    const keys = (): Promise<({ kid: string; alg: string } & Record<State, boolean>)[]> =>
      server.manage('GET', '/keys/signing');
    const keyInState = async (state: State, alg = 'RS256') =>
      (await keys()).find((key) => key[state] && key.alg === alg);
    const rotate = () => server.manage('POST', '/keys/signing/rotate');

    test('the next key signs nothing before its turn, and is known to verifiers when it comes', async () => {
      const machine = await server.machine();
      const next = await keyInState('next');
      const before = await publishedKeys();
      assert.ok(before.keys.some(({ kid }) => kid === next?.kid));
      assert.notEqual(decodeProtectedHeader(await tokenOf(machine)).kid, next?.kid);

      await rotate();
      const token = await tokenOf(machine);
      assert.equal(decodeProtectedHeader(token).kid, next?.kid);
      // A verifier that has not fetched the keys since knows it already.
      await jwtVerify(token, createLocalJWKSet(before), { currentDate: new Date(clock.now()) });
      assert.notEqual((await keyInState('next'))?.kid, next?.kid);
    });

    test('a token of the previous key stays good until the key is revoked, and not a request longer', async () => {
      const machine = await server.machine();
      const client = { client_id: machine.clientId, client_secret: machine.clientSecret };
      const token = await tokenOf(machine);
      const managementToken = await server.managementToken();
      const { kid } = decodeProtectedHeader(token);
      await rotate();
      assert.ok((await keys()).some((key) => key.kid === kid && key.previous));

      const introspect = async () =>
        (await server.request('POST', '/oauth/introspect', { form: { ...client, token } })).body;
      const list = async () => (await server.request('GET', '/api/v2/clients', { token: managementToken })).status;
      assert.equal((await introspect()).active, true);
      assert.equal(await list(), 200);
      await jwtVerify(token, createLocalJWKSet(await publishedKeys()), { currentDate: new Date(clock.now()) });

      await server.manage('PUT', `/keys/signing/${kid}/revoke`);
      assert.deepEqual(await introspect(), { active: false });
      assert.equal(await list(), 401);
      assert.ok((await publishedKeys()).keys.every((key) => key.kid !== kid));
      await tokenOf(machine);
    });

    test('the current and the next key can not be revoked, and nothing changes', async () => {
      const token = await server.managementToken();
      const before = await server.stateHash();
      const revoke = async (kid = '') =>
        (await server.request('PUT', `/api/v2/keys/signing/${kid}/revoke`, { token })).status;
      assert.equal(await revoke((await keyInState('current'))?.kid), 400);
      assert.equal(await revoke((await keyInState('next'))?.kid), 400);
      assert.equal(await revoke('__proto__'), 404);
      assert.equal(await server.stateHash(), before);
    });

    test('every algorithm in use rotates, each with one current and one next key', async () => {
      const before = await Promise.all(['RS256', 'ES256'].map((alg) => keyInState('next', alg)));
      await rotate();
      for (const [index, alg] of ['RS256', 'ES256'].entries()) {
        const ofAlgorithm = (await keys()).filter((key) => key.alg === alg);
        assert.equal(ofAlgorithm.filter(({ next }) => next).length, 1);
        const current = ofAlgorithm.filter((key) => key.current).map(({ kid }) => kid);
        assert.deepEqual(current, [before[index]?.kid]);
      }
    });
  });

  test('a success can not be cached, sniffed or refreshed', async () => {
    const { body, headers } = await server.token({
      client_id: admin.clientId,
      client_secret: admin.clientSecret,
      audience: server.managementAudience,
    });
    assert.deepEqual(Object.keys(body).sort(), ['access_token', 'expires_in', 'scope', 'token_type']);
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('content-type'), 'application/json; charset=utf-8');
  });
});
