/** People who sign in elsewhere: the way there and back, and whatever can go wrong on it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { upstreamRequestLifetimeMs } from '../../src/domain/auth-policies/upstream-requests.ts';
import { eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { type Liar, type Lies, startLiar } from '../labs/liar.ts';
import { insertPolicy } from '../native/policy-rows.ts';
import { interactionOf } from '../pages/support.ts';
import {
  ask,
  assertProblem,
  besideLabs,
  choose,
  formFromElsewhere,
  liarPolicy,
  offerOnly,
  reasonsSince,
  signInAtLiar,
  throughLiar,
  tokensOf,
} from './policies-support.ts';
import { Browser, callbackOf, claimsOf, makeApp, makeUser, native, type TestClient } from './support.ts';

const expired = /This sign-in is over/;

const denied = (back: URLSearchParams) => {
  back.delete('code');
  back.set('error', 'access_denied');
};

eachEngine('sign-in by redirect', (engine) => {
  let server: TestServer;
  let liar: Liar;
  let app: TestClient;
  let policy: string;
  let other: string;
  const clock = new TestClock();
  before(async () => {
    server = await startServer({ engine, clock, env: besideLabs });
    liar = await startLiar();
    app = await makeApp(server);
    policy = await liarPolicy(server, liar);
    other = await liarPolicy(server, liar, { title: 'Other' });
  });
  after(async () => {
    await liar.close();
    await server.close();
  });

  /** A browser that is on its way back. */
  const onTheWay = async () => {
    const asking = await ask(server, app);
    return { ...asking, back: await throughLiar(await choose(asking.browser, policy)) };
  };

  test('ends in a code and tokens; the next request asks nothing', async () => {
    const asking = await ask(server, app);
    assert.match(asking.browser.page.text, /<p class="or">or<\/p>/);
    assert.match(asking.browser.page.text, new RegExp(`name="policy" value="${policy}">Continue with Liar</button>`));
    assert.ok(asking.browser.page.headers.get('content-security-policy')?.includes("form-action 'self' https: http:"));
    await signInAtLiar(asking.browser, policy);
    const { id_token: idToken } = await tokensOf(server, app, asking);
    const [identity] = (await server.rows('identities')).filter(({ policy_id }) => policy_id === policy);
    assert.deepEqual([identity.subject, identity.user_id], ['person-1', claimsOf(idToken).sub]);
    assert.ok(!asking.browser.cookies.has('sekisho-device'), 'there is no password to guess');
    await ask(server, app, {}, asking.browser);
    assert.ok(callbackOf(asking.browser.page).code);
  });

  test('answers of the callback are kept by nobody, and name no address to anybody', async () => {
    const { browser, back } = await onTheWay();
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(`${server.origin}${back}`, { redirect: 'manual', headers: { cookie } });
    assert.equal(answer.status, 303);
    assert.equal(answer.headers.get('location'), `/interaction/${interactionOf(browser)}`);
    assert.match(answer.headers.getSetCookie().join(), /^sekisho-session=[\w-]{43}; .*HttpOnly; SameSite=Lax$/);
    const wrong = await server.request('GET', back);
    for (const { headers } of [answer, wrong]) {
      assert.deepEqual([headers.get('referrer-policy'), headers.get('cache-control')], ['no-referrer', 'no-store']);
    }
  });

  test('the session that was there is replaced by a new one', async () => {
    const { browser, back } = await onTheWay();
    browser.cookies.set('sekisho-session', 'p'.repeat(43));
    await browser.open(back);
    assert.ok(callbackOf(browser.page).code);
    assert.notEqual(browser.cookies.get('sekisho-session'), 'p'.repeat(43));
  });

  test('state: none, unknown, changed, of another browser, used twice, of another policy, too old', async () => {
    const before = (await server.rows('sessions')).length;
    const refused = async (browser: Browser, path: string) => {
      const page = await browser.open(path);
      assert.equal(page.status, 404, page.text);
      assert.match(page.text, expired);
      assert.ok(!browser.cookies.has('sekisho-session'));
    };
    const first = await onTheWay();
    const state = new URL(first.back, server.origin).searchParams.get('state') as string;
    await refused(first.browser, first.back.replace(/&?state=[^&]*/, ''));
    await refused(first.browser, first.back.replace(state, 'x'.repeat(state.length)));
    await refused((await onTheWay()).browser, first.back);
    await refused(new Browser(server), first.back);
    // Nobody else's try used it up.
    await first.browser.open(first.back);
    assert.ok(callbackOf(first.browser.page).code);
    first.browser.cookies.delete('sekisho-session');
    await refused(first.browser, first.back);

    const second = await onTheWay();
    await refused(second.browser, second.back.replace(policy, other));
    const late = await onTheWay();
    clock.advance(upstreamRequestLifetimeMs + 60_000);
    await refused(late.browser, late.back);
    clock.advance(-upstreamRequestLifetimeMs - 60_000);
    assert.equal((await server.rows('sessions')).length, before + 1);
    const last = await server.logEvents();
    assert.equal(last.at(-1)?.reason, 'upstream_state_unknown');
  });

  test('state of another tenant', async () => {
    const tenantId = `other-${engine}`;
    await native(server, 'POST', '/tenants', { id: tenantId });
    const { db } = server.composed.services;
    // Rows come in any order.
    const before = new Set((await server.rows('upstream_requests')).map(({ state_hash }) => state_hash));
    const { browser, back } = await onTheWay();
    const [row] = (await server.rows('upstream_requests')).filter(({ state_hash }) => !before.has(state_hash));
    const elsewhere = await insertPolicy(server, { tenant_id: tenantId });
    await db.transact((trx) =>
      trx
        .updateTable('upstream_requests')
        .set({ tenant_id: tenantId, policy_id: elsewhere })
        .where('state_hash', '=', row.state_hash)
        .execute(),
    );
    const page = await browser.open(back);
    assert.equal(page.status, 404);
    assert.match(page.text, expired);
    assert.equal((await server.rows('upstream_requests')).filter((one) => one.tenant_id === tenantId).length, 1);
  });

  test('a login that the upstream began is refused', async () => {
    const { browser } = await ask(server, app);
    const page = await browser.open(`/sign-in/callback/${policy}?code=anything&iss=${encodeURIComponent(liar.issuer)}`);
    assert.equal(page.status, 404);
    assert.match(page.text, expired);
    assert.ok(!browser.cookies.has('sekisho-session'));
  });

  test('a form of another site goes on by GET, without a session of its own', async () => {
    const path = `/sign-in/callback/${policy}`;
    const answer = await formFromElsewhere(server, path, { state: 's&x=1', code: 'c' });
    assert.equal(answer.status, 303);
    assert.equal(answer.headers.get('location'), `${path}?state=s%26x%3D1&code=c`);
    assert.equal(answer.headers.get('referrer-policy'), 'no-referrer');
    assert.deepEqual(answer.headers.getSetCookie(), []);
    assert.equal((await formFromElsewhere(server, path, { code: 'c'.repeat(9000) })).status, 400);
    assert.equal((await formFromElsewhere(server, path, { code: 'c'.repeat(20_000) })).status, 413);
    assert.equal((await server.request('GET', `/sign-in/callback/${policy}?state=a&state=b`)).status, 400);
    assert.equal((await server.request('HEAD', `/sign-in/callback/${policy}`)).status, 404);
  });

  test('no form but ours sends anybody away', async () => {
    const { browser } = await ask(server, app);
    const path = `/interaction/${interactionOf(browser)}/upstream`;
    const before = (await server.rows('upstream_requests')).length;
    assert.equal((await browser.post(path, { policy })).status, 403);
    assert.equal((await browser.post(path, { policy, csrf: 'x'.repeat(43) })).status, 403);
    assert.equal((await server.rows('upstream_requests')).length, before);
  });

  test('unknown policies, forms, and those that are off send nobody away', async () => {
    const form = await native(server, 'POST', '/auth-policies', { name: 'own', type: 'password', configuration: {} });
    const off = await liarPolicy(server, liar, { enabled: false });
    for (const id of ['password', form.id, off, 'unknown', `${policy}'`, 'x'.repeat(5000), '']) {
      const { browser } = await ask(server, app);
      const before = (await server.logEvents()).length;
      const page = await browser.submit('/upstream', { policy: id });
      assertProblem(page, 400, /You can not sign in here in this way/);
      assert.deepEqual(await reasonsSince(server, before), ['policy_unknown'], id);
      assert.ok(page.text.includes('name="password"'), 'the form is still there');
    }
    await native(server, 'DELETE', `/auth-policies/${form.id}`);
  });

  test('what is not offered is refused, also when it ceases to be on the way', async () => {
    const own = await makeApp(server);
    const { browser } = await ask(server, own);
    await offerOnly(server, 'applications', own.clientId, [other, 'password']);
    assertProblem(await browser.submit('/upstream', { policy }), 403, /You can not sign in here in this way/);
    const back = await throughLiar(await choose(browser, other));
    await offerOnly(server, 'applications', own.clientId, ['password']);
    const before = (await server.logEvents()).length;
    const page = await browser.open(back);
    assertProblem(page, 403, /You can not sign in here in this way/);
    assert.ok(!page.text.includes('/upstream'));
    assert.deepEqual(await reasonsSince(server, before), ['policy_not_offered']);
    assert.ok(!browser.cookies.has('sekisho-session'));
  });

  test('a problem in an address is one of ours, or none', async () => {
    const { browser } = await ask(server, app);
    const path = `/interaction/${interactionOf(browser)}/sign-in`;
    for (const problem of ['form_forged', 'nothing', '<b>text</b>', 'constructor', '']) {
      const page = await browser.open(`${path}?problem=${encodeURIComponent(problem)}`);
      assert.equal(page.status, 200, problem);
      assert.doesNotMatch(page.text, /role="alert"|<b>text/);
    }
    assertProblem(
      await browser.open(`${path}?problem=upstream_refused&ui_locales=ja`),
      400,
      /サインインは完了していません/,
    );
  });

  test('cancelled there, or an answer that can not be: a sentence, and the password works still', async () => {
    const user = await makeUser(server);
    const cases: [Lies, number, RegExp][] = [
      [{ callback: denied }, 400, /The sign-in was not finished/],
      [{ callback: (back) => back.set('code', 'no-such-code') }, 400, /The sign-in was not finished/],
      [{ token: () => ({ token_type: 'Bearer' }) }, 502, /could not be accepted/],
    ];
    for (const [lies, status, text] of cases) {
      liar.lies = lies;
      const { browser } = await ask(server, app);
      assertProblem(await signInAtLiar(browser, policy), status, text);
      liar.lies = {};
      await browser.signIn(user);
      assert.ok(callbackOf(browser.page).code);
    }
  });

  test('a provider that is down: a sentence, and the password works still', async () => {
    const user = await makeUser(server);
    const down = await liarPolicy(
      server,
      { ...liar, oidc: { ...liar.oidc, issuer: 'http://127.0.0.1:9' } },
      {},
      'openid',
    );
    const { browser } = await ask(server, app);
    assertProblem(await browser.submit('/upstream', { policy: down }), 503, /not available just now/);
    await browser.signIn(user);
    assert.ok(callbackOf(browser.page).code);
    await native(server, 'DELETE', `/auth-policies/${down}`);
  });

  test('one way and no form: a page with one button, also after a refusal', async () => {
    const own = await makeApp(server);
    await offerOnly(server, 'applications', own.clientId, [policy]);
    const { browser } = await ask(server, own);
    assert.equal(browser.page.status, 200);
    assert.ok(!browser.page.text.includes('name="identifier"'));
    assert.equal(browser.page.text.match(/name="policy"/g)?.length, 1);
    assert.doesNotMatch(browser.page.text, /class="or"|sign-up/);
  });

  test('whoever has to prove it again is asked again there', async () => {
    const openid = await liarPolicy(server, liar, {}, 'openid');
    const { browser } = await ask(server, app);
    const firstTime = new URL(await choose(browser, openid)).searchParams;
    assert.equal(firstTime.get('prompt'), null);
    await browser.open(`/interaction/${interactionOf(browser)}`);
    await signInAtLiar(browser, openid);
    const asking = await ask(server, app, { prompt: 'login', login_hint: 'me@example.com' }, browser);
    assert.match(browser.page.text, /Sign in again|Enter your password again/);
    const location = await choose(browser, openid);
    const { prompt, login_hint: hint, max_age: age } = Object.fromEntries(new URL(location).searchParams);
    assert.ok(prompt === 'login' || age === '0', location);
    assert.equal(hint, 'me@example.com');
    await browser.open(await throughLiar(location));
    assert.ok((await tokensOf(server, app, asking)).id_token);
  });

  test('a sign-in on another page, which asks nobody again, is no new proof', async () => {
    const openid = await liarPolicy(server, liar, {}, 'openid');
    for (const asked of [{ prompt: 'login' }, { max_age: '0' }]) {
      const { browser, verifier } = await ask(server, app, asked);
      const interaction = interactionOf(browser);
      await ask(server, app, {}, browser);
      const elsewhere = new URL(await choose(browser, openid));
      assert.equal(elsewhere.searchParams.get('prompt'), null);
      await browser.open(await throughLiar(elsewhere.href));
      await browser.open(`/interaction/${interaction}`);
      assert.equal(browser.page.status, 200);
      await signInAtLiar(browser, openid);
      assert.ok((await tokensOf(server, app, { browser, verifier })).id_token);
    }
  });

  test('another account is asked for there too', async () => {
    const openid = await liarPolicy(server, liar, {}, 'openid');
    const { browser } = await ask(server, app);
    await signInAtLiar(browser, openid);
    await ask(server, app, { prompt: 'select_account' }, browser);
    assert.match(browser.page.text, /Choose an account/);
    await browser.open(`/interaction/${interactionOf(browser)}/sign-in?account=other`);
    const { searchParams } = new URL(await choose(browser, openid));
    assert.ok(searchParams.get('prompt') === 'login' || searchParams.get('max_age') === '0', `${searchParams}`);
    assert.equal(searchParams.get('login_hint'), null);
  });
});
