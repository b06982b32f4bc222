/** Refresh tokens: one line of them, for what was authorized, as long as everything it rests on stands (RFC 9700 §4.14). */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  type Answer,
  eachEngine,
  freePort,
  newPostgresDatabase,
  startServer,
  TestClock,
  type TestServer,
} from '../harness.ts';
import { sendTo, startNodes } from '../token/nodes.ts';
import { withoutLimits } from '../token/refusals.ts';
import {
  assertGood,
  assertOver,
  changesNothing,
  everything,
  grantedTo,
  isActive,
  statuses,
  tokenAt,
  twenty,
  userinfoStatus,
} from './granted.ts';
import {
  Browser,
  bothIssuers,
  callbackOf,
  codeOf,
  exchange,
  type IssuerKey,
  issuers,
  makeApp,
  makeUser,
  native,
  refresh,
  type TestClient,
  type TestUser,
} from './support.ts';

/** Refresh tokens of an authorization that nobody used: there may be one. */
const unused = async (server: TestServer, client: TestClient): Promise<number> =>
  (await server.rows('refresh_tokens')).filter(
    ({ client_id, used_at }) => client_id === client.clientId && used_at === null,
  ).length;

eachEngine('refresh tokens', (engine) => {
  let server: TestServer;
  const clock = new TestClock();
  let user: TestUser;
  let app: TestClient;
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
    user = await makeUser(server);
    app = await makeApp(server);
  });
  after(() => server.close());

  const refused = async (attempt: () => Promise<Answer>, answer: string, reason: string): Promise<void> => {
    const got = await changesNothing(server, attempt, { kind: 'token.refused', reason });
    assert.equal(`${got.status} ${got.body.error}`, answer, got.text);
  };

  for (const issuer of bothIssuers) {
    test(`${issuer}: of a public client it changes whatever the client is set to; a confidential one may keep it`, async () => {
      const keeps = { customClientMetadata: { rotateRefreshToken: false } };
      const spa = await makeApp(server, 'SPA', keeps);
      const granted = await grantedTo(server, issuer, spa, user);
      const changed = await refresh(server, issuer, spa, granted.refreshToken);
      assert.equal(changed.status, 200, changed.text);
      assert.notEqual(changed.body.refresh_token, granted.refreshToken);
      const web = await makeApp(server, 'Traditional', keeps);
      const kept = await grantedTo(server, issuer, web, user);
      const same = await refresh(server, issuer, web, kept.refreshToken);
      assert.equal(same.body.refresh_token, kept.refreshToken);
    });

    test(`${issuer}: of a public client it changes at each use; a lost answer can be asked for again`, () =>
      clock.standingStill(async () => {
        const spa = await makeApp(server, 'SPA');
        const granted = await grantedTo(server, issuer, spa, user);
        const first = await refresh(server, issuer, spa, granted.refreshToken);
        assert.equal(first.status, 200, first.text);
        assert.notEqual(first.body.refresh_token, granted.refreshToken);
        clock.advance(29_000);
        const again = await refresh(server, issuer, spa, granted.refreshToken);
        assert.equal(again.body.refresh_token, first.body.refresh_token, 'the same successor');
        assert.equal(await unused(server, spa), 1, 'one line');
        assert.equal((await refresh(server, issuer, spa, first.body.refresh_token)).status, 200);
      }));

    test(`${issuer}: after the grace time it is a replay, and everything ends`, async () => {
      const spa = await makeApp(server, 'SPA');
      const granted = await grantedTo(server, issuer, spa, user);
      const next = (await refresh(server, issuer, spa, granted.refreshToken)).body;
      clock.advance(30_001);
      const before = (await server.logEvents()).length;
      const replay = await refresh(server, issuer, spa, granted.refreshToken);
      assert.equal(`${replay.status} ${replay.body.error}`, '400 invalid_grant', replay.text);
      const events = (await server.logEvents()).slice(before).map(({ kind, reason }) => `${kind} ${reason}`);
      assert.deepEqual(events.sort(), [
        'authorization.ended refresh_token_replayed',
        'token.refused refresh_token_replayed',
      ]);
      await assertOver(server, granted);
      await assertOver(server, { ...granted, accessToken: next.access_token, refreshToken: next.refresh_token });
    });

    test(`${issuer}: once its successor was used, it is a replay at once`, async () => {
      const spa = await makeApp(server, 'SPA');
      const granted = await grantedTo(server, issuer, spa, user);
      const next = (await refresh(server, issuer, spa, granted.refreshToken)).body.refresh_token;
      const last = (await refresh(server, issuer, spa, next)).body;
      assert.equal((await refresh(server, issuer, spa, granted.refreshToken)).body.error, 'invalid_grant');
      await assertOver(server, { ...granted, accessToken: last.access_token, refreshToken: last.refresh_token });
    });

    test(`${issuer}: twenty at once: one successor`, async () => {
      const spa = await makeApp(server, 'SPA');
      const { refreshToken } = await grantedTo(server, issuer, spa, user);
      const answers = await twenty([server], () => refresh(server, issuer, spa, refreshToken));
      assert.deepEqual(statuses(answers), { 200: 20 }, answers.map(({ text }) => text).join('\n'));
      assert.equal(new Set(answers.map(({ body }) => body.refresh_token)).size, 1);
      assert.equal(await unused(server, spa), 1);
    });

    test(`${issuer}: no wider scope, no other API, no other client, no other issuer`, async () => {
      const other = await makeApp(server);
      const spa = await makeApp(server, 'SPA');
      const machine = await server.machine();
      const granted = await grantedTo(server, issuer, app, user);
      const { refreshToken } = granted;
      const ask = (more: Record<string, string>) => () => refresh(server, issuer, app, refreshToken, more);
      await refused(ask({ scope: 'openid email' }), '400 invalid_scope', 'scope_not_authorized');
      await refused(ask({ scope: 'openid read:orders' }), '400 invalid_scope', 'scope_not_authorized');
      await refused(ask({ resource: machine.audience }), '400 invalid_target', 'target_invalid');
      await refused(ask({ resource: server.nativeAudience }), '400 invalid_target', 'target_invalid');
      await refused(ask({ resource: 'urn:logto:resource:organizations' }), '400 invalid_target', 'target_invalid');
      await refused(
        ask({ organization_id: 'org_000000000000' }),
        '403 insufficient_scope',
        'organization_scope_missing',
      );
      for (const stranger of [other, spa]) {
        await refused(
          () => refresh(server, issuer, stranger, refreshToken),
          '400 invalid_grant',
          'refresh_token_invalid',
        );
      }
      const elsewhere = issuer === 'root' ? 'oidc' : 'root';
      await refused(() => refresh(server, elsewhere, app, refreshToken), '400 invalid_grant', 'refresh_token_invalid');
      await assertGood(server, granted);
      const narrow = await refresh(server, issuer, app, refreshToken, { scope: 'openid' });
      assert.equal(narrow.body.scope, 'openid', narrow.text);
    });

    const meanwhile: Record<string, [(who: TestUser, client: TestClient) => Promise<unknown>, string?]> = {
      'the user is blocked': [(who) => native(server, 'PATCH', `/users/${who.id}/is-suspended`, { isSuspended: true })],
      'the user is deleted': [(who) => native(server, 'DELETE', `/users/${who.id}`)],
      'the password changes': [
        (who) => native(server, 'PATCH', `/users/${who.id}/password`, { password: 'another horse battery' }),
      ],
      'the user is signed out everywhere': [(who) => native(server, 'DELETE', `/users/${who.id}/sessions`)],
      'the client is disabled': [
        (_, { clientId }) => native(server, 'PATCH', `/applications/${clientId}`, { status: 'disabled' }),
        'unauthorized_client',
      ],
      'the client is deleted': [(_, { clientId }) => native(server, 'DELETE', `/applications/${clientId}`), 'client'],
      'the client may not refresh any more': [
        (_, { clientId }) => server.manage('PATCH', `/clients/${clientId}`, { grant_types: ['authorization_code'] }),
        'grant type',
      ],
    };
    for (const [what, [happens, error = 'invalid_grant']] of Object.entries(meanwhile)) {
      test(`${issuer}: refused when ${what}`, async () => {
        const who = await makeUser(server);
        const client = await makeApp(server);
        const granted = await grantedTo(server, issuer, client, who);
        await happens(who, client);
        const before = await server.stateHash();
        const answer = await refresh(server, issuer, client, granted.refreshToken);
        assert.ok(answer.status >= 400 && answer.status < 500, answer.text);
        if (error === 'invalid_grant' || error === 'unauthorized_client') assert.equal(answer.body.error, error);
        assert.equal(answer.body.access_token, undefined);
        assert.equal(await server.stateHash(), before);
        const isStill = error === 'grant type';
        assert.equal(await userinfoStatus(server, issuer, granted.accessToken), isStill ? 200 : 401);
      });
    }

    test(`${issuer}: consent withdrawn ends all that a third-party client has of the person`, async () => {
      const who = await makeUser(server);
      const third = await makeApp(server, 'Traditional', { isThirdParty: true });
      const browser = new Browser(server);
      const agreed = async () => {
        const callback = await codeOf(browser, issuer, third, who, everything);
        if (callback.code !== undefined) throw new Error('no consent was asked for');
        return callback;
      };
      await assert.rejects(agreed, /no redirect/);
      await browser.submit('/consent', { decision: 'allow' });
      assert.ok(callbackOf(browser.page).code, 'agreed');

      const grants = await Promise.all([consented(third, who), consented(third, who)]);
      const bystander = await grantedTo(server, issuer, app, who);
      for (const one of grants) await assertGood(server, one);
      const listed = (await native(server, 'GET', `/users/${who.id}/grants?appType=thirdParty`)).grants;
      await native(server, 'DELETE', `/users/${who.id}/grants/${listed[0].id}`);
      for (const one of grants) await assertOver(server, one);
      await assertGood(server, bystander);
      assert.equal((await server.rows('consents')).filter(({ user_id }) => user_id === who.id).length, 0);
      await browser.open(`${issuers[issuer].authorize}?${ask(third, { prompt: 'none' })}`);
      assert.equal(callbackOf(browser.page).error, 'consent_required');
    });

    const ask = (client: TestClient, more: Record<string, string>) =>
      new URLSearchParams({
        client_id: client.clientId,
        redirect_uri: 'https://app.example/callback',
        response_type: 'code',
        scope: 'openid',
        ...more,
      });

    async function consented(client: TestClient, who: TestUser) {
      const browser = new Browser(server);
      await assert.rejects(codeOf(browser, issuer, client, who, everything), /no redirect/);
      // The verifier is lost with the error: ask again, now that a session is there.
      await browser.open(`${issuers[issuer].authorize}?${ask(client, everything)}`);
      await browser.submit('/consent', { decision: 'allow' });
      const { code } = callbackOf(browser.page);
      const answer = await server.request('POST', issuers[issuer].token, {
        form: {
          client_id: client.clientId,
          client_secret: client.clientSecret as string,
          grant_type: 'authorization_code',
          code: code as string,
          redirect_uri: 'https://app.example/callback',
        },
      });
      assert.equal(answer.status, 200, answer.text);
      const { access_token: accessToken, refresh_token: refreshToken, id_token: idToken } = answer.body;
      return {
        issuer,
        client,
        browser,
        accessToken,
        refreshToken,
        idToken,
        callback: { ...callbackOf(browser.page), verifier: '' },
      };
    }

    test(`${issuer}: who gets one`, async () => {
      const spa = await makeApp(server, 'SPA');
      const always = await makeApp(server, 'Traditional', { customClientMetadata: { alwaysIssueRefreshToken: true } });
      const alwaysSpa = await makeApp(server, 'SPA', { customClientMetadata: { alwaysIssueRefreshToken: true } });
      const onlyCodes = await makeApp(server);
      await server.manage('PATCH', `/clients/${onlyCodes.clientId}`, { grant_types: ['authorization_code'] });
      const hasOne = async (client: TestClient, more: Record<string, string>) => {
        const answer = await exchange(
          server,
          issuer,
          client,
          await codeOf(new Browser(server), issuer, client, user, more),
        );
        assert.equal(answer.status, 200, answer.text);
        return answer.body.refresh_token !== undefined;
      };
      const offline = { scope: 'openid offline_access' };
      assert.equal(await hasOne(app, { scope: 'openid' }), false);
      assert.equal(await hasOne(app, { scope: 'openid', prompt: 'consent' }), false);
      // Logto's issuer gives it to who asks for consent too.
      assert.equal(await hasOne(app, offline), issuer === 'root');
      assert.equal(await hasOne(spa, offline), issuer === 'root');
      assert.equal(await hasOne(app, { ...offline, prompt: 'consent' }), true);
      assert.equal(await hasOne(spa, { ...offline, prompt: 'consent' }), true);
      assert.equal(await hasOne(always, { scope: 'openid' }), true);
      assert.equal(await hasOne(alwaysSpa, { scope: 'openid' }), false);
      assert.equal(await hasOne(onlyCodes, { ...offline, prompt: 'consent' }), false);
    });

    test(`${issuer}: without offline_access it ends with the session`, async () => {
      const who = await makeUser(server);
      const always = await makeApp(server, 'Traditional', { customClientMetadata: { alwaysIssueRefreshToken: true } });
      const resting = await grantedTo(server, issuer, always, who, { scope: 'openid' });
      const offline = await grantedTo(server, issuer, always, who);
      const { sessions } = await native(server, 'GET', `/users/${who.id}/sessions`);
      for (const { payload } of sessions) await native(server, 'DELETE', `/users/${who.id}/sessions/${payload.uid}`);
      await assertOver(server, resting);
      await assertGood(server, offline);
    });

    test(`${issuer}: revoked while it is refreshed, fifty times: nothing is left`, async () => {
      const spa = await makeApp(server, 'SPA');
      const browser = new Browser(server);
      for (let round = 0; round < 50; round += 1) {
        const client = round % 2 === 0 ? app : spa;
        const callback = await codeOf(browser, issuer, client, user, everything);
        const tokens = (await exchange(server, issuer, client, callback)).body;
        await revokedWhileRefreshed([server, server], issuer, client, tokens.refresh_token);
      }
    });
  }

  test('the old one is still a replay after a restart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sekisho-refresh-'));
    const databaseUrl = engine === 'sqlite' ? `sqlite:${join(folder, 'data.db')}` : await newPostgresDatabase();
    const later = new TestClock();
    const options = {
      engine,
      clock: later,
      databaseUrl,
      env: { ...withoutLimits, SEKISHO_PORT: String(await freePort()) },
    };
    let node = await startServer(options);
    try {
      const who = await makeUser(node);
      const spa = await makeApp(node, 'SPA');
      const granted = await grantedTo(node, 'root', spa, who);
      const next = await refresh(node, 'root', spa, granted.refreshToken);
      await node.close();
      later.advance(31_000);
      node = await startServer(options);
      const replay = await tokenAt(node, 'root', spa, {
        grant_type: 'refresh_token',
        refresh_token: granted.refreshToken,
      });
      assert.equal(`${replay.status} ${replay.body.error}`, '400 invalid_grant', replay.text);
      const after = await tokenAt(node, 'root', spa, {
        grant_type: 'refresh_token',
        refresh_token: next.body.refresh_token,
      });
      assert.equal(after.body.error, 'invalid_grant');
    } finally {
      await node.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
  // The last one on this server: days pass, and the tokens of the management API are over.
  test('of a client that proves who it is it stays, until most of its life is over', async () => {
    const tokens = { root: '', oidc: '' };
    for (const issuer of bothIssuers) tokens[issuer] = (await grantedTo(server, issuer, app, user)).refreshToken;
    clock.advance(9 * 86_400_000);
    for (const issuer of bothIssuers) {
      assert.equal((await refresh(server, issuer, app, tokens[issuer])).body.refresh_token, tokens[issuer]);
    }
    clock.advance(86_400_000);
    const worn = { root: '', oidc: '' };
    for (const issuer of bothIssuers) {
      const answer = await refresh(server, issuer, app, tokens[issuer]);
      assert.equal(answer.status, 200, answer.text);
      worn[issuer] = answer.body.refresh_token;
      assert.notEqual(worn[issuer], tokens[issuer]);
    }
    clock.advance(14 * 86_400_000);
    for (const issuer of bothIssuers) {
      const attempt = () => refresh(server, issuer, app, worn[issuer]);
      await refused(attempt, '400 invalid_grant', 'refresh_token_invalid');
    }
  });
});

/** One of the two nodes revokes what the other refreshes; when it is revoked, no child is good. */
async function revokedWhileRefreshed(
  [one, other]: readonly [TestServer, TestServer],
  issuer: IssuerKey,
  client: TestClient,
  refreshToken: string,
): Promise<void> {
  const credentials: Record<string, string> = {
    client_id: client.clientId,
    ...(client.clientSecret === undefined ? {} : { client_secret: client.clientSecret }),
  };
  const [revoked, ...refreshed] = await Promise.all([
    sendTo(one, 'POST', issuers[issuer].revoke, { form: { ...credentials, token: refreshToken } }),
    ...[other, one].map((node) =>
      tokenAt(node, issuer, client, { grant_type: 'refresh_token', refresh_token: refreshToken }),
    ),
  ]);
  assert.equal(revoked?.status, 200, revoked?.text);
  for (const { status, body, text } of refreshed) {
    assert.ok(status === 200 || body.error === 'invalid_grant', text);
    if (status !== 200) continue;
    assert.equal((await sendTo(one, 'GET', issuers[issuer].userinfo, { token: body.access_token })).status, 401);
    const again = await tokenAt(one, issuer, client, {
      grant_type: 'refresh_token',
      refresh_token: body.refresh_token,
    });
    assert.equal(again.body.error, 'invalid_grant', again.text);
    if (client.clientSecret !== undefined) {
      assert.equal(await isActive(one, { issuer, client }, body.refresh_token), false);
    }
  }
}

describe('refresh tokens on two nodes over one PostgreSQL', () => {
  let nodes: [TestServer, TestServer];
  let user: TestUser;
  before(async () => {
    nodes = await startNodes();
    user = await makeUser(nodes[0]);
  });
  after(async () => {
    for (const node of nodes) await node.close();
  });

  test('twenty at once: one line of tokens', async () => {
    const [first] = nodes;
    const spa = await makeApp(first, 'SPA');
    for (let round = 0; round < 5; round += 1) {
      const { refreshToken, ...granted } = await grantedTo(first, 'root', spa, user);
      const parameters = { grant_type: 'refresh_token', refresh_token: refreshToken };
      const answers = await twenty(nodes, (node) => tokenAt(node, 'root', spa, parameters));
      assert.deepEqual(statuses(answers), { 200: 20 }, answers.map(({ text }) => text).join('\n'));
      const successors = new Set(answers.map(({ body }) => body.refresh_token as string));
      assert.equal(successors.size, 1);
      assert.equal(await unused(first, spa), round + 1);
      await assertGood(first, { ...granted, refreshToken: [...successors][0] as string });
    }
  });

  test('used on one node, replayed on the other', async () => {
    const [first, second] = nodes;
    const spa = await makeApp(first, 'SPA');
    const granted = await grantedTo(first, 'root', spa, user);
    const use = (node: TestServer, token: string) =>
      tokenAt(node, 'root', spa, { grant_type: 'refresh_token', refresh_token: token });
    const next = (await use(first, granted.refreshToken)).body.refresh_token;
    const last = (await use(second, next)).body;
    assert.equal((await use(second, granted.refreshToken)).body.error, 'invalid_grant');
    await assertOver(first, { ...granted, accessToken: last.access_token, refreshToken: last.refresh_token });
  });

  test('revoked on one while it is refreshed on the other, fifty times', async () => {
    const [first] = nodes;
    const spa = await makeApp(first, 'SPA');
    const browser = new Browser(first);
    for (let round = 0; round < 50; round += 1) {
      const callback = await codeOf(browser, 'root', spa, user, everything);
      const tokens = (await exchange(first, 'root', spa, callback)).body;
      await revokedWhileRefreshed(nodes, 'root', spa, tokens.refresh_token);
    }
  });
});
