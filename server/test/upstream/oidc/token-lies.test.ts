/** ID tokens that are not what they should be; each beside the honest one that is taken. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { oidcUpstream } from '../../../src/upstream/oidc/upstream.ts';
import type { RedirectRequest } from '../../../src/upstream/redirect.ts';
import { type Liar, type Lies, type Members, startLiar } from '../../labs/liar.ts';
import { jwkOf, macked, newKey, signed, unsigned } from '../../labs/liar-tokens.ts';
import { failure, finish, goAndReturn, services } from '../oauth2/support.ts';

describe('ID tokens', () => {
  let liar: Liar;
  before(async () => {
    liar = await startLiar();
  });
  after(() => liar.close());

  const signInWith = async (lies: Lies, request: Partial<RedirectRequest> = {}, given = services()) => {
    // Without user info, which would say no as well.
    const metadata = (truth: Members) => ({ ...(lies.metadata?.(truth) ?? truth), userinfo_endpoint: undefined });
    liar.lies = { ...lies, metadata };
    const setup = {
      upstream: oidcUpstream,
      configuration: liar.oidc,
      secrets: { clientSecret: liar.clientSecret },
      services: given,
    };
    return finish(setup, await goAndReturn(setup, { answers: {} }, request));
  };
  const refused = (lies: Lies, request: Partial<RedirectRequest> = {}) =>
    assert.rejects(signInWith(lies, request), failure('answer_invalid', liar.clientSecret, 'an access token'));
  const saying = (claims: Members): Lies => ({ claims: (truth) => ({ ...truth, ...claims }) });
  const now = () => Math.floor(Date.now() / 1000);

  test('the honest one is taken, by every algorithm of a key pair', async () => {
    assert.equal((await signInWith({})).subject, 'person-1');
    for (const alg of ['PS256', 'ES256', 'EdDSA'] as const) {
      const key = newKey(alg);
      const lies: Lies = {
        metadata: (truth) => ({ ...truth, id_token_signing_alg_values_supported: [alg] }),
        keys: () => [jwkOf(key)],
        idToken: (claims) => signed(key, claims),
      };
      assert.equal((await signInWith(lies)).subject, 'person-1', alg);
    }
  });

  test('for another audience, or for several without a word that it is for us', async () => {
    await signInWith(saying({ aud: ['sekisho'] }));
    await signInWith(saying({ aud: ['sekisho', 'another'], azp: 'sekisho' }));
    for (const claims of [
      { aud: 'another' },
      { aud: ['another'] },
      { aud: [] },
      { aud: 'sekisho2' },
      { aud: undefined },
      { aud: { sekisho: true } },
      { aud: ['sekisho', 'another'] },
      { aud: ['sekisho', 'another'], azp: 'another' },
      { azp: 'another' },
    ]) {
      await refused(saying(claims));
    }
  });

  test('by another issuer', async () => {
    for (const iss of [
      'https://else.example',
      `${liar.issuer}/`,
      liar.issuer.toUpperCase(),
      '',
      undefined,
      [liar.issuer],
    ]) {
      await refused(saying({ iss }));
    }
  });

  test('for another sign-in: nonce', async () => {
    for (const nonce of ['another', '', undefined, 1]) await refused(saying({ nonce }));
  });

  test('out of its time; a minute of difference between clocks is too much', async () => {
    await signInWith(saying({ exp: now() - 15 }));
    for (const claims of [
      { exp: now() - 61 },
      { exp: 0 },
      { exp: undefined },
      { exp: '9999999999' },
      { iat: undefined },
      { nbf: now() + 61 },
      { nbf: 'x' },
    ]) {
      await refused(saying(claims));
    }
    const late = services();
    late.clock.advance(3_600_000);
    await assert.rejects(signInWith({}, {}, late), failure('answer_invalid'), 'by our clock');
    const early = services();
    early.clock.advance(-3_600_000);
    await signInWith(saying({ exp: now() - 61 }), {}, early);
  });

  test('about nobody that can be told apart', async () => {
    await signInWith(saying({ sub: 'x'.repeat(255) }));
    for (const sub of [undefined, null, '', 1, true, ['person-1'], {}, 'x'.repeat(256), 'a\u0000b', 'a\nb', '\ud800']) {
      await refused(saying({ sub }));
    }
  });

  test('signed by nobody, by ourselves, by somebody else', async () => {
    const another = newKey();
    const publicPem = liar.key.publicKey.export({ type: 'spki', format: 'pem' });
    const anyAlgorithm: Lies['metadata'] = (truth) => ({
      ...truth,
      id_token_signing_alg_values_supported: ['none', 'HS256', 'RS256'],
    });
    const tokens: ((claims: Members) => unknown)[] = [
      (claims) => unsigned(claims),
      (claims) => unsigned(claims, 'None'),
      (claims) => unsigned(claims, 'RS256'),
      (claims) => unsigned(claims, ['RS256']),
      (claims) => unsigned(claims, 1),
      (claims) => macked(liar.clientSecret, claims),
      (claims) => macked(publicPem, claims),
      (claims) => macked(JSON.stringify(jwkOf(liar.key)), claims),
      (claims) => signed(another, claims),
      (claims) => signed(another, claims, { kid: 'unknown' }),
      (claims) => signed(another, claims, { jwk: jwkOf(another) }),
      (claims) => signed(another, claims, { jku: `${liar.issuer}/trap` }),
      (claims) => signed(another, claims, { x5u: `${liar.issuer}/trap` }),
      (claims) => signed(liar.key, claims, { crit: ['b64'], b64: true }),
      (claims) => signed(liar.key, claims).slice(0, -8),
      (claims) => `${signed(liar.key, claims).split('.').slice(0, 2).join('.')}.`,
      (claims) =>
        signed(liar.key, claims).replace(/\.[^.]+\./, `.${Buffer.from('{"sub":"other"}').toString('base64url')}.`),
    ];
    await signInWith({ metadata: anyAlgorithm });
    for (const idToken of tokens) await refused({ idToken, metadata: anyAlgorithm });
    assert.deepEqual(
      liar.requests.filter(({ path }) => path === '/trap'),
      [],
    );
  });

  test('no ID token, or something that is none', async () => {
    for (const idToken of [undefined, null, '', 'x', 'a.b', 'a.b.c', '..', 'a.b.c.d.e', 7, {}, signed(newKey(), [])]) {
      await refused({ idToken: () => idToken });
    }
  });

  test('keys that check nothing', async () => {
    const weak = newKey('RS256', { bits: 1024 });
    const [honest, secret] = [jwkOf(liar.key), Buffer.from(liar.clientSecret).toString('base64url')];
    const { n: _, ...withoutModulus } = honest;
    await signInWith({ keys: ([key]) => [{ kty: 'new', kid: 'k1' }, { kty: 'oct', k: secret, kid: 'k1' }, key] });
    const keys: unknown[] = [
      [],
      {},
      'x',
      [null],
      [{ kty: 'oct', k: secret, kid: 'k1' }],
      [{ ...honest, use: 'enc' }],
      [{ ...honest, alg: 'RS512' }],
      [{ ...honest, key_ops: ['sign'] }],
      [{ ...honest, key_ops: {} }],
      [{ ...honest, kid: 'another' }],
      [withoutModulus],
      [{ ...honest, n: 'AQAB' }],
      [honest, { ...honest }],
    ];
    for (const set of keys) await refused({ keys: () => set });
    await refused({ keys: () => [jwkOf(weak)], idToken: (claims) => signed(weak, claims) });
  });

  test('asked for a new proof: when that was has to be said, and to be new', async () => {
    const again = { reauthenticates: true };
    await signInWith({}, again);
    for (const auth_time of [undefined, now() - 120, 0, '9999999999', null, -1])
      await refused(saying({ auth_time }), again);
  });
});
