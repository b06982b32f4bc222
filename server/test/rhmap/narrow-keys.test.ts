/** A key is handed to programs and people that are not its maker: by a policy they gain no more than the key carries. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { link } from '../native/auth-policies-samples.ts';
import { makeMembership, makeOrganization, makeOrganizationRole } from '../native/delegated.ts';
import { makeAdministratorOf } from '../sign-in/exchange-support.ts';
import { makeUser, native } from '../sign-in/support.ts';
import { localTargets, makeKey, makePolicy, policyPath, type TestPolicy } from './support.ts';

const policyScopes = ['read', 'create', 'update', 'delete'].map((verb) => `${verb}:auth_policies`);
const ldap = {
  policyType: 'LDAP',
  configurations: { url: 'ldap://127.0.0.1', dn: 'ou=people,dc=x', dn_prefix: 'uid' },
};
const elsewhere = { ...ldap, configurations: { ...ldap.configurations, url: 'ldap://127.0.0.2' } };

eachEngine('RHMAP: narrow keys', (engine) => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ engine, env: localTargets });
  });
  after(() => server.close());

  const policyOf = async (userId: string): Promise<TestPolicy> => {
    const policy = await makePolicy(server, ldap);
    await link(server, policy.guid, userId);
    return policy;
  };
  const update = (key: string, policy: TestPolicy, more: Record<string, unknown>) =>
    server.request('POST', `${policyPath}/update`, {
      json: { ...policy, ...more },
      headers: { 'x-fh-auth-user': key },
    });

  test('who may do more than the key can not be taken over with it; its maker still may', async () => {
    const administrator = await makeUser(server);
    await makeAdministratorOf(server, administrator.id);
    const member = await makeUser(server);
    const organizationId = await makeOrganization(server, 'Customer');
    const role = await makeOrganizationRole(server, { kind: 'user', scopes: ['delete:users'], name: 'strong' });
    await makeMembership(server, { organizationId, subjectId: member.id, kind: 'user', roleIds: [role] });
    const narrow = await makeKey(server, policyScopes);
    for (const { id } of [administrator, member]) {
      const policy = await policyOf(id);
      const before = await server.stateHash();
      for (const change of [elsewhere, { policyType: 'FEEDHENRY', configurations: {} }]) {
        const { status, body } = await update(narrow, policy, change);
        assert.equal(status, 403);
        assert.match(body.message, /^You can not grant or take over scopes you do not hold: \S+$/);
      }
      assert.equal(await server.stateHash(), before);
      assert.equal((await update(narrow, policy, { ...ldap, checkUserExists: true })).body.status, 'ok', 'harmless');
      const token = await server.managementToken(server.nativeAudience);
      const made = await server.request('POST', `${policyPath}/update`, { token, json: { ...policy, ...elsewhere } });
      assert.equal(made.body.status, 'ok');
    }
    const wide = await makeKey(server, [...policyScopes, 'delete:users']);
    assert.equal((await update(wide, await policyOf(member.id), elsewhere)).body.status, 'ok');
    assert.equal((await update(narrow, await policyOf((await makeUser(server)).id), elsewhere)).body.status, 'ok');
  });

  test('nor do people get by a new policy what the key does not carry', async () => {
    const organizationId = await makeOrganization(server, 'With roles for its domain');
    const role = await makeOrganizationRole(server, { kind: 'user', scopes: ['delete:users'], name: 'given' });
    await native(server, 'POST', `/organizations/${organizationId}/jit/roles`, { organizationRoleIds: [role] });
    const create = async (scopes: readonly string[], policyId: string) =>
      server.request('POST', `${policyPath}/create`, {
        json: { ...ldap, policyId, checkUserExists: false },
        headers: { 'x-fh-auth-user': await makeKey(server, scopes) },
      });
    const { status, body } = await create(policyScopes, 'open');
    assert.deepEqual([status, body.status], [403, 'error']);
    assert.equal((await create([...policyScopes, 'delete:users'], 'open')).body.status, 'ok');
  });
});
