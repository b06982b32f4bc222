/** Authorization codes: good once, for whom and what they were made for (RFC 6749 §4.1, RFC 7636, RFC 9700). */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Answer, eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { startNodes } from '../token/nodes.ts';
import { withoutLimits } from '../token/refusals.ts';
import {
  assertGood,
  assertOver,
  changesNothing,
  codeParameters,
  everything,
  grantedTo,
  isActive,
  statuses,
  tokenAt,
  twenty,
} from './granted.ts';
import {
  authorizeUrl,
  Browser,
  bothIssuers,
  callbackOf,
  codeOf,
  exchange,
  type IssuerKey,
  makeApp,
  makeUser,
  native,
  pkce,
  redirectUri,
  type TestClient,
  type TestUser,
  tokenRequest,
} from './support.ts';

eachEngine('authorization codes', (engine) => {
  let server: TestServer;
  const clock = new TestClock();
  let user: TestUser;
  let app: TestClient;
  let other: TestClient;
  let spa: TestClient;
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
    user = await makeUser(server);
    app = await makeApp(server);
    other = await makeApp(server);
    spa = await makeApp(server, 'SPA');
  });
  after(() => server.close());

  const code = (issuer: IssuerKey, client: TestClient, more: Record<string, string> = {}) =>
    codeOf(new Browser(server), issuer, client, user, more);

  /** Refused without a trace but the log's, and so that the rightful client can still use the code. */
  async function refusedBut(
    issuer: IssuerKey,
    client: TestClient,
    callback: Awaited<ReturnType<typeof code>>,
    attempt: () => Promise<Answer>,
    reason: string,
  ): Promise<void> {
    const answer = await changesNothing(server, attempt, { kind: 'token.refused', reason });
    assert.equal(`${answer.status} ${answer.body.error}`, '400 invalid_grant', answer.text);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    assert.equal((await exchange(server, issuer, client, callback)).status, 200, 'the right request still works');
  }

  for (const issuer of bothIssuers) {
    for (const seconds of [1, 30]) {
      test(`${issuer}: a code used again after ${seconds} s ends everything that came of it`, async () => {
        const granted = await grantedTo(server, issuer, app, user);
        const bystander = await grantedTo(server, issuer, app, user);
        await assertGood(server, granted);
        clock.advance(seconds * 1000);
        const before = (await server.logEvents()).length;
        const again = await exchange(server, issuer, app, granted.callback);
        assert.equal(`${again.status} ${again.body.error}`, '400 invalid_grant', again.text);
        await assertOver(server, granted);
        await assertGood(server, bystander);
        const events = (await server.logEvents()).slice(before).map(({ kind, reason }) => `${kind} ${reason}`);
        assert.deepEqual(events.slice(0, 2).sort(), [
          'authorization.ended code_replayed',
          'token.refused code_replayed',
        ]);
      });
    }

    test(`${issuer}: a code of another client`, async () => {
      const callback = await code(issuer, app);
      await refusedBut(issuer, app, callback, () => exchange(server, issuer, other, callback), 'code_invalid');
      await refusedBut(
        issuer,
        spa,
        await code(issuer, spa),
        () => exchange(server, issuer, spa, { ...callback }),
        'code_invalid',
      );
    });

    test(`${issuer}: a code for another redirect URI`, async () => {
      for (const uri of [
        'https://app.example/other',
        `${redirectUri}/`,
        `${redirectUri}?a=1`,
        'https://evil.example/',
      ]) {
        const callback = await code(issuer, app);
        const attempt = () => exchange(server, issuer, app, callback, { redirect_uri: uri });
        await refusedBut(issuer, app, callback, attempt, 'redirect_uri_mismatch');
      }
      const callback = await code(issuer, app);
      const { redirect_uri: _, ...without } = codeParameters(callback);
      await refusedBut(
        issuer,
        app,
        callback,
        () => tokenRequest(server, issuer, app, without),
        'redirect_uri_mismatch',
      );
    });

    test(`${issuer}: a code of the other issuer`, async () => {
      const callback = await code(issuer, app);
      const elsewhere = issuer === 'root' ? 'oidc' : 'root';
      await refusedBut(issuer, app, callback, () => exchange(server, elsewhere, app, callback), 'code_invalid');
    });

    test(`${issuer}: the verifier is missing, wrong, too short, too long, or the challenge itself`, async () => {
      for (const client of [app, spa]) {
        const callback = await code(issuer, client);
        const { code_verifier: _, ...without } = codeParameters(callback);
        const send = (verifier?: string) => () =>
          tokenRequest(
            server,
            issuer,
            client,
            verifier === undefined ? without : { ...without, code_verifier: verifier },
          );
        const wrong = [
          undefined,
          '',
          pkce().verifier,
          callback.verifier.slice(0, 42),
          `${callback.verifier}=`,
          'a'.repeat(42),
          'a'.repeat(129),
        ];
        for (const verifier of wrong) {
          const answer = await changesNothing(server, send(verifier), {
            kind: 'token.refused',
            reason: 'code_verifier_wrong',
          });
          assert.equal(`${answer.status} ${answer.body.error}`, '400 invalid_grant', answer.text);
        }
        assert.equal((await exchange(server, issuer, client, callback)).status, 200);
      }
      const { challenge } = pkce();
      const browser = new Browser(server);
      await browser.open(authorizeUrl(issuer, app, { code_challenge: challenge, code_challenge_method: 'S256' }));
      await browser.signIn(user);
      const answer = await exchange(server, issuer, app, { ...callbackOf(browser.page), verifier: challenge });
      assert.equal(answer.body.error, 'invalid_grant', 'the challenge is no verifier');
    });

    test(`${issuer}: downgrade: a code without a challenge takes no verifier`, async () => {
      const browser = new Browser(server);
      await browser.open(authorizeUrl(issuer, app));
      await browser.signIn(user);
      const { code: plain } = callbackOf(browser.page);
      const parameters = { grant_type: 'authorization_code', code: plain as string, redirect_uri: redirectUri };
      const send = () => tokenRequest(server, issuer, app, { ...parameters, code_verifier: pkce().verifier });
      const answer = await changesNothing(server, send, { kind: 'token.refused', reason: 'code_verifier_wrong' });
      assert.equal(`${answer.status} ${answer.body.error}`, '400 invalid_grant');
      assert.equal((await tokenRequest(server, issuer, app, parameters)).status, 200);
    });

    test(`${issuer}: a code is over after a minute`, async () => {
      const callback = await code(issuer, app);
      clock.advance(60_001);
      const send = () => exchange(server, issuer, app, callback);
      const answer = await changesNothing(server, send, { kind: 'token.refused', reason: 'code_invalid' });
      assert.equal(`${answer.status} ${answer.body.error}`, '400 invalid_grant');
    });

    test(`${issuer}: twenty at once with one code: one answer with tokens, and they are over`, async () => {
      const callback = await code(issuer, app, everything);
      const answers = await twenty([server], () => exchange(server, issuer, app, callback));
      assert.deepEqual(statuses(answers), { 200: 1, 400: 19 }, answers.map(({ text }) => text).join('\n'));
      const won = answers.find(({ status }) => status === 200) as Answer;
      assert.equal(await isActive(server, { issuer, client: app }, won.body.access_token), false);
      assert.equal(await isActive(server, { issuer, client: app }, won.body.refresh_token), false);
    });

    test(`${issuer}: the wrong client in the crowd changes nothing for the right one`, async () => {
      const callback = await code(issuer, app);
      const answers = await twenty([server], () => exchange(server, issuer, other, callback));
      assert.deepEqual(statuses(answers), { 400: 20 });
      const answer = await exchange(server, issuer, app, callback);
      assert.equal(answer.status, 200);
      assert.equal(await isActive(server, { issuer, client: app }, answer.body.access_token), true);
    });

    const meanwhile: Record<string, (who: TestUser, client: TestClient, browser: Browser) => Promise<unknown>> = {
      'the user was blocked': (who) => native(server, 'PATCH', `/users/${who.id}/is-suspended`, { isSuspended: true }),
      'the user was deleted': (who) => native(server, 'DELETE', `/users/${who.id}`),
      'the password was changed': (who) =>
        native(server, 'PATCH', `/users/${who.id}/password`, { password: 'another horse battery' }),
      'the client was disabled': (_, { clientId }) =>
        native(server, 'PATCH', `/applications/${clientId}`, { status: 'disabled' }),
      'the client was deleted': (_, { clientId }) => native(server, 'DELETE', `/applications/${clientId}`),
      'the user was signed out everywhere': (who) => native(server, 'DELETE', `/users/${who.id}/sessions`),
    };
    for (const [what, happens] of Object.entries(meanwhile)) {
      test(`${issuer}: a code is worth nothing when ${what}`, async () => {
        const who = await makeUser(server);
        const client = await makeApp(server);
        const browser = new Browser(server);
        const callback = await codeOf(browser, issuer, client, who);
        await happens(who, client, browser);
        const before = await server.stateHash();
        const answer = await exchange(server, issuer, client, callback);
        assert.ok(answer.status >= 400 && answer.status < 500, answer.text);
        assert.equal(answer.body.access_token, undefined);
        assert.equal(await server.stateHash(), before);
      });
    }
  }
});

describe('codes on two nodes over one PostgreSQL', () => {
  let nodes: [TestServer, TestServer];
  before(async () => {
    nodes = await startNodes();
  });
  after(async () => {
    for (const node of nodes) await node.close();
  });

  test('twenty at once with one code: one 200, ten times over', async () => {
    const [first] = nodes;
    const user = await makeUser(first);
    const app = await makeApp(first);
    for (let round = 0; round < 10; round += 1) {
      const callback = await codeOf(new Browser(first), 'root', app, user, everything);
      const answers = await twenty(nodes, (node) => tokenAt(node, 'root', app, codeParameters(callback)));
      assert.deepEqual(statuses(answers), { 200: 1, 400: 19 }, answers.map(({ text }) => text).join('\n'));
      const won = answers.find(({ status }) => status === 200) as Answer;
      assert.equal(await isActive(first, { issuer: 'root', client: app }, won.body.access_token), false);
      assert.equal(await isActive(first, { issuer: 'root', client: app }, won.body.refresh_token), false);
    }
  });
});
