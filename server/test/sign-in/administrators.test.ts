import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createSetupLink } from '../../src/domain/setup/setup-links.ts';
import { useSetupLink } from '../../src/domain/setup/use-setup-link.ts';
import { auth0ManagementApi } from '../../src/http/auth0/system-api.ts';
import { contextOf } from '../../src/protocol/sign-in/open-session.ts';
import { type Answer, eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from '../management/support.ts';
import { makeMembership, makeOrganization, makeOrganizationRole } from '../native/delegated.ts';
import { contextAt, nobody } from './people.ts';
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
  type TestClient,
  type TestUser,
} from './support.ts';

const role = 'rol_administrator';

/** Enough to change users, give roles and make clients, and nothing else. */
const few = ['read:users', 'update:users', 'assign:roles', 'update:applications', 'create:application_secrets'];

eachEngine('administrators', (engine) => {
  let server: TestServer;
  /** A confidential application of our own that may do everything for people, and one that may do a few things. */
  let console_: TestClient;
  let narrow: TestClient;
  let boss: TestUser;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    console_ = await granted(await makeApp(server));
    narrow = await granted(await makeApp(server), few);
    boss = await administrator();
  });
  after(() => server.close());

  /** Lets an application do so much for people at the management APIs; everything unless told. */
  async function granted(app: TestClient, scope?: readonly string[]): Promise<TestClient> {
    const give = (audience: string, scopes: readonly string[]) =>
      server.manage('POST', '/client-grants', {
        client_id: app.clientId,
        audience,
        subject_type: 'user',
        scope: scopes,
      });
    await give(server.nativeAudience, scope ?? ['all']);
    if (scope === undefined) {
      await give(
        server.managementAudience,
        auth0ManagementApi.scopes.map(({ value }) => value),
      );
    }
    return app;
  }

  async function administrator(): Promise<TestUser> {
    const token =
      new URL((await createSetupLink(server.composed.services, 'default')).url).searchParams.get('token') ?? '';
    const email = nobody();
    const { id } = await useSetupLink(contextOf(contextAt(server)), { token, identifier: email, password });
    return { id, email, password };
  }

  /** What a person gets for an API through an application: the token's answer, or the error of the authorization. */
  async function tokenFor(app: TestClient, user: TestUser, more: Record<string, string> = {}) {
    const scope = more.scope ?? 'all';
    const asked = { audience: server.nativeAudience, ...more, scope };
    const callback = await codeOf(new Browser(server), 'root', app, user, asked);
    if (callback.error !== undefined) return { error: callback.error, scope: undefined, token: '' };
    const { body } = await exchange(server, 'root', app, callback);
    return {
      error: body.error as string | undefined,
      scope: body.scope as string | undefined,
      token: body.access_token as string,
    };
  }
  const tokenOf = async (app: TestClient, user: TestUser, more: Record<string, string> = {}): Promise<string> => {
    const { token, error } = await tokenFor(app, user, more);
    assert.ok(token, `no token: ${error}`);
    return token;
  };
  const call = (token: string, method: string, path: string, json?: unknown): Promise<Answer> =>
    server.request(method, `/api${path}`, json === undefined ? { token } : { token, json });

  test('an administrator manages the tenant through an application of our own; what it does is logged as its', async () => {
    const { token, scope } = await tokenFor(console_, boss, { scope: 'openid all' });
    assert.match(scope ?? '', /\ball\b/);
    const made = await call(token, 'POST', '/users', { primaryEmail: nobody(), name: 'Made' });
    assert.equal(made.status, 200, made.text);
    const [event] = (await server.logEvents()).filter(
      ({ kind, user_id }) => kind === 'user.created' && user_id === made.body.id,
    );
    assert.equal(event.client_id, console_.clientId);
    assert.equal(JSON.parse(event.details).byUserId, boss.id);
    assert.equal((await call(token, 'POST', '/organizations', { name: 'Acme' })).status, 201);
    const organization = (await server.logEvents()).findLast(({ kind }) => kind === 'organization.created');
    assert.deepEqual([organization.user_id, organization.client_id], [boss.id, console_.clientId]);
    const theirs = await tokenOf(console_, boss, { audience: server.managementAudience, scope: 'read:clients' });
    assert.equal((await server.request('GET', '/api/v2/clients', { token: theirs })).status, 200);
    assert.equal((await call(token, 'GET', '/tenants')).status, 403, 'tenants are the first client’s');
  });

  test('only through a confidential application of our own that was granted it', async () => {
    const spa = await makeApp(server, 'SPA');
    const third = await makeApp(server, 'Traditional', { isThirdParty: true });
    for (const app of [spa, third]) {
      await granted(app, ['all']).catch(() => {});
    }
    for (const app of [spa, await makeApp(server)]) {
      const { token, error } = await tokenFor(app, boss);
      assert.ok(!token && error, 'a token was issued');
    }
    // Of others: the person may agree to what it likes.
    const browser = new Browser(server);
    const { verifier, challenge } = pkce();
    const asked = { audience: server.nativeAudience, scope: 'openid all' };
    await browser.open(
      authorizeUrl('root', third, { ...asked, code_challenge: challenge, code_challenge_method: 'S256' }),
    );
    await browser.signIn(boss);
    if (browser.page.location === undefined) await browser.submit('/consent', { decision: 'allow' });
    const { code, error } = callbackOf(browser.page);
    if (error !== undefined) return;
    const { body } = await exchange(server, 'root', third, { code, verifier });
    if (body.access_token === undefined) return;
    const refused = await call(body.access_token, 'GET', '/users');
    assert.ok(refused.status === 401 || refused.status === 403, refused.text);
  });

  test('an application that may do little for an administrator does not take its account over', async () => {
    const token = await tokenOf(narrow, boss, { scope: few.join(' ') });
    const before = await server.stateHash();
    const taken = 'quite another password';
    for (const [path, json] of [
      [`/users/${boss.id}/password`, { password: taken }],
      [`/users/${boss.id}`, { primaryEmail: nobody() }],
    ] as const) {
      const answer = await call(token, 'PATCH', path, json);
      assert.equal(answer.status, 403, answer.text);
    }
    assert.equal(await server.stateHash(), before);
    const own = await administrator();
    const full = await tokenOf(console_, own);
    assert.equal((await call(full, 'PATCH', `/users/${own.id}/password`, { password: taken })).status, 200);
  });

  test('a person without the role gets nothing there, whatever the application may do', async () => {
    const person = await makeUser(server);
    const { token, scope } = await tokenFor(console_, person, { scope: 'openid' });
    assert.ok(scope === undefined || !scope.includes('all'));
    if (token) assert.equal((await call(token, 'GET', '/users')).status, 403);
  });

  test('who may manage one organization may not for that manage the tenant', async () => {
    const organizationId = await makeOrganization(server, 'Customer');
    const person = await makeUser(server, { ownerOrganizationId: organizationId });
    const roleId = await makeOrganizationRole(server, { scopes: ['all'], kind: 'user' });
    await makeMembership(server, { organizationId, subjectId: person.id, kind: 'user', roleIds: [roleId] });
    const { token } = await tokenFor(console_, person, { scope: 'openid' });
    if (token) assert.equal((await call(token, 'GET', '/users')).status, 403);
    const outside = await tokenFor(console_, person, { scope: 'all' });
    if (outside.token) assert.equal((await call(outside.token, 'GET', '/users')).status, 403);
    const inside = await tokenOf(console_, person, { organization: organizationId });
    const { status, body } = await call(inside, 'GET', '/users');
    assert.equal(status, 200);
    assert.deepEqual(
      body.map(({ id }: { id: string }) => id),
      [person.id],
    );
    assert.equal((await call(inside, 'GET', '/tenants')).status, 403);
    const before = await server.stateHash();
    assert.notEqual((await call(inside, 'POST', `/users/${person.id}/roles`, { roleIds: [role] })).status, 201);
    assert.notEqual(
      (await call(inside, 'PATCH', `/users/${boss.id}/password`, { password: 'another fine horse' })).status,
      200,
    );
    assert.equal(await server.stateHash(), before);
  });

  test('through an application with fewer scopes nobody gives, makes or takes over more than that', async () => {
    const { token, scope } = await tokenFor(narrow, boss, { scope: few.join(' ') });
    assert.deepEqual(scope?.split(' ').sort(), [...few].sort());
    assert.equal((await call(token, 'GET', '/users')).status, 200);
    assert.equal((await call(token, 'DELETE', `/users/${boss.id}`)).status, 403);
    const mole = await makeUser(server);
    const other = await administrator();
    const robot = await server.manage('POST', '/clients', { name: 'Robot', app_type: 'non_interactive' });
    const machineRole = (await server.rows('roles')).find(({ name }) => name === 'Logto Management API access').id;
    const first = (await server.rows('clients')).find(({ name }) => name === 'Management client').id;
    const before = await server.stateHash();
    const attempts: [method: string, path: string, body: object][] = [
      ['POST', `/users/${mole.id}/roles`, { roleIds: [role] }],
      ['PUT', `/users/${mole.id}/roles`, { roleIds: [role] }],
      ['POST', `/roles/${role}/users`, { userIds: [mole.id] }],
      ['POST', `/applications/${robot.client_id}/roles`, { roleIds: [machineRole] }],
      ['PATCH', `/users/${other.id}/password`, { password: 'another fine horse' }],
      ['PATCH', `/users/${other.id}`, { primaryEmail: nobody() }],
      ['PATCH', `/applications/${first}`, { oidcClientMetadata: { redirectUris: ['https://evil.example/'] } }],
      // Where administrators' codes go.
      [
        'PATCH',
        `/applications/${console_.clientId}`,
        { oidcClientMetadata: { redirectUris: ['https://evil.example/'] } },
      ],
      ['POST', `/applications/${console_.clientId}/secrets`, { name: 'mine' }],
    ];
    for (const [method, path, body] of attempts) {
      const { status, text } = await call(token, method, path, body);
      assert.ok(status === 403 || status === 404, `${method} ${path}: ${status} ${text}`);
    }
    assert.equal(await server.stateHash(), before);
    const refusals = (await server.logEvents()).filter(
      ({ kind, reason }) => kind === 'access.refused' && reason === 'auth.exceeds_own',
    );
    assert.ok(refusals.length >= 5);
    assert.ok(refusals.every(({ user_id, client_id }) => user_id === boss.id && client_id === narrow.clientId));
    // What it holds it may give: its own password too.
    const plain = await makeUser(server);
    assert.equal(
      (await call(token, 'PATCH', `/users/${plain.id}/password`, { password: 'another fine horse' })).status,
      200,
    );
  });

  test('the role is given by who holds all of it, and by nobody else', async () => {
    const person = await makeUser(server);
    const partly = await callerWith(server, ['all'], server.nativeAudience);
    const before = await server.stateHash();
    const refused = await call(partly.token, 'POST', `/users/${person.id}/roles`, { roleIds: [role] });
    assert.equal(refused.status, 403, 'holds nothing at the other management API');
    assert.equal(await server.stateHash(), before);
    await native(server, 'POST', `/users/${person.id}/roles`, { roleIds: [role] });
    const token = await tokenOf(console_, person);
    assert.equal((await call(token, 'GET', '/users')).status, 200);
    // An administrator makes another, and unmakes it: with its next request it is over.
    const second = await makeUser(server);
    assert.equal((await call(token, 'POST', `/users/${second.id}/roles`, { roleIds: [role] })).status, 201);
    const theirs = await tokenOf(console_, second);
    assert.equal((await call(token, 'DELETE', `/users/${second.id}/roles/${role}`)).status, 204);
    assert.notEqual((await call(theirs, 'GET', '/users')).status, 200);
  });

  test('nobody changes or deletes the role, by any door, nor gives it to clients or in an organization', async () => {
    const auth0 = await server.managementToken();
    const ours = await server.managementToken(server.nativeAudience);
    const organizationId = await makeOrganization(server, 'Any');
    const member = await makeUser(server);
    await makeMembership(server, { organizationId, subjectId: member.id, kind: 'user' });
    const robot = await server.manage('POST', '/clients', { name: 'Robot', app_type: 'non_interactive' });
    const [scope] = (await call(ours, 'GET', `/roles/${role}/scopes`)).body;
    const permission = { permissions: [{ resource_server_identifier: server.nativeAudience, permission_name: 'all' }] };
    const before = await server.stateHash();
    const doors: [token: string, method: string, path: string, body?: object][] = [
      [ours, 'PATCH', `/roles/${role}`, { isDefault: true }],
      [ours, 'PATCH', `/roles/${role}`, { name: 'mine' }],
      [ours, 'DELETE', `/roles/${role}`],
      [ours, 'POST', `/roles/${role}/scopes`, { scopeIds: [scope.id] }],
      [ours, 'DELETE', `/roles/${role}/scopes/${scope.id}`],
      [ours, 'POST', `/roles/${role}/applications`, { applicationIds: [robot.client_id] }],
      [ours, 'POST', `/applications/${robot.client_id}/roles`, { roleIds: [role] }],
      [ours, 'POST', `/organizations/${organizationId}/users/${member.id}/roles`, { organizationRoleIds: [role] }],
      [ours, 'POST', `/organizations/${organizationId}/jit/roles`, { organizationRoleIds: [role] }],
      [ours, 'PATCH', `/organization-roles/${role}`, { name: 'mine' }],
      [ours, 'DELETE', `/organization-roles/${role}`],
      [auth0, 'PATCH', `/v2/roles/${role}`, { name: 'mine' }],
      [auth0, 'DELETE', `/v2/roles/${role}`],
      [auth0, 'POST', `/v2/roles/${role}/permissions`, permission],
      [auth0, 'DELETE', `/v2/roles/${role}/permissions`, permission],
    ];
    for (const [token, method, path, body] of doors) {
      const { status, text } = await call(token, method, path, body);
      assert.ok(status >= 400 && status < 500, `${method} ${path}: ${status} ${text}`);
    }
    assert.equal(await server.stateHash(), before);
    const listed = (await server.manage('GET', '/roles?per_page=100')) as { id: string }[];
    assert.ok(!listed.some(({ id }) => id === role), 'left out of what tools of Auth0 export and delete');
    assert.ok((await call(ours, 'GET', '/roles?page_size=100')).body.some(({ id }: { id: string }) => id === role));
  });

  test('a blocked administrator is refused at once, at every door', async () => {
    const person = await administrator();
    const token = await tokenOf(console_, person);
    assert.equal((await call(token, 'GET', '/users')).status, 200);
    await native(server, 'PATCH', `/users/${person.id}/is-suspended`, { isSuspended: true });
    assert.equal((await call(token, 'GET', '/users')).status, 401);
    await native(server, 'PATCH', `/users/${person.id}/is-suspended`, { isSuspended: false });
    assert.equal((await call(token, 'GET', '/users')).status, 401, 'what was issued before stays over');
    const again = await tokenOf(console_, person);
    assert.equal((await call(again, 'GET', '/users')).status, 200);
    await server.manage('PATCH', `/clients/${console_.clientId}`, { client_metadata: { any: 'thing' } });
    assert.equal((await call(again, 'GET', '/users')).status, 200);
  });

  test('two people at one application do not get each other’s answers by one key', async () => {
    const [one, two] = await Promise.all([tokenOf(console_, boss), tokenOf(console_, await administrator())]);
    const made = await Promise.all(
      [one, two, one].map((token) =>
        server.request('POST', '/api/organizations', {
          token,
          json: { name: 'Keyed' },
          headers: { 'idempotency-key': 'the-same' },
        }),
      ),
    );
    const ids = made.filter(({ status }) => status === 201).map(({ body }) => body.id as string);
    assert.equal(new Set(ids).size, 2);
  });
});
