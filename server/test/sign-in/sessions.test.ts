import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { endSession, sessionOf } from '../../src/protocol/sign-in/sessions.ts';
import { type Answer, eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from '../management/support.ts';
import { delegatedCaller, makeMembership, makeOrganization } from '../native/delegated.ts';
import { contextAt, countOfEvents, loggedSince, refusalOf, sessionSecretOf, signIn } from './people.ts';
import {
  authorizeUrl,
  Browser,
  callbackOf,
  codeOf,
  exchange,
  makeApp,
  makeUser,
  native,
  password,
  pkce,
  refresh,
  type TestClient,
  type TestUser,
} from './support.ts';

const tables = ['sessions', 'authorizations', 'refresh_tokens', 'opaque_tokens'] as const;
const dayMs = 86_400_000;

eachEngine('sessions', (engine) => {
  let server: TestServer;
  let app: TestClient;
  let other: TestClient;
  const clock = new TestClock();
  before(async () => {
    server = await startServer({ engine, env: withoutLimits, clock });
    app = await makeApp(server);
    other = await makeApp(server, 'SPA', { name: 'Single page' });
  });
  after(() => server.close());

  interface SignedIn {
    user: TestUser;
    browser: Browser;
    /** Of a client that goes on without the session, and of one that does not. */
    offline: Answer['body'];
    online: Answer['body'];
  }

  /** Somebody signed in at two applications, in one browser. */
  async function signedIn(user?: TestUser): Promise<SignedIn> {
    const person = user ?? (await makeUser(server));
    const browser = new Browser(server);
    const scope = 'openid offline_access';
    const first = await exchange(
      server,
      'oidc',
      app,
      await codeOf(browser, 'oidc', app, person, { scope, prompt: 'consent' }),
    );
    const second = await exchange(server, 'oidc', other, await codeOf(browser, 'oidc', other, person));
    assert.deepEqual([first.status, second.status], [200, 200], first.text + second.text);
    assert.ok(first.body.refresh_token);
    return { user: person, browser, offline: first.body, online: second.body };
  }

  const userinfo = async ({ access_token: token }: Answer['body']) =>
    (await server.request('GET', '/oidc/me', { token })).status;

  /** Everything that a sign-in gave is worth nothing, and no row of it is left. */
  async function assertAllOver({ user, browser, offline, online }: SignedIn): Promise<void> {
    assert.deepEqual([await userinfo(offline), await userinfo(online)], [401, 401]);
    const refreshed = await refresh(server, 'oidc', app, offline.refresh_token);
    assert.deepEqual([refreshed.status, refreshed.body.error], [400, 'invalid_grant']);
    const introspected = await server.request('POST', '/oidc/token/introspection', {
      form: { client_id: app.clientId, client_secret: app.clientSecret ?? '', token: offline.access_token },
    });
    assert.deepEqual(introspected.body, { active: false });
    assert.equal(await sessionOf(contextAt(server), sessionSecretOf(browser)), undefined);
    const challenge = { code_challenge: pkce().challenge, code_challenge_method: 'S256' };
    await browser.open(authorizeUrl('oidc', app, { prompt: 'none', ...challenge }));
    assert.equal(callbackOf(browser.page).error, 'login_required');
    for (const table of ['sessions', 'authorizations'] as const) {
      assert.deepEqual(
        (await server.rows(table)).filter((row) => row.user_id === user.id),
        [],
        table,
      );
    }
  }

  async function assertGoesOn({ offline, online }: SignedIn): Promise<void> {
    assert.deepEqual([await userinfo(offline), await userinfo(online)], [200, 200]);
  }

  const endings: Record<string, (user: TestUser) => Promise<unknown>> = {
    'a new password': ({ id }) => native(server, 'PATCH', `/users/${id}/password`, { password: 'another fine horse' }),
    'a new password, from Auth0’s side': ({ id }) =>
      server.manage('PATCH', `/users/auth0%7C${id}`, { password: 'another fine horse' }),
    suspension: ({ id }) => native(server, 'PATCH', `/users/${id}/is-suspended`, { isSuspended: true }),
    'blocking, from Auth0’s side': ({ id }) => server.manage('PATCH', `/users/auth0%7C${id}`, { blocked: true }),
    'a status that awaits approval': ({ id }) =>
      native(server, 'PATCH', `/users/${id}`, { status: 'awaiting_approval' }),
    deletion: ({ id }) => native(server, 'DELETE', `/users/${id}`),
    'deletion, from Auth0’s side': ({ id }) => server.manage('DELETE', `/users/auth0%7C${id}`),
    'signing out everywhere': ({ id }) => native(server, 'DELETE', `/users/${id}/sessions`),
  };
  for (const [name, end] of Object.entries(endings)) {
    test(`${name} ends every session with all tokens, and nobody else's`, async () => {
      const one = await signedIn();
      const bystander = await signedIn();
      await assertGoesOn(one);
      const before = await countOfEvents(server);
      await end(one.user);
      const kinds = (await loggedSince(server, before)).map(([kind]) => kind);
      assert.ok(kinds.includes('user.signed_out_everywhere'), kinds.join());
      await assertAllOver(one);
      await assertGoesOn(bystander);
    });
  }

  test('who is blocked can not come back by any path, and after it starts anew', async () => {
    const one = await signedIn();
    await native(server, 'PATCH', `/users/${one.user.id}/is-suspended`, { isSuspended: true });
    await refusalOf(signIn(server, { identifier: one.user.email, password }), 'user_inactive');
    await assertAllOver(one);
    await native(server, 'PATCH', `/users/${one.user.id}/is-suspended`, { isSuspended: false });
    await assertAllOver(one);
    await assertGoesOn(await signedIn(one.user));
  });

  test('any other change leaves everybody signed in, and so does a change that is refused', async () => {
    const one = await signedIn();
    const { id } = one.user;
    await native(server, 'PATCH', `/users/${id}`, { name: 'Hanako', primaryEmail: `new-${id}@example.com` });
    await assert.rejects(native(server, 'PATCH', `/users/${id}/password`, { password: 'password123' }));
    await assert.rejects(native(server, 'PATCH', `/users/${id}`, { status: 'blocked', username: 'a b' }));
    await assertGoesOn(one);
  });

  test('a change that would be made only for show ends nothing', async () => {
    const one = await signedIn();
    await native(server, 'PATCH', `/users/${one.user.id}/password?dry_run=true`, { password: 'another fine horse' });
    await native(server, 'DELETE', `/users/${one.user.id}/sessions?dry_run=true`);
    await assertGoesOn(one);
  });

  test('a session ends for itself, with what rests on it; what goes on without it goes on', async () => {
    const one = await signedIn();
    const { id } = one.user;
    const { sessions } = await native(server, 'GET', `/users/${id}/sessions`);
    const { grants } = await native(server, 'GET', `/users/${id}/grants`);
    assert.equal(sessions.length, 1);
    const [{ payload, ...session }] = sessions;
    const [resting] = grants.filter(
      (grant: { application: { id: string } }) => grant.application.id === other.clientId,
    );
    assert.deepEqual(payload, {
      exp: Math.floor(session.expiresAt / 1000),
      iat: payload.iat,
      jti: payload.uid,
      uid: payload.uid,
      kind: 'Session',
      loginTs: payload.iat,
      accountId: id,
      authorizations: { [other.clientId]: { sid: payload.uid, grantId: resting.id } },
    });
    assert.ok(Math.abs(payload.iat - clock.now() / 1000) < 60);
    assert.deepEqual([session.accountId, session.clientId, session.lastSubmission], [id, null, null]);
    assert.deepEqual([session.device, session.authPolicyId], [null, 'password']);
    assert.ok(!JSON.stringify(sessions).includes(sessionSecretOf(one.browser)));
    assert.equal(await native(server, 'DELETE', `/users/${id}/sessions/${payload.uid}`), '');
    assert.deepEqual(await native(server, 'GET', `/users/${id}/sessions`), { sessions: [] });
    assert.deepEqual([await userinfo(one.online), await userinfo(one.offline)], [401, 200]);
    assert.equal((await refresh(server, 'oidc', app, one.offline.refresh_token)).status, 200);
  });

  test('a grant ends for itself, with its tokens', async () => {
    const one = await signedIn();
    const { id } = one.user;
    const { grants } = await native(server, 'GET', `/users/${id}/grants`);
    assert.equal(grants.length, 2);
    const [grant] = grants.filter(
      ({ application }: { application: { id: string } }) => application.id === app.clientId,
    );
    assert.deepEqual(grant, {
      id: grant.id,
      payload: {
        exp: Math.floor(grant.expiresAt / 1000),
        iat: grant.payload.iat,
        jti: grant.id,
        kind: 'Grant',
        clientId: app.clientId,
        accountId: id,
      },
      expiresAt: grant.expiresAt,
      application: { id: app.clientId, name: 'Portal' },
    });
    assert.deepEqual((await native(server, 'GET', `/users/${id}/grants?appType=thirdParty`)).grants, []);
    assert.equal((await native(server, 'GET', `/users/${id}/grants?appType=firstParty`)).grants.length, 2);
    await native(server, 'DELETE', `/users/${id}/grants/${grant.id}`);
    assert.deepEqual([await userinfo(one.offline), await userinfo(one.online)], [401, 200]);
    assert.equal((await refresh(server, 'oidc', app, one.offline.refresh_token)).status, 400);
    const events = (await server.logEvents()).filter(
      ({ kind, user_id }) => kind === 'authorization.ended' && user_id === id,
    );
    assert.equal(events.length, 1);
  });

  test('who lacks the scope, and who asks for what is not there, changes nothing', async () => {
    const one = await signedIn();
    const two = await signedIn();
    const { id } = one.user;
    const [session] = (await native(server, 'GET', `/users/${id}/sessions`)).sessions;
    const [grant] = (await native(server, 'GET', `/users/${id}/grants`)).grants;
    const rows = async () => JSON.stringify(await Promise.all(tables.map((table) => server.rows(table))));
    const before = await rows();
    const paths = [
      ['GET', `/users/${id}/sessions`, 'read:sessions'],
      ['DELETE', `/users/${id}/sessions`, 'delete:sessions'],
      ['DELETE', `/users/${id}/sessions/${session.payload.uid}`, 'delete:sessions'],
      ['GET', `/users/${id}/grants`, 'read:grants'],
      ['DELETE', `/users/${id}/grants/${grant.id}`, 'delete:grants'],
    ] as const;
    const scopes = ['read:sessions', 'delete:sessions', 'read:grants', 'delete:grants', 'update:users'];
    for (const [method, path, needed] of paths) {
      const { token } = await callerWith(
        server,
        scopes.filter((scope) => scope !== needed),
        server.nativeAudience,
      );
      assert.equal((await server.request(method, `/api${path}`, { token })).status, 403, `${method} ${path}`);
    }
    const token = await server.managementToken(server.nativeAudience);
    const missing: [string, string][] = [
      ['GET', '/users/nobody/sessions'],
      ['DELETE', '/users/nobody/sessions'],
      ['GET', '/users/nobody/grants'],
      ['DELETE', `/users/${id}/sessions/nothing`],
      ['DELETE', `/users/${id}/grants/nothing`],
      // Of somebody else.
      ['DELETE', `/users/${two.user.id}/sessions/${session.payload.uid}`],
      ['DELETE', `/users/${two.user.id}/grants/${grant.id}`],
      ['GET', `/users/${id}/grants?appType=other`],
    ];
    for (const [method, path] of missing) {
      const { status, text } = await server.request(method, `/api${path}`, { token });
      assert.equal(status, path.includes('appType') ? 400 : 404, `${method} ${path}: ${text}`);
    }
    assert.equal(await rows(), before);
  });

  test('a token for an organization ends sessions of the people its subtree owns, and sees no others', async () => {
    const organizationId = await makeOrganization(server, 'Owner');
    const { token } = await delegatedCaller(server, { organizationId, scopes: ['all'] });
    const mine = await signedIn(await makeUser(server, { ownerOrganizationId: organizationId }));
    const member = await signedIn();
    await makeMembership(server, { organizationId, subjectId: member.user.id, kind: 'user' });
    const stranger = await signedIn();
    for (const { user } of [member, stranger]) {
      for (const [method, path] of [
        ['GET', 'sessions'],
        ['DELETE', 'sessions'],
        ['GET', 'grants'],
      ] as const) {
        const theirs = await server.request(method, `/api/users/${user.id}/${path}`, { token });
        const none = await server.request(method, `/api/users/nobody/${path}`, { token });
        assert.deepEqual([theirs.status, theirs.body], [404, none.body], `${method} ${path}`);
      }
    }
    await assertGoesOn(member);
    await assertGoesOn(stranger);
    assert.equal(
      (await server.request('GET', `/api/users/${mine.user.id}/sessions`, { token })).body.sessions.length,
      1,
    );
    assert.equal((await server.request('DELETE', `/api/users/${mine.user.id}/sessions`, { token })).status, 204);
    await assertAllOver(mine);
  });

  test('a planted session is worth nothing after somebody signs in', async () => {
    const attacker = await makeUser(server);
    const victim = await makeUser(server);
    const planted = await signIn(server, { identifier: attacker.email, password });
    const signed = await signIn(server, { identifier: victim.email, password, sessionSecret: planted.sessionSecret });
    assert.notEqual(signed.sessionSecret, planted.sessionSecret);
    assert.notEqual(signed.sessionId, planted.sessionId);
    assert.equal(await sessionOf(contextAt(server), planted.sessionSecret), undefined);
    assert.equal((await sessionOf(contextAt(server), signed.sessionSecret))?.userId, victim.id);
    // The same person again: the session goes on, its old secret does not.
    const again = await signIn(server, { identifier: victim.email, password, sessionSecret: signed.sessionSecret });
    assert.equal(again.sessionId, signed.sessionId);
    assert.equal(await sessionOf(contextAt(server), signed.sessionSecret), undefined);
    assert.equal((await sessionOf(contextAt(server), again.sessionSecret))?.userId, victim.id);
    for (const secret of [undefined, '', 'x', planted.sessionId, again.sessionId]) {
      assert.equal(await sessionOf(contextAt(server), secret), undefined);
    }
  });

  test('a browser signs out: its session ends and what rests on it, other browsers stay', async () => {
    const user = await makeUser(server);
    const here = await signedIn(user);
    const there = await signedIn(user);
    const ended = await endSession(contextAt(server), sessionSecretOf(here.browser));
    assert.equal(ended?.userId, user.id);
    assert.equal(await endSession(contextAt(server), sessionSecretOf(here.browser)), undefined, 'once');
    assert.deepEqual([await userinfo(here.online), await userinfo(there.online)], [401, 200]);
  });

  test('a sign-in that a new password overtakes gets no session', async () => {
    const user = await makeUser(server);
    const tries = Array.from({ length: 8 }, () =>
      signIn(server, { identifier: user.email, password }).then(
        ({ sessionSecret }) => sessionSecret,
        () => undefined,
      ),
    );
    await native(server, 'PATCH', `/users/${user.id}/password`, { password: 'another fine horse' });
    for (const secret of await Promise.all(tries)) {
      assert.equal(await sessionOf(contextAt(server), secret), undefined);
    }
  });

  test('after fourteen days a session is over, and housekeeping removes it with all else that is', async () => {
    const one = await signedIn();
    const secret = sessionSecretOf(one.browser);
    clock.advance(14 * dayMs - 60_000);
    assert.ok(await sessionOf(contextAt(server), secret));
    clock.advance(60_000);
    assert.equal(await sessionOf(contextAt(server), secret), undefined);
    assert.deepEqual(await native(server, 'GET', `/users/${one.user.id}/sessions`).catch(() => ({ sessions: [] })), {
      sessions: [],
    });
    clock.advance(200 * dayMs);
    await server.composed.housekeeping.run();
    for (const table of [...tables, 'interactions', 'setup_links']) {
      assert.deepEqual(await server.rows(table), [], table);
    }
  });
});
