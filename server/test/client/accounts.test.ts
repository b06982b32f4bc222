/** The accounts flow of `scripts/auth_backend_admin_flow.sh`, through the client library, step by step. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ManagementError, OAuthClient } from '../../../client/src/index.ts';
import { type AccountsClient, createAdminClient } from '../../../client/src/management/index.ts';
import { admin, eachEngine, startServer, type TestServer } from '../harness.ts';

eachEngine('the accounts flow through the client library', (engine) => {
  let server: TestServer;
  let auth: OAuthClient;
  let accounts: AccountsClient;
  before(async () => {
    server = await startServer({ engine });
    const { clientId, clientSecret } = admin;
    auth = new OAuthClient({ tokenUrl: `${server.origin}/oauth2/token`, clientId, clientSecret });
    const { access_token: bearerToken } = await auth.clientCredentials({ audience: server.nativeAudience });
    accounts = createAdminClient({ baseUrl: server.origin, bearerToken });
  });
  after(() => server.close());

  async function refused(work: () => Promise<unknown>, status: number, code: string): Promise<ManagementError> {
    const before = await server.stateHash();
    const error = await work().then(
      () => assert.fail('it was answered'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof ManagementError, String(error));
    assert.deepEqual([error.status, error.code], [status, code], error.message);
    assert.equal(await server.stateHash(), before);
    return error;
  }

  test('runs whole', async () => {
    const user = await accounts.createApplicationUser(admin.clientId, { status: 'active' });
    const owner = await accounts.createApplicationUser(admin.clientId, { name: 'Owner of the flow' });
    assert.deepEqual([user.application_id, user.status], [admin.clientId, 'active']);
    assert.deepEqual(
      (await accounts.listApplicationUsers(admin.clientId).all()).map(({ id }) => id).sort(),
      [user.id, owner.id].sort(),
    );
    assert.equal((await accounts.getUser(owner.id)).name, 'Owner of the flow');

    const root = await accounts.createAccount({ name: 'Flow root', metadata: { plan: 'gold' } });
    assert.deepEqual([root.parent_account_id, root.status, root.metadata], [null, 'active', { plan: 'gold' }]);
    const child = await accounts.createChildAccount(root.id, { name: 'Flow child' });
    assert.deepEqual([child.name, child.parent_account_id], ['Flow child', root.id]);
    assert.deepEqual(await accounts.listAccounts({ parent_id: root.id }).all(), [child]);
    assert.deepEqual(await accounts.listChildAccounts(root.id).all(), [child]);

    const ownerMember = await accounts.addAccountMember(root.id, owner.id, 'owner');
    const member = await accounts.addAccountMember(child.id, user.id, 'member');
    assert.deepEqual(
      [member.account_id, member.user_id, member.role, member.inherited_from],
      [child.id, user.id, 'member', null],
    );
    await refused(() => accounts.addAccountMember(child.id, user.id, 'viewer'), 409, 'entity.exists');
    await refused(() => accounts.removeAccountMember(root.id, ownerMember.id), 409, 'organization.last_owner');
    assert.equal((await accounts.getAccountMember(root.id, ownerMember.id)).role, 'owner');

    const changed = await accounts.changeAccountMemberRole(child.id, member.id, 'viewer');
    assert.deepEqual([changed.id, changed.role], [member.id, 'viewer']);
    const members = await accounts.listAccountMembers(child.id, { limit: 1 }).all();
    assert.deepEqual(
      members.map(({ id, inherited_from }) => [id, inherited_from]),
      [
        [member.id, null],
        [ownerMember.id, root.id],
      ],
    );
    assert.equal((await accounts.searchAccountMembers(child.id, { query: 'OWNER of' }).all())[0]?.id, ownerMember.id);
    const inherited = await refused(
      () => accounts.removeAccountMember(child.id, ownerMember.id),
      409,
      'organization.member_inherited',
    );
    assert.deepEqual([inherited.data.account_id, inherited.data.member_id], [root.id, ownerMember.id]);

    assert.deepEqual(
      (await accounts.listAccountTree(root.id).all()).map(({ id }) => id),
      [root.id, child.id],
    );
    assert.deepEqual(
      (await accounts.searchAccounts(root.id, { query: 'flow CH' }).all()).map(({ id }) => id),
      [child.id],
    );

    assert.equal((await accounts.updateAccount(child.id, { name: 'Renamed' })).status, 'active');
    assert.equal((await accounts.updateAccount(child.id, { status: 'suspended' })).name, 'Renamed');
    const read = await accounts.getAccount(child.id);
    assert.deepEqual([read.name, read.status], ['Renamed', 'suspended']);

    const second = await accounts.createAccount({ name: 'Flow second root' });
    assert.equal((await accounts.moveAccount(child.id, second.id)).parent_account_id, second.id);
    await refused(() => accounts.moveAccount(second.id, child.id), 409, 'organization.cycle');
    await refused(() => accounts.deleteAccount(second.id), 409, 'organization.has_children');

    assert.equal(await accounts.removeAccountMember(child.id, member.id), undefined);
    await refused(() => accounts.getAccountMember(child.id, member.id), 404, 'entity.not_found');
    assert.equal((await accounts.moveAccount(child.id, null)).parent_account_id, null);
    await accounts.deleteAccount(child.id);
    await refused(() => accounts.getAccount(child.id), 404, 'entity.not_found');

    const last = await accounts.addAccountMember(second.id, user.id, 'viewer');
    await accounts.deleteUser(user.id);
    await refused(() => accounts.getAccountMember(second.id, last.id), 404, 'entity.not_found');
    const gone = await refused(
      () => accounts.addAccountMember(second.id, user.id, 'member'),
      404,
      'entity.reference_not_found',
    );
    assert.equal(gone.path, 'user_id');

    await accounts.deleteAccount(second.id, { cascade: true });
    await accounts.deleteAccount(root.id, { cascade: true });
    await accounts.deleteUser(owner.id);
    assert.deepEqual(await accounts.listAccounts().all(), []);
    assert.deepEqual(await accounts.listApplicationUsers(admin.clientId).all(), []);
  });

  test('a machine client becomes a member with a role for machines', async () => {
    const root = await accounts.createAccount({ name: 'Machines' });
    const machine = await server.machine();
    const answer = await server.request('POST', '/api/organization-roles', {
      token: await server.managementToken(server.nativeAudience),
      json: { name: 'worker', type: 'MachineToMachine' },
    });
    assert.equal(answer.status, 201, answer.text);
    const member = await accounts.addAccountClient(root.id, machine.clientId, 'worker');
    assert.deepEqual([member.client_id, member.user_id, member.role], [machine.clientId, null, 'worker']);
  });

  test('with a token for another audience nothing is done, and the error says which one is expected', async () => {
    const bearerToken = await auth.accessToken({ audience: server.managementAudience });
    const stranger = createAdminClient({ baseUrl: server.origin, bearerToken });
    const error = await refused(() => stranger.createAccount({ name: 'Never made' }), 401, 'auth.invalid_token');
    assert.equal(error.data.expected_audience, server.nativeAudience);
  });
});
