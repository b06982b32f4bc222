/** Sessions of apps: what ends them counts at the next question; nobody else's secret is one, and they are no cookies. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { rawRequest } from '../management/support.ts';
import {
  authorizeUrl,
  Browser,
  makeApp,
  makeUser,
  native,
  type TestClient,
  type TestUser,
} from '../sign-in/support.ts';
import { callApp, isValid, makePolicy, managed, policyPath, sessionOf, type TestPolicy } from './support.ts';

eachEngine('RHMAP: sessions', (engine) => {
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

  const session = (as: { policy?: TestPolicy; app?: TestClient; user?: TestUser } = {}) =>
    sessionOf(server, as.policy ?? policy, as.app ?? app, as.user ?? user);

  test('verified by the body, or by the header that the SDK writes in quotes', async () => {
    const token = await session();
    const valid = { status: 'ok', isValid: true };
    assert.deepEqual(
      (await callApp(server, 'verifysession', { sessionToken: token, key: 'sessionToken' })).body,
      valid,
    );
    for (const value of [token, `"${token}"`]) {
      assert.deepEqual((await callApp(server, 'verifysession', {}, { 'x-fh-sessiontoken': value })).body, valid);
    }
    for (const sessionToken of [
      undefined,
      null,
      '',
      7,
      {},
      'x',
      `${token}x`,
      token.slice(1),
      '\u00e9',
      'x'.repeat(9999),
    ]) {
      const { status, body } = await callApp(server, 'verifysession', { sessionToken });
      assert.deepEqual([status, body], [200, { status: 'ok', isValid: false }]);
    }
  });

  test('sessioninfo tells who holds it, and nothing of another', async () => {
    const token = await session();
    const { body } = await callApp(server, 'sessioninfo', { sessionToken: token });
    assert.deepEqual(body, {
      status: 'ok',
      isValid: true,
      userId: user.email,
      policyId: policy.policyId,
      clientToken: app.clientId,
      authenticatedAt: body.authenticatedAt,
      expiresAt: body.expiresAt,
    });
    assert.equal(Date.parse(body.expiresAt) - Date.parse(body.authenticatedAt), 14 * 86_400_000);
    assert.deepEqual((await callApp(server, 'sessioninfo', { sessionToken: 'x' })).body, {
      status: 'ok',
      isValid: false,
    });
  });

  test('revoked: at once, as often as one likes, and no other one', async () => {
    const [token, other] = [await session(), await session()];
    for (const sessionToken of [token, token, 'unknown', undefined]) {
      const { status, body } = await callApp(server, 'revokesession', { sessionToken });
      assert.deepEqual([status, body], [200, { status: 'ok' }]);
    }
    assert.deepEqual([await isValid(server, token), await isValid(server, other)], [false, true]);
    assert.ok((await server.logEvents()).some(({ kind }) => kind === 'session.ended'));
  });

  test('over with its time', async () => {
    const token = await session();
    clock.advance(14 * 86_400_000 - 60_000);
    assert.equal(await isValid(server, token), true);
    clock.advance(120_000);
    assert.equal(await isValid(server, token), false);
    clock.advance(-14 * 86_400_000 - 60_000);
  });

  test('over with the user: blocked, or deleted', async () => {
    for (const end of [
      (id: string) => native(server, 'PATCH', `/users/${id}/is-suspended`, { isSuspended: true }),
      (id: string) => native(server, 'DELETE', `/users/${id}`),
    ]) {
      const person = await makeUser(server);
      const token = await session({ user: person });
      assert.equal(await isValid(server, token), true);
      await end(person.id);
      assert.equal(await isValid(server, token), false);
    }
  });

  test('over with the policy: switched off, deleted, or not offered any more', async () => {
    for (const end of [
      ({ guid }: TestPolicy) => native(server, 'PATCH', `/auth-policies/${guid}`, { enabled: false }),
      ({ guid }: TestPolicy) => managed(server, 'delete', { guid }),
      () => native(server, 'PATCH', `/applications/${app.clientId}`, { authPolicyIds: [policy.guid] }),
    ]) {
      const made = await makePolicy(server);
      const token = await session({ policy: made });
      assert.equal(await isValid(server, token), true);
      await end(made);
      assert.equal(await isValid(server, token), false);
      await native(server, 'PATCH', `/applications/${app.clientId}`, { authPolicyIds: null });
    }
  });

  test('over with the approval, taken back or asked for from now on', async () => {
    const open = await makePolicy(server);
    const token = await session({ policy: open });
    const approving = { policyType: 'FEEDHENRY', configurations: {}, checkUserApproved: true };
    await managed(server, 'update', { ...approving, ...open });
    assert.equal(await isValid(server, token), false);
    await managed(server, 'addusers', { guid: open.guid, users: [user.email] });
    const approved = await session({ policy: open });
    assert.equal(await isValid(server, approved), true);
    await managed(server, 'removeusers', { guid: open.guid, users: [user.email] });
    assert.equal(await isValid(server, approved), false);
  });

  test('over with the application: disabled, of others, or deleted', async () => {
    for (const end of [
      (id: string) => native(server, 'PATCH', `/applications/${id}`, { status: 'disabled' }),
      (id: string) => native(server, 'PATCH', `/applications/${id}`, { isThirdParty: true }),
      (id: string) => native(server, 'DELETE', `/applications/${id}`),
    ]) {
      const gone = await makeApp(server, 'Native');
      const token = await session({ app: gone });
      assert.equal(await isValid(server, token), true);
      await end(gone.clientId);
      assert.equal(await isValid(server, token), false);
    }
  });

  test('administrators see which app holds it, and by which policy; over when the person is signed out everywhere', async () => {
    const person = await makeUser(server);
    const token = await session({ user: person });
    const { sessions } = await native(server, 'GET', `/users/${person.id}/sessions`);
    assert.deepEqual(
      sessions.map((one: Record<string, unknown>) => [one.clientId, one.device, one.authPolicyId]),
      [[app.clientId, '0123456789abcdef', policy.guid]],
    );
    assert.ok(!JSON.stringify(sessions).includes(token));
    await native(server, 'DELETE', `/users/${person.id}/sessions`);
    assert.equal(await isValid(server, token), false);
  });

  test('of one tenant only: to another it is unknown, and can not be ended there', async () => {
    await native(server, 'POST', '/tenants', { id: 'elsewhere' });
    const token = await session();
    const there = (call: string) =>
      rawRequest(server, 'POST', `${policyPath}/${call}`, {
        host: `elsewhere.localhost:${server.port}`,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ sessionToken: token }),
      });
    assert.deepEqual((await there('verifysession')).body, { status: 'ok', isValid: false });
    assert.deepEqual((await there('sessioninfo')).body, { status: 'ok', isValid: false });
    assert.deepEqual((await there('revokesession')).body, { status: 'ok' });
    assert.equal(await isValid(server, token), true);
  });

  test('it is no cookie, and a cookie is no session of an app', async () => {
    const web = await makeApp(server);
    const token = await session();
    const browser = new Browser(server);
    browser.cookies.set('sekisho-session', token);
    await browser.open(authorizeUrl('root', web, { prompt: 'none' }));
    assert.match(browser.page.location ?? '', /error=login_required/);

    const signedIn = new Browser(server);
    await signedIn.open(authorizeUrl('root', web));
    await signedIn.signIn(user);
    const secret = signedIn.cookies.get('sekisho-session') ?? '';
    assert.ok(secret.length > 0);
    assert.equal(await isValid(server, secret), false);
    await callApp(server, 'revokesession', { sessionToken: secret });
    await signedIn.open(authorizeUrl('root', web, { prompt: 'none' }));
    assert.match(signedIn.page.location ?? '', /code=/, 'revokesession does not end it');
  });

  test('an address with far too many bad sessions is told so; good ones count all the same', async () => {
    const token = await session();
    const { signIn } = server.composed.services.limits;
    // Of ten thousand in a quarter of an hour one is free again every 90 ms; not while the clock stands still.
    await clock.standingStill(async () => {
      for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) {
        try {
          for (;;) signIn.countBegun('default', address);
        } catch {
          // Used up.
        }
      }
      const bad = await callApp(server, 'verifysession', { sessionToken: 'x' });
      assert.deepEqual([bad.status, bad.body], [200, { status: 'error', message: 'too_many_tries' }]);
      assert.ok(Number(bad.headers.get('retry-after')) > 0);
      assert.equal(await isValid(server, token), true);
    });
  });
});
