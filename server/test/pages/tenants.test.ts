import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { type RawAnswer, rawRequest } from '../management/support.ts';
import { authorizeUrl, formsOf, makeApp, makeUser, native, pkce } from '../sign-in/support.ts';
import { begin } from './support.ts';

eachEngine('pages of tenants', (engine) => {
  let server: TestServer;
  let host: string;
  let call: (method: string, path: string, json: unknown) => Promise<RawAnswer['body']>;
  before(async () => {
    server = await startServer({ engine });
    host = `next.localhost:${server.port}`;
    const { managementClient } = await native(server, 'POST', '/tenants', { id: 'next' });
    const asked = { grant_type: 'client_credentials', audience: `http://${host}/api` };
    const credentials = { client_id: managementClient.clientId, client_secret: managementClient.clientSecret };
    const { body } = await send('POST', '/oauth/token', { ...asked, ...credentials });
    call = async (method, path, json) => {
      const headers = { 'content-type': 'application/json' };
      const options = { host, token: body.access_token, headers, body: JSON.stringify(json) };
      const answer = await rawRequest(server, method, `/api${path}`, options);
      assert.ok(answer.status < 300, answer.text);
      return answer.body;
    };
  });
  after(() => server.close());

  /** A request to the tenant's own host. */
  const send = (method: string, path: string, form?: Record<string, string>, cookie = ''): Promise<RawAnswer> =>
    rawRequest(server, method, path, {
      host,
      headers: { cookie, ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }) },
      ...(form === undefined ? {} : { body: `${new URLSearchParams(form)}` }),
    });

  it('are of one tenant: neither its interactions nor its forms count at another', async () => {
    await native(server, 'PATCH', '/sign-in-exp', { name: 'First tenant' });
    const [app, user] = [await makeApp(server), await makeUser(server)];
    const browser = await begin(server, app);
    assert.match(browser.page.text, /First tenant/);
    const { action, hidden } = formsOf(browser.page.text)[0] as { action: string; hidden: Record<string, string> };
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const before = await server.stateHash();
    const shown = await send('GET', new URL(browser.page.url).pathname, undefined, cookie);
    assert.equal(shown.status, 404);
    assert.ok(!shown.text.includes('First tenant'));
    const sent = { ...hidden, identifier: user.email, password: user.password };
    assert.equal((await send('POST', action, sent, cookie)).status, 403);
    assert.equal(await server.stateHash(), before);
    await browser.signIn(user);
    assert.ok(browser.page.location);
  });

  it('of a suspended tenant let nobody go on', async () => {
    const redirectUri = 'https://app.example/callback';
    const metadata = { redirectUris: [redirectUri], postLogoutRedirectUris: [] };
    const app = await call('POST', '/applications', { name: 'A', type: 'SPA', oidcClientMetadata: metadata });
    const password = 'correct horse battery';
    await call('POST', '/users', { primaryEmail: 'me@example.com', password });
    const url = authorizeUrl(
      'oidc',
      { clientId: app.id, clientSecret: undefined },
      { code_challenge: pkce().challenge, code_challenge_method: 'S256' },
    );
    const started = await send('GET', url);
    const path = started.headers.location as string;
    const cookie = (started.headers['set-cookie'] ?? []).map((line) => line.split(';')[0]).join('; ');
    const page = await send('GET', path, undefined, cookie);
    const { action, hidden } = formsOf(page.text)[0] as { action: string; hidden: Record<string, string> };
    await native(server, 'PATCH', '/tenants/next', { status: 'suspended' });
    const before = await server.stateHash();
    const sent = { ...hidden, identifier: 'me@example.com', password };
    for (const answer of [
      await send('GET', url),
      await send('GET', path, undefined, cookie),
      await send('POST', action, sent, cookie),
    ]) {
      assert.equal(answer.status, 403);
      assert.deepEqual(answer.headers['set-cookie'] ?? [], []);
      assert.match(answer.text, /tenant_suspended/);
    }
    assert.equal(await server.stateHash(), before);
    await native(server, 'PATCH', '/tenants/next', { status: 'active' });
    const signedIn = await send('POST', action, sent, cookie);
    assert.equal(signedIn.status, 303);
  });
});
