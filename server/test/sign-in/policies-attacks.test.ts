/** Auth policies, attacked: what somebody tries who wants in by a door that forgot to ask. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { startLdapLab } from '../labs/ldap.ts';
import { type Liar, startLiar } from '../labs/liar.ts';
import { noLab } from '../upstream/ldap/support.ts';
import {
  ask,
  besideLabs,
  choose,
  liarPolicy,
  makePolicy,
  offerOnly,
  signInAtLiar,
  throughLiar,
  tokensOf,
} from './policies-support.ts';
import { claimsOf, makeApp, makeUser, native, refresh, type TestClient } from './support.ts';

eachEngine('auth policies, attacked', (engine) => {
  let server: TestServer;
  let liar: Liar;
  let app: TestClient;
  before(async () => {
    server = await startServer({ engine, env: besideLabs });
    liar = await startLiar();
    app = await makeApp(server);
  });
  after(async () => {
    await liar.close();
    await server.close();
  });

  const sessionsBy = async (policy: string) =>
    (await server.rows('sessions')).filter(({ auth_policy_id }) => auth_policy_id === policy).length;

  test('a refresh token outlives no change of what the tenant takes', async () => {
    const away = await liarPolicy(server, liar);
    const user = await makeUser(server);
    const asking = await ask(server, app, { scope: 'openid offline_access', prompt: 'consent' });
    await asking.browser.signIn(user);
    const { refresh_token: token } = await tokensOf(server, app, asking);
    await native(server, 'PATCH', '/sign-in-exp', { authPolicyIds: [away] });
    try {
      const refused = await refresh(server, 'oidc', app, token);
      assert.ok(refused.status >= 400 && refused.status < 500, refused.text);
      assert.equal((await server.logEvents()).at(-1)?.reason, 'policy_not_offered');
    } finally {
      await native(server, 'PATCH', '/sign-in-exp', { authPolicyIds: null });
    }
    assert.equal((await refresh(server, 'oidc', app, token)).status, 200);
  });

  for (const [name, change] of [
    ['switched off', { enabled: false }],
    ['asks for approval', { checkUserApproved: true }],
    ['another configuration', { configuration: { clientId: 'another' } }],
  ] as const) {
    test(`what changes while the provider is asked counts: ${name}`, async () => {
      const policy = await liarPolicy(server, liar, {}, 'oauth2');
      const { browser } = await ask(server, app);
      const back = await throughLiar(await choose(browser, policy));
      const changed = Promise.withResolvers<void>();
      liar.lies = { until: changed.promise, userInfo: () => ({ sub: `late-${name}` }) };
      const asked = liar.requests.length;
      const coming = browser.open(back);
      while (liar.requests.length === asked) await new Promise((resolve) => setTimeout(resolve, 10));
      const { configuration, ...more } = change as { configuration?: object };
      const whole = { ...liar.oauth2, clientSecret: liar.clientSecret, ...configuration };
      await native(server, 'PATCH', `/auth-policies/${policy}`, {
        ...more,
        ...(configuration === undefined ? {} : { configuration: whole }),
      });
      changed.resolve();
      await coming;
      liar.lies = {};
      assert.equal(await sessionsBy(policy), 0, browser.page.text);
      assert.ok(browser.page.status < 500, browser.page.text);
    });
  }

  test('an address that only reads like somebody’s is not that one', async () => {
    const policy = await liarPolicy(server, liar, { linksByEmail: true });
    const owner = await makeUser(server, { primaryEmail: `mikes-${engine}@example.com` });
    await server.manage('PATCH', `/users/${encodeURIComponent(owner.id)}`, { email_verified: true });
    for (const email of [
      owner.email.replace('i', '\u0131'),
      owner.email.replace('k', '\u212a'),
      owner.email.replace('s', '\u017f'),
      owner.email.replace('m', '\uff4d'),
    ]) {
      assert.notEqual(email, owner.email);
      liar.lies = { userInfo: () => ({ sub: `${engine} ${email}`, email, email_verified: true }) };
      const asking = await ask(server, app);
      await signInAtLiar(asking.browser, policy);
      const { sub } = claimsOf((await tokensOf(server, app, asking)).id_token);
      assert.notEqual(sub, owner.id, email);
    }
    liar.lies = {
      userInfo: () => ({ sub: `${engine} owner`, email: owner.email.toUpperCase(), email_verified: true }),
    };
    const asking = await ask(server, app);
    await signInAtLiar(asking.browser, policy);
    assert.equal(claimsOf((await tokensOf(server, app, asking)).id_token).sub, owner.id);
    liar.lies = {};
  });

  test('a provider without an issuer is brought no code of another one', async () => {
    const policy = await liarPolicy(server, liar);
    for (const [iss, isTaken] of [
      [undefined, true],
      [liar.issuer, true],
      [`${liar.issuer}/tenant`, true],
      ['https://honest.example', false],
      [`${liar.issuer}.evil.example`, false],
      ['junk', false],
    ] as const) {
      liar.lies = { callback: (truth) => (iss === undefined ? undefined : truth.set('iss', iss)) };
      const { browser } = await ask(server, app);
      const back = await throughLiar(await choose(browser, policy));
      const asked = liar.requests.length;
      await browser.open(back);
      assert.equal(browser.cookies.has('sekisho-session'), isTaken, iss);
      assert.equal(liar.requests.length > asked, isTaken, 'the code goes nowhere');
    }
    liar.lies = {};
  });

  test('an address that nobody vouches for tells nobody apart', async () => {
    const configuration = { ...liar.oauth2, clientSecret: liar.clientSecret, fields: { id: 'email' } };
    const policy = await liarPolicy(server, liar, { configuration });
    const email = `victim-${engine}@example.com`;
    const comeIn = async (said: unknown) => {
      liar.lies = { userInfo: () => ({ email, ...(said === undefined ? {} : { email_verified: said }) }) };
      const { browser } = await ask(server, app);
      await signInAtLiar(browser, policy);
      return browser.cookies.has('sekisho-session');
    };
    assert.equal(await comeIn(true), true);
    for (const said of [undefined, false, 'true', 1, null]) assert.equal(await comeIn(said), false, `${said}`);
    const vouched = { ...configuration, emailIsVerified: true };
    await native(server, 'PATCH', `/auth-policies/${policy}`, { configuration: vouched });
    assert.equal(await comeIn(undefined), true);
    assert.equal(await comeIn(false), false);
    liar.lies = {};
  });

  test('no claim says a role in an organization that does not take the policy', async () => {
    const user = await makeUser(server);
    const [open, strict] = await Promise.all(
      ['Open', 'Strict'].map((name) => native(server, 'POST', '/organizations', { name })),
    );
    const below = await native(server, 'POST', '/organizations', { name: 'Below', parentId: strict.id });
    const { id: roleId } = await native(server, 'POST', '/organization-roles', { name: `owner-${engine}` });
    for (const { id } of [open, strict, below]) {
      await native(server, 'POST', `/organizations/${id}/users`, { userIds: [user.id] });
      await native(server, 'POST', `/organizations/${id}/users/${user.id}/roles`, { organizationRoleIds: [roleId] });
    }
    await offerOnly(server, 'organizations', strict.id, [await liarPolicy(server, liar)]);
    const scope = 'openid urn:logto:scope:organizations urn:logto:scope:organization_roles';
    const asking = await ask(server, app, { scope });
    await asking.browser.signIn(user);
    const tokens = await tokensOf(server, app, asking);
    const { body } = await server.request('GET', '/oidc/me', { token: tokens.access_token });
    for (const claims of [claimsOf(tokens.id_token), body]) {
      assert.deepEqual([...claims.organizations].sort(), [open.id, strict.id, below.id].sort());
      assert.deepEqual(claims.organization_roles, [`${open.id}:owner-${engine}`]);
    }
  });

  test('no spelling of a name begins a new count of failures', { skip: noLab }, async () => {
    const lab = await startLdapLab();
    try {
      const configuration = {
        url: lab.urls.ldaps,
        caCertificates: lab.caCertificates,
        search: { base: lab.peopleBase, filter: '(|(uid={user})(cn={user}))', bindDn: lab.searcher.dn },
        bindPassword: lab.searcher.password,
      };
      const policy = await makePolicy(server, 'ldap', configuration);
      const client = await makeApp(server, 'Traditional', { authPolicyIds: [policy] });
      const { browser } = await ask(server, client);
      const spaces = [' ', '  ', '   ', '\u00a0', ' \u3000'];
      const names = ['Ann Example', 'ANN EXAMPLE', 'A\u00adnn Example', '\u00c1nn Ex\u200bample'].flatMap((name) =>
        spaces.map((space) => name.replace(' ', space)),
      );
      const statuses: number[] = [];
      for (const identifier of names.slice(0, 11)) {
        statuses.push((await browser.submit('/sign-in', { identifier, password: 'wrong' })).status);
      }
      assert.deepEqual(statuses, [...Array.from({ length: 10 }, () => 400), 429]);
      assert.equal(
        (await browser.submit('/sign-in', { identifier: names.at(-1) as string, password: 'x' })).status,
        429,
      );
    } finally {
      await lab.close();
    }
  });

  test('parameters that stand twice, forms that are none', async () => {
    const policy = await liarPolicy(server, liar);
    for (const twice of ['state', 'code', 'iss', 'error']) {
      const { browser } = await ask(server, app);
      const back = await throughLiar(await choose(browser, policy));
      const page = await browser.open(`${back}&${twice}=a&${twice}=b`);
      assert.ok(page.status >= 400 && page.status < 500, `${twice}: ${page.status}`);
      assert.ok(!browser.cookies.has('sekisho-session'), twice);
    }
    for (const path of [`/sign-in/callback/${policy}`, '/box/srv/1.1/arm/authCallback']) {
      for (const [type, body] of [
        [undefined, undefined],
        ['application/json', '{"state":"a","__proto__":{"x":1}}'],
        ['application/json', '[["state","a"]]'],
        ['application/json', '"state"'],
        ['text/plain', 'state=a'],
        ['multipart/form-data; boundary=x', '--x--'],
        ['application/x-www-form-urlencoded', ''],
        ['application/x-www-form-urlencoded', 'state=a&state=b'],
        ['application/x-www-form-urlencoded', '__proto__=a&constructor=b'],
        ['application/x-www-form-urlencoded', `state=${'a'.repeat(100_000)}`],
        ['application/x-www-form-urlencoded', 'state=%0d%0aset-cookie:%20sekisho-session=x&code=%e2%80%a8'],
      ] as const) {
        const answer = await fetch(`${server.origin}${path}`, {
          method: 'POST',
          redirect: 'manual',
          headers: type === undefined ? {} : { 'content-type': type },
          ...(body === undefined ? {} : { body }),
        });
        assert.ok(answer.status < 500, `${path} ${type} ${body?.slice(0, 40)}: ${answer.status}`);
        const location = answer.headers.get('location');
        if (location !== null) assert.equal(new URL(location, server.origin).pathname, path);
        assert.equal(
          answer.headers.getSetCookie().some((line) => line.startsWith('sekisho-session')),
          false,
        );
      }
    }
  });
});
