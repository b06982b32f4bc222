/** RFC 8628: a device asks, a person answers on a page. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { typedUserCode } from '../../src/domain/device-authorizations/user-code.ts';
import { eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { assertPageHeaders } from '../pages/support.ts';
import { sendTo, startNodes } from '../token/nodes.ts';
import { refused, withoutLimits } from '../token/refusals.ts';
import { askDevice, deviceEndpoints, deviceGrant, enterCode, letIn, makeDeviceApp, poll } from './device-support.ts';
import {
  Browser,
  claimsOf,
  formsOf,
  type IssuerKey,
  issuers,
  makeApp,
  makeUser,
  native,
  refresh,
  type TestClient,
  type TestUser,
} from './support.ts';

const issuerKeys = Object.keys(issuers) as IssuerKey[];

test('a user code is read whatever its case, dashes and spaces', () => {
  for (const typed of ['BCDF-GHJK', 'bcdfghjk', ' b c d f – g h j k ', 'ＢＣＤＦ－ＧＨＪＫ']) {
    assert.equal(typedUserCode(typed), 'BCDFGHJK', typed);
  }
  for (const typed of ['', 'BCDF-GHJ', 'BCDF-GHJKL', 'ACDF-GHJK', 'BCDF-GHJ0', "BCDF-GHJ'", 'B'.repeat(10_000)]) {
    assert.equal(typedUserCode(typed), undefined, typed);
  }
});

eachEngine('devices', (engine) => {
  let server: TestServer;
  let app: TestClient;
  let user: TestUser;
  const clock = new TestClock();
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
    [app, user] = [await makeDeviceApp(server), await makeUser(server)];
  });
  after(() => server.close());

  const refusal = (issuer: IssuerKey, client: TestClient, code: string, error: string, reason: string, status = 400) =>
    refusedAt(server, issuer, () => poll(server, issuer, client, code), { status, error, reason });

  for (const issuer of issuerKeys) {
    test(`${issuer}: is told of, and answers as RFC 8628 §3.2 has it`, async () => {
      const base = issuer === 'root' ? '' : '/oidc';
      const { body: metadata } = await server.request('GET', `${base}/.well-known/openid-configuration`);
      assert.equal(metadata.device_authorization_endpoint, `${server.origin}${deviceEndpoints[issuer]}`);
      assert.ok(metadata.grant_types_supported.includes(deviceGrant));
      const { status, body, headers } = await askDevice(server, issuer, app);
      assert.equal(status, 200);
      assert.match(body.user_code, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
      assert.match(body.device_code, /^[\w-]{43}$/);
      assert.deepEqual(body, {
        ...body,
        verification_uri: `${server.origin}/device`,
        verification_uri_complete: `${server.origin}/device?user_code=${body.user_code}`,
        expires_in: 600,
        interval: 5,
      });
      assert.equal(headers.get('cache-control'), 'no-store');
      const rows = JSON.stringify(await server.rows('device_authorizations'));
      assert.ok(!rows.includes(body.device_code), 'only the hash of the device code is kept');
      const got = await server.request('GET', deviceEndpoints[issuer]);
      assert.equal(got.status, 405);
    });

    test(`${issuer}: a person lets a device in; it gets tokens, and refreshes them`, async () => {
      const { body: asked } = await askDevice(server, issuer, app, { scope: 'openid profile offline_access' });
      const pending = await poll(server, issuer, app, asked.device_code);
      assert.equal(`${pending.status} ${pending.body.error}`, '400 authorization_pending');
      const browser = await enterCode(server, asked.user_code.toLowerCase().replace('-', ' '), user);
      assert.match(browser.page.text, /Television/);
      assert.ok(browser.page.text.includes(asked.user_code), 'the code is shown once more');
      assertPageHeaders(browser.page.headers, 'confirm');
      const before = (await server.logEvents()).length;
      await browser.submit('/device/confirm', { decision: 'allow' });
      assert.ok(browser.page.url.endsWith('/device/connected'));
      const [granted, ...more] = (await server.logEvents()).slice(before);
      assert.deepEqual(
        [granted.kind, granted.client_id, granted.user_id, more.length],
        ['authorization.granted', app.clientId, user.id, 0],
      );
      const answer = await poll(server, issuer, app, asked.device_code);
      assert.equal(answer.status, 200, answer.text);
      assert.equal(claimsOf(answer.body.id_token).name, 'Hanako Sekino');
      const me = await server.request('GET', issuers[issuer].userinfo, { token: answer.body.access_token });
      assert.equal(me.status, 200);
      const refreshed = await refresh(server, issuer, app, answer.body.refresh_token);
      assert.equal(refreshed.status, 200, refreshed.text);
      await refusal(issuer, app, asked.device_code, 'invalid_grant', 'device_code_invalid');
    });

    test(`${issuer}: whoever asks too early is told to slow down, more each time`, () =>
      clock.standingStill(async () => {
        const { body } = await askDevice(server, issuer, app);
        const ask = async () => (await poll(server, issuer, app, body.device_code)).body.error;
        const events = (await server.logEvents()).length;
        assert.equal(await ask(), 'authorization_pending');
        clock.advance(1000);
        assert.equal(await ask(), 'slow_down');
        clock.advance(6000);
        assert.equal(await ask(), 'slow_down', '10 seconds now');
        clock.advance(10_000);
        assert.equal(await ask(), 'slow_down', '15 seconds now');
        clock.advance(20_000);
        assert.equal(await ask(), 'authorization_pending');
        assert.equal((await server.logEvents()).length, events, 'a device that waits is no event');
        const [row] = (await server.rows('device_authorizations'))
          .filter(({ polled_at }) => polled_at !== null)
          .slice(-1);
        assert.ok(row.interval_seconds >= 5);
      }));

    test(`${issuer}: a code is for the client and the issuer it was given to`, async () => {
      const other = await makeDeviceApp(server);
      const { deviceCode } = await letIn(server, issuer, app, user);
      await refusal(issuer, other, deviceCode, 'invalid_grant', 'device_code_invalid');
      const elsewhere = issuer === 'root' ? 'oidc' : 'root';
      await refusal(elsewhere, app, deviceCode, 'invalid_grant', 'device_code_invalid');
      await refusal(issuer, app, `${deviceCode}x`, 'invalid_grant', 'device_code_invalid');
      await refusal(issuer, app, '', 'invalid_request', 'parameter_invalid');
      assert.equal((await poll(server, issuer, app, deviceCode)).status, 200);
    });

    test(`${issuer}: denied and expired`, async () => {
      const denied = await askDevice(server, issuer, app);
      const browser = await enterCode(server, denied.body.user_code, user);
      await browser.submit('/device/confirm', { decision: 'deny' });
      assert.ok(browser.page.url.endsWith('/device/declined'));
      const status = issuer === 'root' ? 403 : 400;
      await refusal(issuer, app, denied.body.device_code, 'access_denied', 'device_denied', status);
      const { body } = await askDevice(server, issuer, app);
      const late = await enterCode(server, body.user_code, user);
      clock.advance(600_000);
      await refusal(issuer, app, body.device_code, 'expired_token', 'device_code_expired');
      const state = await server.stateHash();
      await late.submit('/device/confirm', { decision: 'allow' });
      assert.equal(late.page.status, 404, 'too late to say yes');
      assert.equal(await server.stateHash(), state);
      await refusal(issuer, app, body.device_code, 'expired_token', 'device_code_expired');
    });

    test(`${issuer}: nothing for who was blocked, or signed out, in between`, async () => {
      const person = await makeUser(server);
      const first = await letIn(server, issuer, app, person);
      await native(server, 'PATCH', `/users/${person.id}/is-suspended`, { isSuspended: true });
      await refusal(issuer, app, first.deviceCode, 'invalid_grant', 'device_code_invalid');
      await native(server, 'PATCH', `/users/${person.id}/is-suspended`, { isSuspended: false });
      const second = await letIn(server, issuer, app, person);
      await native(server, 'DELETE', `/users/${person.id}/sessions`);
      await refusal(issuer, app, second.deviceCode, 'invalid_grant', 'device_code_invalid');
    });

    test(`${issuer}: only clients that may, for what there is`, async () => {
      const plain = await makeApp(server, 'Native');
      const expected =
        issuer === 'root' ? ([403, 'unauthorized_client'] as const) : ([400, 'invalid_request'] as const);
      await refusedAt(server, issuer, () => askDevice(server, issuer, plain), {
        status: expected[0],
        error: expected[1],
        reason: 'grant_type_not_allowed',
        kind: 'authorization.refused',
      });
      const unknown = { clientId: 'nobody', clientSecret: undefined };
      const stranger = await askDevice(server, issuer, unknown);
      assert.equal(stranger.status, 401);
      const target = await askDevice(server, issuer, app, { resource: 'https://nothing.example' });
      assert.equal(`${target.status} ${target.body.error}`, '400 invalid_target');
      const empty = await server.request('POST', deviceEndpoints[issuer]);
      assert.equal(empty.status, 401);
    });
  }

  test('a GET never lets a device in, nor does a form of another site or browser', async () => {
    const { body } = await askDevice(server, 'oidc', app);
    const browser = await enterCode(server, body.user_code, user);
    const [form] = formsOf(browser.page.text).filter(({ action }) => action === '/device/confirm');
    const values: Record<string, string> = { ...form?.hidden, decision: 'allow' };
    const state = await server.stateHash();
    const query = new URLSearchParams(values);
    await browser.open(`/device/confirm?${query}`);
    assert.equal(browser.page.status, 200, 'the page, no more');
    for (const [what, headers] of [
      ['another site', { 'sec-fetch-site': 'cross-site' }],
      ['a neighbour', { 'sec-fetch-site': 'same-site' }],
      ['another origin', { origin: 'https://evil.example' }],
    ] as const) {
      await browser.post('/device/confirm', values, headers);
      assert.equal(browser.page.status, 403, what);
    }
    await browser.post('/device/confirm', { ...values, csrf: '' });
    assert.equal(browser.page.status, 403);
    // Somebody else, signed in, with a code typed of its own, and the first browser's note.
    const second = await askDevice(server, 'oidc', app);
    const other = await enterCode(server, second.body.user_code, await makeUser(server));
    const stateThen = await server.stateHash();
    for (const stolen of [
      { user_code: body.user_code },
      { user_code: body.user_code, entry: values.entry as string },
      { entry: values.entry as string },
      { entry: '' },
    ]) {
      const [own] = formsOf(other.page.text).filter(({ action }) => action === '/device/confirm');
      const page = await other.post('/device/confirm', { ...own?.hidden, ...stolen, decision: 'allow' });
      assert.equal(page.status, 404, JSON.stringify(stolen));
      await other.open(`/device/confirm?${new URLSearchParams(own?.hidden)}`);
    }
    // The page was shown to somebody else.
    const [own] = formsOf(other.page.text).filter(({ action }) => action === '/device/confirm');
    await other.post('/device/confirm', { ...own?.hidden, account: user.id, decision: 'allow' });
    assert.match(other.page.text, /value="allow"/, 'the page again');
    assert.equal(await server.stateHash(), stateThen);
    assert.notEqual(stateThen, state, 'only the second request was new');
    const still = await poll(server, 'oidc', app, body.device_code);
    assert.equal(still.body.error, 'authorization_pending');
    await browser.post('/device/confirm', values);
    assert.ok(browser.page.url.endsWith('/device/connected'));
    await browser.post('/device/confirm', values);
    assert.equal(browser.page.status, 404, 'once');
  });

  test('a session that ended counts for nothing', async () => {
    const { body } = await askDevice(server, 'oidc', app);
    const person = await makeUser(server);
    const browser = await enterCode(server, body.user_code, person);
    await native(server, 'DELETE', `/users/${person.id}/sessions`);
    const state = await server.stateHash();
    await browser.submit('/device/confirm', { decision: 'allow' });
    assert.match(browser.page.text, /\/device\/sign-in/, 'sign in first');
    assert.equal(await server.stateHash(), state);
    await browser.submit('/device/sign-in', { identifier: person.email, password: 'wrong horse' });
    assert.equal(browser.page.status, 400);
    assertPageHeaders(browser.page.headers, 'sign-in that failed');
    await browser.signIn(person);
    assert.match(browser.page.text, /value="allow"/);
  });

  test('a link brings the code along, and no more than that', async () => {
    const { body } = await askDevice(server, 'root', app);
    const browser = new Browser(server);
    await browser.open(
      new URL(body.verification_uri_complete).pathname + new URL(body.verification_uri_complete).search,
    );
    assert.ok(browser.page.text.includes(`value="${body.user_code}"`));
    assertPageHeaders(browser.page.headers, 'device');
    assert.ok(!browser.page.text.includes('Television'), 'who asks is told once the form was sent');
    await browser.open(`/device?user_code=${encodeURIComponent('"><script>alert(1)</script>')}`);
    assert.ok(!browser.page.text.includes('<script>alert'));
  });

  test('consent for an application of others is remembered; a member only for an organization', async () => {
    const third = await makeDeviceApp(server, { isThirdParty: true });
    await letIn(server, 'oidc', third, user, { scope: 'openid email' });
    const [consent] = (await server.rows('consents')).filter(({ client_id }) => client_id === third.clientId);
    assert.deepEqual(JSON.parse(consent.scopes), ['openid', 'email']);
    const organization = await native(server, 'POST', '/organizations', { name: 'Elsewhere' });
    const { body } = await askDevice(server, 'oidc', app, { organization_id: organization.id });
    const browser = new Browser(server);
    await browser.open('/device');
    await browser.submit('/device', { user_code: body.user_code });
    const state = await server.rows('device_authorizations');
    await browser.signIn(user);
    assert.equal(browser.page.status, 403);
    assert.deepEqual(await server.rows('device_authorizations'), state);
    await native(server, 'POST', `/organizations/${organization.id}/users`, { userIds: [user.id] });
    const { deviceCode } = await letIn(server, 'oidc', app, user, { organization_id: organization.id });
    const answer = await poll(server, 'oidc', app, deviceCode);
    assert.equal(claimsOf(answer.body.id_token).organization_id, organization.id);
  });

  test('whoever guesses codes is stopped, by browser and by address, and both are told of', async () => {
    const other = await startServer({ engine });
    try {
      const client = await makeDeviceApp(other);
      const { body } = await askDevice(other, 'oidc', client);
      const guess = async (browser: Browser, code = 'BBBB-BBBB') => {
        await browser.open('/device');
        const page = await browser.submit('/device', { user_code: code });
        return page;
      };
      const browser = new Browser(other);
      for (let count = 0; count < 10; count += 1) assert.equal((await guess(browser)).status, 400);
      const stopped = await guess(browser, body.user_code);
      assert.equal(stopped.status, 429);
      assert.ok(Number(stopped.headers.get('retry-after')) > 0);
      for (let count = 0; count < 40; count += 1) await guess(new Browser(other));
      assert.equal((await guess(new Browser(other), body.user_code)).status, 429, 'a new browser of the same address');
      const events = (await other.logEvents()).filter(({ kind }) => kind === 'device.code_refused');
      assert.equal(events.filter(({ reason }) => reason === 'user_code_unknown').length, 50);
      const used = events
        .filter(({ reason }) => reason === 'rate_limited')
        .map(({ details }) => JSON.parse(details).by);
      assert.deepEqual(used.sort(), ['user_code_of_address', 'user_code_of_browser']);
      const pending = await poll(other, 'oidc', client, body.device_code);
      assert.equal(pending.body.error, 'authorization_pending');
    } finally {
      await other.close();
    }
  });
});

describe('devices on two nodes [postgres]', () => {
  test('of 20 uses of one code at once one gets tokens; so does one of many answers', async () => {
    const nodes = await startNodes();
    try {
      const [first] = nodes;
      const app = await makeDeviceApp(first);
      const { deviceCode } = await letIn(first, 'oidc', app, await makeUser(first));
      const form = { grant_type: deviceGrant, client_id: app.clientId, device_code: deviceCode };
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, number) =>
          sendTo(nodes[number % 2] as TestServer, 'POST', '/oidc/token', { form }),
        ),
      );
      const said = answers.map(({ status, body }) => (status === 200 ? 'tokens' : body.error)).sort();
      assert.deepEqual(said, [...Array.from({ length: 19 }, () => 'invalid_grant'), 'tokens']);
      const { body } = await askDevice(first, 'oidc', app);
      const browser = await enterCode(first, body.user_code, await makeUser(first));
      const [confirm] = formsOf(browser.page.text).filter(({ action }) => action === '/device/confirm');
      const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const pages = await Promise.all(
        Array.from({ length: 10 }, (_, number) =>
          sendTo(nodes[number % 2] as TestServer, 'POST', '/device/confirm', {
            form: { ...confirm?.hidden, decision: number % 3 === 0 ? 'deny' : 'allow' },
            headers: { cookie },
          }),
        ),
      );
      assert.equal(pages.filter(({ status }) => status === 303).length, 1, pages.map(({ status }) => status).join());
    } finally {
      for (const node of nodes) await node.close();
    }
  });
});

/** A refusal at either issuer: Logto's words beside OAuth's are looked at elsewhere. */
async function refusedAt(
  server: TestServer,
  issuer: IssuerKey,
  send: () => ReturnType<typeof poll>,
  expected: { status: number; error: string; reason: string; kind?: 'authorization.refused' },
): Promise<void> {
  if (issuer === 'root' && expected.kind === undefined) {
    const { kind: _, ...rest } = expected;
    await refused(server, send, rest);
    return;
  }
  const before = { state: await server.stateHash(), events: (await server.logEvents()).length };
  const answer = await send();
  assert.equal(`${answer.status} ${answer.body.error}`, `${expected.status} ${expected.error}`, answer.text);
  assert.equal(await server.stateHash(), before.state, 'nothing changed');
  const events = (await server.logEvents()).slice(before.events);
  assert.deepEqual(
    events.map(({ kind, reason }) => [kind, reason]),
    [[expected.kind ?? 'token.refused', expected.reason]],
  );
}
