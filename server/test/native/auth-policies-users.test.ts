/** Whom a policy lets in and who waits for that; and what ends with approval, with a policy, or when it is switched off. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { withoutLimits } from '../management/support.ts';
import { assertGood, assertOver, type Granted, grantedTo } from '../sign-in/granted.ts';
import { makeApp, makeUser as makePerson, redirectUri } from '../sign-in/support.ts';
import { link, policyOf } from './auth-policies-samples.ts';
import { makeUser, walk } from './delegated.ts';
import { Members } from './members-support.ts';

const path = '/auth-policies';

eachEngine('the users of an auth policy', (engine) => {
  let server: TestServer;
  let native: Members;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    native = await Members.of(server);
  });
  after(() => server.close());

  let count = 0;
  const user = (name = 'Ada') => makeUser(server, { email: `user-${++count}@example.com`, name });
  const policy = async (more: Record<string, unknown> = {}): Promise<string> =>
    (await native.expect(201, 'POST', path, policyOf('openid', more))).id;
  /** As a sign-in that is not approved yet does. */
  const ask = (policyId: string, userId: string, at: number) =>
    server.composed.services.db.transact((trx) =>
      trx
        .insertInto('auth_policy_users')
        .values({
          tenant_id: 'default',
          policy_id: policyId,
          user_id: userId,
          status: 'requested',
          created_at: at,
          updated_at: at,
        })
        .execute(),
    );
  const statusOf = async (userId: string): Promise<string> =>
    (await server.rows('users')).find(({ id }) => id === userId).status;

  test('users are approved, shown with who they are, and taken off again', async () => {
    const id = await policy();
    const at = `${path}/${id}/users`;
    const [one, other] = [await user('Ada'), await user('Grace')];
    assert.deepEqual(await native.expect(201, 'POST', at, { userIds: [one, other, one] }), {
      userIds: [one, other, one],
    });
    const listed = await native.expect(200, 'GET', at);
    assert.deepEqual(listed.map(({ userId }: { userId: string }) => userId).sort(), [one, other].sort());
    const ada = listed.find(({ userId }: { userId: string }) => userId === one);
    const { createdAt, updatedAt, ...shown } = ada;
    assert.ok(createdAt > 0 && updatedAt === createdAt);
    assert.deepEqual(shown, {
      userId: one,
      primaryEmail: `user-${count - 1}@example.com`,
      username: null,
      name: 'Ada',
      avatar: null,
      status: 'approved',
    });
    const events = (await server.logEvents()).filter(({ kind }) => kind === 'auth_policy_user.approved');
    assert.deepEqual(events.map(({ user_id, details }) => [user_id, JSON.parse(details).target]).sort(), [
      ...[one, other].sort().map((userId) => [userId, id]),
    ]);
    await native.expect(201, 'POST', at, { userIds: [one] });
    const again = (await server.logEvents()).filter(({ kind }) => kind === 'auth_policy_user.approved');
    assert.equal(again.length, events.length, 'who is approved already is no event');
    await native.expect(204, 'DELETE', `${at}/${one}`);
    await native.refuse([404, 'entity.not_found'], 'DELETE', `${at}/${one}`);
    assert.equal((await server.logEvents()).at(-1).kind, 'auth_policy_user.removed');
    const left = await native.expect(200, 'GET', at);
    assert.deepEqual(
      left.map(({ userId }: { userId: string }) => userId),
      [other],
    );
  });

  test('who asked first is listed first; approval makes who awaits it active', async () => {
    const id = await policy({ checkUserApproved: true });
    const at = `${path}/${id}/users`;
    const waiting: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      const userId = await user();
      await ask(id, userId, 1000 - index);
      waiting.unshift(userId);
    }
    const [first = '', second = ''] = waiting;
    await native.expect(200, 'PATCH', `/users/${first}`, { status: 'awaiting_approval' });
    await native.expect(200, 'PATCH', `/users/${second}`, { status: 'blocked' });
    await native.expect(201, 'POST', at, { userIds: [await user()] });
    const ids = (body: { userId: string }[]) => body.map(({ userId }) => userId);
    assert.deepEqual(ids(await native.expect(200, 'GET', `${at}?status=requested`)), waiting);
    const pages: string[] = [];
    const call = async (method: string, next: string) => {
      const answer = await native.call(method, next);
      return { ...answer, body: answer.body.map((row: { userId: string }) => ({ id: row.userId })) };
    };
    pages.push(...(await walk(call, `${at}?status=requested&cursor=&page_size=2`)));
    assert.deepEqual(pages, waiting);
    assert.equal((await native.call('GET', `${at}?page_size=2`)).headers.get('total-number'), '6');
    assert.equal((await walk(call, `${at}?cursor=&page_size=4`)).length, 6);
    await native.expect(201, 'POST', at, { userIds: [first, second] });
    assert.deepEqual([await statusOf(first), await statusOf(second)], ['active', 'blocked']);
    assert.deepEqual(ids(await native.expect(200, 'GET', `${at}?status=requested`)), waiting.slice(2));
    await native.expect(204, 'DELETE', `${at}/${waiting[2]}`);
    assert.deepEqual(ids(await native.expect(200, 'GET', `${at}?status=requested`)), waiting.slice(3));
    await native.refuse([400, 'guard.invalid_input'], 'GET', `${at}?status=blocked`);
  });

  test('all of them or none, and of one that there is not the place is named', async () => {
    const id = await policy();
    const at = `${path}/${id}/users`;
    const one = await user();
    for (const bad of ['nobody', 'auth0|x', '__proto__', '😀']) {
      const { data } = await native.refuse([422, 'entity.relation_foreign_key_not_found'], 'POST', at, {
        userIds: [one, bad],
      });
      assert.deepEqual([data.path, data.thing], ['userIds.1', 'user']);
    }
    for (const userIds of [[], [''], 'x', [7], Array.from({ length: 1001 }, () => one), undefined]) {
      await native.refuse([400, 'guard.invalid_input'], 'POST', at, { userIds });
    }
  });

  /** Somebody who signed in, as by the policy. */
  async function signedIn(policyId: string): Promise<Granted & { userId: string }> {
    const person = await makePerson(server);
    const client = await makeApp(server, 'Traditional', {
      oidcClientMetadata: {
        redirectUris: [redirectUri],
        postLogoutRedirectUris: [],
        backchannelLogoutUri: 'https://app.example/logout',
      },
    });
    const granted = await grantedTo(server, 'oidc', client, person);
    await server.composed.services.db.transact(async (trx) => {
      for (const table of ['sessions', 'authorizations'] as const) {
        await trx.updateTable(table).set({ auth_policy_id: policyId }).where('user_id', '=', person.id).execute();
      }
    });
    return { ...granted, userId: person.id };
  }
  const sessionsOf = async (userId: string) =>
    (await server.rows('sessions')).filter(({ user_id }) => user_id === userId).length;
  const noticesTo = async (userId: string) =>
    (await server.rows('logout_notices')).filter(({ user_id }) => user_id === userId).length;

  async function assertEnded(policyId: string, granted: Granted & { userId: string }): Promise<void> {
    await assertOver(server, granted);
    assert.equal(await sessionsOf(granted.userId), 0);
    assert.equal(await noticesTo(granted.userId), 1, 'the client is told');
    const events = (await server.logEvents()).filter(({ kind }) => kind === 'auth_policy.ended_sessions');
    const { target, ended } = JSON.parse(events.at(-1).details);
    assert.equal(target, policyId);
    assert.ok(ended.sessions >= 1 && ended.authorizations >= 1);
  }

  test('with approval, what somebody began by the policy ends; what others began goes on', async () => {
    const id = await policy({ checkUserApproved: true });
    const [one, other] = [await signedIn(id), await signedIn(id)];
    await native.expect(201, 'POST', `${path}/${id}/users`, { userIds: [one.userId, other.userId] });
    await native.expect(204, 'DELETE', `${path}/${id}/users/${one.userId}`);
    await assertEnded(id, one);
    await assertGood(server, other);
    assert.equal(await sessionsOf(other.userId), 1);
    const lax = await policy();
    const free = await signedIn(lax);
    await native.expect(201, 'POST', `${path}/${lax}/users`, { userIds: [free.userId] });
    await native.expect(204, 'DELETE', `${path}/${lax}/users/${free.userId}`);
    await assertGood(server, free);
  });

  const endings: [string, (id: string) => Promise<unknown>][] = [
    ['is switched off', (id) => native.expect(200, 'PATCH', `${path}/${id}`, { enabled: false })],
    ['is deleted', (id) => native.expect(204, 'DELETE', `${path}/${id}`)],
    [
      'asks for approval from now on',
      (id) => native.expect(200, 'PATCH', `${path}/${id}`, { checkUserApproved: true }),
    ],
    [
      'becomes another type',
      (id) => native.expect(200, 'PATCH', `${path}/${id}`, { type: 'password', configuration: {} }),
    ],
  ];
  for (const [what, end] of endings) {
    test(`when a policy ${what}, what was begun by it ends, and nothing else`, async () => {
      const [id, another] = [await policy(), await policy()];
      const [one, other, local] = [await signedIn(id), await signedIn(another), await signedIn('password')];
      await native.expect(200, 'PATCH', `${path}/${id}`, { title: 'Another title', linksByEmail: true });
      await assertGood(server, one);
      await end(id);
      await assertEnded(id, one);
      for (const { userId } of [other, local]) assert.equal(await sessionsOf(userId), 1);
      await assertGood(server, other);
      await assertGood(server, local);
    });
  }

  test('who is linked, approved and on the way goes with the policy; of another type, who is linked and on the way', async () => {
    const makeRows = async (id: string) => {
      const userId = await user();
      await link(server, id, userId);
      await native.expect(201, 'POST', `${path}/${id}/users`, { userIds: [userId] });
      const row = { tenant_id: 'default', state_hash: `state-${id}`, policy_id: id, purpose: '{}', kept: '' };
      await server.composed.services.db.transact((trx) =>
        trx
          .insertInto('upstream_requests')
          .values({ ...row, browser_hash: null, created_at: 1, expires_at: Date.now() + 3_600_000 })
          .execute(),
      );
    };
    const left = async (id: string): Promise<string[]> => {
      const tables = ['identities', 'auth_policy_users', 'upstream_requests', 'auth_policy_domains'];
      const found: string[] = [];
      for (const table of tables) {
        if ((await server.rows(table)).some(({ policy_id }) => policy_id === id)) found.push(table);
      }
      return found;
    };
    const id = await policy({ emailDomains: ['goes.example'] });
    await makeRows(id);
    assert.equal((await left(id)).length, 4);
    await native.expect(200, 'PATCH', `${path}/${id}`, { title: 'x' });
    assert.equal((await left(id)).length, 4);
    await native.expect(200, 'PATCH', `${path}/${id}`, { linksByUsername: true });
    assert.deepEqual(await left(id), ['identities', 'auth_policy_users', 'auth_policy_domains']);
    await native.expect(200, 'PATCH', `${path}/${id}`, { type: 'password', configuration: {} });
    assert.deepEqual(await left(id), ['auth_policy_users', 'auth_policy_domains']);
    await native.expect(204, 'DELETE', `${path}/${id}`);
    assert.deepEqual(await left(id), []);
  });
});
