import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
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
  pkce,
  refresh,
} from './support.ts';

eachEngine('code flow', (engine) => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ engine });
  });
  after(() => server.close());

  for (const issuer of Object.keys(issuers) as IssuerKey[]) {
    test(`${issuer}: sign in, code, tokens, userinfo, refresh`, async () => {
      const user = await makeUser(server);
      const app = await makeApp(server);
      const browser = new Browser(server);
      const callback = await codeOf(browser, issuer, app, user, {
        scope: 'openid profile email offline_access',
        prompt: 'consent',
        nonce: 'n-1',
      });
      assert.equal(callback.error, undefined, browser.page.location);
      assert.equal(callback.parameters.get('iss'), issuers[issuer].issuer(server));
      assert.equal(callback.parameters.get('state'), 's1');
      const answer = await exchange(server, issuer, app, callback);
      assert.equal(answer.status, 200, answer.text);
      const claims = claimsOf(answer.body.id_token);
      assert.equal(claims.nonce, 'n-1');
      assert.equal(claims.aud, app.clientId);
      assert.equal(claims.sub, issuer === 'root' ? `auth0|${user.id}` : user.id);
      assert.equal(claims.email, user.email);
      const me = await server.request('GET', issuers[issuer].userinfo, { token: answer.body.access_token });
      assert.equal(me.status, 200, me.text);
      assert.equal(me.body.sub, claims.sub);
      assert.equal(me.body.email, user.email);
      const refreshed = await refresh(server, issuer, app, answer.body.refresh_token);
      assert.equal(refreshed.status, 200, refreshed.text);
      assert.equal(claimsOf(refreshed.body.id_token).nonce, undefined);
    });

    test(`${issuer}: a second request needs no page`, async () => {
      const user = await makeUser(server);
      const app = await makeApp(server);
      const browser = new Browser(server);
      await codeOf(browser, issuer, app, user);
      const { challenge } = pkce();
      await browser.open(
        authorizeUrl(issuer, app, { prompt: 'none', code_challenge: challenge, code_challenge_method: 'S256' }),
      );
      assert.ok(callbackOf(browser.page).code);
    });
  }
});
