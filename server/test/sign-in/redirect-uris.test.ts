/** Where codes may go: to what is registered, character by character; anything else is told to the person, here. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { withoutLimits } from '../token/refusals.ts';
import {
  authorizeUrl,
  Browser,
  bothIssuers,
  callbackOf,
  codeOf,
  issuers,
  makeApp,
  makeUser,
  native,
  pkce,
  redirectUri,
  type TestClient,
  type TestUser,
} from './support.ts';

/** Registered: `https://app.example/callback`. */
export const mutations = [
  'https://app.example/callback/',
  'https://app.example/callback/evil',
  'https://app.example/callback/../evil',
  'https://app.example/callback/..;/evil',
  'https://app.example/callback%2f%2e%2e%2fevil',
  'https://app.example/%63allback',
  'https://app.example/callback?next=evil',
  'https://app.example/callback?',
  'https://app.example/callback#fragment',
  'https://app.example/callback#',
  'https://app.example/callback%23',
  'https://app.example/Callback',
  'https://APP.example/callback',
  'HTTPS://app.example/callback',
  'https://app.example:443/callback',
  'https://app.example:8443/callback',
  'https://app.example./callback',
  'http://app.example/callback',
  'https://app.example//callback',
  'https:/app.example/callback',
  'https:app.example/callback',
  '//app.example/callback',
  '/callback',
  'https://app.example\\@evil.example/callback',
  'https://app.example@evil.example/callback',
  'https://user:secret@app.example/callback',
  'https://a@b@app.example/callback',
  'https://app.example.evil.example/callback',
  'https://evil.example/callback?https://app.example/callback',
  'https://appXexample/callback',
  'https://evil.app.example/callback',
  'https://аpp.example/callback',
  'https://app.example/callbacк',
  'https://app.example/callback%0d%0aLocation:%20https://evil.example',
  'https://app.example/callback https://evil.example',
  ' https://app.example/callback',
  'javascript:alert(1)//https://app.example/callback',
  'data:text/html,https://app.example/callback',
  'com.example.app:/callback',
];

eachEngine('redirect URIs', (engine) => {
  let server: TestServer;
  let user: TestUser;
  let app: TestClient;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    user = await makeUser(server);
    app = await makeApp(server);
  });
  after(() => server.close());

  const waiting = async () =>
    (await server.rows('interactions')).length + (await server.rows('pushed_requests')).length;

  /** A page of ours, and nothing was begun. `signedIn`: with a session a code would be given at once. */
  async function refusedHere(browser: Browser, send: () => Promise<unknown>, reason: string, what: string) {
    const before = { state: await server.stateHash(), waiting: await waiting() };
    const events = (await server.logEvents()).length;
    await send();
    const { status, location, headers, text } = browser.page;
    assert.equal(status, 400, what);
    assert.equal(location, undefined, what);
    assert.match(headers.get('content-type') ?? '', /^text\/html/);
    assert.match(headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/);
    assert.equal(headers.get('x-frame-options'), 'DENY');
    assert.equal(headers.get('refresh'), null);
    assert.doesNotMatch(text, /http-equiv="refresh"|evil/i, what);
    assert.deepEqual({ state: await server.stateHash(), waiting: await waiting() }, before, what);
    const logged = (await server.logEvents()).slice(events).map((event) => `${event.kind} ${event.reason}`);
    assert.deepEqual(logged, [`authorization.refused ${reason}`], what);
  }

  for (const issuer of bothIssuers) {
    test(`${issuer}: ${mutations.length} mutations, before and after the person is signed in`, async () => {
      const browser = new Browser(server);
      const { challenge } = pkce();
      const proof = { code_challenge: challenge, code_challenge_method: 'S256' };
      for (const state of ['nobody is signed in', 'somebody is']) {
        if (state === 'somebody is') assert.ok((await codeOf(browser, issuer, app, user)).code);
        for (const uri of mutations) {
          const url = authorizeUrl(issuer, app, { ...proof, redirect_uri: uri });
          await refusedHere(browser, () => browser.open(url), 'redirect_uri_unregistered', `${state}: ${uri}`);
        }
      }
    });

    test(`${issuer}: the same when it is posted, with prompt=none, and by form_post`, async () => {
      const browser = new Browser(server);
      await codeOf(browser, issuer, app, user);
      for (const uri of mutations.slice(0, 5)) {
        const query = new URLSearchParams(
          authorizeUrl(issuer, app, { redirect_uri: uri, prompt: 'none', response_mode: 'form_post' }).split('?')[1],
        );
        const send = () => browser.post(issuers[issuer].authorize, Object.fromEntries(query));
        await refusedHere(browser, send, 'redirect_uri_unregistered', uri);
      }
    });

    test(`${issuer}: pushed: refused to the client, and nothing is kept`, async () => {
      const before = { state: await server.stateHash(), waiting: await waiting() };
      for (const uri of mutations) {
        const query = new URLSearchParams(authorizeUrl(issuer, app, { redirect_uri: uri }).split('?')[1]);
        const answer = await server.request('POST', issuers[issuer].par, {
          form: { ...Object.fromEntries(query), client_secret: app.clientSecret as string },
        });
        assert.equal(`${answer.status} ${answer.body.error}`, '400 invalid_request', uri);
        assert.equal(answer.body.request_uri, undefined);
      }
      assert.deepEqual({ state: await server.stateHash(), waiting: await waiting() }, before);
    });

    test(`${issuer}: none, two, controls, an unknown client, a disabled client, an unknown way to answer`, async () => {
      const browser = new Browser(server);
      const url = (more: Record<string, string | string[]>) => authorizeUrl(issuer, app, more);
      const cases: [string, string][] = [
        [url({ redirect_uri: '' }), 'redirect_uri_missing'],
        [url({ redirect_uri: [redirectUri, 'https://evil.example/'] }), 'parameter_invalid'],
        [url({ redirect_uri: [redirectUri, redirectUri] }), 'parameter_invalid'],
        [url({ redirect_uri: `${redirectUri}\r\nLocation: https://evil.example/` }), 'parameter_invalid'],
        [url({ redirect_uri: `${redirectUri}\0` }), 'parameter_invalid'],
        [url({ client_id: 'nobody' }), 'client_unknown'],
        [url({ client_id: '' }), 'client_id_missing'],
        [url({ client_id: '__proto__' }), 'client_unknown'],
        [url({ response_mode: 'fragment' }), 'parameter_invalid'],
        [url({ response_mode: 'web_message' }), 'parameter_invalid'],
      ];
      for (const [path, reason] of cases) await refusedHere(browser, () => browser.open(path), reason, path);

      const disabled = await makeApp(server);
      await native(server, 'PATCH', `/applications/${disabled.clientId}`, { status: 'disabled' });
      await browser.open(authorizeUrl(issuer, disabled));
      assert.equal(browser.page.status, 403);
      assert.equal(browser.page.location, undefined);
    });

    test(`${issuer}: of a native client the port of a literal loopback address does not count`, async () => {
      const registered = ['http://127.0.0.1/callback', 'http://[::1]:4000/callback', 'http://localhost:4000/callback'];
      const oidcClientMetadata = { redirectUris: registered };
      const nativeApp = await makeApp(server, 'Native', { oidcClientMetadata });
      const spa = await makeApp(server, 'SPA', { oidcClientMetadata });
      const { challenge } = pkce();
      const ask = async (client: TestClient, uri: string) => {
        const browser = new Browser(server);
        const proof = { code_challenge: challenge, code_challenge_method: 'S256', prompt: 'none' };
        await browser.open(authorizeUrl(issuer, client, { ...proof, redirect_uri: uri }));
        return browser.page.location?.startsWith(uri) === true && callbackOf(browser.page).error === 'login_required';
      };
      for (const uri of ['http://127.0.0.1:51234/callback', 'http://127.0.0.1/callback', 'http://[::1]:9/callback']) {
        assert.equal(await ask(nativeApp, uri), true, uri);
      }
      for (const uri of [
        'http://localhost:51234/callback',
        'http://127.0.0.1:51234/other',
        'http://127.0.0.1:51234/callback/',
        'http://127.0.0.1.evil.example/callback',
        'http://127.0.0.1:51234.evil.example/callback',
        'http://127.0.0.1:51234@evil.example/callback',
        'http://127.0.0.1:99999/callback',
        'http://127.0.0.1:080/callback',
        'http://127.1:51234/callback',
        'http://0x7f000001/callback',
        'http://127.0.0.2/callback',
        'https://127.0.0.1:51234/callback',
        'http://[::1%25eth0]:9/callback',
        'http://[0:0:0:0:0:0:0:1]:9/callback',
      ]) {
        assert.equal(await ask(nativeApp, uri), false, uri);
      }
      assert.equal(await ask(spa, 'http://127.0.0.1:51234/callback'), false, 'a page is always at its port');
      assert.equal(await ask(spa, 'http://127.0.0.1/callback'), true);
    });
  }
});
