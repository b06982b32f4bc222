import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import {
  Browser,
  callbackOf,
  formsOf,
  makeApp,
  makeUser,
  native,
  redirectUri,
  type TestClient,
  type TestUser,
} from '../sign-in/support.ts';
import { hostile } from './every-view.ts';
import { assertPageHeaders, begin, escaped, interactionOf, reopen } from './support.ts';

const wrongPassword = 'not the right one';

eachEngine('pages', (engine) => {
  let server: TestServer;
  let app: TestClient;
  let user: TestUser;
  before(async () => {
    server = await startServer({ engine });
    [app, user] = [await makeApp(server), await makeUser(server)];
  });
  after(() => server.close());

  it('have their headers, errors included', async () => {
    const thirdParty = await makeApp(server, 'Traditional', { isThirdParty: true });
    const browser = await begin(server, app);
    assertPageHeaders(browser.page.headers, 'sign-in');
    assert.ok((browser.page.headers.get('content-security-policy') ?? '').includes(`form-action 'self' https:;`));
    await browser.submit('/sign-in', { identifier: user.email, password: wrongPassword });
    assert.equal(browser.page.status, 400);
    assertPageHeaders(browser.page.headers, 'sign-in that failed');

    await reopen(browser, thirdParty);
    await browser.signIn(user);
    assert.match(browser.page.text, /value="allow"/);
    assertPageHeaders(browser.page.headers, 'consent');
    await reopen(browser, app, { prompt: 'select_account' });
    assert.ok(browser.page.text.includes('/account"'), browser.page.text);
    assertPageHeaders(browser.page.headers, 'account');

    for (const [path, status] of [
      ['/signed-out', 200],
      ['/setup/done', 200],
      ['/setup', 404],
      ['/setup?token=x', 404],
      ['/interaction/unknown', 404],
      ['/interaction/unknown/sign-in', 404],
      [`/interaction/unknown/sign-up`, 404],
      ['/oidc/auth', 400],
      [`/oidc/auth?client_id=${app.clientId}&redirect_uri=https://evil.example`, 400],
      ['/authorize?client_id=unknown', 400],
      ['/interaction/%00', 400],
    ] as const) {
      const page = await new Browser(server).open(path);
      assertPageHeaders(page.headers, path);
      assert.equal(page.status, status, path);
    }
    const posted = await new Browser(server).post('/interaction/unknown/sign-in', {});
    assert.equal(posted.status, 403);
    assertPageHeaders(posted.headers, 'forged');
    const large = await server.request('POST', '/setup', { form: { token: 'x'.repeat(70_000) } });
    assert.equal(large.status, 413);
    assertPageHeaders(large.headers, 'too large');
    const json = await server.request('POST', '/interaction/x/sign-in', { json: { csrf: 'x' } });
    assert.equal(json.status, 403);
    const text = await server.request('POST', '/interaction/x/sign-in', {
      headers: { 'content-type': 'text/plain' },
      body: 'csrf=x',
    });
    assert.equal(text.status, 415);
    assertPageHeaders(text.headers, 'text/plain');
  });

  it('set cookies that no script reads, and new ones at sign-in', async () => {
    const browser = await begin(server, app);
    const first = browser.cookies.get('sekisho-browser');
    const interaction = interactionOf(browser);
    // A session somebody else planted before the sign-in is worth nothing after it.
    browser.cookies.set('sekisho-session', 'p'.repeat(43));
    const { headers, status } = await postSignIn(browser, user.password);
    assert.equal(status, 303);
    for (const line of headers.getSetCookie()) {
      assert.match(line, /^sekisho-(session|device)=[\w.~-]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/);
      assert.ok(line.length < 4096);
    }
    assert.equal(headers.getSetCookie().length, 2);
    assert.equal(headers.get('location'), `/interaction/${interaction}`);
    const session = /sekisho-session=([^;]+)/.exec(headers.getSetCookie().join())?.[1];
    assert.notEqual(session, 'p'.repeat(43));
    assert.equal(browser.cookies.get('sekisho-browser'), first);
    browser.cookies.set('sekisho-session', session as string);
    assert.ok(callbackOf(await browser.open(`/interaction/${interaction}`)).code);
  });

  /** Sends the sign-in form without following. */
  async function postSignIn(browser: Browser, password: string): Promise<Response> {
    const form = formsOf(browser.page.text).find(({ action }) => action.endsWith('/sign-in'));
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    return fetch(`${server.origin}${form?.action}`, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie },
      body: new URLSearchParams({ ...form?.hidden, identifier: user.email, password }),
    });
  }

  it('say the same of an unknown user and a wrong password', async () => {
    const texts: string[] = [];
    for (const identifier of [user.email, 'nobody@example.com', 'nobody', '+4412345678', hostile]) {
      const browser = await begin(server, app);
      const page = await browser.submit('/sign-in', { identifier, password: wrongPassword });
      assert.equal(page.status, 400);
      assert.ok(page.text.includes(`value="${escaped(identifier)}"`), 'what was typed is shown again');
      assert.ok(!page.text.includes(wrongPassword));
      assert.match(page.text, /role="alert"/);
      assert.deepEqual(page.headers.getSetCookie(), []);
      texts.push(
        page.text
          .replaceAll(escaped(identifier), '')
          .replaceAll(interactionOf(browser), '')
          .replace(/value="[\w-]{43}"/g, ''),
      );
    }
    assert.equal(new Set(texts).size, 1);
  });

  it('say how long to wait after too many tries', async () => {
    const other = await makeUser(server);
    const browser = await begin(server, app);
    let page = browser.page;
    for (let tries = 0; tries < 40 && page.status !== 429; tries += 1) {
      page = await browser.submit('/sign-in', { identifier: other.email, password: wrongPassword });
    }
    assert.equal(page.status, 429);
    assert.match(page.text, /role="alert"[^>]*>Too many tries\. Wait \d+ (minutes|seconds?)/);
    assert.ok(Number(page.headers.get('retry-after')) > 0);
    assertPageHeaders(page.headers, 'limited');
  });

  it('show stored names as they are', async () => {
    const named = await makeUser(server, { name: hostile });
    const organization = await native(server, 'POST', '/organizations', { name: hostile });
    await native(server, 'POST', `/organizations/${organization.id}/users`, { userIds: [named.id] });
    await native(server, 'POST', '/resources', { name: hostile, indicator: `https://h-${engine}.example` });
    const client = await makeApp(server, 'Traditional', { name: hostile, isThirdParty: true });
    const shown = (text: string, where: string) => {
      assert.ok(text.includes(escaped(hostile)), `${where} does not show the name`);
      assert.doesNotMatch(text, /<img|<\/script>/, where);
    };
    const browser = await begin(server, client, { scope: 'openid urn:logto:scope:organizations', login_hint: hostile });
    shown(browser.page.text, 'sign-in');
    await browser.signIn(named);
    shown(browser.page.text, 'consent');
    assert.ok(browser.page.text.includes(`name="organization.${organization.id}"`), 'the organization is offered');
    await browser.submit('/consent', { decision: 'deny' });
    assert.equal(callbackOf(browser.page).error, 'access_denied');
    await native(server, 'PATCH', '/sign-in-exp', { name: hostile });
    shown((await browser.open('/signed-out')).text, 'signed out');
    await native(server, 'PATCH', '/sign-in-exp', { name: null });
  });

  it('remember consent that was given, for the organizations that were ticked', async () => {
    const member = await makeUser(server);
    const [one, two] = await Promise.all(
      ['One', 'Two'].map(async (name) => {
        const made = await native(server, 'POST', '/organizations', { name });
        await native(server, 'POST', `/organizations/${made.id}/users`, { userIds: [member.id] });
        return made.id as string;
      }),
    );
    const client = await makeApp(server, 'Traditional', { isThirdParty: true });
    const scope = 'openid urn:logto:scope:organizations';
    const browser = await begin(server, client, { scope });
    await browser.signIn(member);
    await browser.submit('/consent', {
      decision: 'allow',
      [`organization.${two}`]: 'yes',
      'organization.other': 'yes',
    });
    assert.ok(callbackOf(browser.page).code);
    const [consent] = (await server.rows('consents')).filter(({ client_id }) => client_id === client.clientId);
    assert.deepEqual(JSON.parse(consent.organization_ids), [two]);
    assert.ok(one !== two);
    await reopen(browser, client, { scope });
    assert.ok(callbackOf(browser.page).code, 'nothing is asked again');
  });

  it('lead back without anything when the person cancels', async () => {
    const browser = await begin(server, app);
    const interaction = interactionOf(browser);
    await browser.submit('/cancel');
    const { error, parameters } = callbackOf(browser.page);
    assert.equal(error, 'access_denied');
    assert.equal(parameters.get('state'), 's1');
    assert.equal((await browser.open(`/interaction/${interaction}`)).status, 404);
  });

  it('ask for the organization where the application needs one', async () => {
    const member = await makeUser(server);
    const organization = await native(server, 'POST', '/organizations', { name: 'Kanto' });
    await native(server, 'POST', `/organizations/${organization.id}/users`, { userIds: [member.id] });
    const client = await makeApp(server);
    await server.manage('PATCH', `/clients/${client.clientId}`, { organization_usage: 'require' });
    const browser = await begin(server, client);
    await browser.signIn(member);
    assert.ok(browser.page.text.includes(`name="organization" value="${organization.id}"`), browser.page.text);
    assertPageHeaders(browser.page.headers, 'organization');
    await browser.submit('/organization', { organization: 'org_unknown' });
    assert.match(browser.page.text, /name="organization"/, 'another one does not do');
    await browser.submit('/organization', { organization: organization.id });
    assert.ok(callbackOf(browser.page).code);
  });

  it('go on with the account that is signed in, or with another one', async () => {
    const other = await makeUser(server);
    const browser = await begin(server, app);
    await browser.signIn(user);
    await reopen(browser, app, { prompt: 'select_account' });
    assert.ok(browser.page.text.includes(user.email));
    await browser.submit('/account');
    assert.ok(callbackOf(browser.page).code);

    await reopen(browser, app, { prompt: 'select_account' });
    const link = /href="(\/interaction\/[^"]+\/sign-in[^"]*)"/.exec(browser.page.text)?.[1] as string;
    await browser.open(link.replaceAll('&amp;', '&'));
    assert.ok(!browser.page.text.includes(user.email), 'the form is for anybody');
    await browser.signIn(other);
    assert.ok(callbackOf(browser.page).code);
    const sessions = await server.rows('sessions');
    assert.equal(sessions.filter(({ user_id }) => user_id === other.id).length, 1);
  });

  it('ask the person who is signed in to prove it again, and let another one in', async () => {
    const other = await makeUser(server);
    const browser = await begin(server, app);
    await browser.signIn(user);
    await reopen(browser, app, { prompt: 'login' });
    assert.match(browser.page.text, new RegExp(`value="${user.email}"[^>]* readonly`));
    await browser.submit('/sign-in', { identifier: user.email, password: wrongPassword });
    assert.equal(browser.page.status, 400);
    assert.match(browser.page.text, / readonly/);
    await browser.open(`/interaction/${interactionOf(browser)}/sign-in?account=other`);
    assert.doesNotMatch(browser.page.text, / readonly/);
    await browser.signIn(other);
    assert.ok(callbackOf(browser.page).code);
  });

  it('send the answer on by a form where the client wants that, with and without a script', async () => {
    const browser = await begin(server, app, { response_mode: 'form_post', state: hostile });
    await browser.signIn(user);
    const { page } = browser;
    assert.equal(page.status, 200);
    assertPageHeaders(page.headers, 'form_post');
    const policy = page.headers.get('content-security-policy') ?? '';
    assert.ok(policy.includes("script-src 'self'") && policy.includes("form-action 'self' https:;"), policy);
    const [form] = formsOf(page.text);
    assert.equal(form?.action, redirectUri);
    assert.deepEqual(Object.keys(form?.hidden ?? {}).sort(), ['code', 'iss', 'state']);
    assert.equal(form?.hidden.state, hostile);
    assert.match(page.text, /<button type="submit">/);
    const script = /<script src="([^"]+)" defer>/.exec(page.text)?.[1] as string;
    assert.equal(
      (await fetch(`${server.origin}${script}`)).headers.get('content-type'),
      'text/javascript; charset=utf-8',
    );
  });

  it('are in the language that was asked for', async () => {
    const language = async (more: Record<string, string>, accept?: string) => {
      const headers: Record<string, string> = accept === undefined ? {} : { 'accept-language': accept };
      const browser = await begin(server, app, more, headers);
      // A browser sends the header with every request; this one only with the first.
      const page = await browser.open(new URL(browser.page.url).pathname, headers);
      return /<html lang="(\w+)">/.exec(page.text)?.[1];
    };
    assert.equal(await language({}), 'en');
    assert.equal(await language({}, 'ja-JP,ja;q=0.9'), 'ja');
    assert.equal(await language({ ui_locales: 'ja' }, 'en'), 'ja');
    assert.equal(await language({ ui_locales: 'fr-CA en-GB' }, 'ja'), 'en');
    const refused = await new Browser(server).open('/oidc/auth?ui_locales=ja');
    assert.match(refused.text, /<html lang="ja">[\s\S]*リクエストを受け付けられません/);
  });

  it('weigh at most 30 kB with everything they load, all of it from here', async () => {
    await native(server, 'PATCH', '/sign-in-exp', {
      color: { primaryColor: '#8a2be2', isDarkModeEnabled: true, darkPrimaryColor: '#c79bff' },
    });
    const browser = await begin(server, app, { ui_locales: 'ja' });
    let bytes = Buffer.byteLength(browser.page.text);
    const loaded = [...browser.page.text.matchAll(/(?:href|src)="([^"]+\.(?:css|js)[^"]*)"/g)].map(
      ([, url]) => url as string,
    );
    assert.equal(loaded.length, 3, loaded.join(' '));
    for (const url of loaded) {
      const answer = await server.request('GET', url);
      assert.equal(answer.status, 200, url);
      assert.equal(answer.headers.get('cache-control'), 'public, max-age=31536000, immutable', url);
      assert.match(answer.headers.get('content-type') ?? '', /^text\/css/, url);
      bytes += Buffer.byteLength(answer.text);
    }
    assert.ok(bytes <= 30_000, `${bytes} bytes`);
    await native(server, 'PATCH', '/sign-in-exp', { color: { isDarkModeEnabled: false } });
    await browser.open('/signed-out');
    assert.doesNotMatch(browser.page.text, /dark\.css|theme/);
    await native(server, 'PATCH', '/sign-in-exp', { color: { isDarkModeEnabled: true } });
  });

  it('have style sheets that are kept only under their own version', async () => {
    for (const path of ['/pages/styles.css', '/pages/styles.css?v=other']) {
      assert.equal((await server.request('GET', path)).headers.get('cache-control'), 'no-cache');
    }
    for (const path of [
      '/pages/theme/xyzxyz.css',
      '/pages/theme/1234567.css',
      '/pages/theme/12345%36;}.css',
      '/pages/x.css',
    ]) {
      assert.equal((await server.request('GET', path)).status, 404, path);
    }
  });
});

eachEngine('pages without a database', (engine) => {
  it('say so, and nothing of what went wrong', async () => {
    const server = await startServer({ engine });
    try {
      const browser = await begin(server, await makeApp(server));
      await server.composed.services.db.close();
      for (const path of [new URL(browser.page.url).pathname, '/setup?token=x']) {
        const page = await browser.open(path);
        assert.ok(page.status === 500 || page.status === 503, `${path}: ${page.status}`);
        assertPageHeaders(page.headers, path);
        assert.match(page.text, /<code>[0-9a-f]{12} \d{4}-/, 'a reference to the log of the process');
        assert.doesNotMatch(page.text, /sqlite|postgres|select |at \w+ \(|\.ts/i);
      }
    } finally {
      await server.close().catch(() => {});
    }
  });
});
