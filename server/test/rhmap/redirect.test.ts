/** `$fh.auth` with a provider: tickets, the browser that began, the callback, and where it all ends. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { type OidcLab, startOidcLab } from '../labs/oidc.ts';
import { as, signInAtProvider, whoDenies } from '../labs/oidc-driver.ts';
import { choose } from '../sign-in/policies-support.ts';
import { authorizeUrl, Browser, makeApp, makeUser, native, redirectUri, type TestClient } from '../sign-in/support.ts';
import { auth, base, isValid, localTargets, makePolicy, type TestPolicy } from './support.ts';

const callbackPath = `${base}/arm/authCallback`;

eachEngine('RHMAP: sign-in at a provider', (engine) => {
  const clock = new TestClock();
  let server: TestServer;
  let lab: OidcLab;
  let policy: TestPolicy;
  let app: TestClient;
  before(async () => {
    server = await startServer({ engine, clock, env: localTargets });
    lab = await startOidcLab([`${server.origin}${callbackPath}`]);
    policy = await providerPolicy();
    app = await makeApp(server, 'Native');
  });
  after(async () => {
    await lab?.close();
    await server?.close();
  });

  const providerPolicy = (more: Record<string, unknown> = {}): Promise<TestPolicy> => {
    const { clientId, clientSecret, issuer } = lab;
    const configurations = { clientId, clientSecret, issuer, scope: 'openid profile email' };
    return makePolicy(server, { policyType: 'OPENID', configurations, ...more });
  };

  /** What the app is told to open. */
  const begin = async (more: Record<string, unknown> = {}, of: TestPolicy = policy): Promise<string> => {
    const { body, text } = await auth(server, of, app, { endRedirectUrl: redirectUri, ...more });
    assert.equal(body.status, 'ok', text);
    assert.deepEqual(Object.keys(body), ['status', 'url']);
    return body.url;
  };

  /** Opens what the app was told, up to the provider. */
  const toProvider = async (browser: Browser, url: string): Promise<string> => {
    const page = await browser.open(url);
    assert.equal(page.status, 303, page.text);
    return page.location as string;
  };

  /** Signs in there, and comes back with what the provider says. */
  const fromProvider = async (location: string, person = as('alice')): Promise<string> => {
    const { url } = await signInAtProvider(location, `${server.origin}${callbackPath}`, person);
    return `${url.pathname}${url.search}`;
  };

  /** Where the browser ends, and with what. */
  const endOf = (browser: Browser): URLSearchParams => {
    const { status, location = '', headers } = browser.page;
    assert.equal(status, 302, browser.page.text);
    assert.equal(headers.get('referrer-policy'), 'no-referrer');
    assert.equal(headers.get('cache-control'), 'no-store');
    return new URL(location).searchParams;
  };

  const whole = async (more: Record<string, unknown> = {}, of = policy, person = as('alice')): Promise<Browser> => {
    const browser = new Browser(server);
    await browser.open(await fromProvider(await toProvider(browser, await begin(more, of)), person));
    return browser;
  };

  const refusedWith = (browser: Browser, code: string): void => {
    const location = browser.page.location as string;
    assert.equal(endOf(browser).get('message'), code);
    assert.ok(
      location.startsWith(`${redirectUri}?`) && location.endsWith(`&result=failure&message=${code}&status=complete`),
      location,
    );
    assert.ok(!location.includes('fh_auth_session'));
  };

  test('the whole way: the session and who it is arrive at the app’s address', async () => {
    const browser = await whole();
    const { location = '' } = browser.page;
    assert.ok(location.startsWith(`${redirectUri}?fh_auth=end&fh_auth_session=`), location);
    assert.ok(location.endsWith('&result=success&status=complete'), location);
    const end = endOf(browser);
    assert.deepEqual(JSON.parse(end.get('authResponse') ?? ''), {
      id: 'alice',
      email: 'alice@example.com',
      name: 'Alice Example',
      given_name: 'Alice',
      family_name: 'Example',
      picture: 'https://example.com/alice.png',
      verified_email: true,
    });
    assert.equal(await isValid(server, end.get('fh_auth_session') ?? ''), true);
    // The browser itself is not signed in.
    assert.deepEqual([...browser.cookies.keys()], ['sekisho-browser']);
  });

  test('the SDK’s own parameter is kept, and nothing else may be added', async () => {
    for (const url of [`${redirectUri}?_fhAuthCallback=done`, `${redirectUri}?_fhAuthCallback=a.b$c`]) {
      const browser = await whole({ endRedirectUrl: url });
      assert.ok(browser.page.location?.startsWith(`${url}&fh_auth_session=`), browser.page.location);
    }
    for (const endRedirectUrl of [
      'https://evil.example/callback',
      `${redirectUri}/`,
      `${redirectUri}?a=1`,
      `${redirectUri}?_fhAuthCallback=a(b)`,
      `${redirectUri}?_fhAuthCallback=a&b=1`,
      `${redirectUri}?_fhAuthCallback=a#b`,
      `${redirectUri}#`,
      'https://app.example.evil.example/callback',
      'HTTPS://app.example/callback',
      '//app.example/callback',
      'javascript:alert(1)',
      `${server.origin}${callbackPath}`,
    ]) {
      const { status, body } = await auth(server, policy, app, { endRedirectUrl });
      const message = 'unregistered_endRedirectUrl';
      assert.deepEqual([status, body], [200, { status: 'error', message }], endRedirectUrl);
    }
  });

  test('without an address it ends at a page of ours, in the reader’s language, that sends nothing on', async () => {
    const browser = await whole({ endRedirectUrl: undefined });
    assert.equal(browser.page.status, 200);
    const url = new URL(browser.page.url);
    assert.equal(url.pathname, callbackPath);
    assert.equal(await isValid(server, url.searchParams.get('fh_auth_session') ?? ''), true);
    assert.equal(browser.page.headers.get('referrer-policy'), 'no-referrer');
    assert.match(browser.page.headers.get('content-security-policy') ?? '', /default-src 'none'/);
    assert.match(browser.page.text, /You are signed in/);
    assert.ok(!browser.page.text.includes(url.searchParams.get('fh_auth_session') ?? ''));
    const japanese = await browser.open(`${url.pathname}${url.search}`, { 'accept-language': 'ja' });
    assert.match(japanese.text, /サインインしました/);

    const failed = await whole({ endRedirectUrl: null }, policy, whoDenies);
    assert.match(failed.page.text, /You are not signed in[\s\S]*provider_refused/);
    const forged = await failed.open(`${callbackPath}?result=failure&message=<b>call+this+number</b>&status=complete`);
    assert.ok(!forged.text.includes('call this number'));
  });

  test('a provider that answers by a form: its POST, which has no cookie, goes on as a GET', async () => {
    const browser = new Browser(server);
    const back = new URL(await fromProvider(await toProvider(browser, await begin())), server.origin);
    const answer = await fetch(`${server.origin}${callbackPath}`, {
      method: 'POST',
      body: back.searchParams,
      redirect: 'manual',
    });
    assert.equal(answer.status, 303);
    const location = answer.headers.get('location') ?? '';
    assert.ok(location.startsWith(`${callbackPath}?`), location);
    await browser.open(location);
    assert.equal(endOf(browser).get('result'), 'success');
    const large = await fetch(`${server.origin}${callbackPath}`, {
      method: 'POST',
      body: new URLSearchParams({ state: 'x'.repeat(9000) }),
      redirect: 'manual',
    });
    assert.equal(large.status, 413);
  });

  test('what the provider or the policy refuses is told at the app’s address', async () => {
    refusedWith(await whole({}, policy, whoDenies), 'provider_refused');
    refusedWith(await whole({}, await providerPolicy({ checkUserExists: true }), as('carol')), 'user_not_found');
    refusedWith(await whole({}, await providerPolicy({ checkUserApproved: true }), as('carol')), 'user_not_approved');
    const { id } = (await server.rows('users')).find(({ email }) => email === 'alice@example.com');
    await native(server, 'PATCH', `/users/${id}/is-suspended`, { isSuspended: true });
    refusedWith(await whole(), 'user_disabled');
    await native(server, 'PATCH', `/users/${id}/is-suspended`, { isSuspended: false });
  });

  test('an address that is verified at both ends makes the user; one that is not makes another', async () => {
    const existing = await providerPolicy({ checkUserExists: true });
    const end = endOf(await whole({}, existing));
    assert.equal(end.get('result'), 'success', 'alice exists since the first test');
    await makeUser(server, { primaryEmail: 'bob@example.com' });
    refusedWith(await whole({}, existing, as('bob')), 'user_not_found');
    // Names at a provider are no names here unless the administrator says so.
    await makeUser(server, { primaryEmail: null, username: 'carol' });
    refusedWith(await whole({}, existing, as('carol')), 'user_not_found');
  });

  test('a ticket is good once, for ten minutes, and does not show in the log', async () => {
    const url = await begin();
    const ticket = new URL(url).searchParams.get('ticket') ?? '';
    assert.match(ticket, /^[A-Za-z0-9_-]{43}$/);
    assert.ok(!JSON.stringify(await server.rows('upstream_requests')).includes(ticket));
    const browser = new Browser(server);
    await toProvider(browser, url);
    for (const path of [url, `${base}/arm/begin?ticket=nothing`, `${base}/arm/begin`]) {
      const page = await new Browser(server).open(path);
      assert.ok(page.status >= 400 && page.status < 500, `${page.status}`);
      assert.equal(page.location, undefined);
      assert.ok(!page.text.includes(ticket));
    }
    const late = await begin();
    clock.advance(601_000);
    const page = await new Browser(server).open(late);
    clock.advance(-601_000);
    assert.ok(page.status >= 400 && page.status < 500);
    assert.ok(!JSON.stringify(await server.logEvents()).includes(ticket));
  });

  test('a code in another browser, a used state, a late one, one of elsewhere: nobody is signed in', async () => {
    const nobodyGetsIn = async (browser: Browser, path: string, why: string): Promise<void> => {
      const sessions = (await server.rows('sessions')).length;
      const page = await browser.open(path);
      assert.ok(page.status >= 400 && page.status < 500, `${why}: ${page.status}`);
      assert.equal(page.location, undefined, why);
      assert.equal((await server.rows('sessions')).length, sessions, why);
    };
    const mine = new Browser(server);
    const back = await fromProvider(await toProvider(mine, await begin()));
    await nobodyGetsIn(new Browser(server), back, 'no cookie');
    const other = new Browser(server);
    await toProvider(other, await begin());
    await nobodyGetsIn(other, back, 'another browser');
    for (const broken of [
      callbackPath,
      `${callbackPath}?code=x`,
      `${callbackPath}?state=x&code=y`,
      `${callbackPath}?status=complete&state=x`,
    ]) {
      await nobodyGetsIn(mine, broken, broken);
    }
    await mine.open(back);
    assert.equal(endOf(mine).get('result'), 'success', 'others could not use it up');
    await nobodyGetsIn(mine, back, 'used');

    const late = new Browser(server);
    const lateBack = await fromProvider(await toProvider(late, await begin()));
    clock.advance(601_000);
    await nobodyGetsIn(late, lateBack, 'late');
    clock.advance(-601_000);
  });

  test('a code that came for another policy or app ends in a failure', async () => {
    const browser = new Browser(server);
    const first = new URL(await fromProvider(await toProvider(browser, await begin())), server.origin);
    const second = new URL(
      await fromProvider(await toProvider(browser, await begin({}, await providerPolicy()))),
      server.origin,
    );
    second.searchParams.set('code', first.searchParams.get('code') ?? '');
    await browser.open(`${second.pathname}${second.search}`);
    const end = endOf(browser);
    assert.equal(end.get('result'), 'failure');
    assert.equal(end.get('fh_auth_session'), null);
  });

  test('what changed since it began counts at its end', async () => {
    const made = await providerPolicy();
    const begun = new Browser(server);
    const path = await fromProvider(await toProvider(begun, await begin({}, made)));
    await native(server, 'PATCH', `/auth-policies/${made.guid}`, { enabled: false });
    await begun.open(path);
    refusedWith(begun, 'unknown_policyId');
    await native(server, 'PATCH', `/auth-policies/${made.guid}`, { enabled: true });
    const ticket = await begin({}, made);
    await native(server, 'PATCH', `/auth-policies/${made.guid}`, { enabled: false });
    const browser = new Browser(server);
    await browser.open(ticket);
    refusedWith(browser, 'unknown_policyId');
  });

  test('an address that was taken off the application since gets no session', async () => {
    const moving = await makeApp(server, 'Native');
    const { body } = await auth(server, policy, moving, { endRedirectUrl: redirectUri });
    const late = await auth(server, policy, moving, { endRedirectUrl: redirectUri });
    const browser = new Browser(server);
    const path = await fromProvider(await toProvider(browser, body.url));
    await native(server, 'PATCH', `/applications/${moving.clientId}`, {
      oidcClientMetadata: { redirectUris: ['https://other.example/'], postLogoutRedirectUris: [] },
    });
    const sessions = (await server.rows('sessions')).length;
    for (const one of [path, late.body.url]) {
      await browser.open(one);
      const end = new URL(browser.page.url);
      assert.equal(end.pathname, callbackPath);
      assert.equal(end.searchParams.get('message'), 'unregistered_endRedirectUrl');
      assert.equal(end.searchParams.get('fh_auth_session'), null);
    }
    assert.equal((await server.rows('sessions')).length, sessions);
  });

  test('what was begun at a page of ours does not end in an app, nor the other way round', async () => {
    const web = await makeApp(server);
    const browser = new Browser(server);
    await browser.open(authorizeUrl('root', web));
    const state = new URL(await choose(browser, policy.guid)).searchParams.get('state') ?? '';
    const sessions = (await server.rows('sessions')).length;
    const ended = await browser.open(`${callbackPath}?state=${state}&code=x`);
    assert.ok(ended.status >= 400 && ended.status < 500, `${ended.status}`);
    assert.equal(ended.location, undefined);

    const back = new URL(await fromProvider(await toProvider(browser, await begin())), server.origin);
    const other = await browser.open(`/sign-in/callback/${policy.guid}${back.search}`);
    assert.ok(!(other.location ?? '').includes('fh_auth_session'), other.location);
    assert.deepEqual([...browser.cookies.keys()], ['sekisho-browser']);
    assert.equal((await server.rows('sessions')).length, sessions);
  });

  test('a provider that can not be reached: told at the app’s address', async () => {
    const { clientId, clientSecret } = lab;
    const configurations = { clientId, clientSecret, issuer: 'http://127.0.0.1:1', scope: 'openid' };
    const browser = new Browser(server);
    await browser.open(await begin({}, await makePolicy(server, { policyType: 'OPENID', configurations })));
    refusedWith(browser, 'provider_unavailable');
  });

  test('methods: pages are read by GET, and HEAD uses nothing up', async () => {
    const url = await begin();
    const path = url.slice(server.origin.length);
    for (const method of ['HEAD', 'POST', 'PUT', 'DELETE']) {
      const answer = await server.request(method, path);
      assert.ok([404, 405].includes(answer.status), `${method} ${answer.status}`);
    }
    await toProvider(new Browser(server), url);
  });
});
