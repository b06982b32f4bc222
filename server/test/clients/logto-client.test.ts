/**
 * `@logto/client`, unmodified, as a public client (a native app): no secret, so PKCE, and a refresh token that is exchanged
 * at each use, also when several tokens are wanted at once.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import LogtoClient, { type ClientAdapter, LogtoRequestError } from '@logto/client';
import { eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { Browser, claimsOf, makeApp, type TestClient } from '../sign-in/support.ts';
import { audience, configOf, MemoryStorage, makeWorld, type World } from './logto-people.ts';

const redirectUri = 'com.example.orders://callback';

/** As the client's own packages for browsers and Node do it. */
const requester: ClientAdapter['requester'] = async (...args: Parameters<typeof fetch>) => {
  const response = await fetch(...args);
  // biome-ignore lint/suspicious/noExplicitAny: the caller says what it expects
  if (response.ok) return response.json() as any;
  const { code, message } = (await response.json()) as { code: string; message: string };
  throw new LogtoRequestError(code, message, response);
};

eachEngine('@logto/client', (engine) => {
  const clock = new TestClock();
  let server: TestServer;
  let world: World;
  let app: TestClient;
  before(async () => {
    server = await startServer({ engine, clock });
    world = await makeWorld(server);
    app = await makeApp(server, 'Native', { oidcClientMetadata: { redirectUris: [redirectUri] } });
    assert.equal(app.clientSecret, undefined);
  });
  after(() => server?.close());

  /** An installation of the app; `storage` is what it keeps over a restart. */
  function install(storage = new MemoryStorage()) {
    let sentTo = '';
    const client = new LogtoClient(configOf(server, app), {
      requester,
      storage,
      navigate: (url) => {
        sentTo = url;
      },
      generateState: () => randomBytes(32).toString('base64url'),
      generateCodeVerifier: () => randomBytes(32).toString('base64url'),
      generateCodeChallenge: (verifier) => createHash('sha256').update(verifier).digest('base64url'),
    });
    return { client, storage, sentTo: () => sentTo };
  }

  async function signedIn() {
    const installed = install();
    const browser = new Browser(server);
    await installed.client.signIn(redirectUri);
    await browser.open(installed.sentTo());
    await browser.signIn(world.hanako);
    await installed.client.handleSignInCallback(browser.page.location as string);
    return installed;
  }

  test('signs in without a secret, at a scheme of its own', async () => {
    const { client } = await signedIn();
    assert.equal((await client.getIdTokenClaims()).sub, world.hanako.id);
    assert.equal((await client.fetchUserInfo()).email, world.hanako.email);
  });

  test('exchanges its refresh token at each use, and goes on with the new one after a restart', async () => {
    const { client, storage } = await signedIn();
    const seen = [await client.getRefreshToken()];
    for (const id of [world.kansai, world.kanto]) {
      assert.equal(claimsOf(await client.getOrganizationToken(id)).aud, `urn:logto:organization:${id}`);
      seen.push(await client.getRefreshToken());
    }
    assert.equal(new Set(seen).size, 3);
    const restarted = install(storage).client;
    assert.equal(claimsOf(await restarted.getAccessToken(audience, world.kansai)).organization_id, world.kansai);
    assert.notEqual(await restarted.getRefreshToken(), seen[2]);
  });

  test('wants several tokens at once with one refresh token, gets them all, and goes on', async () => {
    const { client } = await signedIn();
    const tokens = await Promise.all([
      client.getOrganizationToken(world.kansai),
      client.getOrganizationToken(world.kanto),
      client.getAccessToken(audience),
      client.getAccessToken(audience, world.kansai),
    ]);
    assert.deepEqual(
      tokens.map((token) => claimsOf(token).aud),
      [`urn:logto:organization:${world.kansai}`, `urn:logto:organization:${world.kanto}`, audience, audience],
    );
    await client.clearAccessToken();
    assert.equal(claimsOf(await client.getAccessToken(audience)).aud, audience);
  });

  test('a refresh token that somebody else used before ends what both hold', async () => {
    const { client, storage } = await signedIn();
    const copy = new MemoryStorage();
    for (const [key, value] of storage.items) copy.items.set(key, value);
    const thief = install(copy).client;
    await thief.getAccessToken(audience);
    clock.advance(60_000);
    await assert.rejects(client.getAccessToken(audience, world.kansai), { code: 'oidc.invalid_grant' });
    await assert.rejects(thief.getAccessToken(audience, world.kansai), { code: 'oidc.invalid_grant' });
  });
});
