import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { createSetupLink } from '../../src/domain/setup/setup-links.ts';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { rawRequest } from '../management/support.ts';
import { Browser, callbackOf, formsOf, makeApp, makeUser, type TestClient, type TestUser } from '../sign-in/support.ts';
import { assertPageHeaders, begin, interactionOf, reopen } from './support.ts';

eachEngine('forms of other sites', (engine) => {
  let server: TestServer;
  let app: TestClient;
  let thirdParty: TestClient;
  let user: TestUser;
  before(async () => {
    server = await startServer({ engine });
    app = await makeApp(server);
    thirdParty = await makeApp(server, 'Traditional', { isThirdParty: true });
    user = await makeUser(server);
  });
  after(() => server.close());

  /** What no forged form may change: everything, interactions and links included. */
  const state = async () =>
    JSON.stringify([
      await server.stateHash(),
      await server.rows('interactions'),
      await server.rows('setup_links'),
      await server.rows('authorization_codes').catch(() => []),
    ]);

  /** The form of the open page, as this browser would send it. */
  function formOf(browser: Browser, action: string) {
    const form = formsOf(browser.page.text).find((one) => one.action.endsWith(action));
    assert.ok(form, `${action}: ${browser.page.text}`);
    return form;
  }

  /** Another character in the middle, where each stands for six bits; the last ones may be what one would put there. */
  const altered = (token: string): string => `${token.slice(0, 20)}${token[20] === 'A' ? 'B' : 'A'}${token.slice(21)}`;

  /** Sends the form in every forged way, and then as it is; only the last may do anything. */
  async function assertOnlyOwn(browser: Browser, action: string, values: Record<string, string>) {
    const form = formOf(browser, action);
    const sent = { ...form.hidden, ...values };
    const stranger = await begin(server, app);
    const strangersToken = formOf(stranger, '/sign-in').hidden.csrf as string;
    const { csrf, ...without } = sent;
    const { host } = new URL(server.origin);
    const forged: [string, Record<string, string>, Record<string, string>][] = [
      ['no token', without, {}],
      ['an empty token', { ...sent, csrf: '' }, {}],
      ['the token of another browser', { ...sent, csrf: strangersToken }, {}],
      ['a token that was altered', { ...sent, csrf: altered(csrf as string) }, {}],
      ['another site, by Origin', sent, { origin: 'https://evil.example' }],
      ['another scheme, by Origin', sent, { origin: `https://${host}` }],
      ['another port, by Origin', sent, { origin: 'http://localhost:1' }],
      ['an opaque origin', sent, { origin: 'null' }],
      ['another site, by Sec-Fetch-Site', sent, { 'sec-fetch-site': 'cross-site' }],
      ['a host beside ours, by Sec-Fetch-Site', sent, { 'sec-fetch-site': 'same-site' }],
    ];
    const before = await state();
    for (const [what, body, headers] of forged) {
      const page = await send(browser, form.action, body, headers);
      assert.equal(page.status, 403, `${action}: ${what}`);
      assert.equal(page.headers.get('location'), null, what);
      assert.deepEqual(page.headers.getSetCookie(), [], what);
      assertPageHeaders(page.headers, what);
      assert.equal(await state(), before, `${action}: ${what} changed something`);
    }
    const lastEvent = (await server.logEvents()).at(-1);
    assert.equal(lastEvent.reason, 'form_forged');
    const own = await send(browser, form.action, sent, { origin: server.origin, 'sec-fetch-site': 'same-origin' });
    assert.equal(own.status, 303, `${action}: the form itself`);
    assert.notEqual(await state(), before, `${action}: the form itself does something`);
  }

  function send(browser: Browser, path: string, body: Record<string, string>, headers: Record<string, string>) {
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const form = new URLSearchParams(body);
    return fetch(`${server.origin}${path}`, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie, ...headers },
      body: form,
    });
  }

  it('can not sign anybody in', async () => {
    const browser = await begin(server, app);
    await assertOnlyOwn(browser, '/sign-in', { identifier: user.email, password: user.password });
  });

  it('can not cancel a sign-in', async () => assertOnlyOwn(await begin(server, app), '/cancel', {}));

  it('can not consent', async () => {
    const browser = await begin(server, thirdParty);
    await browser.signIn(user);
    await assertOnlyOwn(browser, '/consent', { decision: 'allow' });
  });

  it('can not confirm an account', async () => {
    const browser = await begin(server, app);
    await browser.signIn(user);
    await reopen(browser, app, { prompt: 'select_account' });
    await assertOnlyOwn(browser, '/account', {});
  });

  it('can not make the first administrator, even with the link', async () => {
    const { url } = await createSetupLink(server.composed.services, 'default');
    const browser = new Browser(server);
    await browser.open(`${new URL(url).pathname}${new URL(url).search}`);
    await assertOnlyOwn(browser, '/setup', {
      identifier: `first-${engine}@example.com`,
      password: 'a long enough one',
    });
  });

  it('can not use the token of one form for another', async () => {
    const browser = await begin(server, app);
    const { csrf = '' } = formOf(browser, '/cancel').hidden;
    const { action } = formOf(browser, '/sign-in');
    const page = await send(browser, action, { csrf, identifier: user.email, password: user.password }, {});
    assert.equal(page.status, 403);
  });

  it('can not answer the interaction of another browser, with whatever token', async () => {
    const victim = await begin(server, thirdParty, { prompt: 'consent' });
    await victim.signIn(user);
    const path = `/interaction/${interactionOf(victim)}`;
    const attacker = await begin(server, thirdParty);
    await attacker.signIn(await makeUser(server));
    const before = await state();
    const theirs = formOf(victim, '/consent');
    const stolen = await send(attacker, theirs.action, { ...theirs.hidden, decision: 'allow' }, {});
    assert.equal(stolen.status, 403);
    // The attacker's page says no more than that of an interaction that never was.
    const [foreign, unknown] = [await attacker.open(path), await attacker.open('/interaction/unknown')];
    assert.equal(foreign.status, 404);
    const plain = (text: string) => text.replace(/\d{4}-\d\d-\d\dT[\d:]+Z/, '');
    assert.equal(plain(foreign.text), plain(unknown.text));
    assert.equal(await state(), before);
  });

  it('can not say for whom a consent is', async () => {
    const browser = await begin(server, thirdParty, { prompt: 'consent' });
    await browser.signIn(user);
    const before = await server.rows('consents');
    await browser.submit('/consent', { decision: 'allow', account: (await makeUser(server)).id });
    assert.match(browser.page.text, /value="allow"/, 'the page is shown again');
    assert.deepEqual(await server.rows('consents'), before);
    await browser.submit('/consent', { decision: '' });
    assert.equal(callbackOf(browser.page).error, 'access_denied', 'no clear yes is a no');
  });

  it('leave a GET without effect', async () => {
    const browser = await begin(server, thirdParty, { prompt: 'consent' });
    await browser.signIn(user);
    const { action, hidden } = formOf(browser, '/consent');
    const before = await state();
    for (const path of [action, action.replace('/consent', '/account'), action.replace('/consent', '/cancel')]) {
      const query = new URLSearchParams({ ...hidden, decision: 'allow' });
      assert.equal((await browser.open(`${path}?${query}`)).status, 404, path);
    }
    assert.equal(await state(), before);
  });
});

eachEngine('cookies over https', (engine) => {
  it('have the prefix __Host- and are secure, and plain ones do not count', async () => {
    const server = await startServer({ engine, env: { SEKISHO_URL: 'https://auth.example' } });
    try {
      const { url } = await createSetupLink(server.composed.services, 'default');
      const { pathname, search } = new URL(url);
      const host = 'auth.example';
      const first = await rawRequest(server, 'GET', `${pathname}${search}`, { host });
      assert.equal(first.status, 200);
      const [cookie = ''] = first.headers['set-cookie'] ?? [];
      assert.match(
        cookie,
        /^__Host-sekisho-browser=[\w-]{43}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure$/,
      );
      const pair = cookie.split(';')[0] as string;
      const [form] = formsOf(first.text);
      const sent = { ...form?.hidden, identifier: 'me@example.com', password: 'a long enough one' };
      const post = (cookies: string, more: Record<string, string> = {}) =>
        rawRequest(server, 'POST', '/setup', {
          host,
          headers: { cookie: cookies, 'content-type': 'application/x-www-form-urlencoded', ...more },
          body: `${new URLSearchParams(sent)}`,
        });
      const plain = pair.replace('__Host-', '');
      assert.equal((await post(plain)).status, 403, 'a plain cookie');
      assert.equal((await post(`${pair}; __Host-sekisho-browser=${'x'.repeat(43)}`)).status, 403, 'two that differ');
      assert.equal((await post(pair, { origin: 'http://auth.example' })).status, 403, 'another scheme');
      assert.equal((await post(pair, { origin: 'https://auth.example' })).status, 303);
    } finally {
      await server.close();
    }
  });
});
