/** Nobody is led elsewhere by a link to us: where a browser goes after a page is what was registered, or ours. */
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
  formsOf,
  makeApp,
  makeUser,
  native,
  pkce,
  redirectUri,
  type TestClient,
  type TestUser,
} from './support.ts';

/** Where an attacker would like to lead people. */
const elsewhere = [
  'https://evil.example/',
  '//evil.example/',
  '/\\evil.example/',
  '\\\\evil.example\\',
  'https:evil.example',
  'https:/evil.example',
  '/%09/evil.example',
  '/\t/evil.example',
  '///evil.example',
  '/..//evil.example',
  'javascript:alert(1)',
  'data:text/html,evil',
  '%0d%0aLocation:%20https://evil.example/',
  '\r\nLocation: https://evil.example/',
  'https://app.example@evil.example/',
];
const names = ['returnTo', 'return_to', 'next', 'continue', 'redirect', 'redirect_to', 'RelayState', 'url', 'callback'];

eachEngine('open redirects', (engine) => {
  let server: TestServer;
  let user: TestUser;
  let app: TestClient;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    user = await makeUser(server);
    app = await makeApp(server);
  });
  after(() => server.close());

  const raw = async (path: string, cookies = '') => {
    const response = await fetch(`${server.origin}${path}`, {
      redirect: 'manual',
      headers: cookies === '' ? {} : { cookie: cookies },
    });
    await response.text();
    return response;
  };
  /** A redirect leads to a path of ours, or there is none. */
  const staysHere = ({ headers }: Response, what: string) => {
    const location = headers.get('location');
    if (location !== null) assert.match(location, /^\/(?![/\\])/, what);
    assert.equal(headers.get('refresh'), null);
    assert.doesNotMatch([...headers.values()].join('\n'), /evil/, what);
  };

  for (const issuer of bothIssuers) {
    test(`${issuer}: parameters that pages of others know lead nowhere`, async () => {
      const browser = new Browser(server);
      await browser.open(authorizeUrl(issuer, app));
      const at = new URL(browser.page.url).pathname;
      const cookies = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      for (const target of elsewhere) {
        const query = new URLSearchParams(Object.fromEntries(names.map((name) => [name, target])));
        for (const path of [at, `${at}/sign-in`, '/signed-out', '/setup', '/setup/done', '/interaction/x']) {
          staysHere(await raw(`${path}?${query}`, cookies), `${path} ${target}`);
        }
      }
      const hidden = formsOf(browser.page.text).find(({ action }) => action.endsWith('/sign-in'))?.hidden;
      const forged = Object.fromEntries(names.map((name) => [name, 'https://evil.example/']));
      await browser.post(`${at}/sign-in`, { ...hidden, ...forged, identifier: user.email, password: user.password });
      assert.ok(browser.page.location?.startsWith(`${redirectUri}?code=`), browser.page.location);
    });

    test(`${issuer}: paths that look like hosts are paths that are not there`, async () => {
      for (const path of [
        '//evil.example/authorize',
        '/%2f/evil.example',
        '/\\evil.example',
        '/interaction//evil.example',
      ]) {
        const answer = await raw(path);
        assert.ok(answer.status >= 400, path);
        staysHere(answer, path);
      }
    });

    test(`${issuer}: a line break in state, nonce or hint splits no header`, async () => {
      const browser = new Browser(server);
      await codeOf(browser, issuer, app, user);
      const proof = { code_challenge: pkce().challenge, code_challenge_method: 'S256' };
      for (const name of [
        'state',
        'nonce',
        'login_hint',
        'prompt',
        'scope',
        'response_type',
        'response_mode',
        'client_id',
      ]) {
        await browser.open(authorizeUrl(issuer, app, { ...proof, [name]: 'x\r\nLocation: https://evil.example/' }));
        assert.equal(browser.page.status, 400, name);
        assert.equal(browser.page.location, undefined, name);
      }
      // Everything else a state may hold comes back as it was.
      const state = `"><script>alert(1)</script> &error=x#%0d%0a あ 👩 \\ //evil.example ?a=b`;
      await browser.open(authorizeUrl(issuer, app, { ...proof, state }));
      assert.equal(callbackOf(browser.page).parameters.get('state'), state);
      assert.ok(callbackOf(browser.page).code);
      assert.ok(browser.page.location?.startsWith(`${redirectUri}?`));
    });

    test(`${issuer}: the query of a redirect URI is kept, and can not be overwritten`, async () => {
      const uri = 'https://app.example/callback?tenant=a&state=own';
      const client = await makeApp(server, 'Traditional', { oidcClientMetadata: { redirectUris: [uri] } });
      const browser = new Browser(server);
      const callback = await codeOf(browser, issuer, client, user, { redirect_uri: uri });
      assert.ok(browser.page.location?.startsWith(`${uri}&`), browser.page.location);
      assert.equal(callback.parameters.get('tenant'), 'a');
      assert.deepEqual(callback.parameters.getAll('state'), ['own', 's1']);
    });

    test(`${issuer}: after sign-out nobody is sent to what is not registered`, async () => {
      const end = issuer === 'root' ? '/oidc/logout' : '/oidc/session/end';
      const registered = 'https://app.example/bye';
      const client = await makeApp(server, 'Traditional', {
        oidcClientMetadata: { redirectUris: [redirectUri], postLogoutRedirectUris: [registered] },
      });
      for (const target of [...elsewhere, `${registered}/`, `${registered}?a=1`, `${registered}#a`, redirectUri]) {
        const query = new URLSearchParams({ client_id: client.clientId, post_logout_redirect_uri: target });
        staysHere(await raw(`${end}?${query}`), target);
        const classic = new URLSearchParams({ client_id: client.clientId, returnTo: target });
        staysHere(await raw(`/v2/logout?${classic}`), target);
      }
    });
  }

  test('what leads elsewhere can not be registered', async () => {
    const bad = [
      'JavaScript:alert(1)',
      'javascript://app.example/%0aalert(1)',
      'data:text/html,x',
      'vbscript:x',
      'file:///etc/passwd',
      'blob:https://app.example/x',
      'https://*.example/callback',
      'https://app.example/*',
      'https://app.example/a\r\nb',
      'https://app.example/#fragment',
      'https://user:secret@app.example/',
      '//app.example/callback',
      'https:app.example/callback',
      'http://app.example/callback',
    ];
    const before = await server.stateHash();
    const token = await server.managementToken(server.nativeAudience);
    const auth0Token = await server.managementToken();
    for (const uri of bad) {
      for (const field of ['redirectUris', 'postLogoutRedirectUris']) {
        const json = {
          name: 'Evil',
          type: 'Traditional',
          oidcClientMetadata: { redirectUris: [redirectUri], postLogoutRedirectUris: [], [field]: [uri] },
        };
        const answer = await server.request('POST', '/api/applications', { token, json });
        assert.ok([400, 422].includes(answer.status), `${field} ${uri}: ${answer.text}`);
        const { oidcClientMetadata } = json;
        const change = await server.request('PATCH', `/api/applications/${app.clientId}`, {
          token,
          json: { oidcClientMetadata },
        });
        assert.ok([400, 422].includes(change.status), `${field} ${uri}: ${change.text}`);
      }
      for (const field of ['callbacks', 'allowed_logout_urls', 'initiate_login_uri', 'logo_uri']) {
        const value = field.endsWith('uri') ? uri : [uri];
        const answer = await server.request('POST', '/api/v2/clients', {
          token: auth0Token,
          json: { name: 'Evil', app_type: 'regular_web', [field]: value },
        });
        assert.equal(answer.status, 400, `${field} ${uri}: ${answer.text}`);
      }
    }
    assert.equal(await server.stateHash(), before);
    assert.equal((await native(server, 'GET', `/applications/${app.clientId}`)).name, 'Portal');
  });
});
