/** Who proved who it is elsewhere: which user of ours that is, and whether that one gets in. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { type Liar, type Members, startLiar } from '../labs/liar.ts';
import { makeAdministratorOf } from './exchange-support.ts';
import {
  ask,
  assertProblem,
  besideLabs,
  liarPolicy,
  reasonsSince,
  signInAtLiar,
  tokensOf,
} from './policies-support.ts';
import { claimsOf, makeApp, makeUser, native, type Page, type TestClient } from './support.ts';

const noAccount = /You signed in, but there is no account here for you/;
const waits = /You signed in, but your access waits for approval/;
const blocked = /This account is blocked/;

eachEngine('admission', (engine) => {
  let server: TestServer;
  let liar: Liar;
  let app: TestClient;
  let number = 0;
  before(async () => {
    server = await startServer({ engine, env: besideLabs });
    liar = await startLiar();
    app = await makeApp(server);
  });
  after(async () => {
    await liar.close();
    await server.close();
  });

  /** Somebody whom nobody knows yet. */
  const someone = (more: Members = {}): Members => {
    number += 1;
    return { sub: `someone-${number}`, email: `someone-${number}@example.com`, email_verified: true, ...more };
  };
  const comeIn = async (policy: string, who: Members): Promise<Page> => {
    liar.lies = { userInfo: () => who };
    return signInAtLiar((await ask(server, app)).browser, policy);
  };
  /** The id of whoever came in. */
  const idOf = async (policy: string, who: Members): Promise<string> => {
    liar.lies = { userInfo: () => who };
    const asking = await ask(server, app);
    await signInAtLiar(asking.browser, policy);
    return claimsOf((await tokensOf(server, app, asking)).id_token).sub;
  };

  test('nobody gets in who is no user, where the policy makes none', async () => {
    const policy = await liarPolicy(server, liar, { checkUserExists: true });
    const users = (await server.rows('users')).length;
    const before = (await server.logEvents()).length;
    assertProblem(await comeIn(policy, someone()), 403, noAccount);
    assert.deepEqual(await reasonsSince(server, before), ['user_unknown']);
    assert.equal((await server.rows('users')).length, users);
  });

  test('the first sign-in makes the user, the next one finds it', async () => {
    const policy = await liarPolicy(server, liar);
    const who = someone({ name: 'Some One' });
    const id = await idOf(policy, who);
    const user = await native(server, 'GET', `/users/${id}`);
    assert.deepEqual([user.primaryEmail, user.name], [who.email, 'Some One']);
    assert.equal(await idOf(policy, { ...who, email: 'changed@example.com' }), id);
  });

  test('who waits for approval is in the queue, and in after it', async () => {
    const policy = await liarPolicy(server, liar, { newUserStatus: 'awaiting_approval' });
    const who = someone();
    assertProblem(await comeIn(policy, who), 403, waits);
    assertProblem(await comeIn(policy, who), 403, waits);
    const queue = await native(server, 'GET', `/auth-policies/${policy}/users?status=requested`);
    assert.equal(queue.length, 1);
    const userId = queue[0].userId ?? queue[0].id;
    await native(server, 'POST', `/auth-policies/${policy}/users`, { userIds: [userId] });
    assert.equal(await idOf(policy, who), userId);
  });

  test('who was not approved for the policy waits, and who is blocked is told so', async () => {
    const policy = await liarPolicy(server, liar, { checkUserApproved: true });
    const who = someone();
    assertProblem(await comeIn(policy, who), 403, waits);
    const [{ user_id: userId }] = (await server.rows('auth_policy_users')).filter((row) => row.policy_id === policy);
    await native(server, 'POST', `/auth-policies/${policy}/users`, { userIds: [userId] });
    assert.equal(await idOf(policy, who), userId);
    await native(server, 'PATCH', `/users/${userId}/is-suspended`, { isSuspended: true });
    assertProblem(await comeIn(policy, who), 403, blocked);
  });

  test('a verified address links, any other one does not', async () => {
    const policy = await liarPolicy(server, liar, { linksByEmail: true });
    const owner = async () => {
      const user = await makeUser(server);
      await verify(user.id);
      return user;
    };
    const linked = await owner();
    assert.equal(await idOf(policy, someone({ email: linked.email })), linked.id);
    for (const said of [false, undefined, 'true', 1, null]) {
      const user = await owner();
      const id = await idOf(policy, someone({ email: user.email, email_verified: said }));
      assert.notEqual(id, user.id, `${said}`);
      assert.equal((await native(server, 'GET', `/users/${id}`)).primaryEmail, null);
    }
    const user = await owner();
    const plain = await liarPolicy(server, liar);
    assert.notEqual(await idOf(plain, someone({ email: user.email })), user.id, 'unless the policy says so');
  });

  test('an administrator is never linked by an address', async () => {
    const policy = await liarPolicy(server, liar, { linksByEmail: true });
    const user = await makeUser(server);
    await verify(user.id);
    await makeAdministratorOf(server, user.id);
    const before = (await server.logEvents()).length;
    assertProblem(await comeIn(policy, someone({ email: user.email })), 403, noAccount);
    assert.deepEqual(await reasonsSince(server, before), ['user_is_administrator']);
    assert.ok(!(await server.rows('identities')).some(({ user_id }) => user_id === user.id));
  });

  test('nor is one who was linked by an address before, until another one stands for it', async () => {
    const policy = await liarPolicy(server, liar, { linksByEmail: true });
    const [user, made] = [await makeUser(server), someone()];
    await verify(user.id);
    const who = someone({ email: user.email });
    assert.equal(await idOf(policy, who), user.id);
    await makeAdministratorOf(server, user.id);
    assertProblem(await comeIn(policy, who), 403, noAccount);
    const path = `/users/${user.id}/auth-identities`;
    const [link] = await native(server, 'GET', path);
    assert.equal(link.linkedBy, 'name');
    const { authPolicyId, issuer, subject } = link;
    const confirmed = await native(server, 'POST', path, { authPolicyId, issuer, subject });
    assert.equal(confirmed.linkedBy, 'administrator');
    assert.equal(await idOf(policy, who), user.id);
    // Whom a sign-in made is nobody else.
    const makes = await liarPolicy(server, liar, { checkUserExists: false });
    const id = await idOf(makes, made);
    await makeAdministratorOf(server, id);
    assert.equal(await idOf(makes, made), id);
    assert.equal((await native(server, 'GET', `/users/${id}/auth-identities`))[0].linkedBy, 'first_sign_in');
  });

  test('the same subject at two policies is two people, and subjects count byte for byte', async () => {
    const [first, second] = [await liarPolicy(server, liar), await liarPolicy(server, liar)];
    const who = { sub: `Same-${engine}` };
    const ids = new Set<string>();
    for (const [policy, sub] of [
      [first, who.sub],
      [second, who.sub],
      [first, who.sub.toLowerCase()],
      [first, `${who.sub} `],
      [first, who.sub.replace('a', 'á')],
      [first, who.sub.replace('a', 'a\u0301')],
    ] as const) {
      ids.add(await idOf(policy, { sub }));
    }
    assert.equal(ids.size, 6);
    assert.ok(ids.has(await idOf(first, who)));
  });

  /** Somebody proved that the address is its own. */
  const verify = (userId: string) =>
    server.manage('PATCH', `/users/${encodeURIComponent(userId)}`, { email_verified: true });
});
