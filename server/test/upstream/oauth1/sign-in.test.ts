/** OAuth 1.0a against a real provider: Python's oauthlib. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { OAuth1Configuration } from '../../../src/upstream/oauth1/configuration.ts';
import { oauth1Upstream } from '../../../src/upstream/oauth1/upstream.ts';
import { noOAuth1Lab, type OAuth1Lab, startOAuth1Lab } from '../../labs/oauth1.ts';
import { as, whoDenies } from '../../labs/oidc-driver.ts';
import { failure, finish, goAndReturn, redirectUri, services, test as testUpstream } from '../oauth2/support.ts';

describe('OAuth 1', { skip: noOAuth1Lab }, () => {
  let lab: OAuth1Lab;
  before(async () => {
    lab = await startOAuth1Lab(redirectUri);
  });
  after(() => lab.close());

  const setup = (configuration: Partial<OAuth1Configuration> = {}, consumerSecret = lab.consumerSecret) => ({
    upstream: oauth1Upstream,
    configuration: { ...lab.oauth1, ...configuration },
    secrets: { consumerSecret },
  });

  test('the profile says who it is', async () => {
    const { claims, ...person } = await finish(setup(), await goAndReturn(setup(), as('alice')));
    assert.deepEqual(person, {
      issuer: lab.issuer,
      subject: '1001',
      email: 'alice@example.com',
      emailVerified: false,
      username: 'alice',
      name: 'Alice Example',
      givenName: null,
      familyName: null,
      picture: null,
      groups: [],
      amr: [],
    });
    assert.deepEqual(claims.contact, { mail: 'alice@example.com' });
    const vouching = setup({ emailIsVerified: true });
    assert.equal((await finish(vouching, await goAndReturn(vouching, as('bob')))).emailVerified, true);
  });

  test('what is kept, and what is shown to the browser', async () => {
    const request = { redirectUri, state: 's' };
    const secrets = { consumerSecret: lab.consumerSecret };
    const { location, kept } = await oauth1Upstream.begin(services(), lab.oauth1, secrets, request);
    assert.deepEqual(Object.keys(kept).sort(), ['token', 'tokenSecret']);
    assert.equal(location, `${lab.oauth1.authorizeUrl}?oauth_token=${kept.token}`);
    assert.ok(!JSON.stringify({ location, kept }).includes('secret &'));
  });

  test('the person says no', async () => {
    const back = await goAndReturn(setup(), whoDenies);
    assert.equal(back.parameters.get('denied'), back.kept.token);
    await assert.rejects(finish(setup(), back), failure('denied'));
  });

  test('a new proof of who it is can not be had', async () => {
    await assert.rejects(goAndReturn(setup(), as('alice'), { reauthenticates: true }), failure('denied'));
  });

  test('what the browser brings back is compared: state, token, verifier', async () => {
    const good = await goAndReturn(setup(), as('alice'));
    const other = await goAndReturn(setup(), as('bob'));
    const withParameters = (change: (parameters: URLSearchParams) => void) => {
      const parameters = new URLSearchParams(good.parameters);
      change(parameters);
      return finish(setup(), { ...good, parameters });
    };
    const invalid = failure('answer_invalid', good.kept.tokenSecret!, good.parameters.get('oauth_verifier')!);
    await assert.rejects(
      withParameters((p) => p.set('state', 'another')),
      invalid,
    );
    await assert.rejects(
      withParameters((p) => p.delete('state')),
      invalid,
    );
    await assert.rejects(
      withParameters((p) => p.set('oauth_token', other.kept.token!)),
      invalid,
    );
    await assert.rejects(
      withParameters((p) => p.delete('oauth_token')),
      invalid,
    );
    await assert.rejects(
      withParameters((p) => p.append('oauth_token', good.kept.token!)),
      invalid,
    );
    await assert.rejects(
      withParameters((p) => p.delete('oauth_verifier')),
      invalid,
    );
    await assert.rejects(
      withParameters((p) => p.set('oauth_verifier', '')),
      invalid,
    );
    await assert.rejects(finish(setup(), { ...good, kept: {} }), invalid);
    // These the provider refuses.
    await assert.rejects(
      withParameters((p) => p.set('oauth_verifier', 'x'.repeat(30))),
      failure('denied'),
    );
    const { token } = good.kept;
    await assert.rejects(finish(setup(), { ...good, kept: { token: token!, tokenSecret: 'x' } }), failure('denied'));
    await assert.rejects(finish(setup({}, 'another'), good), failure('denied', 'another'));
    assert.equal((await finish(setup(), good)).subject, '1001');
    await assert.rejects(finish(setup(), good), failure('denied'), 'a token counts once');
  });

  test('the profile is told to nobody whose signature is wrong', async () => {
    const answer = await fetch(lab.oauth1.profileUrl);
    assert.equal(answer.status, 401);
  });

  test('nobody without an id', async () => {
    for (const id of [null, 'contact', 'toString', 'name.length']) {
      const other = setup({ fields: { ...lab.oauth1.fields, id } });
      await assert.rejects(finish(other, await goAndReturn(other, as('alice'))), failure('answer_invalid'), String(id));
    }
  });

  test('a clock that is off by an hour: the provider refuses our timestamps', async () => {
    const off = services();
    off.clock.advance(3_600_000);
    await assert.rejects(testUpstream({ ...setup(), services: off }), failure('misconfigured'));
  });

  test('the test of a policy: what is wrong with it shows without a person', async () => {
    await testUpstream(setup());
    const url = (path: string) => `${lab.issuer}${path}`;
    await assert.rejects(testUpstream(setup({}, 'a wrong secret')), failure('misconfigured', 'a wrong secret'));
    await assert.rejects(testUpstream(setup({}, '')), failure('misconfigured'));
    await assert.rejects(testUpstream(setup({ consumerKey: 'somebody-else' })), failure('misconfigured'));
    await assert.rejects(testUpstream(setup({ requestTokenUrl: url('/nothing') })), failure('misconfigured'));
    await assert.rejects(testUpstream(setup({ requestTokenUrl: 'nothing' })), failure('misconfigured'));
    await assert.rejects(testUpstream(setup({ requestTokenUrl: 'http://example.com/' })), failure('forbidden'));
    await assert.rejects(testUpstream(setup({ requestTokenUrl: 'https://169.254.169.254/' })), failure('forbidden'));
    await assert.rejects(testUpstream(setup({ requestTokenUrl: 'http://127.0.0.1:1/' })), failure('unavailable'));
    await assert.rejects(testUpstream(setup({ authorizeUrl: 'javascript:alert(1)' })), failure('forbidden'));
    const closed = { ...services(), guard: { privateTargets: false } };
    await assert.rejects(testUpstream({ ...setup(), services: closed }), failure('forbidden'));
  });
});
