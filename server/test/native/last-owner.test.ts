import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { withoutLimits } from '../management/support.ts';
import { sendTo, startNodes } from '../token/nodes.ts';
import { makeMembership, makeOrganization, makeOrganizationRole } from './delegated.ts';
import { Members } from './members-support.ts';

const lastOwner = [409, 'organization.last_owner'] as const;

eachEngine('the last owner of a root organization', (engine) => {
  let server: TestServer;
  let api: Members;
  let ownerRole: string;
  let machineOwnerRole: string;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    api = await Members.of(server);
    ownerRole = await makeOrganizationRole(server, { scopes: [], kind: 'user', isOwner: true, name: 'Proprietor' });
    machineOwnerRole = await makeOrganizationRole(server, { scopes: [], kind: 'client', isOwner: true });
  });
  after(() => server.close());

  /** A root with one owner. */
  async function owned(): Promise<{ root: string; ann: string; id: string }> {
    const root = await makeOrganization(server, 'Acme');
    const ann = await api.user('Ann');
    const body = { userId: ann, organizationRoleIds: [ownerRole] };
    const { id } = await api.expect(201, 'POST', `/organizations/${root}/members`, body);
    return { root, ann, id };
  }

  test('is not removed or demoted, by no route', async () => {
    const { root, ann, id } = await owned();
    const at = `/organizations/${root}`;
    const plain = await makeOrganizationRole(server, { scopes: [], kind: 'user', name: 'Plain' });
    const bob = await api.user('Bob');
    await api.expect(201, 'POST', `${at}/members`, { userId: bob, organizationRoleIds: [plain] });
    for (const [method, path, json] of [
      ['DELETE', `${at}/members/${id}`, undefined],
      ['DELETE', `${at}/users/${ann}`, undefined],
      ['PUT', `${at}/users`, { userIds: [] }],
      ['PUT', `${at}/users`, { userIds: [bob] }],
      ['PATCH', `${at}/members/${id}`, { organizationRoleIds: [] }],
      ['PATCH', `${at}/members/${id}`, { organizationRoleIds: [plain] }],
      ['PUT', `${at}/users/${ann}/roles`, { organizationRoleIds: [plain] }],
      ['PUT', `${at}/users/${ann}/roles`, { organizationRoleNames: ['Plain'] }],
      ['DELETE', `${at}/users/${ann}/roles/${ownerRole}`, undefined],
    ] as const) {
      await api.refuse(lastOwner, method, path, json);
    }
    // What leaves an owner is fine.
    await api.expect(200, 'PATCH', `${at}/members/${id}`, { thisOrganizationOnly: true });
    await api.expect(204, 'PUT', `${at}/users/${ann}/roles`, { organizationRoleIds: [ownerRole, plain] });
    await api.expect(204, 'PUT', `${at}/users`, { userIds: [ann] });
    await api.expect(204, 'PUT', `${at}/applications`, { applicationIds: [] });
  });

  test('goes when there is another one, a person or a machine', async () => {
    const { root, ann } = await owned();
    const at = `/organizations/${root}`;
    const machine = await api.machine();
    const roles = { organizationRoleIds: [machineOwnerRole] };
    await api.expect(201, 'POST', `${at}/members`, { applicationId: machine.clientId, ...roles });
    await api.expect(204, 'DELETE', `${at}/users/${ann}`);
    const applications = `${at}/applications`;
    await api.refuse(lastOwner, 'DELETE', `${applications}/${machine.clientId}`);
    await api.refuse(lastOwner, 'PUT', applications, { applicationIds: [] });
    await api.refuse(lastOwner, 'PUT', `${applications}/${machine.clientId}/roles`, { organizationRoleIds: [] });
    const role = `${applications}/${machine.clientId}/roles/${machineOwnerRole}`;
    await api.refuse(lastOwner, 'DELETE', role);
  });

  test('an owner who is blocked, or a client that is disabled, does not count', async () => {
    const { root, ann } = await owned();
    const at = `/organizations/${root}`;
    const [bob, machine] = [await api.user('Bob'), await api.machine()];
    await api.expect(201, 'POST', `${at}/members`, { userId: bob, organizationRoleIds: [ownerRole] });
    const roles = { organizationRoleIds: [machineOwnerRole] };
    await api.expect(201, 'POST', `${at}/members`, { applicationId: machine.clientId, ...roles });
    await server.manage('PATCH', `/users/auth0|${bob}`, { blocked: true });
    await server.manage('PATCH', `/clients/${machine.clientId}`, { enabled: false });
    await api.refuse(lastOwner, 'DELETE', `${at}/users/${ann}`);
    // They are no owners: what happens to them is of no concern.
    await api.expect(204, 'DELETE', `${at}/users/${bob}`);
    await api.expect(204, 'DELETE', `${at}/applications/${machine.clientId}`);
  });

  test('below a root, and in a root that never had one, there is no such rule', async () => {
    const root = await makeOrganization(server, 'Ownerless');
    const sub = await makeOrganization(server, 'Sub', root);
    const ann = await api.user('Ann');
    for (const organizationId of [root, sub]) {
      await makeMembership(server, { organizationId, subjectId: ann, kind: 'user' });
      await api.expect(204, 'DELETE', `/organizations/${organizationId}/users/${ann}`);
    }
    await makeMembership(server, { organizationId: sub, subjectId: ann, kind: 'user', roleIds: [ownerRole] });
    await api.expect(204, 'DELETE', `/organizations/${sub}/users/${ann}`);
  });

  test('of two owners removed at the same time one stays', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { root, ann } = await owned();
      const bob = await api.user('Bob');
      await api.expect(201, 'POST', `/organizations/${root}/members`, {
        userId: bob,
        organizationRoleIds: [ownerRole],
      });
      const answers = await Promise.all([
        api.call('DELETE', `/organizations/${root}/users/${ann}`),
        api.call('PUT', `/organizations/${root}/users/${bob}/roles`, { organizationRoleIds: [] }),
      ]);
      assert.deepEqual(
        answers.map(({ status }) => status).toSorted(),
        [204, 409],
        answers.map(({ text }) => text).join(),
      );
    }
  });
});

describe('the last owner over two nodes [postgres]', () => {
  let nodes: [TestServer, TestServer];
  let api: Members;
  before(async () => {
    nodes = await startNodes();
    api = await Members.of(nodes[0]);
  });
  after(async () => {
    await nodes[1].close();
    await nodes[0].close();
  });

  test('two removals at once on two nodes: exactly one succeeds', async () => {
    const [first, second] = nodes;
    const role = await makeOrganizationRole(first, { scopes: [], kind: 'user', isOwner: true });
    for (let round = 0; round < 8; round += 1) {
      const root = await makeOrganization(first, 'Acme');
      const owners = [await api.user('Ann'), await api.user('Bob')];
      const memberships: string[] = [];
      for (const userId of owners) {
        const body = { userId, organizationRoleIds: [role] };
        memberships.push((await api.expect(201, 'POST', `/organizations/${root}/members`, body)).id);
      }
      const answers = await Promise.all([
        sendTo(first, 'DELETE', `/api/organizations/${root}/members/${memberships[0]}`, { token: api.token }),
        sendTo(second, 'DELETE', `/api/organizations/${root}/members/${memberships[1]}`, { token: api.token }),
      ]);
      const statuses = answers.map(({ status }) => status).toSorted();
      assert.deepEqual(statuses, [204, 409], answers.map(({ text }) => text).join());
      const refused = answers.find(({ status }) => status === 409);
      assert.equal(JSON.parse(refused?.text ?? '').code, 'organization.last_owner');
      assert.equal((await api.expect(200, 'GET', `/organizations/${root}/members`)).length, 1);
    }
  });
});
