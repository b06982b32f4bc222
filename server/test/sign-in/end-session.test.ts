import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { rawRequest, withoutLimits } from '../management/support.ts';
import {
  Browser,
  claimsOf,
  codeOf,
  exchange,
  formsOf,
  type IssuerKey,
  issuers,
  makeApp,
  makeUser,
  type Page,
  redirectUri,
  type TestClient,
  type TestUser,
} from './support.ts';

const endpoints = { root: '/oidc/logout', oidc: '/oidc/session/end' } as const;
/** What a browser says of a page that it goes to. */
const navigation = { 'sec-fetch-dest': 'document', 'sec-fetch-mode': 'navigate' };
const afterUri = 'https://app.example/bye';

/** Somebody who is signed in to an app, with the ID token it got. */
interface SignedIn {
  browser: Browser;
  user: TestUser;
  app: TestClient;
  idToken: string;
  accessToken: string;
  refreshToken: string;
}

eachEngine('end session', (engine) => {
  let server: TestServer;
  const clock = new TestClock();
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
  });
  after(() => server.close());

  const appWith = (metadata: Record<string, unknown> = {}, more: Record<string, unknown> = {}) =>
    makeApp(server, 'Traditional', {
      oidcClientMetadata: { redirectUris: [redirectUri], postLogoutRedirectUris: [afterUri], ...metadata },
      ...more,
    });

  async function signedIn(issuer: IssuerKey, app?: TestClient): Promise<SignedIn> {
    const user = await makeUser(server);
    const client = app ?? (await appWith());
    const browser = new Browser(server);
    const callback = await codeOf(browser, issuer, client, user, {
      scope: 'openid profile offline_access',
      prompt: 'consent',
    });
    if (callback.code === undefined) await browser.submit('/consent', { decision: 'allow' });
    const answer = await exchange(server, issuer, client, callback);
    assert.equal(answer.status, 200, answer.text);
    const { id_token: idToken, access_token: accessToken, refresh_token: refreshToken } = answer.body;
    return { browser, user, app: client, idToken, accessToken, refreshToken };
  }

  const endPath = (issuer: IssuerKey, parameters: Record<string, string>) =>
    `${endpoints[issuer]}?${new URLSearchParams(parameters)}`;

  /** Sessions of a user that the database has. */
  const sessionsOf = async ({ id }: TestUser) =>
    (await server.rows('sessions')).filter((row) => row.user_id === id).length;

  const ended = async (userId: string) =>
    (await server.logEvents()).filter(({ kind, user_id }) => kind === 'session.ended' && user_id === userId);

  const isLocked = ({ headers }: Page) => {
    assert.match(headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/);
    assert.equal(headers.get('x-frame-options'), 'DENY');
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('referrer-policy'), 'same-origin');
  };

  /** An error page: no redirect, nothing changed, the refusal in the log. */
  async function refused(work: () => Promise<Page>, reason: string, kind = 'session.end_refused'): Promise<void> {
    const before = await server.stateHash();
    const page = await work();
    assert.equal(page.status, 400, page.text);
    assert.equal(page.location, undefined);
    isLocked(page);
    assert.equal(await server.stateHash(), before);
    const last = (await server.logEvents()).at(-1);
    assert.equal(last.kind, kind);
    assert.equal(last.reason, reason);
  }

  const isConfirmation = (page: Page) => {
    assert.equal(page.status, 200, page.text);
    isLocked(page);
    assert.deepEqual(
      formsOf(page.text).map(({ action }) => action),
      ['/sign-out'],
    );
  };

  for (const issuer of Object.keys(issuers) as IssuerKey[]) {
    describe(issuer, () => {
      test('discovery names the endpoint', async () => {
        const path = issuer === 'root' ? '' : '/oidc';
        const { body } = await server.request('GET', `${path}/.well-known/openid-configuration`);
        assert.equal(body.end_session_endpoint, `${server.origin}${endpoints[issuer]}`);
        assert.equal(body.backchannel_logout_supported, true);
        assert.equal(body.backchannel_logout_session_supported, true);
      });

      test('a hint of the same session: signed out at once, back with state', async () => {
        const { browser, user, idToken, app } = await signedIn(issuer);
        assert.equal(await sessionsOf(user), 1);
        const page = await browser.open(
          endPath(issuer, { id_token_hint: idToken, post_logout_redirect_uri: afterUri, state: 'a b&c' }),
        );
        assert.equal(page.status, 303, page.text);
        assert.equal(page.location, `${afterUri}?state=a+b%26c`);
        assert.equal(browser.cookies.has('sekisho-session'), false);
        assert.equal(await sessionsOf(user), 0);
        const events = await ended(user.id);
        assert.equal(events.length, 1);
        assert.equal(JSON.parse(events[0].details).target, claimsOf(idToken).sid);
        // The next sign-in is a real one.
        const again = await codeOf(new Browser(server), issuer, app, user);
        assert.ok(again.code);
      });

      test('what rests on the session ends, offline access goes on', async () => {
        const user = await makeUser(server);
        const app = await appWith();
        const browser = new Browser(server);
        const online = await exchange(server, issuer, app, await codeOf(browser, issuer, app, user));
        const offlineCode = await codeOf(browser, issuer, app, user, {
          scope: 'openid offline_access',
          prompt: 'consent',
        });
        const offline = await exchange(server, issuer, app, offlineCode);
        const userinfo = (token: string) => server.request('GET', issuers[issuer].userinfo, { token });
        assert.equal((await userinfo(online.body.access_token)).status, 200);
        assert.equal(claimsOf(offline.body.id_token).sid, claimsOf(online.body.id_token).sid);
        await browser.open(endPath(issuer, { id_token_hint: online.body.id_token }));
        assert.equal((await userinfo(online.body.access_token)).status, 401);
        assert.equal((await userinfo(offline.body.access_token)).status, 200);
      });

      test('by POST, and from another site, whose forms bring no cookie', async () => {
        const { browser, user, idToken } = await signedIn(issuer);
        const form = { id_token_hint: idToken, post_logout_redirect_uri: afterUri, state: 's' };
        // SameSite=Lax: the form brings none, the GET it is led to does.
        const elsewhere = new Browser(server);
        assert.equal((await elsewhere.post(endpoints[issuer], form)).location, `${afterUri}?state=s`);
        assert.equal(await sessionsOf(user), 1);
        assert.equal((await browser.post(endpoints[issuer], form)).location, `${afterUri}?state=s`);
        assert.equal(await sessionsOf(user), 0);
      });

      test('an expired hint is as good', async () => {
        const { browser, user, idToken } = await signedIn(issuer);
        clock.advance(5 * 3_600_000);
        const page = await browser.open(
          endPath(issuer, { id_token_hint: idToken, post_logout_redirect_uri: afterUri }),
        );
        assert.equal(page.location, afterUri);
        assert.equal(await sessionsOf(user), 0);
      });

      test('without a URI: the signed-out page, also with state alone', async () => {
        for (const more of [{}, { state: 'alone' }] as Record<string, string>[]) {
          const { browser, user, idToken } = await signedIn(issuer);
          const page = await browser.open(endPath(issuer, { id_token_hint: idToken, ui_locales: 'ja', ...more }));
          assert.equal(page.status, 200);
          assert.equal(new URL(page.url).pathname, '/signed-out');
          assert.match(page.text, /lang="ja"/);
          assert.doesNotMatch(page.text, /alone/);
          isLocked(page);
          assert.equal(await sessionsOf(user), 0);
        }
      });

      test('no parameters, state alone, client and URI without a hint: the person is asked', async () => {
        const cases: ((app: TestClient) => Record<string, string>)[] = [
          () => ({}),
          () => ({ state: 'x' }),
          ({ clientId }) => ({ client_id: clientId }),
          ({ clientId }) => ({ client_id: clientId, post_logout_redirect_uri: afterUri, state: 'x' }),
        ];
        for (const parameters of cases) {
          const { browser, user, app } = await signedIn(issuer);
          const given = parameters(app);
          const before = await server.stateHash();
          const page = await browser.open(endPath(issuer, given), { 'sec-fetch-site': 'cross-site' });
          isConfirmation(page);
          assert.equal(await server.stateHash(), before);
          const stayed = await browser.submit('/sign-out', { decision: 'stay' });
          assert.equal(stayed.status, 200);
          assert.equal(await sessionsOf(user), 1);
          await browser.open(endPath(issuer, given));
          const left = await browser.submit('/sign-out', { decision: 'sign_out' });
          assert.equal(await sessionsOf(user), 0);
          assert.equal(browser.cookies.has('sekisho-session'), false);
          if ('post_logout_redirect_uri' in given) assert.equal(left.location, `${afterUri}?state=x`);
          else assert.equal(new URL(left.url).pathname, '/signed-out');
        }
      });

      test('the form of the page can not be forged or turned', async () => {
        const { browser, user, app } = await signedIn(issuer);
        const other = await signedIn(issuer);
        await browser.open(endPath(issuer, { client_id: app.clientId, post_logout_redirect_uri: afterUri }));
        const [form] = formsOf(browser.page.text);
        const hidden = form?.hidden as Record<string, string>;
        const yes = { ...hidden, decision: 'sign_out' };
        const before = await server.stateHash();
        const forged = [
          () => browser.post('/sign-out', { ...yes, csrf: '' }),
          () => browser.post('/sign-out', { decision: 'sign_out' }),
          () => browser.post('/sign-out', yes, { 'sec-fetch-site': 'cross-site' }),
          () => browser.post('/sign-out', yes, { origin: 'https://evil.example' }),
          () => other.browser.post('/sign-out', yes),
        ];
        for (const forge of forged) {
          assert.equal((await forge()).status, 403);
          assert.equal(await server.stateHash(), before);
        }
        // Checked once more: what the browser carried is not believed.
        await refused(
          () => browser.post('/sign-out', { ...yes, post_logout_redirect_uri: 'https://evil.example/' }),
          'logout_uri_unregistered',
          'authorization.refused',
        );
        await refused(
          () => browser.post('/sign-out', { ...yes, client_id: '' }),
          'logout_uri_unregistered',
          'authorization.refused',
        );
        assert.equal(await sessionsOf(user), 1);
        assert.equal((await browser.open('/sign-out')).status, 404);
      });

      test('open redirects: nothing but a registered URI, character by character', async () => {
        const { browser, user, idToken, app } = await signedIn(issuer);
        const uris = [
          '//evil.example',
          '/\\evil.example',
          'https:evil.example',
          'https://evil.example/',
          'https://app.example/bye\r\nLocation: https://evil.example',
          'https://app.example/bye%0d%0aLocation:https://evil.example',
          `${afterUri}?a=b`,
          `${afterUri}#x`,
          `${afterUri}/`,
          `${afterUri}/../other`,
          'https://APP.example/bye',
          'https://app.example:443/bye',
          'https://app.example@evil.example/bye',
          'http://app.example/bye',
          'https://app.example/BYE',
          'https://app.example.evil.example/bye',
          'javascript:alert(1)',
          '/bye',
          // Registered for codes, not for this.
          redirectUri,
        ];
        for (const uri of uris) {
          for (const named of [{ id_token_hint: idToken }, { client_id: app.clientId }] as Record<string, string>[]) {
            const path = endPath(issuer, { ...named, post_logout_redirect_uri: uri });
            await refused(() => browser.open(path), 'logout_uri_unregistered');
          }
        }
        assert.equal(await sessionsOf(user), 1);
      });

      test('a URI without a client, an unknown client, another client: refused', async () => {
        const { browser, idToken, user } = await signedIn(issuer);
        const stranger = await appWith();
        const path = (parameters: Record<string, string>) => () => browser.open(endPath(issuer, parameters));
        await refused(path({ post_logout_redirect_uri: afterUri, state: 's' }), 'logout_uri_unregistered');
        await refused(path({ client_id: 'nobody', post_logout_redirect_uri: afterUri }), 'client_unknown');
        await refused(
          path({ id_token_hint: idToken, client_id: stranger.clientId, post_logout_redirect_uri: afterUri }),
          'id_token_hint_invalid',
        );
        assert.equal(await sessionsOf(user), 1);
      });

      test('a state or client id with controls, and repeated parameters: refused', async () => {
        const { browser, idToken } = await signedIn(issuer);
        for (const extra of ['state=a%0d%0aSet-Cookie:x=1', 'client_id=%00', 'state=1&state=2']) {
          const path = `${endpoints[issuer]}?id_token_hint=${idToken}&post_logout_redirect_uri=${encodeURIComponent(afterUri)}&${extra}`;
          await refused(() => browser.open(path), 'parameter_invalid');
        }
      });

      test('modified, unsigned, foreign hints: refused, nobody is signed out', async () => {
        const { browser, user, idToken, accessToken } = await signedIn(issuer);
        const [header = '', payload = '', signature = ''] = idToken.split('.');
        const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
        const stranger = await makeUser(server);
        const otherSub = { ...claimsOf(idToken), sub: issuer === 'root' ? `auth0|${stranger.id}` : stranger.id };
        const { keys } = (await server.request('GET', '/.well-known/jwks.json')).body;
        const hs256 = `${encode({ alg: 'HS256', typ: 'JWT', kid: keys[0].kid })}.${payload}`;
        const other = issuer === 'root' ? 'oidc' : 'root';
        const hints = [
          'nonsense',
          'a.b.c',
          `${header}.${payload}.`,
          `${header}.${payload}`,
          `${header}.${encode(otherSub)}.${signature}`,
          `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
          `${encode({ alg: 'none' })}.${payload}.`,
          `${encode({ alg: 'none', typ: 'JWT', kid: keys[0].kid })}.${payload}.`,
          `${hs256}.${createHmac('sha256', JSON.stringify(keys[0])).update(hs256).digest('base64url')}`,
          accessToken,
          // Of the other issuer at the same host.
          (await signedIn(other)).idToken,
        ];
        for (const hint of hints) {
          const path = endPath(issuer, { id_token_hint: hint, post_logout_redirect_uri: afterUri, state: 's' });
          await refused(() => browser.open(path), 'id_token_hint_invalid');
        }
        assert.equal(await sessionsOf(user), 1);
        assert.deepEqual(await ended(user.id), []);
      });

      test('a hint about somebody else signs out nobody without a word', async () => {
        const mine = await signedIn(issuer);
        const theirs = await signedIn(issuer, mine.app);
        const path = endPath(issuer, { id_token_hint: theirs.idToken, post_logout_redirect_uri: afterUri });
        isConfirmation(await mine.browser.open(path));
        assert.equal(await sessionsOf(mine.user), 1);
        assert.equal(await sessionsOf(theirs.user), 1);
      });

      test('by a page of our own app at once; by a page of anybody else not', async () => {
        const { browser, user, app } = await signedIn(issuer);
        const path = endPath(issuer, { client_id: app.clientId, post_logout_redirect_uri: afterUri });
        for (const referer of [
          'https://evil.example/app.example',
          'https://app.example.evil.example/',
          'http://app.example/',
          'null',
          'app.example',
          `${server.origin}/`,
        ]) {
          isConfirmation(await browser.open(path, { referer, ...navigation }));
          assert.equal(await sessionsOf(user), 1, referer);
        }
        // A picture or a frame in the app's page, put there by whoever may write in it.
        const referer = 'https://app.example/account';
        for (const more of [{}, { 'sec-fetch-dest': 'image' }, { 'sec-fetch-dest': 'iframe' }]) {
          isConfirmation(await browser.open(path, { referer, ...more }));
          assert.equal(await sessionsOf(user), 1);
        }
        const page = await browser.open(path, { referer, ...navigation });
        assert.equal(page.location, afterUri);
        assert.equal(await sessionsOf(user), 0);
      });

      test('a page of an application of others is asked about', async () => {
        const { browser, user } = await signedIn(issuer);
        const third = await appWith({}, { isThirdParty: true });
        const path = endPath(issuer, { client_id: third.clientId, post_logout_redirect_uri: afterUri });
        isConfirmation(await browser.open(path, { referer: 'https://app.example/', ...navigation }));
        assert.equal(await sessionsOf(user), 1);
      });

      test('nobody signed in: on to the registered URI, and no further', async () => {
        const app = await appWith();
        const browser = new Browser(server);
        const path = (uri: string) => endPath(issuer, { client_id: app.clientId, post_logout_redirect_uri: uri });
        assert.equal((await browser.open(path(afterUri))).location, afterUri);
        await refused(() => browser.open(path('https://evil.example/')), 'logout_uri_unregistered');
      });

      test('a HEAD does nothing', async () => {
        const { user, idToken } = await signedIn(issuer);
        const answer = await server.request('HEAD', endPath(issuer, { id_token_hint: idToken }));
        assert.equal(answer.status, 404);
        assert.equal(await sessionsOf(user), 1);
      });
    });
  }

  describe('as Auth0 had it', () => {
    const path = (parameters: Record<string, string>) => `/v2/logout?${new URLSearchParams(parameters)}`;

    test('asks, then returns', async () => {
      const { browser, user, app } = await signedIn('root');
      isConfirmation(await browser.open(path({ client_id: app.clientId, returnTo: afterUri, state: 'x' })));
      assert.equal(await sessionsOf(user), 1);
      const page = await browser.submit('/sign-out', { decision: 'sign_out' });
      assert.equal(page.location, afterUri);
      assert.equal(await sessionsOf(user), 0);
    });

    test('an app of ours by its own page at once', async () => {
      const { browser, app } = await signedIn('root');
      const page = await browser.open(path({ client_id: app.clientId, returnTo: afterUri }), {
        referer: 'https://app.example/',
        ...navigation,
      });
      assert.equal(page.location, afterUri);
    });

    test('no place but a registered one', async () => {
      const { browser, user, app } = await signedIn('root');
      for (const returnTo of ['//evil.example', '/\\evil.example', 'https://evil.example', `${afterUri}?x`]) {
        await refused(() => browser.open(path({ client_id: app.clientId, returnTo })), 'logout_uri_unregistered');
      }
      await refused(() => browser.open(path({ returnTo: afterUri })), 'logout_uri_unregistered');
      assert.equal(await sessionsOf(user), 1);
    });
  });

  test('another tenant knows neither hint nor client', async () => {
    const { idToken, app, user } = await signedIn('oidc');
    const token = await server.managementToken(server.nativeAudience);
    const made = await server.request('POST', '/api/tenants', { token, json: { id: 'other', name: 'Other' } });
    assert.ok(made.status < 300, made.text);
    for (const query of [`id_token_hint=${idToken}`, `client_id=${app.clientId}`]) {
      const answer = await rawRequest(server, 'GET', `/oidc/session/end?${query}`, {
        host: `other.localhost:${server.port}`,
      });
      assert.equal(answer.status, 400);
    }
    assert.equal(await sessionsOf(user), 1);
  });
});
