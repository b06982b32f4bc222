import assert from 'node:assert/strict';
import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import { nowhere } from '../../src/domain/context.ts';
import { revokeSigningKey, rotateSigningKeys } from '../../src/domain/keys/keys.ts';
import { eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import {
  type Caller,
  callerWith,
  decoded,
  encoded,
  goodToken,
  rawRequest,
  signed,
  signingKey,
  withoutLimits,
} from './support.ts';

eachEngine('access tokens at the management API', (engine) => {
  const clock = new TestClock();
  let server: TestServer;
  let canary: Server;
  let canaryUrl: string;
  let canaryCalls = 0;
  let caller: Caller;
  let key: Awaited<ReturnType<typeof signingKey>>;
  before(async () => {
    canary = createServer((_request, response) => {
      canaryCalls += 1;
      response.end('{"keys":[]}');
    });
    await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve));
    canaryUrl = `http://127.0.0.1:${(canary.address() as { port: number }).port}/keys`;
    server = await startServer({ engine, clock, env: withoutLimits });
    caller = await callerWith(server, ['read:clients', 'create:clients']);
    key = await signingKey(server);
  });
  after(async () => {
    canary.close();
    await server.close();
  });
  beforeEach(() => {
    clock.offsetMs = 0;
  });

  const good = () => goodToken(server, caller.clientId, key.kid);
  const made = (header: object = {}, payload: object = {}): string => {
    const token = good();
    return signed({ ...token.header, ...header }, { ...token.payload, ...payload }, key.key);
  };

  /** The token is no key to anything: the same 401 as ever, nothing written, nothing fetched. */
  async function assertRefused(token: string, why: string): Promise<void> {
    const before = await server.stateHash();
    const answer = await rawRequest(server, 'POST', '/api/v2/clients', {
      token,
      headers: { 'content-type': 'application/json' },
      body: '{"name":"By a bad token"}',
    });
    assert.equal(answer.status, 401, `${why}: ${answer.text}`);
    assert.ok(['Invalid token', 'Missing authentication'].includes(answer.body.message), `${why}: ${answer.text}`);
    assert.match(String(answer.headers['www-authenticate']), /^Bearer/);
    assert.match(String(answer.headers['content-type']), /^application\/json/);
    assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.equal(await server.stateHash(), before, why);
    assert.equal(canaryCalls, 0, why);
  }

  async function assertAccepted(token: string, path = '/api/v2/clients'): Promise<void> {
    const answer = await server.request('GET', path, { token });
    assert.equal(answer.status, 200, answer.text);
  }

  const anyRsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 });

  test('the token made by hand that the others differ from is good', async () => {
    await assertAccepted(made());
  });

  test('no algorithm, in any spelling, with any or no signature', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', null, 7, ['none'], { alg: 'none' }]) {
      const input = `${encoded({ ...good().header, alg })}.${encoded(good().payload)}`;
      await assertRefused(`${input}.`, `alg ${JSON.stringify(alg)}`);
      await assertRefused(input, `alg ${JSON.stringify(alg)}, two segments`);
      await assertRefused(`${input}.${made().split('.')[2]}`, `alg ${JSON.stringify(alg)}, another's signature`);
    }
    const { alg: _alg, ...withoutAlg } = good().header;
    await assertRefused(signed(withoutAlg, good().payload, key.key), 'alg absent');
  });

  test('a signature that was dropped, cut, extended, zeroed or altered by one bit', async () => {
    const token = made();
    const [header, payload, signature = ''] = token.split('.');
    const bytes = Buffer.from(signature, 'base64url');
    const withSignature = (changed: Buffer | string) =>
      `${header}.${payload}.${typeof changed === 'string' ? changed : changed.toString('base64url')}`;
    await assertRefused(withSignature(''), 'empty signature');
    await assertRefused(`${header}.${payload}`, 'two segments');
    await assertRefused(`${token}.x`, 'four segments');
    await assertRefused(`${token}.${header}.${payload}`, 'five segments');
    for (const bit of [0, 1, 7, 1000, 2047]) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (0x80 >> (bit & 7));
      await assertRefused(withSignature(changed), `bit ${bit} of the signature`);
    }
    await assertRefused(withSignature(Buffer.alloc(bytes.length)), 'all zeros');
    for (const cut of [1, 2, 4, 16]) await assertRefused(token.slice(0, -cut), `cut by ${cut}`);
    await assertRefused(`${token}AAAA`, 'with a suffix');
    const claims = { ...decoded(token).payload, scope: 'delete:clients' };
    await assertRefused(`${header}.${encoded(claims)}.${signature}`, 'other claims');
  });

  test('ECDSA: r = s = 0, DER instead of raw, and a bit', async () => {
    // An API that signs with ES256 brings the tenant such a key; the management audience itself stays with RS256.
    await server.machine({ api: { signing_alg: 'ES256' } });
    const elliptic = await signingKey(server, 'default', 'ES256');
    const { header, payload } = good();
    const input = `${encoded({ ...header, alg: 'ES256', kid: elliptic.kid })}.${encoded(payload)}`;
    const der = sign('sha256', Buffer.from(input), elliptic.key);
    const raw = sign('sha256', Buffer.from(input), { key: elliptic.key, dsaEncoding: 'ieee-p1363' });
    await assertRefused(`${input}.${Buffer.alloc(64).toString('base64url')}`, 'r = s = 0');
    await assertRefused(`${input}.${der.toString('base64url')}`, 'DER');
    const flipped = Buffer.from(raw);
    flipped[40] = (flipped[40] as number) ^ 1;
    await assertRefused(`${input}.${flipped.toString('base64url')}`, 'one bit');
    await assertRefused(made({ alg: 'ES256' }), 'ES256 in the header over an RSA key');
    await assertRefused(made({ alg: 'RS512' }), 'another algorithm than the key was made for');
    await assertRefused(made({ alg: 'PS256' }), 'another padding than the key was made for');
  });

  test('HS256 with the public key as the secret', async () => {
    const certificate = (await server.rows('signing_keys')).find(({ kid }) => kid === key.kid).certificate as string;
    const publicKey = createPublicKey({ key: key.jwk as never, format: 'jwk' });
    const pem = publicKey.export({ format: 'pem', type: 'spki' }) as string;
    const secrets = [pem, pem.trim(), ` ${pem}`, JSON.stringify(key.jwk), key.jwk.n as string, certificate, '', 'null'];
    for (const secret of secrets) {
      for (const kid of [key.kid, undefined]) {
        const input = `${encoded({ ...good().header, alg: 'HS256', kid })}.${encoded(good().payload)}`;
        await assertRefused(`${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`, 'HS256');
      }
    }
  });

  test('a key of nobody here, even one that the header brings along; nothing is fetched', async () => {
    const foreign = anyRsa();
    const jwk = foreign.publicKey.export({ format: 'jwk' });
    const brought = [
      {},
      { jwk },
      { jku: canaryUrl },
      { x5u: canaryUrl },
      { x5c: [foreign.publicKey.export({ format: 'der', type: 'spki' }).toString('base64')] },
      { kid: 'unknown', jwk, jku: canaryUrl, x5u: canaryUrl },
      { kid: undefined, jwk },
    ];
    for (const more of brought) {
      const { header, payload } = good();
      await assertRefused(
        signed({ ...header, ...more }, payload, foreign.privateKey),
        JSON.stringify(Object.keys(more)),
      );
    }
    // With a good signature they are not used either.
    await assertAccepted(made({ jku: canaryUrl, x5u: canaryUrl, jwk }));
    assert.equal(canaryCalls, 0);
  });

  test('the audience: another API, a list, a prefix, another case, another host', async () => {
    const { audience } = await server.machine({ scopes: ['read:clients', 'create:clients'] });
    const right = server.managementAudience;
    const wrong: unknown[] = [
      audience,
      [right],
      [right, audience],
      [audience, right],
      right.slice(0, -1),
      `${right}x`,
      `${right}clients`,
      right.toUpperCase(),
      ` ${right}`,
      right.replace('localhost', '127.0.0.1'),
      right.replace('http://', 'http://acme.'),
      server.nativeAudience,
      server.issuer,
      'urn:sekisho:management:api_v2',
      '',
      null,
      7,
      {},
    ];
    for (const aud of wrong) await assertRefused(made({}, { aud }), `aud ${JSON.stringify(aud)}`);
    const { aud: _aud, ...without } = good().payload;
    await assertRefused(signed(good().header, without, key.key), 'aud absent');
    await assertAccepted(made({}, { aud: right.replace('http:', 'https:') }));
  });

  test('a token that the token endpoint issued for another API with the same scope names', async () => {
    const { audience, clientId, clientSecret } = await server.machine({ scopes: ['read:clients', 'create:clients'] });
    const { body } = await server.token({ client_id: clientId, client_secret: clientSecret, audience });
    await assertRefused(body.access_token, 'token of another API');
  });

  test('the issuer: another one, without the slash, absent', async () => {
    const right = server.issuer;
    for (const iss of [
      right.slice(0, -1),
      `${right}oidc`,
      'https://evil.example/',
      right.replace('localhost', 'x.localhost'),
      [right],
      null,
    ]) {
      await assertRefused(made({}, { iss }), `iss ${JSON.stringify(iss)}`);
    }
    const { iss: _iss, ...without } = good().payload;
    await assertRefused(signed(good().header, without, key.key), 'iss absent');
  });

  test('exp: past, absent, text, negative, huge', async () => {
    const now = Math.floor(clock.now() / 1000);
    for (const exp of [now - 1, now - 3600, 0, -1, -1e9, String(now + 300), null, true, [now + 300], {}]) {
      await assertRefused(made({}, { exp }), `exp ${JSON.stringify(exp)}`);
    }
    const { exp: _exp, ...without } = good().payload;
    await assertRefused(signed(good().header, without, key.key), 'exp absent');
    const huge = JSON.stringify(good().payload).replace(/"exp":\d+/, '"exp":1e400');
    await assertRefused(signed(good().header, huge, key.key), 'exp 1e400');
    const token = made({}, { exp: now + 60 });
    await assertAccepted(token);
    clock.advance(61_000);
    await assertRefused(token, 'exp has passed');
  });

  test('nbf and iat ahead, of another type, absent', async () => {
    const now = Math.floor(clock.now() / 1000);
    for (const nbf of [now + 60, now + 1e9, 'now', null, {}])
      await assertRefused(made({}, { nbf }), `nbf ${JSON.stringify(nbf)}`);
    for (const iat of [now + 60, now + 1e9, String(now), null, {}])
      await assertRefused(made({}, { iat }), `iat ${JSON.stringify(iat)}`);
    const { iat: _iat, ...without } = good().payload;
    await assertRefused(signed(good().header, without, key.key), 'iat absent');
    await assertRefused(
      signed(good().header, JSON.stringify(good().payload).replace(/"iat":\d+/, '"iat":1e400'), key.key),
      'iat 1e400',
    );
    await assertAccepted(made({}, { nbf: now - 1 }));
  });

  test('another kind of JWT: the type in the header, and a client assertion', async () => {
    for (const typ of [
      'JWT',
      'jwt',
      'AT+JWT',
      'application/at+jwt',
      'logout+jwt',
      'dpop+jwt',
      'secevent+jwt',
      '',
      null,
      1,
    ]) {
      await assertRefused(made({ typ }), `typ ${JSON.stringify(typ)}`);
    }
    const { typ: _typ, ...withoutType } = good().header;
    await assertRefused(signed(withoutType, good().payload, key.key), 'typ absent');

    const pair = anyRsa();
    const pem = pair.publicKey.export({ format: 'pem', type: 'spki' });
    const client = await server.manage('POST', '/clients', {
      name: 'Asserting',
      client_authentication_methods: { private_key_jwt: { credentials: [{ credential_type: 'public_key', pem }] } },
    });
    await server.manage('POST', '/client-grants', {
      client_id: client.client_id,
      audience: server.managementAudience,
      scope: ['create:clients'],
    });
    const [credential] = await server.manage('GET', `/clients/${client.client_id}/credentials`);
    for (const sub of [client.client_id, `${client.client_id}@clients`]) {
      for (const aud of [server.issuer, server.managementAudience]) {
        const { header, payload } = goodToken(server, client.client_id, credential.kid);
        const assertion = signed(header, { ...payload, iss: sub, sub, aud, scope: 'create:clients' }, pair.privateKey);
        await assertRefused(assertion, 'a client assertion');
        const plain = signed({ alg: 'RS256' }, { ...payload, iss: sub, sub, aud }, pair.privateKey);
        await assertRefused(plain, 'a client assertion as SDKs make it');
      }
    }
  });

  test('a token in the classic dialect for the management audience', async () => {
    const { client_id, ...rest } = good().payload;
    const classic = signed(
      { ...good().header, typ: 'JWT' },
      { ...rest, azp: client_id, gty: 'client-credentials' },
      key.key,
    );
    await assertRefused(classic, 'classic dialect');
    const change = await server.request(
      'PATCH',
      `/api/v2/resource-servers/${encodeURIComponent(server.managementAudience)}`,
      {
        token: await server.managementToken(),
        json: { token_dialect: 'access_token' },
      },
    );
    assert.equal(change.status, 400, change.text);
  });

  test('crit: an unknown name, b64, empty, of another type', async () => {
    for (const crit of [['unknown'], ['exp'], [], 'exp', {}, null, [7], [null], ['b64', 'unknown']]) {
      await assertRefused(made({ crit, unknown: true, exp: 1 }), `crit ${JSON.stringify(crit)}`);
    }
    await assertRefused(made({ crit: ['b64'], b64: false }), 'b64 false');
    const { header, payload } = good();
    const input = `${encoded({ ...header, crit: ['b64'], b64: false })}.${JSON.stringify(payload)}`;
    await assertRefused(`${encodeURIComponent(input)}.AAAA`, 'b64 false with a plain payload');
  });

  test('kid: paths, SQL, names of builtins, very long, of other types', async () => {
    const kids = [
      '../../../../etc/passwd',
      "' OR 1=1--",
      '__proto__',
      'constructor',
      'toString',
      'x'.repeat(10_240),
      '',
      ' ',
      7,
      [],
      {},
      null,
      true,
      [key.kid],
      `${key.kid} `,
      key.kid.toUpperCase(),
      '\u0000',
      'a\u0000b',
      '\ud800',
      'é',
    ];
    for (const kid of kids) await assertRefused(made({ kid }), `kid ${JSON.stringify(kid)?.slice(0, 40)}`);
    await assertRefused(made({ kid: undefined }), 'kid absent');
  });

  test('names of builtins and broken text in the claims that are looked up', async () => {
    const odd = [
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      '\u0000',
      'a\u0000b',
      '\ud800',
      'x'.repeat(9_000),
      '',
      "' OR 1=1--",
    ];
    for (const value of odd) {
      await assertRefused(made({}, { sub: `${value}@clients` }), `sub ${JSON.stringify(value).slice(0, 40)}`);
      await assertRefused(made({}, { aud: value }), `aud ${JSON.stringify(value).slice(0, 40)}`);
    }
    for (const sub of [
      caller.clientId,
      `auth0|${caller.clientId}`,
      `${caller.clientId}@CLIENTS`,
      `${caller.clientId}@clients@clients`,
      7,
      null,
      [],
      {},
    ]) {
      await assertRefused(made({}, { sub }), `sub ${JSON.stringify(sub)}`);
    }
    for (const jti of [7, null, [], {}, undefined, '\u0000', 'a\u0000'])
      await assertRefused(made({}, { jti }), `jti ${JSON.stringify(jti)}`);
    for (const scope of [
      ['read:clients'],
      { a: 1 },
      7,
      null,
      '',
      '__proto__',
      'constructor',
      'READ:CLIENTS',
      'read:clients,create:clients',
    ]) {
      const answer = await server.request('GET', '/api/v2/clients', { token: made({}, { scope }) });
      assert.ok([401, 403].includes(answer.status), `scope ${JSON.stringify(scope)}: ${answer.status}`);
    }
  });

  test('a repeated claim never says two things: every reader uses the last', async () => {
    const other = await callerWith(server, []);
    const { header, payload } = good();
    const rest = JSON.stringify(payload).slice(1);
    // The last one names the client without scopes.
    const doubled = `{${rest.slice(0, -1)},"sub":"${other.clientId}@clients"}`;
    const answer = await server.request('GET', '/api/v2/clients', { token: signed(header, doubled, key.key) });
    assert.ok([401, 403].includes(answer.status), answer.text);
    const scopes = `{"scope":"read:clients",${rest.replace(/"scope":"[^"]*"/, '"scope":"read:nothing"')}`;
    const narrow = await server.request('GET', '/api/v2/clients', { token: signed(header, scopes, key.key) });
    assert.ok([401, 403].includes(narrow.status), narrow.text);
    await assertRefused(
      signed(
        header,
        `{"aud":"${server.managementAudience}",${rest.replace(/"aud":"[^"]*"/, '"aud":"https://other.example"')}`,
        key.key,
      ),
      'aud twice',
    );
  });

  test('a token of another tenant, with its own and with our issuer', async () => {
    const created = await server.request('POST', '/api/tenants', {
      token: await server.managementToken(server.nativeAudience),
      json: { id: 'tokens-acme' },
    });
    assert.equal(created.status, 201, created.text);
    const foreign = await signingKey(server, 'tokens-acme');
    const { clientId } = created.body.managementClient;
    const host = `tokens-acme.localhost:${server.port}`;
    const own = { iss: `http://${host}/`, aud: `http://${host}/api/v2/` };
    const token = goodToken(server, clientId, foreign.kid);
    const genuine = signed(token.header, { ...token.payload, ...own }, foreign.key);
    const there = await rawRequest(server, 'GET', '/api/v2/clients', { host, token: genuine });
    assert.equal(there.status, 200, there.text);
    await assertRefused(genuine, 'a token of another tenant');
    await assertRefused(signed(token.header, token.payload, foreign.key), 'signed by another tenant for us');
    await assertRefused(
      signed(good().header, { ...good().payload, sub: `${clientId}@clients` }, key.key),
      'a client of another tenant',
    );
    const ours = await rawRequest(server, 'GET', '/api/v2/clients', { host, token: made() });
    assert.equal(ours.status, 401, ours.text);
  });

  test('a client that was disabled or deleted', async () => {
    const disabled = await callerWith(server, ['read:clients', 'create:clients']);
    await assertAccepted(disabled.token);
    await server.manage('PATCH', `/clients/${disabled.clientId}`, { enabled: false });
    await assertRefused(disabled.token, 'disabled client');
    await server.manage('PATCH', `/clients/${disabled.clientId}`, { enabled: true });
    await server.manage('DELETE', `/clients/${disabled.clientId}`);
    await assertRefused(disabled.token, 'deleted client');
  });

  test('a grant that was narrowed or deleted counts on the next request', async () => {
    const one = await callerWith(server, ['read:clients', 'create:clients']);
    await server.manage('PATCH', `/client-grants/${one.grantId}`, { scope: ['read:clients'] });
    await assertAccepted(one.token);
    const before = await server.stateHash();
    const write = await server.request('POST', '/api/v2/clients', { token: one.token, json: { name: 'No' } });
    assert.equal(write.status, 403, write.text);
    assert.equal(await server.stateHash(), before);
    await server.manage('PATCH', `/client-grants/${one.grantId}`, {
      scope: ['read:clients', 'create:clients', 'read:logs'],
    });
    const logs = await server.request('GET', '/api/v2/client-grants', { token: one.token });
    assert.equal(logs.status, 403, 'a token does not grow with its grant');
    await server.manage('DELETE', `/client-grants/${one.grantId}`);
    await assertRefused(one.token, 'deleted grant');
  });

  test('a token that was revoked', async () => {
    const one = await callerWith(server, ['read:clients', 'create:clients']);
    await assertAccepted(one.token);
    const revoked = await server.request('POST', '/oauth/revoke', {
      form: { token: one.token, client_id: one.clientId, client_secret: one.clientSecret },
    });
    assert.equal(revoked.status, 200, revoked.text);
    await assertRefused(one.token, 'revoked token');
  });

  test('a key that was rotated goes on, one that was revoked ends at once', async () => {
    const own = await startServer({ engine });
    try {
      const { clientId } = await callerWith(own, ['read:clients']);
      const { services } = own.composed;
      const site = services.sites.ofTenant('default');
      const ctx = { ...services, site, actor: { kind: 'server' as const }, origin: nowhere };
      const first = await signingKey(own);
      const { header, payload } = goodToken(own, clientId, first.kid);
      const token = signed(header, payload, first.key);
      const status = async (bearer: string) => (await own.request('GET', '/api/v2/clients', { token: bearer })).status;
      assert.equal(await status(token), 200);
      await rotateSigningKeys(ctx);
      assert.equal(await status(token), 200);
      await revokeSigningKey(ctx, first.kid);
      assert.equal(await status(token), 401);
      const next = await signingKey(own);
      const later = goodToken(own, clientId, next.kid);
      assert.equal(await status(signed(later.header, later.payload, next.key)), 200);
    } finally {
      await own.close();
    }
  });

  test('where the token is: in the query, in the body, in a cookie, twice, with another scheme', async () => {
    const token = made();
    const tries: Parameters<typeof rawRequest>[] = [
      [server, 'GET', `/api/v2/clients?access_token=${token}`],
      [server, 'GET', '/api/v2/clients', { headers: { cookie: `access_token=${token}` } }],
      [server, 'GET', '/api/v2/clients', { headers: { 'x-access-token': token } }],
      ...[
        '',
        'Bearer',
        'Bearer ',
        `Basic ${token}`,
        `DPoP ${token}`,
        token,
        `Bearer ${token} x`,
        `Bearer ${token},Bearer ${token}`,
        `Bearer "${token}"`,
        `Bearer ${'x'.repeat(10_000)}`,
      ].map(
        (authorization): Parameters<typeof rawRequest> => [
          server,
          'GET',
          '/api/v2/clients',
          { headers: { authorization } },
        ],
      ),
    ];
    for (const attempt of tries) {
      const answer = await rawRequest(...attempt);
      assert.equal(answer.status, 401, `${attempt[2]} ${JSON.stringify(attempt[3])?.slice(0, 60)}: ${answer.text}`);
    }
    await assertAccepted(token);
  });

  test('the refusal tells the log why, and the log has no token', async () => {
    const token = made({}, { exp: 1 });
    await assertRefused(token, 'expired');
    const event = (await server.logEvents()).filter(({ kind }) => kind === 'access.refused').at(-1);
    assert.match(event.description, /exp/);
    assert.ok(!JSON.stringify(await server.logEvents()).includes(token.slice(0, 60)));
  });
});
