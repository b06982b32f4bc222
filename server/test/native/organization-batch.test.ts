import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { delegatedCaller, makeOrganizationRole } from './delegated.ts';

eachEngine('/api/organizations/batch', (engine) => {
  let server: TestServer;
  let token: string;
  let userIds: string[];
  before(async () => {
    server = await startServer({ engine });
    token = await server.managementToken(server.nativeAudience);
    userIds = [];
    for (const username of ['ann', 'bob']) {
      const user = await server.manage('POST', '/users', { connection, username, password: 'correct horse 9' });
      userIds.push(user.user_id.replace('auth0|', ''));
    }
  });
  after(() => server.close());

  const connection = 'Username-Password-Authentication';
  const batch = (organizations: unknown, as = token) =>
    server.request('POST', '/api/organizations/batch', { token: as, json: { organizations } });

  test('makes a tree with members and roles, and an event for each', async () => {
    const reader = await makeOrganizationRole(server, { kind: 'user', scopes: [] });
    const before = (await server.logEvents()).length;
    const answer = await batch([
      { name: 'Acme', customData: { plan: 'gold' }, members: [{ userId: userIds[0], organizationRoleIds: [reader] }] },
      { name: 'Acme', parentIndex: 0, members: userIds.map((userId) => ({ userId })) },
      { name: '東京', parentIndex: 1 },
    ]);
    assert.equal(answer.status, 201, answer.text);
    const [root, child, leaf] = answer.body.organizationIds;
    const rows = new Map((await server.rows('organizations')).map((row) => [row.id, row]));
    assert.equal(rows.get(root).parent_id, null);
    assert.equal(rows.get(root).slug, 'acme');
    assert.match(rows.get(child).slug, /^acme-[0-9a-f]{16}$/);
    assert.match(rows.get(leaf).slug, /^org-[0-9a-f]{16}$/);
    assert.equal(rows.get(leaf).path, `${root.slice(4)}/${child.slice(4)}/${leaf.slice(4)}/`);
    const memberships = await server.rows('memberships');
    assert.equal(memberships.filter(({ organization_id }) => organization_id === child).length, 2);
    const inRoot = memberships.find(({ organization_id }) => organization_id === root);
    assert.deepEqual(
      (await server.rows('membership_roles')).map(({ membership_id, role_id }) => [membership_id, role_id]),
      [[inRoot.id, reader]],
    );
    const kinds = (await server.logEvents()).slice(before).map(({ kind }) => kind);
    assert.deepEqual(kinds.sort(), [
      ...Array(3).fill('organization.created'),
      ...Array(3).fill('organization_member.added'),
    ]);
  });

  test('all or none: what is wrong with one leaves nothing of the others', async () => {
    const state = await server.stateHash();
    const events = (await server.logEvents()).length;
    const wrong: [unknown[], number, RegExp][] = [
      [[{ name: 'A' }, { name: '\u200b' }], 400, /organizations\.1\.name/],
      [[{ name: 'A', parentIndex: 0 }], 400, /organizations\.0\.parentIndex/],
      [[{ name: 'A' }, { name: 'B', parentId: 'org_0000000000000000' }], 404, /organizations\.1\.parentId/],
      [[{ name: 'A', members: [{ userId: 'f'.repeat(24) }] }], 422, /organizations\.members/],
      [[{ name: 'A', members: [{ userId: userIds[0] }, { userId: userIds[0] }] }], 400, /organizations\.0\.members/],
      [[{ name: 'A', members: [{}] }], 400, /organizations\.0\.members/],
      [[{ name: 'A', members: [{ userId: userIds[0], organizationRoleIds: ['rol_x'] }] }], 422, /organizations/],
      [
        Array.from({ length: 33 }, (_, n) => (n === 0 ? { name: 'A' } : { name: 'A', parentIndex: n - 1 })),
        400,
        /deep/,
      ],
      [Array.from({ length: 1001 }, () => ({ name: 'A' })), 400, /organizations/],
      [[], 400, /organizations/],
    ];
    for (const [organizations, status, said] of wrong) {
      const answer = await batch(organizations);
      assert.equal(answer.status, status, answer.text);
      assert.match(answer.text, said);
    }
    assert.equal(await server.stateHash(), state);
    assert.equal((await server.logEvents()).length, events);
  });

  test('a delegated caller imports below its own organization, without people', async () => {
    const [own] = (await batch([{ name: 'Customer' }])).body.organizationIds;
    const [other] = (await batch([{ name: 'Somebody else' }])).body.organizationIds;
    const scopes = ['create:organizations', 'create:organization_members'];
    const caller = await delegatedCaller(server, { organizationId: own, scopes });
    const made = await batch([{ name: 'Below' }], caller.token);
    assert.equal(made.status, 201, made.text);
    const row = (await server.rows('organizations')).find(({ id }) => id === made.body.organizationIds[0]);
    assert.equal(row.parent_id, own);

    const narrow = await delegatedCaller(server, { organizationId: own, scopes: ['create:organizations'] });
    const state = await server.stateHash();
    const outside = await batch([{ name: 'X', parentId: other }], caller.token);
    const nowhere = await batch([{ name: 'X', parentId: 'org_0000000000000000' }], caller.token);
    assert.equal(outside.status, 404);
    assert.deepEqual(outside.body, nowhere.body);
    assert.equal((await batch([{ name: 'X', members: [{ userId: userIds[0] }] }], caller.token)).status, 403);
    assert.equal((await batch([{ name: 'X', members: [{ userId: userIds[0] }] }], narrow.token)).status, 403);
    assert.equal(await server.stateHash(), state);
  });
});
