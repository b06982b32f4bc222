/** OAuth 1 with a provider that says anything. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UpstreamFailure } from '../../../src/upstream/identity.ts';
import { oauth1Upstream } from '../../../src/upstream/oauth1/upstream.ts';
import { type BadAnswer, json, redirectTo } from '../../labs/liar-answers.ts';
import { form, honestAnswers, type OAuth1Liar, startOAuth1Liar } from '../../labs/liar-oauth1.ts';
import { failure, redirectUri, services } from '../oauth2/support.ts';

const secrets = { consumerSecret: 'a secret of ours' };

async function signIn({ oauth1 }: OAuth1Liar) {
  const given = services();
  const { kept } = await oauth1Upstream.begin(given, oauth1, secrets, { redirectUri, state: 's' });
  const parameters = new URLSearchParams({ state: 's', oauth_token: kept.token!, oauth_verifier: 'v' });
  return oauth1Upstream.finish(given, oauth1, secrets, { redirectUri, state: 's', kept, parameters });
}

/** With one answer instead of the honest one. */
async function signInWith(path: string, answer: BadAnswer) {
  await using liar = await startOAuth1Liar();
  Object.assign(liar.answers, honestAnswers(), { [path]: answer });
  return await signIn(liar);
}

const refused = (path: string, answer: BadAnswer, expected: UpstreamFailure) =>
  assert.rejects(signInWith(path, answer), failure(expected, 'a secret of ours', 's1', 's2'), JSON.stringify(answer));

test('the honest one is taken; every request is signed anew, with the token it has', async () => {
  await using liar = await startOAuth1Liar();
  const { subject, email, emailVerified } = await signIn(liar);
  assert.deepEqual([subject, email, emailVerified], ['person-1', 'person@example.com', false]);
  const headers = liar.requests.map(({ authorization }) =>
    Object.fromEntries([...authorization.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value])),
  );
  assert.deepEqual(
    headers.map(({ oauth_token: token, oauth_verifier: verifier, oauth_callback: callback }) => [
      token,
      verifier,
      callback,
    ]),
    [
      [undefined, undefined, encodeURIComponent(`${redirectUri}&state=s`)],
      ['t1', 'v', undefined],
      ['t2', undefined, undefined],
    ],
  );
  for (const name of ['oauth_nonce', 'oauth_signature']) {
    assert.equal(new Set(headers.map((header) => header[name])).size, 3, name);
  }
});

test('a request token whose callback is not confirmed', async () => {
  const token = { oauth_token: 't1', oauth_token_secret: 's1' };
  await refused('/request_token', form(token), 'answer_invalid');
  await refused('/request_token', form({ ...token, oauth_callback_confirmed: 'false' }), 'answer_invalid');
  await refused('/request_token', form({ ...token, oauth_callback_confirmed: 'TRUE' }), 'answer_invalid');
});

test('tokens that are none, at both legs', async () => {
  for (const path of ['/request_token', '/access_token']) {
    const confirmed = { oauth_callback_confirmed: 'true' };
    await refused(path, form({ ...confirmed, oauth_token: 't' }), 'answer_invalid');
    await refused(path, form({ ...confirmed, oauth_token_secret: 's' }), 'answer_invalid');
    await refused(path, form({ ...confirmed, oauth_token: '', oauth_token_secret: 's' }), 'answer_invalid');
    const long = 'x'.repeat(1025);
    await refused(path, form({ ...confirmed, oauth_token: long, oauth_token_secret: 's' }), 'answer_invalid');
    await refused(path, json({ ...confirmed, oauth_token: 't', oauth_token_secret: 's' }), 'answer_invalid');
    await refused(path, { status: 200 }, 'answer_invalid');
    await refused(path, { status: 503 }, 'unavailable');
    await refused(path, 'huge', 'answer_invalid');
    await refused(path, redirectTo('http://169.254.169.254/'), 'answer_invalid');
    await refused(path, redirectTo('/profile'), 'answer_invalid');
  }
  await refused('/request_token', { status: 401 }, 'misconfigured');
  await refused('/access_token', { status: 401 }, 'denied');
});

test('profiles that say nothing of use', async () => {
  for (const profile of [[], {}, 'x', { id: null }, { id: 1.5 }, { id: 2 ** 53 }, { id: '' }, { id: ['1'] }]) {
    await refused('/profile', json(profile), 'answer_invalid');
  }
  const html = { status: 200, headers: { 'content-type': 'text/html' }, body: '{"id":"person-1"}' };
  await refused('/profile', html, 'answer_invalid');
  await refused('/profile', { status: 401 }, 'misconfigured');
  await refused('/profile', { status: 500 }, 'unavailable');
  await refused('/profile', 'endless', 'answer_invalid');
  await refused('/profile', redirectTo('/request_token'), 'answer_invalid');
});
