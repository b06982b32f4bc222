import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import {
  authorizeUrl,
  Browser,
  callbackOf,
  claimsOf,
  exchange,
  makeApp,
  makeUser,
  native,
  pkce,
  refresh,
  type TestUser,
} from './support.ts';

/** A client of others learns of the organizations that the person ticked, acts in them, and knows of no others. */
eachEngine('organizations on the consent page', (engine) => {
  let server: TestServer;
  let user: TestUser;
  const ids: string[] = [];
  before(async () => {
    server = await startServer({ engine });
    user = await makeUser(server);
    for (const name of ['Acme', 'Globex']) {
      const { id } = await native(server, 'POST', '/organizations', { name });
      await native(server, 'POST', `/organizations/${id}/users`, { userIds: [user.id] });
      ids.push(id);
    }
  });
  after(() => server.close());

  const scope = 'openid offline_access urn:logto:scope:organizations';

  async function signIn(firstParty: boolean, ticked: readonly string[]) {
    const app = await makeApp(server, 'Traditional', { isThirdParty: !firstParty });
    const { verifier, challenge } = pkce();
    const browser = new Browser(server);
    await browser.open(
      authorizeUrl('oidc', app, {
        scope,
        prompt: 'consent',
        resource: 'urn:logto:resource:organizations',
        code_challenge: challenge,
        code_challenge_method: 'S256',
      }),
    );
    await browser.signIn(user);
    if (!firstParty) {
      const boxes = [...browser.page.text.matchAll(/<input[^>]*type="checkbox"[^>]*>/g)].map(([box]) => box);
      assert.equal(boxes.length, 2, 'both can be ticked, none is');
      for (const box of boxes) assert.doesNotMatch(box, /checked/);
      const chosen = boxes.filter((box) => ticked.some((id) => box.includes(id)));
      const values = chosen.map((box) => [/name="([^"]*)"/.exec(box)?.[1] ?? '', 'on']);
      await browser.submit('/consent', { decision: 'allow', ...Object.fromEntries(values) });
    }
    const answer = await exchange(server, 'oidc', app, { ...callbackOf(browser.page), verifier });
    assert.equal(answer.status, 200, answer.text);
    return { app, tokens: answer.body };
  }

  test('a client of ours sees all of them', async () => {
    const { tokens } = await signIn(true, []);
    assert.deepEqual(claimsOf(tokens.id_token).organizations, ids);
  });

  test('a client of others sees, and acts in, what was ticked', async () => {
    const [acme = '', globex = ''] = ids;
    const { app, tokens } = await signIn(false, [globex]);
    assert.deepEqual(claimsOf(tokens.id_token).organizations, [globex]);
    const me = await server.request('GET', '/oidc/me', { token: tokens.access_token });
    assert.deepEqual(me.body.organizations, [globex]);
    assert.equal(me.body.organization_data.length, 1);
    assert.ok(!me.text.includes(acme));
    const chosen = await refresh(server, 'oidc', app, tokens.refresh_token, { organization_id: globex });
    assert.equal(chosen.status, 200, chosen.text);
    const other = await refresh(server, 'oidc', app, tokens.refresh_token, { organization_id: acme });
    assert.equal(other.status, 403, other.text);
    assert.equal(other.body.error, 'access_denied');
  });

  test('nothing ticked: it is told of none', async () => {
    const { tokens } = await signIn(false, []);
    assert.deepEqual(claimsOf(tokens.id_token).organizations, []);
  });
});
