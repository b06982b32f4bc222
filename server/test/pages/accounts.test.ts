import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { createSetupLink } from '../../src/domain/setup/setup-links.ts';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { rawRequest } from '../management/support.ts';
import { Browser, callbackOf, makeApp, native, type TestClient } from '../sign-in/support.ts';
import { assertPageHeaders, begin, escaped, interactionOf } from './support.ts';

eachEngine('pages that make accounts', (engine) => {
  let server: TestServer;
  let app: TestClient;
  before(async () => {
    server = await startServer({ engine });
    app = await makeApp(server);
  });
  after(() => server.close());

  it('are not there while sign-up is off', async () => {
    const browser = await begin(server, app);
    const path = `/interaction/${interactionOf(browser)}/sign-up`;
    assert.ok(!browser.page.text.includes(path));
    const page = await browser.open(path);
    assert.equal(page.status, 404);
    assertPageHeaders(page.headers, path);
  });

  it('let people sign up where that is on, and say what is wrong with a field', async () => {
    await native(server, 'PATCH', '/sign-in-exp', { signInMode: 'SignInAndRegister' });
    const browser = await begin(server, app, { state: 'mine' });
    const path = `/interaction/${interactionOf(browser)}/sign-up`;
    assert.ok(browser.page.text.includes(`href="${path}"`));
    await browser.open(path);
    const before = await server.stateHash();
    const typed = { identifier: 'new@example.com', name: 'Taro <b>', password: 'password123' };
    const problems: [Record<string, string>, number, RegExp][] = [
      [{}, 400, /id="password-problem">This password is among the first/],
      [{ password: 'short' }, 400, /id="password-problem">A password has 8 to 256 characters/],
      [{ password: typed.identifier }, 400, /id="password-problem">A password must not be what you sign in with/],
      [{ identifier: 'a@b@c' }, 400, /id="identifier-problem">This can not be used/],
      [{ identifier: '' }, 400, /id="identifier-problem"/],
    ];
    for (const [more, status, problem] of problems) {
      const page = await browser.submit('/sign-up', { ...typed, ...more });
      assert.equal(page.status, status, `${problem}`);
      assert.match(page.text, problem);
      assert.match(page.text, /aria-invalid="true"/);
      assert.ok(page.text.includes(`value="${escaped(typed.name)}"`), 'what was typed is shown again');
      assert.ok(
        !page.text.includes(`value="${more.password ?? typed.password}"`) || more.password === typed.identifier,
      );
      assert.deepEqual(page.headers.getSetCookie(), []);
    }
    assert.equal(await server.stateHash(), before);
    await browser.submit('/sign-up', { ...typed, password: 'a long enough one' });
    const { code, parameters } = callbackOf(browser.page);
    assert.ok(code);
    assert.equal(parameters.get('state'), 'mine');

    const second = await begin(server, app);
    await second.open(`/interaction/${interactionOf(second)}/sign-up`);
    const taken = await second.submit('/sign-up', { ...typed, password: 'another long one' });
    assert.equal(taken.status, 409);
    assert.match(taken.text, /role="alert"[^>]*>An account can not be made with these/);
    assert.deepEqual(taken.headers.getSetCookie(), []);
    await native(server, 'PATCH', '/sign-in-exp', { signInMode: 'SignIn' });
  });

  it('let the first administrator in by the link, once', async () => {
    const { url } = await createSetupLink(server.composed.services, 'default');
    const path = url.slice(server.origin.length);
    const browser = new Browser(server);
    await browser.open(path);
    assertPageHeaders(browser.page.headers, 'setup');
    const typed = { identifier: 'chief@example.com', name: 'Chief', password: 'three unrelated words' };
    const before = await server.stateHash();
    for (const [more, problem] of [
      [{ identifier: 'chief' }, /id="identifier-problem">This is not an e-mail address/],
      [{ password: '12345678' }, /id="password-problem">This password is among the first/],
    ] as const) {
      const page = await browser.submit('/setup', { ...typed, ...more });
      assert.equal(page.status, 400);
      assert.match(page.text, problem);
    }
    assert.equal(await server.stateHash(), before, 'the link is not used up by a mistake');
    const { action, hidden } = { action: '/setup', hidden: hiddenOf(browser) };
    await browser.submit('/setup', typed);
    assert.equal(browser.page.status, 200);
    assert.equal(new URL(browser.page.url).pathname, '/setup/done');
    assert.deepEqual(browser.cookies.has('sekisho-session'), false, 'nobody is signed in by a link');

    const after = await server.stateHash();
    const again = await browser.post(action, { ...hidden, ...typed, identifier: 'second@example.com' });
    assert.equal(again.status, 404);
    assert.equal((await browser.open(path)).status, 404);
    assert.equal(await server.stateHash(), after);

    const signedIn = await begin(server, app);
    await signedIn.signIn({ email: typed.identifier, password: typed.password });
    assert.ok(callbackOf(signedIn.page).code);
  });

  const hiddenOf = (browser: Browser): Record<string, string> =>
    Object.fromEntries(
      [...browser.page.text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)].map(([, name, value]) => [
        name as string,
        value as string,
      ]),
    );

  it('leave an event for what they refuse', async () => {
    const page = await new Browser(server).open('/interaction/unknown');
    assert.equal(page.status, 404);
    const event = (await server.logEvents()).at(-1);
    assert.equal(event.kind, 'authorization.refused');
    assert.equal(event.reason, 'interaction_unknown');
    const reference = /<code>(\S+) (\S+)<\/code>/.exec(page.text);
    assert.equal(reference?.[1], 'interaction_unknown');
    assert.ok(Math.abs(Date.parse(reference?.[2] ?? '') - event.at) < 5000, 'the reference leads to the event');
  });

  it('answer for a host whose tenant does not exist without a mistake of ours', async () => {
    const host = `ghost.localhost:${server.port}`;
    for (const path of ['/interaction/unknown', '/setup?token=x', '/oidc/auth?client_id=x']) {
      const answer = await rawRequest(server, 'GET', path, { host });
      assert.ok(answer.status >= 400 && answer.status < 500, `${path}: ${answer.status}`);
      assert.ok(answer.text.includes(host), path);
    }
  });
});
