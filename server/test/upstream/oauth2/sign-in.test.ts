/** OAuth 2 against a real provider: `oidc-provider`, which tells who somebody is in words of its own. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { OAuth2Configuration } from '../../../src/upstream/oauth2/configuration.ts';
import { oauth2Upstream } from '../../../src/upstream/oauth2/upstream.ts';
import { noFields, type OidcLab, startOidcLab } from '../../labs/oidc.ts';
import { as, whoDenies } from '../../labs/oidc-driver.ts';
import { failure, finish, goAndReturn, redirectUri, services, test as testUpstream } from './support.ts';

describe('OAuth 2', () => {
  let lab: OidcLab;
  before(async () => {
    lab = await startOidcLab([redirectUri]);
  });
  after(() => lab.close());

  const setup = (configuration: Partial<OAuth2Configuration> = {}, clientSecret = lab.clientSecret) => ({
    upstream: oauth2Upstream,
    configuration: { ...lab.oauth2, ...configuration },
    secrets: { clientSecret },
  });

  test('the user info says who it is, in its own words', async () => {
    const { claims, ...person } = await finish(setup(), await goAndReturn(setup(), as('alice')));
    assert.deepEqual(person, {
      issuer: lab.issuer,
      subject: '1001',
      email: 'alice@example.com',
      // `email_verified` would speak of another address than `contact.mail`.
      emailVerified: false,
      username: 'alice',
      name: 'Alice Example',
      givenName: null,
      familyName: null,
      picture: 'https://example.com/alice.png',
      groups: [],
      amr: [],
    });
    assert.equal(claims.login, 'alice');
  });

  test('whether an address is verified: where the policy says it stands, or by its word', async () => {
    const named = setup({ fields: { ...lab.oauth2.fields, emailVerified: 'contact.confirmed' } });
    assert.equal((await finish(named, await goAndReturn(named, as('bob')))).emailVerified, true);
    const vouching = setup({ emailIsVerified: true });
    assert.equal((await finish(vouching, await goAndReturn(vouching, as('bob')))).emailVerified, true);
  });

  test('by issuer: its metadata name the endpoints, and iss is checked', async () => {
    const byIssuer = setup({
      issuer: lab.issuer,
      authorizationUrl: null,
      tokenUrl: null,
      userInfoUrl: null,
      scopes: ['openid', 'profile'],
      fields: noFields,
    });
    const back = await goAndReturn(byIssuer, as('bob'));
    const parameters = new URLSearchParams(back.parameters);
    parameters.set('iss', 'https://else.example');
    await assert.rejects(finish(byIssuer, { ...back, parameters }), failure('answer_invalid'));
    const identity = await finish(byIssuer, back);
    assert.deepEqual([identity.issuer, identity.subject, identity.name], [lab.issuer, 'bob', 'Bob Example']);
    await testUpstream(byIssuer);
  });

  test('nobody without an id: missing, no text, an inherited name', async () => {
    for (const id of [
      'sub',
      'contact',
      'contact.confirmed',
      'login.length',
      'toString',
      '__proto__',
      'constructor.name',
    ]) {
      const other = setup({ fields: { ...lab.oauth2.fields, id } });
      await assert.rejects(finish(other, await goAndReturn(other, as('alice'))), failure('answer_invalid'), id);
    }
  });

  test('the request: code, PKCE, state; no secret', async () => {
    const secrets = { clientSecret: lab.clientSecret };
    const request = { redirectUri, state: 's', loginHint: 'a@b.example' };
    const configuration = { ...lab.oauth2, authorizationUrl: `${lab.issuer}/auth?tenant=1&state=x#there` };
    const { location, kept } = await oauth2Upstream.begin(services(), configuration, secrets, request);
    const { code_challenge: challenge, ...rest } = Object.fromEntries(new URL(location).searchParams);
    assert.deepEqual(rest, {
      tenant: '1',
      response_type: 'code',
      client_id: lab.clientId,
      redirect_uri: redirectUri,
      scope: 'profile email',
      state: 's',
      code_challenge_method: 'S256',
    });
    assert.match(challenge!, /^[\w-]{43}$/);
    assert.deepEqual(Object.keys(kept), ['codeVerifier']);
    assert.ok(!location.includes('#') && !location.includes(kept.codeVerifier!));
    assert.ok(!JSON.stringify({ location, kept }).includes(lab.clientSecret));
  });

  test('a new proof of who it is can not be had', async () => {
    await assert.rejects(goAndReturn(setup(), as('alice'), { reauthenticates: true }), failure('denied'));
  });

  test('people are sent to no other scheme than https', async () => {
    for (const [authorizationUrl, expected] of [
      ['http://example.com/authorize', 'forbidden'],
      ['javascript:alert(1)', 'forbidden'],
      ['https://user:password@example.com/', 'misconfigured'],
      ['nowhere', 'misconfigured'],
      [null, 'misconfigured'],
    ] as const) {
      await assert.rejects(goAndReturn(setup({ authorizationUrl }), as('alice')), failure(expected));
    }
  });

  test('denied; another state, verifier, secret; a code that was used', async () => {
    await assert.rejects(finish(setup(), await goAndReturn(setup(), whoDenies)), failure('denied'));
    const good = await goAndReturn(setup(), as('alice'));
    const parameters = new URLSearchParams(good.parameters);
    parameters.set('state', 'another');
    await assert.rejects(finish(setup(), { ...good, parameters }), failure('answer_invalid'));
    await assert.rejects(finish(setup({}, 'another secret'), good), failure('misconfigured', 'another secret'));
    assert.equal((await finish(setup(), good)).subject, '1001');
    await assert.rejects(finish(setup(), good), failure('denied'));
    const another = await goAndReturn(setup(), as('alice'));
    const kept = { codeVerifier: 'x'.repeat(43) };
    await assert.rejects(finish(setup(), { ...another, kept }), failure('denied'));
  });

  test('the test of a policy: what is wrong with it shows without a person', async () => {
    await testUpstream(setup());
    const url = (path: string) => `${lab.issuer}${path}`;
    await assert.rejects(testUpstream(setup({}, 'a wrong secret')), failure('misconfigured', 'a wrong secret'));
    await assert.rejects(testUpstream(setup({ tokenUrl: url('/jwks') })), failure('answer_invalid'));
    await assert.rejects(testUpstream(setup({ tokenUrl: 'http://127.0.0.1:1/' })), failure('unavailable'));
    await assert.rejects(testUpstream(setup({ tokenUrl: 'https://[::ffff:127.0.0.1]/' })), failure('forbidden'));
    await assert.rejects(testUpstream(setup({ tokenUrl: null })), failure('misconfigured'));
    await assert.rejects(testUpstream(setup({ userInfoUrl: null })), failure('misconfigured'));
    await assert.rejects(testUpstream(setup({ userInfoUrl: url('/nothing') })), failure('misconfigured'));
    await assert.rejects(testUpstream(setup({ userInfoUrl: 'https://169.254.169.254/' })), failure('forbidden'));
    await assert.rejects(testUpstream(setup({ authorizationUrl: 'http://example.com' })), failure('forbidden'));
    await assert.rejects(testUpstream(setup({ issuer: url('/x') })), failure('misconfigured'));
  });
});
