/** OpenID Connect against a real provider: `oidc-provider`. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { OidcConfiguration } from '../../../src/upstream/oauth2/configuration.ts';
import { oidcUpstream } from '../../../src/upstream/oidc/upstream.ts';
import { startServer } from '../../harness.ts';
import { type OidcLab, startOidcLab } from '../../labs/oidc.ts';
import { as, signInAtProvider, whoDenies } from '../../labs/oidc-driver.ts';
import { failure, finish, goAndReturn, redirectUri, services, test as testUpstream } from '../oauth2/support.ts';

describe('OpenID Connect', () => {
  let lab: OidcLab;
  before(async () => {
    lab = await startOidcLab([redirectUri]);
  });
  after(() => lab.close());

  const setup = (configuration: Partial<OidcConfiguration> = {}, clientSecret = lab.clientSecret) => ({
    upstream: oidcUpstream,
    configuration: { ...lab.oidc, ...configuration },
    secrets: { clientSecret },
  });

  test('who signs in is known by issuer and subject, with all that was asked for', async () => {
    const identity = await finish(setup(), await goAndReturn(setup(), as('alice')));
    const { claims, ...person } = identity;
    assert.deepEqual(person, {
      issuer: lab.issuer,
      subject: 'alice',
      email: 'alice@example.com',
      emailVerified: true,
      username: 'alice',
      name: 'Alice Example',
      givenName: 'Alice',
      familyName: 'Example',
      picture: 'https://example.com/alice.png',
      groups: ['staff', 'admins'],
      amr: [],
    });
    assert.equal(claims.email, 'alice@example.com');
    for (const name of ['nonce', 'at_hash', 'aud', 'exp', 'access_token']) assert.equal(claims[name], undefined, name);
  });

  test('an address that the provider has not verified, and none at all', async () => {
    const bob = await finish(setup(), await goAndReturn(setup(), as('bob')));
    assert.deepEqual([bob.email, bob.emailVerified], ['bob@example.com', false]);
    const carol = await finish(setup(), await goAndReturn(setup(), as('carol')));
    assert.deepEqual([carol.email, carol.emailVerified, carol.name], [null, false, '山田 花子']);
  });

  test('the policy vouches for addresses: not against the word of the provider, and it makes none', async () => {
    assert.equal((await finish(setup(), await goAndReturn(setup(), as('dave')))).emailVerified, false);
    const vouching = setup({ emailIsVerified: true });
    assert.equal((await finish(vouching, await goAndReturn(vouching, as('dave')))).emailVerified, true);
    assert.equal((await finish(vouching, await goAndReturn(vouching, as('bob')))).emailVerified, false);
    assert.equal((await finish(vouching, await goAndReturn(vouching, as('carol')))).emailVerified, false);
  });

  test('names of claims of their own', async () => {
    const own = setup({ fields: { ...lab.oidc.fields, name: 'preferred_username', email: 'no.such.claim' } });
    const identity = await finish(own, await goAndReturn(own, as('alice')));
    assert.deepEqual([identity.name, identity.email, identity.emailVerified], ['alice', null, false]);
  });

  test('the request: code, PKCE, state, nonce, and what the sign-in asks for; no secret', async () => {
    const request = { redirectUri, state: 's', loginHint: 'a@b.example', uiLocales: ['ja', 'en'] };
    const begin = () => oidcUpstream.begin(services(), lab.oidc, { clientSecret: lab.clientSecret }, request);
    const { location, kept } = await begin();
    const parameters = Object.fromEntries(new URL(location).searchParams);
    const { nonce, code_challenge: challenge, ...rest } = parameters;
    assert.deepEqual(rest, {
      response_type: 'code',
      client_id: lab.clientId,
      redirect_uri: redirectUri,
      scope: 'openid profile email groups',
      state: 's',
      code_challenge_method: 'S256',
      login_hint: 'a@b.example',
      ui_locales: 'ja en',
    });
    assert.equal(nonce, kept.nonce);
    assert.match(challenge!, /^[\w-]{43}$/);
    assert.ok(!location.includes(kept.codeVerifier!));
    assert.ok(!JSON.stringify({ location, kept }).includes(lab.clientSecret));
    const again = await begin();
    assert.notEqual(again.kept.nonce, kept.nonce);
    assert.notEqual(again.kept.codeVerifier, kept.codeVerifier);
  });

  test('the answer may come by a form', async () => {
    const byForm = setup({ responseMode: 'form_post' });
    const { location, kept } = await oidcUpstream.begin(services(), byForm.configuration, byForm.secrets, {
      redirectUri,
      state: 's',
    });
    const { method, parameters } = await signInAtProvider(location, redirectUri, as('alice'));
    assert.equal(method, 'POST');
    assert.equal((await finish(byForm, { redirectUri, state: 's', kept, parameters })).subject, 'alice');
  });

  test('asked for a new proof, the provider asks the person again', async () => {
    const cookies = new Map<string, string>();
    await goAndReturn(setup(), as('alice', cookies));
    // The session there would do, and does without being asked.
    assert.ok(await goAndReturn(setup(), { answers: {}, cookies }));
    await assert.rejects(goAndReturn(setup(), { answers: {}, cookies }, { reauthenticates: true }), /answered 401/);
    const back = await goAndReturn(setup(), as('alice', cookies), { reauthenticates: true });
    assert.equal((await finish(setup(), back)).subject, 'alice');
    // A proof from before the sign-in began is none.
    const later = String(Number(back.kept.since) + 120);
    const another = await goAndReturn(setup(), as('alice', cookies), { reauthenticates: true });
    await assert.rejects(
      finish(setup(), { ...another, kept: { ...another.kept, since: later } }),
      failure('answer_invalid'),
    );
  });

  test('the person says no', async () => {
    const back = await goAndReturn(setup(), whoDenies);
    assert.equal(back.parameters.get('error'), 'access_denied');
    await assert.rejects(finish(setup(), back), failure('denied'));
  });

  test('what the browser brings back is compared: state, issuer, code', async () => {
    const good = await goAndReturn(setup(), as('alice'));
    const withParameters = (change: (parameters: URLSearchParams) => void) => {
      const parameters = new URLSearchParams(good.parameters);
      change(parameters);
      return finish(setup(), { ...good, parameters });
    };
    const invalid = failure('answer_invalid', good.parameters.get('code')!);
    await assert.rejects(
      withParameters((p) => p.set('state', 'another')),
      invalid,
    );
    await assert.rejects(
      withParameters((p) => p.delete('state')),
      invalid,
    );
    await assert.rejects(
      withParameters((p) => p.append('state', good.state)),
      invalid,
    );
    await assert.rejects(
      withParameters((p) => p.set('iss', 'https://else.example')),
      invalid,
    );
    await assert.rejects(
      withParameters((p) => p.delete('iss')),
      invalid,
    );
    await assert.rejects(
      withParameters((p) => p.delete('code')),
      invalid,
    );
    await assert.rejects(
      withParameters((p) => p.append('code', 'x')),
      invalid,
    );
    await assert.rejects(
      withParameters((p) => p.append('id_token', 'x')),
      invalid,
    );
    // None of these used the code up.
    assert.equal((await finish(setup(), good)).subject, 'alice');
    await assert.rejects(finish(setup(), good), failure('denied'), 'a code counts once');
  });

  test('another verifier, another nonce, another redirect URI, nothing kept', async () => {
    const withKept = async (kept: Record<string, string>, uri = redirectUri) => {
      const back = await goAndReturn(setup(), as('alice'));
      return finish(setup(), { ...back, redirectUri: uri, kept: { ...back.kept, ...kept } });
    };
    await assert.rejects(withKept({ codeVerifier: 'x'.repeat(43) }), failure('denied'));
    await assert.rejects(withKept({ nonce: 'x'.repeat(43) }), failure('answer_invalid'));
    await assert.rejects(withKept({}, 'http://127.0.0.1:9/other'), failure('denied'));
    const back = await goAndReturn(setup(), as('alice'));
    await assert.rejects(finish(setup(), { ...back, kept: {} }), failure('answer_invalid'));
  });

  test('errors of the provider, by their codes', async () => {
    const { kept } = await goAndReturn(setup(), as('alice'));
    const withError = (error: string) => {
      const parameters = new URLSearchParams({ state: 's', iss: lab.issuer, error, error_description: 'long words' });
      return finish(setup(), { redirectUri, state: 's', kept, parameters });
    };
    await assert.rejects(withError('login_required'), failure('denied'));
    await assert.rejects(withError('temporarily_unavailable'), failure('unavailable'));
    await assert.rejects(withError('unauthorized_client'), failure('misconfigured'));
    await assert.rejects(withError('toString'), failure('misconfigured'));
    await assert.rejects(withError('<b>anything</b> at all'), failure('misconfigured', '<b>', 'long words'));
  });

  test('the test of a policy: what is wrong with it shows without a person', async () => {
    await testUpstream(setup());
    const secret = 'a secret of another';
    await assert.rejects(testUpstream(setup({}, secret)), failure('misconfigured', secret));
    await assert.rejects(testUpstream(setup({}, '')), failure('misconfigured'));
    await assert.rejects(testUpstream(setup({ clientId: 'another' })), failure('misconfigured'));
    await assert.rejects(testUpstream(setup({ issuer: `${lab.issuer}/` })), failure('answer_invalid'));
    await assert.rejects(testUpstream(setup({ issuer: `${lab.issuer}/realm` })), failure('misconfigured'));
    await assert.rejects(testUpstream(setup({ issuer: `${lab.issuer}?x` })), failure('misconfigured'));
    await assert.rejects(testUpstream(setup({ issuer: 'https://nobody.invalid' })), failure('unavailable'));
    await assert.rejects(testUpstream(setup({ issuer: 'http://127.0.0.1:1' })), failure('unavailable'));
    await assert.rejects(testUpstream(setup({ issuer: 'https://169.254.169.254' })), failure('forbidden'));
    await assert.rejects(testUpstream(setup({ issuer: 'http://example.com' })), failure('forbidden'));
    const closed = { ...services(), guard: { privateTargets: false } };
    await assert.rejects(testUpstream({ ...setup(), services: closed }), failure('forbidden'));
  });

  test('a certificate that nobody vouches for is no proof', async () => {
    const server = await startServer({ env: { SEKISHO_HTTPS: 'local' } });
    try {
      const issuer = `https://localhost:${server.port}/oidc`;
      await assert.rejects(testUpstream(setup({ issuer })), failure('untrusted'));
    } finally {
      await server.close();
    }
  });

  test('a client that proves itself in the body', async () => {
    await using posting = await startOidcLab([redirectUri], { clientAuthMethod: 'client_secret_post' });
    const byPost = {
      upstream: oidcUpstream,
      configuration: posting.oidc,
      secrets: { clientSecret: posting.clientSecret },
    };
    await testUpstream(byPost);
    assert.equal((await finish(byPost, await goAndReturn(byPost, as('alice')))).subject, 'alice');
  });
});
