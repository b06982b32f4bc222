import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { begunPerAddress } from '../../src/protocol/sign-in/limits.ts';
import { eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { exchangeToken, makeApi, makeExchanger, makeUserOf, signInFor } from './exchange-support.ts';
import { grantedTo } from './granted.ts';
import {
  authorizeUrl,
  Browser,
  callbackOf,
  claimsOf,
  codeOf,
  exchange,
  type IssuerKey,
  issuers,
  makeApp,
  makeUser,
  native,
  pkce,
  redirectUri,
  refresh,
  type TestClient,
  type TestUser,
} from './support.ts';

/** Rules that hold on the main path, tried at its siblings. */
eachEngine('second doors', (engine) => {
  const clock = new TestClock();
  let server: TestServer;
  let app: TestClient;
  let user: TestUser;
  before(async () => {
    server = await startServer({ engine, clock });
    app = await makeApp(server, 'Traditional', { customClientMetadata: { alwaysIssueRefreshToken: true } });
    user = await makeUser(server);
  });
  after(() => server.close());

  for (const issuer of Object.keys(issuers) as IssuerKey[]) {
    test(`${issuer}: no ID token says an organization of who is no member any more, or that is suspended`, async () => {
      const [app, user] = [await makeApp(server), await makeUser(server)];
      const { id } = await native(server, 'POST', '/organizations', { name: `Chubu ${issuer}` });
      await native(server, 'POST', `/organizations/${id}/users`, { userIds: [user.id] });
      const granted = await grantedTo(server, issuer, app, user, { organization: id });
      const claim = issuer === 'root' ? 'org_id' : 'organization_id';
      assert.equal(claimsOf(granted.idToken)[claim], id);
      const again = await refresh(server, issuer, app, granted.refreshToken);
      assert.equal(claimsOf(again.body.id_token)[claim], id);

      const waiting = await codeOf(new Browser(server), issuer, app, user, { organization: id });
      await native(server, 'DELETE', `/organizations/${id}/users/${user.id}`);
      const { status, body } = await refresh(server, issuer, app, granted.refreshToken);
      assert.equal(status, 403, JSON.stringify(body));
      assert.equal(body.id_token, undefined);
      const late = await exchange(server, issuer, app, waiting);
      assert.equal(late.status, 403, late.text);

      await native(server, 'POST', `/organizations/${id}/users`, { userIds: [user.id] });
      assert.equal((await refresh(server, issuer, app, granted.refreshToken)).status, 200, 'nothing was used up');
      await native(server, 'PATCH', `/organizations/${id}`, { status: 'suspended' });
      assert.equal((await refresh(server, issuer, app, granted.refreshToken)).status, 403);
    });
  }

  test('an API that signs with a shared secret can not write itself a token for userinfo or to be exchanged', async () => {
    const api = await makeApi(server);
    const secret = randomBytes(32).toString('base64url');
    const token = await server.managementToken();
    const changed = await server.request('PATCH', `/api/v2/resource-servers/${encodeURIComponent(api.indicator)}`, {
      token,
      json: { signing_alg: 'HS256', signing_secret: secret },
    });
    assert.equal(changed.status, 200, changed.text);
    const [app, user] = [await makeExchanger(server), await makeUserOf(server, api)];
    const issued = await signInFor(server, 'root', app, user, { apis: [api], scope: 'openid read:orders' });
    const forge = (more: Record<string, unknown>): string => {
      const [header] = (issued.access_token as string).split('.');
      const claims = { ...claimsOf(issued.access_token), ...more };
      const input = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
      return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
    };
    const forged = forge({ scope: 'openid profile email read:orders write:orders' });
    const before = await server.stateHash();
    const me = await server.request('GET', '/userinfo', { token: forged });
    assert.equal(me.status, 401, me.text);
    const exchanged = await exchangeToken(server, 'root', app, forged);
    assert.equal(exchanged.status, 400, exchanged.text);
    assert.equal(await server.stateHash(), before);
  });

  test('consent to a scope at one API is none to the scope of that name at another', async () => {
    const [orders, payroll] = [await makeApi(server, ['read', 'write']), await makeApi(server, ['read', 'write'])];
    const app = await makeApp(server, 'Traditional', { isThirdParty: true });
    const user = await makeUserOf(server, orders, payroll);
    const browser = new Browser(server);
    const ask = async (scope: string, ...apis: { indicator: string }[]) => {
      const resource = apis.map(({ indicator }) => indicator);
      const { challenge } = pkce();
      const url = authorizeUrl('oidc', app, {
        scope,
        resource,
        code_challenge: challenge,
        code_challenge_method: 'S256',
      });
      await browser.open(url);
      if (browser.page.text.includes('/sign-in')) await browser.signIn(user);
      if (browser.page.location !== undefined) return 'no page';
      await browser.submit('/consent', { decision: 'allow' });
      assert.ok(callbackOf(browser.page).code);
      return 'asked';
    };
    assert.equal(await ask('openid read', orders), 'asked');
    assert.equal(await ask('openid read', orders), 'no page');
    assert.equal(await ask('openid write', payroll), 'asked');
    assert.equal(await ask('openid read', payroll), 'asked', 'reading the payroll was never shown');
    assert.equal(await ask('openid write', payroll), 'no page', 'beside what was agreed to there');
  });

  test('what a client of others may do in organizations is on the page, also when no API is named', async () => {
    const value = `read:${randomBytes(4).toString('hex')}`;
    await native(server, 'POST', '/organization-scopes', { name: value });
    const other = await makeApp(server, 'Traditional', { isThirdParty: true });
    const { challenge } = pkce();
    const scope = `openid urn:logto:scope:organizations ${value}`;
    const browser = new Browser(server);
    await browser.open(
      authorizeUrl('oidc', other, { scope, code_challenge: challenge, code_challenge_method: 'S256' }),
    );
    await browser.signIn(user);
    assert.ok(browser.page.text.includes('/consent'));
    assert.ok(browser.page.text.includes(value), 'tokens of organizations will carry it');
  });

  test('an application that people use without an organization gets no tokens of one later', async () => {
    const none = await makeApp(server, 'Traditional', { customClientMetadata: { allowTokenExchange: true } });
    const { id } = await native(server, 'POST', '/organizations', { name: 'Tohoku' });
    await native(server, 'POST', `/organizations/${id}/users`, { userIds: [user.id] });
    const scope = 'openid offline_access urn:logto:scope:organizations';
    const granted = await grantedTo(server, 'oidc', none, user, { scope });
    const ask = { organization_id: id };
    assert.equal((await refresh(server, 'oidc', none, granted.refreshToken, ask)).status, 200);
    const changed = await server.request('PATCH', `/api/v2/clients/${none.clientId}`, {
      token: await server.managementToken(),
      json: { organization_usage: 'deny' },
    });
    assert.equal(changed.status, 200, changed.text);
    const refused = await refresh(server, 'oidc', none, granted.refreshToken, ask);
    assert.equal(refused.status, 400, refused.text);
    assert.match(refused.text, /organization/);
    const exchanged = await exchangeToken(server, 'oidc', none, granted.accessToken, ask);
    assert.equal(exchanged.status, 400, exchanged.text);
    assert.equal((await refresh(server, 'oidc', none, granted.refreshToken)).status, 200);
  });

  test('one address can not fill the database with requests and devices that nobody goes on with', () =>
    // A limit of ten thousand in a window fades by one each 90 ms once the window is over.
    clock.standingStill(async () => {
      const device = await makeApp(server, 'Native', { customClientMetadata: { isDeviceFlow: true } });
      const { limits } = server.composed.services;
      // Those of this file came before.
      for (const address of ['127.0.0.1', '::1']) {
        const begin = () =>
          Array.from({ length: begunPerAddress + 1 }, () => limits.signIn.countBegun('default', address));
        assert.throws(begin, { reason: 'rate_limited' });
      }
      const before = await server.stateHash();
      const shown = await server.request('GET', authorizeUrl('root', app));
      assert.equal(shown.status, 429, shown.text);
      assert.ok(Number(shown.headers.get('retry-after')) > 0);
      const form = { client_id: device.clientId, scope: 'openid' };
      const started = await server.request('POST', '/oidc/device/auth', { form });
      assert.equal(started.status, 429, started.text);
      assert.equal(await server.stateHash(), before);
      const asked = { redirect_uri: redirectUri, response_type: 'code', code_challenge: pkce().challenge };
      const spa = await makeApp(server, 'SPA');
      const pushed = { client_id: spa.clientId, code_challenge_method: 'S256', scope: 'openid', ...asked };
      const hash = await server.stateHash();
      assert.equal((await server.request('POST', '/oidc/par', { form: pushed })).status, 429);
      assert.equal(await server.stateHash(), hash);
      clock.advance(30 * 60_000);
      assert.equal((await server.request('POST', '/oidc/par', { form: pushed })).status, 201);
    }));

  test('what rests on a session ends when its time is over', async () => {
    const browser = new Browser(server);
    const first = await exchange(server, 'oidc', app, await codeOf(browser, 'oidc', app, user));
    clock.advance(10 * 86_400_000);
    const second = await refresh(server, 'oidc', app, first.body.refresh_token);
    assert.equal(second.status, 200, second.text);
    clock.advance(5 * 86_400_000);
    const third = await refresh(server, 'oidc', app, second.body.refresh_token);
    assert.equal(third.status, 400, third.text);
    assert.equal(third.body.error, 'invalid_grant');
  });

  test('a session that goes on by signing in again carries what rests on it along', async () => {
    const browser = new Browser(server);
    const first = await exchange(server, 'oidc', app, await codeOf(browser, 'oidc', app, user));
    clock.advance(10 * 86_400_000);
    await browser.open(authorizeUrl('oidc', app, { prompt: 'login' }));
    await browser.signIn(user);
    assert.ok(callbackOf(browser.page).code);
    const second = await refresh(server, 'oidc', app, first.body.refresh_token);
    clock.advance(5 * 86_400_000);
    const third = await refresh(server, 'oidc', app, second.body.refresh_token);
    assert.equal(third.status, 200, third.text);
  });
});
