/** Somebody is linked by an address, and becomes an administrator: what the provider began before gives it nothing of that. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { type Liar, startLiar } from '../labs/liar.ts';
import { makeOrganization, makeOrganizationRole } from '../native/delegated.ts';
import { makeAdministratorOf } from './exchange-support.ts';
import { ask, besideLabs, liarPolicy, signInAtLiar } from './policies-support.ts';
import { callbackOf, exchange, makeApp, makeUser, native, refresh, type TestClient } from './support.ts';

eachEngine('administrators who were linked by an address before', (engine) => {
  let server: TestServer;
  let liar: Liar;
  let app: TestClient;
  before(async () => {
    server = await startServer({ engine, env: besideLabs });
    liar = await startLiar();
    app = await makeApp(server);
    const more = { audience: server.nativeAudience, subject_type: 'user', scope: ['all'] };
    await server.manage('POST', '/client-grants', { client_id: app.clientId, ...more });
  });
  after(async () => {
    await liar.close();
    await server.close();
  });

  test('get no token for a management API until another one stands for the link, and none is good without it', async () => {
    const policy = await liarPolicy(server, liar, { linksByEmail: true });
    const user = await makeUser(server);
    await server.manage('PATCH', `/users/${encodeURIComponent(user.id)}`, { email_verified: true });
    liar.lies = { userInfo: () => ({ sub: `sub-${engine}`, email: user.email, email_verified: true }) };
    const request = { scope: 'openid offline_access all', resource: server.nativeAudience };
    const { browser, verifier } = await ask(server, app, { ...request, prompt: 'consent' });
    await signInAtLiar(browser, policy);
    const { code } = callbackOf(browser.page);
    const { body } = await exchange(server, 'oidc', app, { code, verifier });
    await makeAdministratorOf(server, user.id);

    const at = { resource: server.nativeAudience };
    const refused = await refresh(server, 'oidc', app, body.refresh_token, at);
    assert.deepEqual([refused.status, refused.body.error], [403, 'access_denied'], refused.text);
    assert.equal((await server.logEvents()).at(-1)?.reason, 'link_unconfirmed');
    const again = await ask(server, app, { ...request, prompt: 'none' }, browser);
    const second = callbackOf(browser.page);
    const got = await exchange(server, 'oidc', app, { code: second.code, verifier: again.verifier }, at);
    assert.equal(got.body.error, 'access_denied', got.text);
    // What is not about administration goes on.
    assert.equal((await refresh(server, 'oidc', app, body.refresh_token)).status, 200);

    const [link] = await native(server, 'GET', `/users/${user.id}/auth-identities`);
    const { authPolicyId, issuer, subject } = link;
    await native(server, 'POST', `/users/${user.id}/auth-identities`, { authPolicyId, issuer, subject });
    const confirmed = await refresh(server, 'oidc', app, body.refresh_token, at);
    assert.equal(confirmed.status, 200, confirmed.text);
    const token = confirmed.body.access_token;
    assert.equal((await server.request('GET', '/api/users', { token })).status, 200);

    const query = new URLSearchParams({ authPolicyId, issuer, subject });
    await native(server, 'DELETE', `/users/${user.id}/auth-identities?${query}`);
    assert.equal((await server.request('GET', '/api/users', { token })).status, 401);
    liar.lies = {};
  });

  test('are none by their groups until another one stands for the link, and get in all the same', async () => {
    const organizationId = await makeOrganization(server, `Mapped ${engine}`);
    const manages = await makeOrganizationRole(server, { scopes: ['read:users'], kind: 'user' });
    const harmless = await makeOrganizationRole(server, { scopes: [], kind: 'user' });
    const roleMappings = [{ group: 'admins', organizationId, roleIds: [manages, harmless] }];
    const policy = await liarPolicy(server, liar, { linksByEmail: true, roleMappings });
    const user = await makeUser(server);
    await server.manage('PATCH', `/users/${encodeURIComponent(user.id)}`, { email_verified: true });
    const who = { sub: `mapped-${engine}`, email: user.email, email_verified: true, groups: ['admins'] };
    liar.lies = { userInfo: () => who };
    const rolesAfterSignIn = async () => {
      const { browser } = await ask(server, app);
      await signInAtLiar(browser, policy);
      assert.ok(browser.cookies.has('sekisho-session'), browser.page.text);
      const [membership] = (await server.rows('memberships')).filter(({ subject_id }) => subject_id === user.id);
      const held = (await server.rows('membership_roles')).filter((row) => row.membership_id === membership?.id);
      return held.map(({ role_id }) => role_id).sort();
    };
    assert.deepEqual(await rolesAfterSignIn(), [harmless]);
    assert.deepEqual(await rolesAfterSignIn(), [harmless]);
    const path = `/users/${user.id}/auth-identities`;
    const [{ authPolicyId, issuer, subject }] = await native(server, 'GET', path);
    await native(server, 'POST', path, { authPolicyId, issuer, subject });
    assert.deepEqual(await rolesAfterSignIn(), [manages, harmless].sort());
    assert.deepEqual(await rolesAfterSignIn(), [manages, harmless].sort());
    liar.lies = {};
  });
});
