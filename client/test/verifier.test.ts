/** The verifier against forged, borrowed and broken tokens. `jose`, an implementation of its own, signs some of them. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { CompactSign, exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { ConfigurationError, createVerifier, type Verifier } from '../src/index.ts';
import { createTestIssuer, type TestIssuer } from '../src/testing/index.ts';
import { counted, decoded, part, partsOf, refuses } from './support.ts';

const nowSeconds = () => Math.floor(Date.now() / 1000);

describe('verifyAccessToken', () => {
  let issuer: TestIssuer;
  let verifier: Verifier;
  let good: string;
  before(async () => {
    issuer = await createTestIssuer();
    verifier = createVerifier(issuer.verifierOptions);
    good = await issuer.mint({ scope: ['read:orders', 'write:orders'], permissions: ['read:orders'] });
  });

  test('tells what a good token says', async () => {
    const token = await verifier.verifyAccessToken(good);
    assert.equal(token.issuer, 'https://issuer.test/');
    assert.equal(token.subject, 'test-client@clients');
    assert.equal(token.clientId, 'test-client');
    assert.deepEqual(token.audience, ['https://api.test']);
    assert.deepEqual(token.scopes, ['read:orders', 'write:orders']);
    assert.deepEqual(token.permissions, ['read:orders']);
    assert.equal(token.organizationId, undefined);
    assert.equal(token.tokenId, token.claims.jti);
    assert.equal(token.expiresAt - token.issuedAt, 300);
  });

  test('takes the classic profile, with azp, and several audiences', async () => {
    const claims = { client_id: undefined, azp: 'machine', aud: ['https://other.test', issuer.audience] };
    const token = await verifier.verifyAccessToken(await issuer.mint(claims, { header: { typ: 'JWT' } }));
    assert.equal(token.clientId, 'machine');
  });

  for (const alg of [
    'RS256',
    'RS384',
    'RS512',
    'PS256',
    'PS384',
    'PS512',
    'ES256',
    'ES384',
    'ES512',
    'EdDSA',
  ] as const) {
    test(`takes ${alg} as jose signs it, and no other key's`, async () => {
      const [{ publicKey, privateKey }, stranger] = await Promise.all([generateKeyPair(alg), generateKeyPair(alg)]);
      const keys = [{ ...(await exportJWK(publicKey)), kid: 'a', alg, use: 'sig' }];
      const fetch = async () => Response.json({ keys });
      const options = { issuer: 'https://issuer.test/', audience: 'https://api.test', fetch };
      const strict = createVerifier({ ...options, jwksUri: 'https://issuer.test/keys', algorithms: [alg] });
      const signed = (key: typeof privateKey) =>
        new SignJWT({ client_id: 'machine' })
          .setProtectedHeader({ alg, typ: 'at+jwt', kid: 'a' })
          .setIssuer('https://issuer.test/')
          .setSubject('machine')
          .setAudience('https://api.test')
          .setIssuedAt()
          .setExpirationTime('5m')
          .sign(key);
      assert.equal((await strict.verifyAccessToken(await signed(privateKey))).clientId, 'machine');
      await refuses(strict, await signed(stranger.privateKey), 'signature_wrong');
    });
  }

  test('alg none in any spelling, and a token without its signature', async () => {
    const [header, payload] = partsOf(good);
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', undefined, null, 0, ['ES256']]) {
      const unsigned = part({ ...decoded(header), alg });
      await refuses(verifier, `${unsigned}.${payload}.AAAA`, 'algorithm_not_accepted', `alg ${alg}`);
      await refuses(verifier, `${unsigned}.${payload}.`, 'malformed', `alg ${alg}`);
    }
    await refuses(verifier, `${header}.${payload}.`, 'malformed');
    await refuses(verifier, `${header}.${payload}`, 'malformed');
  });

  test('HS256 with the public key as the secret', async () => {
    const jwk = issuer.jwks.keys[0] as Record<string, string>;
    const { publicKey } = await generateKeyPair('RS256', { extractable: true });
    for (const secret of [JSON.stringify(jwk), JSON.stringify({ keys: [jwk] }), jwk.x, await exportSPKI(publicKey)]) {
      const forged = await new CompactSign(Buffer.from(JSON.stringify(decoded(partsOf(good)[1]))))
        .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: 'test-key' })
        .sign(Buffer.from(secret as string));
      await refuses(verifier, forged, 'algorithm_not_accepted');
    }
  });

  test('a symmetric key in the key set never verifies, and a key of another algorithm does not either', async () => {
    const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
    const rsa = await exportJWK(publicKey);
    const secret = Buffer.alloc(32, 7);
    const sets = [
      { keys: [{ kty: 'oct', kid: 'a', k: secret.toString('base64url') }] },
      { keys: [{ ...rsa, kid: 'a', use: 'enc' }] },
      { keys: [{ ...rsa, kid: 'a', alg: 'PS256' }] },
      { keys: [{ ...rsa, kid: 'a', key_ops: ['encrypt'] }] },
      {
        keys: [
          { ...rsa, kid: 'a' },
          { ...rsa, kid: 'a' },
        ],
      },
      { keys: [{ ...rsa, kid: 'b' }, null, 7, 'x', { kid: 'a' }, { kty: 'RSA', kid: 'a', n: 'AQAB', e: 'AQAB' }] },
    ];
    const claims = decoded(partsOf(good)[1]);
    const forged = await new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: 'a' })
      .sign(privateKey);
    for (const set of sets) {
      const fetch = async () => Response.json(set);
      const options = { issuer: issuer.issuer, audience: issuer.audience, jwksUri: 'https://issuer.test/keys', fetch };
      await refuses(createVerifier(options), forged, 'key_unknown', JSON.stringify(set).slice(0, 200));
    }
  });

  test('a signature that is altered, all zeros, DER, cut, or written in another way', async () => {
    const [header, payload, signature] = partsOf(good);
    const bytes = Buffer.from(signature, 'base64url');
    const flipped = Buffer.from(bytes);
    flipped[10] = (flipped[10] as number) ^ 1;
    const der = Buffer.concat([Buffer.from('3044022', 'hex'), bytes]);
    const wrong = [flipped, Buffer.alloc(64), bytes.subarray(0, 63), bytes.subarray(0, 32), der, Buffer.alloc(1)];
    for (const other of [...wrong, Buffer.concat([bytes, Buffer.alloc(1)])]) {
      await refuses(verifier, `${header}.${payload}.${other.toString('base64url')}`, 'signature_wrong');
    }
    // 64 bytes leave four bits over in the last character: another character there would decode to the same bytes.
    const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.indexOf(signature.at(-1) as string);
    const twin = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'[last + 1] as string;
    for (const other of [`${signature.slice(0, -1)}${twin}`, `${signature}==`, ` ${signature}`, `${signature}\n`]) {
      await refuses(verifier, `${header}.${payload}.${other}`, 'malformed', other);
    }
  });

  test('a payload or header that was changed after signing', async () => {
    const [header, payload, signature] = partsOf(good);
    const more = part({ ...decoded(payload), scope: 'all' });
    await refuses(verifier, `${header}.${more}.${signature}`, 'signature_wrong');
    const plain = part({ ...decoded(header), typ: 'JWT' });
    await refuses(verifier, `${plain}.${payload}.${signature}`, 'signature_wrong');
  });

  test('what is no token at all', async () => {
    const [header, payload, signature] = partsOf(good);
    const texts = ['', '.', '..', '...', 'a.b.c', `${good}.`, `${good}.x`, `.${good}`, ` ${good}`, `${good} `];
    const bodies = [part('[]'), part('null'), part('"x"'), part('{"a":1,}'), part('\ufeff{}'), 'ew', '/w', ''];
    texts.push(...bodies.map((body) => `${header}.${body}.${signature}`));
    texts.push(...bodies.map((body) => `${body}.${payload}.${signature}`));
    texts.push(`${header}.${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.${signature}`, 'x'.repeat(20_000));
    texts.push(`${header}.${Buffer.from('{"sub":"\xff"}', 'latin1').toString('base64url')}.${signature}`);
    texts.push(await issuer.mint({ padding: 'x'.repeat(16_384) }));
    for (const text of texts) await refuses(verifier, text, 'malformed', text.slice(0, 60));
    for (const other of [undefined, null, 7, {}, [good]]) await refuses(verifier, other as never, 'malformed');
  });

  test('another audience, one that only begins like ours, none, or one that is no text', async () => {
    const others = [
      'https://other.test',
      'https://api.tes',
      'https://api.test/',
      'https://api.test.evil',
      'HTTPS://API.TEST',
    ];
    for (const aud of [...others, others]) {
      await refuses(verifier, await issuer.mint({ aud }), 'audience_not_accepted', String(aud));
    }
    for (const aud of [undefined, null, 7, {}, '', [], [7, issuer.audience], [['https://api.test']]]) {
      await refuses(verifier, await issuer.mint({ aud }), 'claim_invalid', JSON.stringify(aud));
    }
    await refuses(verifier, await issuer.mintForOtherAudience(), 'audience_not_accepted');
  });

  test('another issuer, and the twin of ours without the slash', async () => {
    for (const iss of ['https://issuer.test', 'https://issuer.test//', 'https://evil.test/', '', undefined, 7, ['x']]) {
      await refuses(verifier, await issuer.mint({ iss }), 'issuer_not_accepted', String(iss));
    }
    await refuses(verifier, await issuer.mintFromOtherIssuer(), 'issuer_not_accepted');
  });

  test('a key of one issuer does not sign for another one', async () => {
    const other = await createTestIssuer({ issuer: 'https://issuer.test/oidc' });
    const fetch = (url: string, init: RequestInit) => (url.includes('/oidc') ? other : issuer).fetch(url, init);
    const both = createVerifier({ ...issuer.verifierOptions, issuer: [issuer.issuer, other.issuer], fetch });
    assert.equal((await both.verifyAccessToken(await other.mint())).issuer, other.issuer);
    assert.equal((await both.verifyAccessToken(good)).issuer, issuer.issuer);
    await refuses(both, await other.mint({ iss: issuer.issuer }), 'signature_wrong');
    await refuses(both, await issuer.mint({ iss: other.issuer }), 'signature_wrong');
  });

  test('times: past, ahead, missing, or no times', async () => {
    // A clock that stands still: what is three seconds past stays so, however slow the machine is.
    const now = nowSeconds();
    const issuer = await createTestIssuer({ now: () => now * 1000 });
    const verifier = createVerifier(issuer.verifierOptions);
    await refuses(verifier, await issuer.mintExpired(), 'expired');
    for (const exp of [now - 6, 0]) await refuses(verifier, await issuer.mint({ exp }), 'expired');
    await verifier.verifyAccessToken(await issuer.mint({ exp: now - 3 }));
    for (const time of [{ nbf: now + 60 }, { iat: now + 60 }]) {
      await refuses(verifier, await issuer.mint(time), 'not_yet_valid');
    }
    await verifier.verifyAccessToken(await issuer.mint({ nbf: now + 3, iat: now + 3 }));
    for (const name of ['exp', 'iat', 'nbf']) {
      for (const value of [String(now + 60), -1, null, true, {}, [now + 60]]) {
        await refuses(verifier, await issuer.mint({ [name]: value }), 'claim_invalid', `${name} ${value}`);
      }
    }
    for (const name of ['exp', 'iat'])
      await refuses(verifier, await issuer.mint({ [name]: undefined }), 'claim_invalid');
  });

  test('exp as a number that is too large to be one', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const keys = [await exportJWK(publicKey)];
    const fetch = async () => Response.json({ keys });
    const own = createVerifier({ ...issuer.verifierOptions, jwksUri: 'https://issuer.test/keys', fetch });
    const claims = JSON.stringify({ ...decoded(partsOf(good)[1]), exp: 'EXP' });
    for (const exp of ['1e400', '9007199254740993', '1e16']) {
      const text = claims.replace('"EXP"', exp);
      const forged = await new CompactSign(Buffer.from(text))
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
        .sign(privateKey);
      await refuses(own, forged, 'claim_invalid', exp);
    }
  });

  test('a claim that stands there twice is read once: what is checked is what is told', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const keys = [await exportJWK(publicKey)];
    const fetch = async () => Response.json({ keys });
    const own = createVerifier({ ...issuer.verifierOptions, jwksUri: 'https://issuer.test/keys', fetch });
    const { sub: _, ...claims } = decoded(partsOf(good)[1]);
    const text = JSON.stringify(claims).replace(/}$/, ',"sub":"first","sub":"second"}');
    const twice = await new CompactSign(Buffer.from(text))
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
      .sign(privateKey);
    const token = await own.verifyAccessToken(twice);
    assert.equal(token.subject, token.claims.sub);
  });

  test('tokens of another kind: ID token, logout token, DPoP proof, assertion, refresh token', async () => {
    const classic = { header: { typ: 'JWT' } };
    const idTokens = [
      { client_id: undefined, aud: 'https://api.test' },
      { azp: 'https://api.test', client_id: undefined },
      { azp: 'app', client_id: undefined, aud: ['https://api.test', 'app'] },
      { nonce: 'n' },
      { at_hash: 'h' },
      { c_hash: 'h' },
      { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } },
    ];
    for (const claims of idTokens) {
      await refuses(verifier, await issuer.mint(claims, classic), 'not_an_access_token', JSON.stringify(claims));
    }
    const types = [
      'dpop+jwt',
      'logout+jwt',
      'rt+jwt',
      'secevent+jwt',
      'JWE',
      'jwt2',
      '',
      undefined,
      null,
      7,
      ['at+jwt'],
    ];
    for (const typ of types) {
      await refuses(verifier, await issuer.mint({}, { header: { typ } }), 'type_not_accepted', String(typ));
    }
    for (const typ of ['application/at+jwt', 'AT+JWT'])
      await verifier.verifyAccessToken(await issuer.mint({}, { header: { typ } }));
    const strict = createVerifier({ ...issuer.verifierOptions, types: ['at+jwt'] });
    await refuses(strict, await issuer.mint({}, classic), 'type_not_accepted');
    await strict.verifyAccessToken(good);
  });

  test('a token that is bound to a key or a certificate is no bearer token', async () => {
    for (const cnf of [{ jkt: 'x' }, { 'x5t#S256': 'x' }, {}, null]) {
      await refuses(verifier, await issuer.mint({ cnf }), 'sender_constrained');
    }
  });

  test('jku, x5u, x5c and jwk in the header are not looked at, and nothing is fetched for them', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const watched = counted(issuer.fetch);
    const own = createVerifier({ ...issuer.verifierOptions, fetch: watched.fetch });
    const jwk = await exportJWK(publicKey);
    for (const trick of [
      { jwk },
      { jku: 'https://evil.test/keys' },
      { x5u: 'https://evil.test/x' },
      { x5c: ['AAAA'] },
    ]) {
      const forged = await new CompactSign(Buffer.from(JSON.stringify(decoded(partsOf(good)[1]))))
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'test-key', ...trick })
        .sign(privateKey);
      await refuses(own, forged, 'signature_wrong');
      const honest = await issuer.mint({}, { header: trick });
      await own.verifyAccessToken(honest);
    }
    assert.deepEqual(watched.calls, ['/.well-known/openid-configuration', '/jwks']);
  });

  test('crit and b64, whatever they say', async () => {
    for (const header of [
      { crit: ['exp'] },
      { crit: [] },
      { crit: ['b64'], b64: false },
      { b64: false },
      { b64: true },
      { crit: null },
    ]) {
      await refuses(verifier, await issuer.mint({}, { header }), 'critical_header', JSON.stringify(header));
    }
  });

  test('a kid that is a path, a statement, a built-in name, endless, or no text', async () => {
    for (const kid of [
      '../../etc/passwd',
      "' OR 1=1--",
      '__proto__',
      'constructor',
      'toString',
      '',
      'x'.repeat(10_000),
      7,
      [],
      {},
      null,
    ]) {
      await refuses(verifier, await issuer.mint({}, { header: { kid } }), 'key_unknown', String(kid).slice(0, 40));
    }
    await verifier.verifyAccessToken(await issuer.mint({}, { header: { kid: undefined } }));
  });

  test('claims that are no texts', async () => {
    const wrong = [
      { sub: undefined },
      { sub: 7 },
      { sub: '' },
      { jti: 7 },
      { scope: 7 },
      { scope: {} },
      { permissions: 'all' },
      { permissions: [7] },
    ];
    for (const claims of wrong) {
      await refuses(verifier, await issuer.mint(claims as never), 'claim_invalid', JSON.stringify(claims));
    }
    await refuses(verifier, await issuer.mint({ azp: 'one', client_id: 'two' }), 'claim_invalid');
    const builtin = await verifier.verifyAccessToken(await issuer.mint({ scope: '__proto__ constructor' }));
    assert.deepEqual(builtin.scopes, ['__proto__', 'constructor']);
  });
});

describe('organizations', () => {
  let issuer: TestIssuer;
  before(async () => {
    issuer = await createTestIssuer();
  });

  test('is read from org_id, organization_id, or the audience', async () => {
    const verifier = createVerifier({ ...issuer.verifierOptions, organizationTokens: true });
    const organizationAudience = 'urn:logto:organization:org_1';
    for (const claims of [{ org_id: 'org_1' }, { organization_id: 'org_1' }, { aud: organizationAudience }]) {
      assert.equal((await verifier.verifyAccessToken(await issuer.mint(claims))).organizationId, 'org_1');
    }
    for (const claims of [
      { org_id: 'org_1', organization_id: 'org_2' },
      { org_id: 'org_2', aud: organizationAudience },
      { org_id: 7 },
      { org_id: '' },
      { organization_id: null },
    ]) {
      await refuses(verifier, await issuer.mint(claims), 'claim_invalid', JSON.stringify(claims));
    }
  });

  test('an organization token is taken only where it is asked for, and alone', async () => {
    const plain = createVerifier(issuer.verifierOptions);
    const verifier = createVerifier({ ...issuer.verifierOptions, organizationTokens: true });
    const aud = 'urn:logto:organization:org_1';
    await refuses(plain, await issuer.mint({ aud }), 'audience_not_accepted');
    for (const other of [
      [aud, 'https://other.test'],
      'urn:logto:organization:',
      'urn:logto:resource:organizations',
      `x${aud}`,
    ]) {
      await refuses(verifier, await issuer.mint({ aud: other }), 'audience_not_accepted', String(other));
    }
  });
});

describe('a secret of the API (HS256)', () => {
  const secret = 'MRK-0123456789abcdefghijklmnopqrstuvwxyz';
  const options = { issuer: 'https://issuer.test/', audience: 'https://api.test', secret, fetch: nothing };
  const signed = (alg: string, key: string) =>
    new SignJWT({ azp: 'machine' })
      .setProtectedHeader({ alg, typ: 'JWT' })
      .setIssuer(options.issuer)
      .setSubject('machine@clients')
      .setAudience(options.audience)
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(Buffer.from(key));

  test('takes HS256 by it, without asking anybody', async () => {
    const verifier = createVerifier(options);
    assert.equal((await verifier.verifyAccessToken(await signed('HS256', secret))).clientId, 'machine');
    await refuses(verifier, await signed('HS256', `${secret}x`), 'signature_wrong');
    await refuses(verifier, await signed('HS512', secret.repeat(2)), 'algorithm_not_accepted');
  });

  test('then takes no published key', async () => {
    const issuer = await createTestIssuer();
    const verifier = createVerifier({ ...issuer.verifierOptions, secret });
    await refuses(verifier, await issuer.mint(), 'algorithm_not_accepted');
  });

  function nothing(): Promise<Response> {
    throw new Error('no request is needed');
  }
});

describe('options that can not be right', () => {
  const good = { issuer: 'https://issuer.test/', audience: 'https://api.test' };
  const wrong: Record<string, object> = {
    'no issuer': { issuer: [] },
    'an issuer that is no URL': { issuer: 'issuer.test' },
    'http outside this machine': { issuer: 'http://issuer.test/' },
    'an issuer with a query': { issuer: 'https://issuer.test/?x' },
    'no audience': { audience: undefined },
    'an empty audience': { audience: ['https://api.test', ''] },
    'HS256 without a secret': { algorithms: ['RS256', 'HS256'] },
    'RS256 beside a secret': { algorithms: ['RS256'], secret: 'x'.repeat(32) },
    none: { algorithms: ['none'] },
    'no algorithm': { algorithms: [] },
    'a short secret': { secret: 'x'.repeat(31) },
    'introspection without a way to prove who asks': { introspection: { clientId: 'x' } },
    'introspection by one secret at two hosts': {
      issuer: ['https://a.test/', 'https://b.test/'],
      introspection: { clientId: 'x', clientSecret: 'y' },
    },
  };
  for (const [name, change] of Object.entries(wrong)) {
    test(name, () => {
      assert.throws(() => createVerifier({ ...good, ...change } as never), ConfigurationError);
    });
  }
  test('http on this machine, or where it is allowed, is right', () => {
    for (const issuer of ['http://localhost:8480/', 'http://127.0.0.1/', 'http://[::1]:1/', 'http://a.localhost/']) {
      createVerifier({ ...good, issuer });
    }
    createVerifier({ ...good, issuer: 'http://sekisho:8480/', allowHttp: true });
  });
});
