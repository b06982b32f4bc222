/** `@logto/node`, unmodified: a web application that people sign in to, and what it gets for them. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, mock, test } from 'node:test';
import { LogtoRequestError, Prompt } from '@logto/node';
import { noBrowser, openBrowser, signInOn } from '../browser.ts';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { Browser, claimsOf, makeApp, makeUser, native, redirectUri, type TestClient } from '../sign-in/support.ts';
import { audience, makeWorld, scopes, type WebApp, type World, webApp } from './logto-people.ts';

const postLogoutRedirectUri = 'https://app.example/bye';

eachEngine('@logto/node', (engine) => {
  let server: TestServer;
  let world: World;
  let app: TestClient;
  before(async () => {
    // It tells its console of every refusal.
    mock.method(console, 'error', () => {});
    mock.method(console, 'warn', () => {});
    server = await startServer({ engine });
    world = await makeWorld(server);
    app = await makeApp(server, 'Traditional', {
      oidcClientMetadata: { redirectUris: [redirectUri], postLogoutRedirectUris: [postLogoutRedirectUri] },
    });
  });
  after(() => {
    mock.restoreAll();
    return server?.close();
  });

  /** Signs Hanako in, without a script, up to the client's tokens. */
  async function signedIn(web = webApp(server, app), browser = new Browser(server)): Promise<WebApp> {
    await web.client.signIn(redirectUri);
    await browser.open(web.sentTo());
    if (browser.page.location === undefined) await browser.signIn(world.hanako);
    await web.client.handleSignInCallback(browser.page.location as string);
    return web;
  }

  /** The client's request is refused, with the reason where its users look for it. */
  const refused = (work: Promise<unknown>, message = 'The user is not a member of this organization.') =>
    assert.rejects(work, (error) => {
      assert.ok(error instanceof LogtoRequestError, String(error));
      assert.deepEqual([error.code, error.message, error.cause?.status], ['oidc.access_denied', message, 403]);
      return true;
    });

  test('signs in: it knows who it is, by the ID token', async () => {
    const { client } = await signedIn();
    assert.equal(await client.isAuthenticated(), true);
    const claims = await client.getIdTokenClaims();
    assert.equal(claims.sub, world.hanako.id);
    assert.equal(claims.iss, `${server.origin}/oidc`);
    assert.equal(claims.aud, app.clientId);
    assert.equal(claims.email, world.hanako.email);
    assert.deepEqual([...(claims.organizations ?? [])].sort(), [world.kansai, world.kanto].sort());
    const roles = [world.kansai, world.kanto].map((id) => `${id}:buyer`);
    assert.deepEqual([...(claims.organization_roles ?? [])].sort(), roles.sort());
  });

  test('gets a token for nothing but userinfo, for the API, and keeps each', async () => {
    const { client } = await signedIn();
    const opaque = await client.getAccessToken();
    assert.equal(opaque.split('.').length, 1, 'no JWT');
    const token = await client.getAccessToken(audience);
    assert.equal(await client.getAccessToken(audience), token, 'it keeps the token');
    const claims = await client.getAccessTokenClaims(audience);
    assert.equal(claims.aud, audience);
    assert.equal(claims.sub, world.hanako.id);
    assert.equal(claims.client_id, app.clientId);
    // Of the tenant's roles, and of those in every organization of hers.
    assert.deepEqual(claims.scope?.split(' ').sort(), [scopes.ofTenant, scopes.inOrganization].sort());
    assert.equal(claimsOf(token).organization_id, undefined);
  });

  test('gets a token for an organization, and for the API in that organization', async () => {
    const { client } = await signedIn();
    const claims = claimsOf(await client.getOrganizationToken(world.kansai));
    assert.equal(claims.aud, `urn:logto:organization:${world.kansai}`);
    assert.equal(claims.sub, world.hanako.id);
    assert.equal(claims.scope, scopes.ofOrganization);
    const decoded = await client.getOrganizationTokenClaims(world.kansai);
    assert.equal(decoded.aud, claims.aud);
    const inOrganization = claimsOf(await client.getAccessToken(audience, world.kanto));
    assert.deepEqual([inOrganization.aud, inOrganization.organization_id], [audience, world.kanto]);
    assert.deepEqual(inOrganization.scope.split(' ').sort(), [scopes.ofTenant, scopes.inOrganization].sort());
  });

  test('is refused an organization that she is no member of, and one that is not there, alike', async () => {
    const { client } = await signedIn();
    const before = await server.stateHash();
    for (const id of [world.stranger, 'org_none']) {
      await refused(client.getOrganizationToken(id));
      await refused(client.getAccessToken(audience, id));
    }
    assert.equal(await server.stateHash(), before);
  });

  test('a member who is removed gets no further token for the organization', async () => {
    const { client } = await signedIn();
    const { id } = await native(server, 'POST', '/organizations', { name: 'Left' });
    await native(server, 'POST', `/organizations/${id}/users`, { userIds: [world.hanako.id] });
    assert.equal(claimsOf(await client.getOrganizationToken(id)).aud, `urn:logto:organization:${id}`);
    await native(server, 'DELETE', `/organizations/${id}/users/${world.hanako.id}`);
    await client.clearAccessToken();
    await refused(client.getOrganizationToken(id));
  });

  test('fetches userinfo, with what the organizations are', async () => {
    const { client } = await signedIn();
    const info = await client.fetchUserInfo();
    assert.equal(info.sub, world.hanako.id);
    assert.equal(info.email, world.hanako.email);
    const names = (info.organization_data as { id: string; name: string }[]).map(({ name }) => name).sort();
    assert.deepEqual(names, ['Kansai', 'Kanto']);
  });

  test('makes its context of all of it, with a token for each organization', async () => {
    const { client } = await signedIn();
    const context = await client.getContext({
      getAccessToken: true,
      resource: audience,
      fetchUserInfo: true,
      getOrganizationToken: true,
    });
    assert.equal(context.isAuthenticated, true);
    assert.equal(context.claims?.sub, world.hanako.id);
    assert.equal(context.userInfo?.email, world.hanako.email);
    assert.ok(context.scopes?.includes(scopes.ofTenant));
    const tokens = Object.entries(context.organizationTokens ?? {});
    assert.deepEqual(tokens.map(([id]) => id).sort(), [world.kansai, world.kanto].sort());
    for (const [id, token] of tokens) assert.equal(claimsOf(token).aud, `urn:logto:organization:${id}`);
  });

  test('a person without organizations: an empty list, and no token for one', async () => {
    const nobody = await makeUser(server);
    const web = webApp(server, app);
    const browser = new Browser(server);
    await web.client.signIn(redirectUri);
    await browser.open(web.sentTo());
    await browser.signIn(nobody);
    await web.client.handleSignInCallback(browser.page.location as string);
    const context = await web.client.getContext({ getOrganizationToken: true });
    assert.deepEqual([context.claims?.organizations, context.organizationTokens], [[], {}]);
    await refused(web.client.getOrganizationToken(world.kansai));
  });

  test('signs out: the refresh token is revoked, the session has ended, and the browser comes back', async () => {
    const browser = new Browser(server);
    const web = await signedIn(webApp(server, app), browser);
    const refreshToken = (await web.client.getRefreshToken()) as string;
    await web.client.signOut(postLogoutRedirectUri);
    assert.equal(await web.client.isAuthenticated(), false);
    const answer = await server.request('POST', '/oidc/token', {
      form: {
        grant_type: 'refresh_token',
        refresh_token: refreshToken,
        client_id: app.clientId,
        client_secret: app.clientSecret as string,
      },
    });
    assert.deepEqual([answer.status, answer.body.error], [400, 'invalid_grant']);
    // A browser says which page it comes from.
    await browser.open(web.sentTo(), { referer: 'https://app.example/', 'sec-fetch-dest': 'document' });
    assert.equal(browser.page.location, postLogoutRedirectUri);
    await web.client.signIn(redirectUri);
    await browser.open(web.sentTo());
    assert.equal(browser.page.location, undefined, 'she has to sign in again');
    assert.match(browser.page.text, /name="password"/);
  });

  test('signs out from nowhere: anybody could have made that link, so she is asked', async () => {
    const browser = new Browser(server);
    const web = await signedIn(webApp(server, app), browser);
    await web.client.signOut(postLogoutRedirectUri);
    await browser.open(web.sentTo());
    assert.equal(browser.page.location, undefined);
    await browser.submit('/sign-out', { decision: 'sign_out' });
    assert.equal(browser.page.location, postLogoutRedirectUri);
  });

  test('a wrong state, and a sign-in that was cancelled, are no sign-in', async () => {
    const web = webApp(server, app);
    const browser = new Browser(server);
    await web.client.signIn(redirectUri);
    await browser.open(web.sentTo());
    await browser.submit('/cancel');
    const cancelled = browser.page.location as string;
    assert.equal(new URL(cancelled).searchParams.get('error'), 'access_denied');
    await assert.rejects(web.client.handleSignInCallback(cancelled));
    await web.client.signIn(redirectUri);
    await browser.open(web.sentTo());
    await browser.signIn(world.hanako);
    const other = new URL(browser.page.location as string);
    other.searchParams.set('state', 'another');
    await assert.rejects(web.client.handleSignInCallback(other.href));
    assert.equal(await web.client.isAuthenticated(), false);
  });

  test('without consent in the prompt there is no refresh token, so no token for anything else', async () => {
    const web = await signedIn(webApp(server, app, { prompt: Prompt.Login }));
    assert.equal(await web.client.isAuthenticated(), true);
    assert.equal(await web.client.getRefreshToken(), null);
    await assert.rejects(web.client.getAccessToken(audience), { code: 'not_authenticated' });
  });

  describe('somebody else’s application', () => {
    let other: TestClient;
    before(async () => {
      other = await makeApp(server, 'Traditional', { name: 'Travel agency', isThirdParty: true });
    });

    async function atConsent(): Promise<{ web: WebApp; browser: Browser }> {
      const web = webApp(server, other);
      const browser = new Browser(server);
      await web.client.signIn(redirectUri);
      await browser.open(web.sentTo());
      await browser.signIn(world.hanako);
      assert.match(browser.page.text, /Travel agency/);
      return { web, browser };
    }

    test('gets what the person ticked, and no other organization', async () => {
      const { web, browser } = await atConsent();
      await browser.submit('/consent', { decision: 'allow', [`organization.${world.kansai}`]: 'yes' });
      await web.client.handleSignInCallback(browser.page.location as string);
      assert.deepEqual((await web.client.getIdTokenClaims()).organizations, [world.kansai]);
      const token = claimsOf(await web.client.getOrganizationToken(world.kansai));
      assert.equal(token.aud, `urn:logto:organization:${world.kansai}`);
      await refused(
        web.client.getOrganizationToken(world.kanto),
        'The person did not let the application act in this organization.',
      );
    });

    test('gets nothing when the person says no', async () => {
      const { web, browser } = await atConsent();
      await browser.submit('/consent', { decision: 'deny' });
      const back = new URL(browser.page.location as string);
      assert.equal(back.searchParams.get('error'), 'access_denied');
      await assert.rejects(web.client.handleSignInCallback(back.href));
    });
  });

  describe('in Chromium', { skip: noBrowser }, () => {
    test('a web application of a page: signs in, shows who it is, signs out', async () => {
      let web: WebApp;
      const site = createServer(async (request, response) => {
        const url = new URL(request.url ?? '/', origin);
        if (url.pathname === '/callback') await web.client.handleSignInCallback(url.href);
        if (url.pathname === '/sign-out') {
          await web.client.signOut(`${origin}/`);
          response.writeHead(302, { location: web.sentTo() }).end();
          return;
        }
        const context = await web.client.getContext({ fetchUserInfo: true, getOrganizationToken: true });
        const person = context.userInfo?.email ?? 'nobody';
        response.setHeader('content-type', 'text/html');
        response.end(`<link rel="icon" href="data:,"><h1>${person}</h1><a href="/sign-out">Sign out</a>`);
      });
      await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
      const origin = `http://localhost:${(site.address() as AddressInfo).port}`;
      const own = await makeApp(server, 'Traditional', {
        oidcClientMetadata: { redirectUris: [`${origin}/callback`], postLogoutRedirectUris: [`${origin}/`] },
      });
      web = webApp(server, own);
      const browser = await openBrowser();
      try {
        const { page } = browser;
        await web.client.signIn(`${origin}/callback`);
        await page.goto(web.sentTo());
        await signInOn(page, world.hanako);
        await page.waitForURL(`${origin}/callback?**`);
        assert.equal(await page.locator('h1').textContent(), world.hanako.email);
        const organizations = Object.keys(
          (await web.client.getContext({ getOrganizationToken: true })).organizationTokens ?? {},
        );
        assert.deepEqual(organizations.sort(), [world.kansai, world.kanto].sort());
        await page.locator('a').click();
        await page.waitForURL(`${origin}/`);
        assert.equal(await page.locator('h1').textContent(), 'nobody');
        assert.deepEqual([...browser.origins].sort(), [origin, server.origin].sort(), 'nothing from elsewhere');
        assert.deepEqual(
          browser.complaints.filter((text) => !text.includes('favicon')),
          [],
        );
      } finally {
        await browser.close();
        await new Promise((resolve) => site.close(resolve));
      }
    });
  });
});
