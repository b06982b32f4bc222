/** `express-openid-connect`, unmodified, in an Express application: what Auth0's web applications do at the root issuer. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import express from 'express';
import { Browser, claimsOf } from '../sign-in/support.ts';
import { audience, type People, scope, startWithPeople } from './people.ts';

/** CommonJS, with names that an import does not see. */
const { auth, requiresAuth } = createRequire(import.meta.url)(
  'express-openid-connect',
) as typeof import('express-openid-connect');

describe('express-openid-connect', () => {
  let people: People;
  let site: { server: Server; origin: string; clientId: string };
  before(async () => {
    people = await startWithPeople();
    site = await startSite();
  });
  after(async () => {
    site?.server.close();
    await people?.server.stop();
  });

  /** The application, as its documentation has it: one middleware, and routes that need a person. */
  async function startSite() {
    const app = express();
    const server = createServer(app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
    const { clientId, clientSecret } = await people.newClient({
      callbacks: [`${origin}/callback`],
      allowed_logout_urls: [origin],
    });
    app.use(
      auth({
        issuerBaseURL: people.server.issuer,
        baseURL: origin,
        clientID: clientId,
        clientSecret: clientSecret as string,
        secret: 'a secret of the application’s own cookies',
        authRequired: false,
        idpLogout: true,
        authorizationParams: { response_type: 'code', audience, scope: `openid profile email offline_access ${scope}` },
      }),
    );
    app.get('/', (request, response) => {
      response.json({ signedIn: request.oidc.isAuthenticated() });
    });
    app.get('/profile', requiresAuth(), (request, response) => {
      response.json(request.oidc.user);
    });
    app.get('/userinfo', requiresAuth(), async (request, response) => {
      response.json(await request.oidc.fetchUserInfo());
    });
    app.get('/tokens', requiresAuth(), async (request, response) => {
      const first = request.oidc.accessToken;
      const second = await first?.refresh();
      response.json({ first: first?.access_token, second: second?.access_token });
    });
    return { server, origin, clientId };
  }

  /** One person's browser: a jar for the application, one for the server. */
  const newBrowser = () => ({ app: new Browser(site), server: new Browser(people.server) });
  type Both = ReturnType<typeof newBrowser>;
  const json = ({ app }: Both) => JSON.parse(app.page.text);

  async function signIn(browser: Both, path = '/profile'): Promise<void> {
    await browser.app.open(path);
    const back = await people.signIn(new URL(browser.app.page.location as string), browser.server);
    await browser.app.open(back.href);
  }

  test('a page that needs a person sends to sign in, and is shown afterwards', async () => {
    const browser = newBrowser();
    await signIn(browser);
    assert.equal(new URL(browser.app.page.url).pathname, '/profile');
    const user = json(browser);
    assert.equal(user.sub, people.subject('root'));
    assert.equal(user.email, people.hanako.email);
    assert.equal(user.name, 'Hanako');
  });

  test('fetches userinfo; its access token is for the API, and is refreshed', async () => {
    const browser = newBrowser();
    await signIn(browser);
    await browser.app.open('/userinfo');
    assert.equal(json(browser).sub, people.subject('root'));
    await browser.app.open('/tokens');
    const { first, second } = json(browser);
    assert.notEqual(first, second);
    for (const token of [first, second]) {
      const claims = claimsOf(token);
      assert.deepEqual([claims.iss, claims.aud], [people.server.issuer, audience]);
      assert.ok(claims.scope.split(' ').includes(scope));
    }
  });

  test('a callback with another state is refused', async () => {
    const browser = newBrowser();
    await browser.app.open('/login');
    const back = await people.signIn(new URL(browser.app.page.location as string), browser.server);
    back.searchParams.set('state', 'another');
    await browser.app.open(back.href);
    assert.equal(browser.app.page.status, 400);
    await browser.app.open('/');
    assert.deepEqual(json(browser), { signedIn: false });
  });

  test('signs out here and at the server, and comes back', async () => {
    const browser = newBrowser();
    await signIn(browser);
    await browser.app.open('/logout');
    await browser.server.open(browser.app.page.location as string);
    assert.equal(new URL(browser.server.page.location as string).origin, site.origin);
    await browser.app.open('/');
    assert.deepEqual(json(browser), { signedIn: false });
    await browser.app.open('/profile');
    await browser.server.open(browser.app.page.location as string);
    assert.match(browser.server.page.text, /name="password"/, 'the person has to sign in again');
  });
});
