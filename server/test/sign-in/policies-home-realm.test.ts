/** The domain of an e-mail address leads to the policy of its people. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { type Liar, startLiar } from '../labs/liar.ts';
import { interactionOf } from '../pages/support.ts';
import { ask, besideLabs, liarPolicy, makePolicy, offerOnly, throughLiar } from './policies-support.ts';
import { callbackOf, formsOf, makeApp, makeUser, native, password, type TestClient, type TestUser } from './support.ts';

eachEngine('home-realm discovery', (engine) => {
  let server: TestServer;
  let liar: Liar;
  let app: TestClient;
  let user: TestUser;
  let away: string;
  let directory: string;
  before(async () => {
    server = await startServer({ engine, env: besideLabs });
    liar = await startLiar();
    app = await makeApp(server);
    user = await makeUser(server);
    away = await liarPolicy(server, liar, { emailDomains: ['away.example', 'xn--r8jz45g.example'] }, 'openid');
    const ldap = { url: 'ldaps://127.0.0.1:9', dn: 'dc=example', dnPrefix: 'uid' };
    const more = { title: 'Directory', emailDomains: ['directory.example'], checkUserExists: false };
    directory = await makePolicy(server, 'ldap', ldap, more);
  });
  after(async () => {
    await liar.close();
    await server.close();
  });

  /** Gives a name on the first page. */
  const give = async (identifier: string, client = app) => {
    const { browser } = await ask(server, client);
    assert.ok(!browser.page.text.includes('name="password"'), 'nobody types a password for nothing');
    assert.match(browser.page.text, /autocomplete="username"/);
    await browser.submit('/sign-in', { identifier });
    return browser;
  };

  test('of nobody: a second page asks for the password', async () => {
    const browser = await give(user.email);
    const { text, status } = browser.page;
    assert.equal(status, 200);
    assert.match(
      text,
      new RegExp(`name="identifier"[^>]*autocomplete="username"[^>]*value="${user.email}"[^>]*readonly`),
    );
    assert.match(text, /autocomplete="current-password"/);
    assert.match(text, /account=other/);
    const wrong = await browser.signIn({ email: user.email, password: 'not the right one' });
    assert.equal(wrong.status, 400);
    assert.match(wrong.text, /name="password"/);
    await browser.signIn(user);
    assert.ok(callbackOf(browser.page).code);
  });

  test('the second page does not tell whether there is an account', async () => {
    const texts = new Set<string>();
    for (const identifier of [user.email, 'nobody@example.com', 'nobody', 'a@b@c', '@', 'nobody@localhost']) {
      const browser = await give(identifier);
      texts.add(
        browser.page.text
          .replaceAll(identifier, '')
          .replaceAll(interactionOf(browser), '')
          .replace(/value="[\w-]{43}"/g, ''),
      );
    }
    assert.equal(texts.size, 1);
  });

  test('of a policy that sends away: the browser goes there at once, with the name and nothing else', async () => {
    for (const [identifier, hint] of [
      ['someone@away.example', 'someone@away.example'],
      [' Someone@AWAY.Example ', 'Someone@AWAY.Example'],
      ['x@例え.example', 'x@例え.example'],
    ] as const) {
      const { page } = await give(identifier);
      assert.equal(page.status, 303, page.text);
      const location = new URL(page.location as string);
      assert.equal(location.origin, liar.issuer);
      assert.equal(location.searchParams.get('login_hint'), hint);
    }
    const { browser } = await ask(server, app);
    const before = (await server.logEvents()).length;
    const { location = '' } = await browser.submit('/sign-in', { identifier: 'someone@away.example', password });
    assert.ok(location.startsWith(liar.issuer) && !location.includes(password) && !location.includes('horse'));
    assert.equal((await server.logEvents()).length, before, 'no password was tried');
    await browser.open(await throughLiar(location));
    assert.ok(callbackOf(browser.page).code);
  });

  test('of a directory: its form, with the name kept', async () => {
    for (const more of [{}, { password }]) {
      const { browser } = await ask(server, app);
      await browser.submit('/sign-in', { identifier: 'someone@directory.example', ...more });
      const { text, status } = browser.page;
      assert.equal(status, 200);
      assert.match(text, /<p class="way">Directory<\/p>/);
      assert.match(text, /value="someone@directory.example"/);
      assert.ok(!text.includes(password));
      const form = formsOf(text).find(({ action }) => action.endsWith('/sign-in'));
      assert.equal(form?.hidden.policy, directory);
      assert.equal(
        (await browser.submit('/sign-in', { identifier: 'someone@directory.example', password })).status,
        503,
      );
    }
  });

  test('of a policy that is not offered here: as any other', async () => {
    const own = await makeApp(server);
    await offerOnly(server, 'applications', own.clientId, ['password', directory]);
    const { page } = await give('someone@away.example', own);
    assert.equal(page.status, 200);
    assert.match(page.text, /name="password"/);
    assert.doesNotMatch(page.text, /Liar/);
    await offerOnly(server, 'applications', own.clientId, ['password']);
    const { browser } = await ask(server, own);
    assert.match(browser.page.text, /name="password"/, 'without domains one page asks for both');
    assert.equal((await browser.submit('/sign-in', { identifier: 'a@away.example', password })).status, 400);
  });

  test('of a policy that is off, or has no domains any more: one page asks for both', async () => {
    const own = await makeApp(server);
    await offerOnly(server, 'applications', own.clientId, ['password', away]);
    await native(server, 'PATCH', `/auth-policies/${away}`, { enabled: false });
    const { browser } = await ask(server, own);
    assert.match(browser.page.text, /name="password"/);
    await native(server, 'PATCH', `/auth-policies/${away}`, { enabled: true });
    assert.equal((await give('someone@away.example', own)).page.status, 303);
  });
});
