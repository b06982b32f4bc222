import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { authorizeUrl, Browser, callbackOf, codeOf, exchange, makeApp, makeUser, native, pkce } from './support.ts';

eachEngine('a code and a sign-out everywhere at the same moment', (engine) => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ engine });
  });
  after(() => server.close());

  test('what was signed out everywhere is over: no code granted beside it is worth anything', async () => {
    const app = await makeApp(server);
    for (let round = 0; round < 12; round += 1) {
      const user = await makeUser(server);
      const browser = new Browser(server);
      await codeOf(browser, 'root', app, user);
      const { verifier, challenge } = pkce();
      const url = authorizeUrl('root', app, {
        scope: 'openid offline_access',
        prompt: 'none',
        code_challenge: challenge,
        code_challenge_method: 'S256',
      });
      await Promise.all([browser.open(url), native(server, 'DELETE', `/users/${user.id}/sessions`)]);
      const { code, error } = callbackOf(browser.page);
      if (code === undefined) {
        assert.equal(error, 'login_required', browser.page.location);
        continue;
      }
      const answer = await exchange(server, 'root', app, { code, verifier });
      assert.equal(answer.status, 400, answer.text);
      assert.equal(answer.body.error, 'invalid_grant');
      const left = (await server.rows('refresh_tokens')).filter((row) => row.client_id === app.clientId);
      assert.deepEqual(left, []);
    }
  });
});
