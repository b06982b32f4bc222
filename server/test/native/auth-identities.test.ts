import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from '../management/support.ts';
import { delegatedCaller, makeMembership, makeOrganization, makeOrganizationRole } from './delegated.ts';
import { Members } from './members-support.ts';
import { insertPolicy } from './policy-rows.ts';

const issuer = 'https://idp.example';
const ofIssuer = { type: 'openid', configuration: JSON.stringify({ issuer }) } as const;

eachEngine('/api/users/:userId/auth-identities', (engine) => {
  let server: TestServer;
  let native: Members;
  let policy: string;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    native = await Members.of(server);
    policy = await insertPolicy(server, ofIssuer);
  });
  after(() => server.close());

  const pathOf = (userId: string) => `/users/${userId}/auth-identities`;
  const someone = () => randomBytes(4).toString('hex');
  const keyOf = (more: object = {}) => ({ authPolicyId: policy, issuer, subject: someone(), ...more });
  const named = (userId: string, key: Record<string, string>) => `${pathOf(userId)}?${new URLSearchParams(key)}`;

  /** A session of the user, begun by a policy; returns its id. */
  async function session(userId: string, authPolicyId: string): Promise<string> {
    const id = randomBytes(16).toString('hex');
    const { db, clock } = server.composed.services;
    const now = clock.now();
    await db.transact((trx) =>
      trx
        .insertInto('sessions')
        .values({
          tenant_id: 'default',
          id,
          secret_hash: someone().repeat(8),
          user_id: userId,
          amr: '[]',
          auth_policy_id: authPolicyId,
          authenticated_at: now,
          created_at: now,
          expires_at: now + 3_600_000,
          ip: null,
          user_agent: null,
          client_id: null,
          device: null,
        } as never)
        .execute(),
    );
    return id;
  }
  const sessionIds = async () => (await server.rows('sessions')).map(({ id }) => id);

  test('linked, listed, unlinked; what was begun by the policy ends, and nothing else', async () => {
    const id = await native.user('Hanako');
    assert.deepEqual(await native.expect(200, 'GET', pathOf(id)), []);
    const key = keyOf({ subject: 'Ünïcode 漢字/?&=' });
    const made = await native.expect(201, 'POST', pathOf(id), key);
    const { createdAt } = made;
    assert.deepEqual(made, {
      ...key,
      linkedBy: 'administrator',
      username: null,
      email: null,
      createdAt,
      lastUsedAt: createdAt,
    });
    assert.deepEqual(await native.expect(200, 'GET', pathOf(id)), [made]);
    const [mine, byPassword, elsewhere] = [
      await session(id, policy),
      await session(id, 'password'),
      await session(await native.user('Other'), policy),
    ];
    await native.expect(204, 'DELETE', named(id, key));
    assert.deepEqual(await native.expect(200, 'GET', pathOf(id)), []);
    const left = await sessionIds();
    assert.deepEqual(
      [mine, byPassword, elsewhere].map((one) => left.includes(one)),
      [false, true, true],
    );
    const events = (await server.logEvents()).filter(({ kind, user_id }) => /^identity/.test(kind) && user_id === id);
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['identity.linked', 'identity.unlinked'],
    );
  });

  test('one of a kind: byte for byte, by policy', async () => {
    const [one, other] = [await native.user('One'), await native.user('Other')];
    const key = keyOf({ subject: 'Abc' });
    await native.expect(201, 'POST', pathOf(one), key);
    await native.refuse([409, 'entity.exists'], 'POST', pathOf(other), key);
    await native.refuse([409, 'entity.exists'], 'POST', pathOf(one), key);
    const policy2 = await insertPolicy(server, ofIssuer);
    for (const more of [{ subject: 'abc' }, { subject: 'Abc ' }, { authPolicyId: policy2 }]) {
      await native.expect(201, 'POST', pathOf(other), { ...key, ...more });
    }
    assert.equal((await native.expect(200, 'GET', pathOf(other))).length, 3);
    await native.refuse([404, 'entity.not_found'], 'DELETE', named(other, key));
    await native.refuse([404, 'entity.not_found'], 'DELETE', named(one, { ...key, subject: 'abc' }));
    await native.expect(204, 'DELETE', named(one, key));
  });

  test('the issuer is the policy’s: it may be left out, and another one is refused by its name', async () => {
    const single = {
      ldap: [{ search: { base: 'OU=People, dc=example' } }, 'ldap:ou=people,dc=example'],
      oauth1: [{ profileUrl: 'https://one.example/me' }, 'https://one.example'],
      oauth2: [{ issuer: null, userInfoUrl: 'https://two.example/me' }, 'https://two.example'],
      openid: [{ issuer }, issuer],
    } as const;
    for (const [type, [configuration, expected]] of Object.entries(single)) {
      const row = { type: type as keyof typeof single, configuration: JSON.stringify(configuration) };
      const authPolicyId = await insertPolicy(server, row);
      const [one, other] = [await native.user('One'), await native.user('Other')];
      const made = await native.expect(201, 'POST', pathOf(one), { authPolicyId, subject: someone() });
      assert.equal(made.issuer, expected);
      await native.expect(201, 'POST', pathOf(other), { authPolicyId, issuer: expected, subject: someone() });
      const before = await server.stateHash();
      for (const wrong of [`${expected}/`, expected.toUpperCase(), 'https://evil.example']) {
        const body = { authPolicyId, issuer: wrong, subject: someone() };
        const problem = await native.refuse([400, 'guard.invalid_input'], 'POST', pathOf(other), body);
        assert.equal(problem.data.path, 'issuer');
        assert.ok(problem.message.includes(expected), problem.message);
      }
      assert.equal(await server.stateHash(), before);
    }
  });

  test('what is missing, wrong, or not there', async () => {
    const id = await native.user('Kei');
    const invalid = [400, 'guard.invalid_input'] as const;
    for (const field of ['authPolicyId', 'issuer', 'subject']) {
      const { [field]: _, ...rest } = keyOf() as Record<string, string>;
      if (field !== 'issuer') await native.refuse(invalid, 'POST', pathOf(id), rest);
      await native.refuse(invalid, 'DELETE', named(id, rest));
      for (const value of ['', 7, null]) await native.refuse(invalid, 'POST', pathOf(id), { ...rest, [field]: value });
    }
    for (const subject of ['漢'.repeat(400), 'x'.repeat(1001), '\ud800']) {
      const answer = await native.call('POST', pathOf(id), keyOf({ subject }));
      assert.equal(answer.status, 400, answer.text);
    }
    await native.expect(201, 'POST', pathOf(id), keyOf({ subject: '漢'.repeat(333) }));
    const byPassword = await insertPolicy(server, { type: 'password' });
    await native.refuse(invalid, 'POST', pathOf(id), keyOf({ authPolicyId: byPassword }));
    for (const authPolicyId of ['nothing', 'password']) {
      const code = [404, 'entity.relation_foreign_key_not_found'] as const;
      const problem = await native.refuse(code, 'POST', pathOf(id), keyOf({ authPolicyId }));
      assert.equal(problem.data.path, 'authPolicyId');
    }
    await native.refuse([404, 'entity.not_exists_with_id'], 'GET', pathOf('nobody'));
    await native.refuse([404, 'entity.not_exists'], 'POST', pathOf('nobody'), keyOf());
    await native.refuse([404, 'entity.not_found'], 'DELETE', named('nobody', keyOf()));
  });

  test('no token, no scope', async () => {
    const id = await native.user('Mio');
    const reader = await callerWith(server, ['read:users'], server.nativeAudience);
    const writer = await callerWith(server, ['update:users'], server.nativeAudience);
    const calls = [
      ['GET', pathOf(id), undefined, writer.token],
      ['POST', pathOf(id), keyOf(), reader.token],
      ['DELETE', named(id, keyOf()), undefined, reader.token],
    ] as const;
    for (const [method, path, json, token] of calls) {
      assert.equal((await server.request(method, `/api${path}`, json && { json })).status, 401);
      await native.refuse([403, 'auth.forbidden'], method, path, json, token);
    }
  });

  test('nobody links who holds more than the caller: it could act as that user', async () => {
    const id = await native.user('Boss');
    const organizationId = await makeOrganization(server, 'Acme');
    const role = await makeOrganizationRole(server, { scopes: ['read:users', 'update:users'], kind: 'user' });
    await makeMembership(server, { organizationId, subjectId: id, kind: 'user', roleIds: [role] });
    const { token } = await callerWith(server, ['update:users'], server.nativeAudience);
    await native.refuse([403, 'auth.exceeds_own'], 'POST', pathOf(id), keyOf(), token);
    const plain = await native.user('Plain');
    await native.expect(201, 'POST', pathOf(plain), keyOf(), token);
    await native.expect(201, 'POST', pathOf(id), keyOf());
  });

  test('a token for an organization: reads and unlinks users of its subtree, links nobody', async () => {
    const organizationId = await makeOrganization(server, 'Customer');
    const { token } = await delegatedCaller(server, { organizationId, scopes: ['all'] });
    const own = await native.user('Own');
    await server.composed.services.db.transact((trx) =>
      trx.updateTable('users').set({ owner_organization_id: organizationId }).where('id', '=', own).execute(),
    );
    const stranger = await native.user('Stranger');
    const member = await native.user('Member');
    await makeMembership(server, { organizationId, subjectId: member, kind: 'user' });
    const key = keyOf();
    await native.refuse([403, 'auth.organization_token'], 'POST', pathOf(own), key, token);
    await native.expect(201, 'POST', pathOf(own), key);
    assert.equal((await native.expect(200, 'GET', pathOf(own), undefined, token)).length, 1);
    for (const id of [stranger, member]) {
      const theirs = keyOf();
      await native.expect(201, 'POST', pathOf(id), theirs);
      await native.refuse([404, 'entity.not_exists_with_id'], 'GET', pathOf(id), undefined, token);
      await native.refuse([404, 'entity.not_found'], 'DELETE', named(id, theirs), undefined, token);
    }
    await native.expect(204, 'DELETE', named(own, key), undefined, token);
  });

  test('an identity goes with its user', async () => {
    const id = await native.user('Gone');
    const key = keyOf();
    await native.expect(201, 'POST', pathOf(id), key);
    await native.expect(204, 'DELETE', `/users/${id}`);
    await native.expect(201, 'POST', pathOf(await native.user('Next')), key);
  });
});
