/** By which policies people may sign in, to what: said by the page, and held against every door. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { type Liar, startLiar } from '../labs/liar.ts';
import { interactionOf } from '../pages/support.ts';
import { askDevice, makeDeviceApp, poll } from './device-support.ts';
import { exchangeToken, makeApi, makeExchanger, makeUserOf, signInFor } from './exchange-support.ts';
import { assertGood, changesNothing, grantedTo, isActive, userinfoStatus } from './granted.ts';
import {
  ask,
  assertProblem,
  besideLabs,
  choose,
  liarPolicy,
  makePolicy,
  offerOnly,
  reasonsSince,
  signInAtLiar,
  throughLiar,
  tokensOf,
} from './policies-support.ts';
import {
  Browser,
  callbackOf,
  makeApp,
  makeUser,
  native,
  password,
  refresh,
  type TestClient,
  type TestUser,
} from './support.ts';

const notHere = /You can not sign in here in this way/;

eachEngine('policies that are offered', (engine) => {
  let server: TestServer;
  let liar: Liar;
  let user: TestUser;
  let away: string;
  let own: string;
  before(async () => {
    server = await startServer({ engine, env: { ...besideLabs, SEKISHO_RATE_LIMIT_SIGN_UPS_PER_ADDRESS: '0' } });
    liar = await startLiar();
    user = await makeUser(server);
    away = await liarPolicy(server, liar);
    own = await makePolicy(server, 'password', {}, { title: 'Staff', checkUserApproved: true });
  });
  after(async () => {
    await liar.close();
    await server.close();
  });

  const appWith = (authPolicyIds: readonly string[]) => makeApp(server, 'Traditional', { authPolicyIds });
  const credentials = () => ({ identifier: user.email, password: user.password });
  /** An organization that the person is in, and that takes these policies. */
  const organizationWith = async (authPolicyIds: readonly string[], who = user) => {
    const { id } = await native(server, 'POST', '/organizations', { name: 'Kanto', authPolicyIds });
    await native(server, 'POST', `/organizations/${id}/users`, { userIds: [who.id] });
    return id as string;
  };

  test('the page shows what the application takes', async () => {
    const everything = await ask(server, await makeApp(server));
    assert.match(everything.browser.page.text, /name="password"[\s\S]*Continue with Liar/);
    assert.doesNotMatch(everything.browser.page.text, /Staff/, 'a policy of type password is only where it is named');
    const named = await ask(server, await appWith([own, away]));
    assert.match(named.browser.page.text, new RegExp(`<p class="way">Staff</p>[\\s\\S]*name="policy" value="${own}"`));
    const both = await ask(server, await appWith(['password', own]));
    const { text } = both.browser.page;
    assert.match(text, /Continue with Staff<\/a>/);
    assert.doesNotMatch(text, /class="way"|Liar/);
    const shown = await both.browser.open(`/interaction/${interactionOf(both.browser)}/sign-in?policy=${own}`);
    assert.match(shown.text, /<p class="way">Staff<\/p>[\s\S]*Continue with a password<\/a>/);
  });

  test('a form of what the application does not take is refused, whatever it says', async () => {
    for (const [taken, policy] of [
      [[away], undefined],
      [[own], undefined],
      [['password'], own],
    ] as const) {
      const { browser } = await ask(server, await appWith(taken));
      const before = (await server.logEvents()).length;
      // Where there is no form, one of another page is sent here.
      const { csrf } = await formTokenOf(browser);
      const path = `/interaction/${interactionOf(browser)}/sign-in`;
      const page = await browser.post(path, { csrf, ...(policy === undefined ? {} : { policy }), ...credentials() });
      assertProblem(page, 403, notHere);
      assert.deepEqual(await reasonsSince(server, before), ['policy_not_offered']);
      assert.ok(!browser.cookies.has('sekisho-session'));
    }
  });

  /** The token of a sign-in form of this browser and interaction, as a page would show it that offers one. */
  async function formTokenOf(browser: Browser): Promise<{ csrf: string }> {
    const { formTarget } = await import('../../src/http/pages/csrf.ts');
    const path = `/interaction/${interactionOf(browser)}/sign-in`;
    const request = { site: server.composed.services.sites.ofTenant('default') };
    const secret = browser.cookies.get('sekisho-browser') as string;
    return { csrf: formTarget(server.composed.services as never, request as never, secret, path).token };
  }

  test('what the tenant or the organization does not take is refused', async () => {
    const app = await makeApp(server);
    await native(server, 'PATCH', '/sign-in-exp', { authPolicyIds: ['password'] });
    const { browser } = await ask(server, app);
    assert.doesNotMatch(browser.page.text, /Liar/);
    await native(server, 'PATCH', '/sign-in-exp', { authPolicyIds: null });
    await browser.open(`/interaction/${interactionOf(browser)}`);
    await native(server, 'PATCH', '/sign-in-exp', { authPolicyIds: ['password'] });
    assertProblem(await browser.submit('/upstream', { policy: away }), 403, notHere);
    await native(server, 'PATCH', '/sign-in-exp', { authPolicyIds: null });

    const organization = await organizationWith([away]);
    const inside = await ask(server, app, { organization_id: organization });
    assert.doesNotMatch(inside.browser.page.text, /name="password"/);
    const path = `/interaction/${interactionOf(inside.browser)}/sign-in`;
    const form = { ...(await formTokenOf(inside.browser)), ...credentials() };
    assertProblem(await inside.browser.post(path, form), 403, notHere);
  });

  test('nothing to choose from is said', async () => {
    const organization = await organizationWith([away]);
    const { browser } = await ask(server, await appWith(['password']), { organization_id: organization });
    assert.equal(browser.page.status, 200);
    assert.match(browser.page.text, /<h1>Nobody can sign in here<\/h1>[\s\S]*Ask whoever manages/);
    await browser.submit('/cancel');
    assert.equal(callbackOf(browser.page).error, 'access_denied');
  });

  test('a session that was begun in another way does not do: the person signs in again', async () => {
    const browser = new Browser(server);
    await ask(server, await makeApp(server), {}, browser);
    await browser.signIn(user);
    const strict = await appWith([away]);
    await ask(server, strict, { prompt: 'none' }, browser);
    assert.equal(callbackOf(browser.page).error, 'login_required');
    await ask(server, strict, {}, browser);
    assert.match(browser.page.text, /Portal needs you to sign in in another way/);
    await signInAtLiar(browser, away);
    assert.ok(callbackOf(browser.page).code);
    const organization = await organizationWith(['password']);
    await ask(server, await makeApp(server), { organization_id: organization, prompt: 'none' }, browser);
    assert.equal(callbackOf(browser.page).error, 'login_required');
  });

  test('at refresh an organization takes tokens of its policies only', async () => {
    const app = await makeApp(server);
    const organization = await organizationWith(['password']);
    const scope = 'openid offline_access urn:logto:scope:organizations';
    const asking = await ask(server, app, { scope, prompt: 'consent' });
    await asking.browser.signIn(user);
    const { refresh_token: token } = await tokensOf(server, app, asking);
    const first = await refresh(server, 'oidc', app, token, { organization_id: organization });
    assert.equal(first.status, 200, first.text);
    await offerOnly(server, 'organizations', organization, [away]);
    const refused = await refresh(server, 'oidc', app, first.body.refresh_token ?? token, {
      organization_id: organization,
    });
    assert.equal(refused.status, 403, refused.text);
    assert.equal((await server.logEvents()).at(-1)?.reason, 'organization_other_policy');
    const without = await refresh(server, 'oidc', app, first.body.refresh_token ?? token);
    assert.equal(without.status, 200, without.text);
  });

  test('a list that is narrowed counts at once for what is out, and as long as it stands', async () => {
    const api = await makeApi(server);
    const person = await makeUserOf(server, api);
    const app = await makeApp(server);
    const back = await makeExchanger(server);
    const granted = await grantedTo(server, 'oidc', app, person);
    const scope = 'openid read:orders';
    const { access_token: ofApi } = await signInFor(server, 'oidc', app, person, { apis: [api], scope });
    const exchanged = () => exchangeToken(server, 'oidc', back, ofApi, { resource: api.indicator });
    const narrowing: readonly ((list: readonly string[] | null) => Promise<unknown>)[] = [
      (list) => offerOnly(server, 'applications', app.clientId, list),
      (authPolicyIds) => native(server, 'PATCH', '/sign-in-exp', { authPolicyIds }),
    ];
    for (const narrow of narrowing) {
      await narrow([away]);
      try {
        assert.equal(await userinfoStatus(server, 'oidc', granted.accessToken), 401);
        for (const token of [granted.accessToken, granted.refreshToken, ofApi]) {
          assert.equal(await isActive(server, granted, token), false);
        }
        const refused = await changesNothing(server, exchanged, {
          kind: 'token.refused',
          reason: 'subject_token_invalid',
        });
        assert.equal(refused.status, 400, refused.text);
      } finally {
        await narrow(null);
      }
      await assertGood(server, granted);
      assert.equal(await isActive(server, granted, ofApi), true);
      assert.equal((await exchanged()).status, 200);
    }
    await narrowing[0]?.(['password']);
    await assertGood(server, granted);
  });

  test('at token exchange too', async () => {
    const api = await makeApi(server);
    const person = await makeUserOf(server, api);
    const organization = await organizationWith(['password'], person);
    const back = await makeExchanger(server);
    const scope = 'openid read:orders urn:logto:scope:organizations';
    const { access_token: shown } = await signInFor(server, 'oidc', await makeApp(server), person, {
      apis: [api],
      scope,
    });
    const more = { resource: api.indicator, organization_id: organization };
    const taken = await exchangeToken(server, 'oidc', back, shown, more);
    assert.equal(taken.status, 200, taken.text);
    await offerOnly(server, 'organizations', organization, [away]);
    const refused = await exchangeToken(server, 'oidc', back, shown, more);
    assert.equal(refused.status, 403, refused.text);
    assert.equal((await server.logEvents()).at(-1)?.reason, 'organization_other_policy');
  });

  test('a device: who came in another way signs in again, and the way there leads back to the device', async () => {
    const device = await makeDeviceApp(server, { authPolicyIds: [away] });
    const browser = new Browser(server);
    await ask(server, await makeApp(server), {}, browser);
    await browser.signIn(user);
    const { body } = await askDevice(server, 'oidc', device);
    await browser.open('/device');
    await browser.submit('/device', { user_code: body.user_code });
    assert.doesNotMatch(browser.page.text, /value="allow"|name="password"/);
    assert.equal(new URL(browser.page.url).pathname, '/device/confirm');
    liar.lies = {
      callback: (parameters) => {
        parameters.delete('code');
        parameters.set('error', 'access_denied');
      },
    };
    assertProblem(await signInAtLiar(browser, away), 400, /The sign-in was not finished/);
    liar.lies = {};
    await browser.open(await throughLiar(await choose(browser, away)));
    assert.match(browser.page.text, /value="allow"/);
    // Somebody signs in in another way, in another tab, before the answer.
    const session = browser.cookies.get('sekisho-session') as string;
    const { page } = browser;
    await ask(server, await makeApp(server), { prompt: 'login' }, browser);
    await browser.submit('/sign-in', credentials());
    browser.page = page;
    await browser.submit('/device/confirm', { decision: 'allow' });
    assert.doesNotMatch(browser.page.text, /value="allow"/);
    assert.notEqual(browser.cookies.get('sekisho-session'), session);
    await browser.open(await throughLiar(await choose(browser, away)));
    await browser.submit('/device/confirm', { decision: 'allow' });
    assert.ok(browser.page.url.endsWith('/device/connected'), browser.page.text);
    assert.equal((await poll(server, 'oidc', device, body.device_code)).status, 200);
  });

  test('a device: the password where it is offered', async () => {
    const device = await makeDeviceApp(server, { authPolicyIds: [own, 'password'] });
    const browser = new Browser(server);
    const { body } = await askDevice(server, 'oidc', device);
    await browser.open('/device');
    await browser.submit('/device', { user_code: body.user_code });
    const link = /href="([^"]*\/device\/confirm[^"]*policy=[^"]*)"/.exec(browser.page.text)?.[1] as string;
    await browser.open(link.replaceAll('&amp;', '&'));
    assertProblem(await browser.submit('/sign-in', credentials()), 403, /waits for approval/);
    await browser.open('/device');
    await browser.submit('/device', { user_code: body.user_code });
    await browser.signIn(user);
    assert.match(browser.page.text, /value="allow"/);
  });

  test('sign-up is there only with the built-in password', async () => {
    await native(server, 'PATCH', '/sign-in-exp', { signInMode: 'SignInAndRegister' });
    try {
      for (const [taken, isOn] of [
        [['password', away], true],
        [[away], false],
        [[own], false],
      ] as const) {
        const { browser } = await ask(server, await appWith(taken));
        const path = `/interaction/${interactionOf(browser)}/sign-up`;
        assert.equal(browser.page.text.includes(path), isOn, `${taken}`);
        assert.equal((await browser.open(path)).status, isOn ? 200 : 404);
      }
      const app: TestClient = await makeApp(server);
      const { browser } = await ask(server, app);
      await browser.open(`/interaction/${interactionOf(browser)}/sign-up`);
      await offerOnly(server, 'applications', app.clientId, [away]);
      const page = await browser.submit('/sign-up', { identifier: 'late@example.com', password: 'kq7!zm-2-longer' });
      assert.equal(page.status, 404);
      assert.ok(!(await server.rows('users')).some(({ email }) => email === 'late@example.com'));
    } finally {
      await native(server, 'PATCH', '/sign-in-exp', { signInMode: 'SignIn' });
    }
  });

  test('a policy of its own: who is approved gets in, the others wait in a queue', async () => {
    const app = await appWith([own]);
    const { browser } = await ask(server, app);
    const wrong = await browser.submit('/sign-in', { identifier: user.email, password: `not ${password}` });
    assertProblem(wrong, 400, /is not right/);
    assertProblem(await browser.submit('/sign-in', credentials()), 403, /waits for approval/);
    const queue = await native(server, 'GET', `/auth-policies/${own}/users?status=requested`);
    assert.equal(queue.length, 1);
    await native(server, 'POST', `/auth-policies/${own}/users`, { userIds: [user.id] });
    await browser.submit('/sign-in', credentials());
    assert.ok(callbackOf(browser.page).code);
  });
});
