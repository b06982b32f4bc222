/** `$fh.auth` with a name and a password: the answers, each code, who learns what, limits, and pages that may call. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { makeApp, makeUser, native, type TestClient, type TestUser } from '../sign-in/support.ts';
import { auth, base, callApp, makePolicy, managed, policyPath, signIn, type TestPolicy } from './support.ts';

eachEngine('RHMAP: sign-in by a form', (engine) => {
  const clock = new TestClock();
  let server: TestServer;
  let policy: TestPolicy;
  let app: TestClient;
  let user: TestUser;
  before(async () => {
    server = await startServer({ engine, clock });
    policy = await makePolicy(server);
    app = await makeApp(server, 'Native');
    user = await makeUser(server);
  });
  after(() => server.close());

  /** A refusal: HTTP 200, its code, nothing else, and no session. */
  const refused = async (
    code: string,
    as: { policy?: { policyId: string }; app?: { clientId: string }; user?: { email: string; password: string } },
  ): Promise<void> => {
    const sessions = (await server.rows('sessions')).length;
    const answer = await signIn(server, as.policy ?? policy, as.app ?? app, as.user ?? user);
    assert.deepEqual([answer.status, answer.body], [200, { status: 'error', message: code }]);
    assert.equal((await server.rows('sessions')).length, sessions);
  };

  test('the answer: a session, who it is, and no cookie', async () => {
    const { status, body, headers } = await signIn(server, policy, app, user);
    assert.equal(status, 200);
    assert.deepEqual(body, {
      status: 'ok',
      sessionToken: body.sessionToken,
      userId: user.email,
      authResponse: { id: user.id, email: user.email, name: 'Hanako Sekino', verified_email: true },
    });
    assert.match(body.sessionToken, /^[A-Za-z0-9_-]{43}$/);
    assert.equal(headers.get('set-cookie'), null);
    assert.equal(headers.get('cache-control'), 'no-store');
    const [session] = await server.rows('sessions');
    assert.deepEqual(
      [session.client_id, session.device, session.auth_policy_id],
      [...[app.clientId, '0123456789abcdef', policy.guid]],
    );
    assert.ok(!JSON.stringify(session).includes(body.sessionToken));
    const event = (await server.logEvents()).find(({ kind }) => kind === 'user.signed_in');
    assert.equal(event.user_id, user.id);
  });

  test('who can not prove who it is learns nothing more', async () => {
    const closed = await makePolicy(server, { checkUserExists: true, checkUserApproved: true });
    const blocked = await makeUser(server);
    await native(server, 'PATCH', `/users/${blocked.id}/is-suspended`, { isSuspended: true });
    for (const target of [policy, closed]) {
      for (const one of [user, blocked, { email: 'nobody@example.com' }, { email: '' }]) {
        await refused('invalid_credentials', { policy: target, user: { email: one.email, password: 'wrong' } });
      }
    }
    // Nothing at all, and what is no text.
    for (const params of [undefined, null, 'x', {}, { userId: 7, password: {} }, { userId: user.email }]) {
      const { body } = await auth(server, policy, app, { params });
      assert.deepEqual(body, { status: 'error', message: 'invalid_credentials' });
    }
    await refused('user_disabled', { user: blocked });
    await refused('user_not_approved', { policy: closed });
    // Not approved comes before blocked.
    await refused('user_not_approved', { policy: closed, user: blocked });
  });

  test('awaiting approval, until an administrator adds the user', async () => {
    const closed = await makePolicy(server, { checkUserApproved: true });
    await refused('user_not_approved', { policy: closed });
    assert.deepEqual((await managed(server, 'users', { guid: closed.guid })).list, [], 'who asked is not in the list');
    await managed(server, 'addusers', { guid: closed.guid, users: [user.email] });
    assert.equal((await signIn(server, closed, app, user)).body.status, 'ok');
    await managed(server, 'removeusers', { guid: closed.guid, users: [user.email] });
    await refused('user_not_approved', { policy: closed });
  });

  test('a policy that is unknown, off, or not offered for the application: one code', async () => {
    const off = await makePolicy(server);
    await native(server, 'PATCH', `/auth-policies/${off.guid}`, { enabled: false });
    const other = await makePolicy(server);
    const narrow = await makeApp(server, 'Native');
    await native(server, 'PATCH', `/applications/${narrow.clientId}`, { authPolicyIds: [other.guid] });
    for (const policyId of [
      'nothing',
      policy.guid,
      policy.policyId.toUpperCase(),
      off.policyId,
      'password',
      '__proto__',
    ]) {
      await refused('unknown_policyId', { policy: { policyId } });
    }
    await refused('unknown_policyId', { policy, app: narrow });
    assert.equal((await signIn(server, other, narrow, user)).body.status, 'ok');
  });

  test('an application that is unknown, disabled, a machine, or of others: one code', async () => {
    const disabled = await makeApp(server, 'Native');
    await native(server, 'PATCH', `/applications/${disabled.clientId}`, { status: 'disabled' });
    const { clientId: machine } = await server.machine();
    const thirdParty = await makeApp(server, 'Traditional', { isThirdParty: true });
    const unknown = [{ clientId: 'nothing' }, { clientId: '__proto__' }, { clientId: machine }, disabled, thirdParty];
    for (const one of unknown) await refused('unknown_clientToken', { app: one });
    assert.ok((await server.logEvents()).some(({ reason }) => reason === 'app_unknown'));
  });

  test('what the request lacks', async () => {
    for (const [json, message] of [
      [{}, 'clientToken is required'],
      [{ clientToken: app.clientId }, 'policyId is required'],
      [{ clientToken: {}, policyId: 'x' }, 'clientToken must be a string'],
    ] as const) {
      const { status, body } = await callApp(server, 'auth', json);
      assert.deepEqual([status, body], [200, { status: 'error', message }]);
    }
    const broken = await server.request('POST', `${policyPath}/auth`, { body: '{' });
    assert.deepEqual([broken.status, broken.body.message], [400, 'Request body must be a JSON object']);
  });

  test('no password in a URL: the SDK’s JSONP is refused, whatever it asks', async () => {
    const data = encodeURIComponent(JSON.stringify({ policyId: policy.policyId, clientToken: app.clientId }));
    const { status, headers, body } = await server.request('GET', `${policyPath}/auth?_callback=f&_jsonpdata=${data}`);
    assert.deepEqual([status, headers.get('allow'), body], [405, 'POST', { status: 'error', message: 'Use POST' }]);
  });

  test('pages that may call: of the tenant’s applications, and files; every header, no cookie', async () => {
    const json = { policyId: policy.policyId, clientToken: app.clientId, params: {} };
    const asked = 'content-type, x-fh-cuid, x-fh-sdk_version, x-fh-sessiontoken, x-requested-with';
    for (const origin of ['https://app.example', 'null', 'file://', server.origin]) {
      const headers = { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': asked };
      const before = await server.request('OPTIONS', `${policyPath}/auth`, { headers });
      assert.equal(before.status, 204);
      assert.equal(before.headers.get('access-control-allow-origin'), origin);
      assert.equal(before.headers.get('access-control-allow-headers'), asked);
      assert.equal(before.headers.get('access-control-allow-methods'), 'POST');
      assert.match(before.headers.get('vary') ?? '', /Origin/);
      const answer = await callApp(server, 'auth', json, { origin });
      assert.equal(answer.headers.get('access-control-allow-origin'), origin);
      for (const one of [before, answer]) assert.equal(one.headers.get('access-control-allow-credentials'), null);
    }
    const evil = { origin: 'https://evil.example', 'access-control-request-headers': asked };
    const refusedBefore = await server.request('OPTIONS', `${policyPath}/auth`, { headers: evil });
    const refusedThen = await callApp(server, 'auth', json, { origin: 'https://evil.example' });
    for (const one of [refusedBefore, refusedThen]) {
      assert.deepEqual(
        [...one.headers.keys()].filter((name) => name.startsWith('access-control-')),
        [],
      );
    }
    // Administrators' calls are for programs.
    const admin = await server.request('OPTIONS', `${policyPath}/list`, { headers: { origin: 'https://app.example' } });
    assert.equal(admin.headers.get('access-control-allow-origin'), null);
  });

  test('app/init tells the SDK where it is, whatever it says of itself', async () => {
    for (const json of [undefined, {}, { appid: 'x', appkey: 'y', projectid: 'z' }]) {
      const { status, body } = await server.request('POST', `${base}/app/init`, json === undefined ? {} : { json });
      assert.deepEqual(
        [status, body],
        [
          200,
          {
            status: 'ok',
            domain: 'default',
            firstTime: false,
            hosts: {
              url: server.origin,
              environment: 'default',
              type: 'cloud_nodejs',
              debugCloudType: 'node',
              debugCloudUrl: server.origin,
              releaseCloudType: 'node',
              releaseCloudUrl: server.origin,
            },
            init: { trackId: '000000000000000000000000' },
          },
        ],
      );
    }
  });

  test('too many tries: a code of their own, and when to come back', async () => {
    const target = await makeUser(server);
    let answer = await signIn(server, policy, app, { ...target, password: 'wrong' });
    for (let tries = 1; tries < 60 && answer.body.message === 'invalid_credentials'; tries += 1) {
      answer = await signIn(server, policy, app, { ...target, password: 'wrong' });
    }
    assert.deepEqual([answer.status, answer.body], [200, { status: 'error', message: 'too_many_tries' }]);
    assert.ok(Number(answer.headers.get('retry-after')) > 0);
    await refused('too_many_tries', { user: target });
    clock.advance(31 * 60_000);
    assert.equal((await signIn(server, policy, app, target)).body.status, 'ok');
  });

  test('no password and no session is in the log or in a row', async () => {
    const { body } = await signIn(server, policy, app, { ...user, password: 'MRK-wrong-password' });
    assert.equal(body.message, 'invalid_credentials');
    const token = (await signIn(server, policy, app, user)).body.sessionToken;
    for (const table of ['log_events', 'sessions', 'users', 'auth_policies', 'upstream_requests']) {
      const rows = JSON.stringify(await server.rows(table));
      for (const secret of ['MRK-wrong-password', user.password, token]) assert.ok(!rows.includes(secret), table);
    }
  });
});
