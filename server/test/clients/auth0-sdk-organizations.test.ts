/** Auth0's own SDK, unmodified: organizations, members, their roles, grants and invitations, and roles of users. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Management, ManagementClient } from 'auth0';
import { AuthenticationClient } from 'auth0/legacy';
import { decodeJwt } from 'jose';
import { startTrusted, type TrustedServer } from './trusted.ts';

describe("Auth0's SDK with organizations and roles", () => {
  let server: TrustedServer;
  let auth0: ManagementClient;
  before(async () => {
    server = await startTrusted();
    const { domain, clientId, clientSecret } = server;
    auth0 = new ManagementClient({ domain, clientId, clientSecret });
  });
  after(() => server?.stop());

  const identifier = 'https://orders.example/';
  let userIds: string[];
  let roleId: string;
  let organizationId: string;
  before(async () => {
    await auth0.resourceServers.create({
      identifier,
      name: 'Orders',
      scopes: [{ value: 'read:orders', description: 'Read orders' }, { value: 'write:orders' }],
    });
    userIds = [];
    for (const name of ['ann', 'bob', 'cleo']) {
      const user = await auth0.users.create({
        email: `${name}@example.com`,
        name,
        connection: 'Username-Password-Authentication',
      });
      userIds.push(user.user_id as string);
    }
  });

  async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
    const items: T[] = [];
    for await (const item of pages) items.push(item);
    return items;
  }

  test('makes, reads, lists, changes and deletes roles, with permissions', async () => {
    const made = await auth0.roles.create({ name: 'Editor', description: 'Edits' });
    roleId = made.id as string;
    assert.deepEqual({ ...made }, { id: roleId, name: 'Editor', description: 'Edits', type: 'tenant' });
    assert.equal((await auth0.roles.get(roleId)).name, 'Editor');
    assert.equal((await auth0.roles.update(roleId, { name: 'Chief' })).name, 'Chief');
    const permissions = ['read:orders', 'write:orders'].map((permission_name) => ({
      permission_name,
      resource_server_identifier: identifier,
    }));
    await auth0.roles.permissions.add(roleId, { permissions });
    const listed = await all(await auth0.roles.permissions.list(roleId, { per_page: 1 }));
    assert.deepEqual(
      listed.map(({ permission_name }) => permission_name),
      ['read:orders', 'write:orders'],
    );
    await auth0.roles.permissions.delete(roleId, { permissions: permissions.slice(1) });
    assert.equal((await all(await auth0.roles.permissions.list(roleId))).length, 1);

    const other = await auth0.roles.create({ name: 'Other' });
    assert.equal((await all(await auth0.roles.list({ per_page: 1 }))).length, 2);
    assert.equal((await all(await auth0.roles.list({ name_filter: 'CHIEF' }))).length, 1);
    await assert.rejects(() => auth0.roles.create({ name: 'other' }), Management.ConflictError);
    await auth0.roles.delete(other.id as string);
    await assert.rejects(() => auth0.roles.get(other.id as string), Management.NotFoundError);
  });

  test('gives roles to users from both sides, and shows what they give', async () => {
    const [ann, bob] = userIds as [string, string];
    await auth0.users.roles.assign(ann, { roles: [roleId] });
    await auth0.roles.users.assign(roleId, { users: [bob] });
    const holders = await all(await auth0.roles.users.list(roleId, { take: 1 }));
    assert.deepEqual(holders.map(({ user_id }) => user_id).sort(), [ann, bob].sort());
    assert.deepEqual(
      (await all(await auth0.users.roles.list(ann))).map(({ id }) => id),
      [roleId],
    );
    const [permission] = await all(await auth0.users.permissions.list(ann));
    assert.equal(permission?.permission_name, 'read:orders');
    await auth0.users.roles.delete(ann, { roles: [roleId] });
    assert.deepEqual(await all(await auth0.users.roles.list(ann)), []);
  });

  test('makes, reads, lists, changes and deletes organizations', async () => {
    const made = await auth0.organizations.create({
      name: 'acme',
      display_name: 'Acme',
      metadata: { tier: 'gold' },
      branding: {
        logo_url: 'https://acme.example/logo.png',
        colors: { primary: '#000000', page_background: '#ffffff' },
      },
    });
    organizationId = made.id as string;
    assert.equal((await auth0.organizations.get(organizationId)).display_name, 'Acme');
    assert.equal((await auth0.organizations.getByName('acme')).id, organizationId);
    const changed = await auth0.organizations.update(organizationId, { metadata: { region: 'kanto' } });
    assert.deepEqual({ ...changed.metadata }, { tier: 'gold', region: 'kanto' });
    const others: string[] = [];
    for (const name of ['one', 'two', 'three']) others.push((await auth0.organizations.create({ name })).id as string);
    const listed = await all(await auth0.organizations.list({ take: 2 }));
    assert.deepEqual(
      listed.map(({ name }) => name),
      ['acme', 'one', 'two', 'three'],
    );
    await assert.rejects(() => auth0.organizations.create({ name: 'acme' }), Management.ConflictError);
    await assert.rejects(() => auth0.organizations.create({ name: 'Not a slug' }), Management.BadRequestError);
    for (const id of others) await auth0.organizations.delete(id);
    await assert.rejects(() => auth0.organizations.get(others[0] as string), Management.NotFoundError);
  });

  test('adds members, gives and takes their roles, removes them', async () => {
    const { members } = auth0.organizations;
    await members.create(organizationId, { members: userIds });
    const listed = await all(await members.list(organizationId, { take: 2 }));
    assert.deepEqual(listed.map(({ user_id }) => user_id).sort(), [...userIds].sort());
    const [ann] = userIds as [string];
    await members.roles.assign(organizationId, ann, { roles: [roleId] });
    assert.deepEqual(
      (await all(await members.roles.list(organizationId, ann))).map(({ id }) => id),
      [roleId],
    );
    const withRoles = await all(await members.list(organizationId, { fields: 'user_id,roles' }));
    assert.deepEqual(
      withRoles.filter(({ roles }) => (roles ?? []).length > 0).map(({ user_id }) => user_id),
      [ann],
    );
    const [organization] = await all(await auth0.users.organizations.list(ann));
    assert.equal(organization?.id, organizationId);
    await members.roles.delete(organizationId, ann, { roles: [roleId] });
    assert.deepEqual(await all(await members.roles.list(organizationId, ann)), []);
    await members.delete(organizationId, { members: userIds });
    assert.deepEqual(await all(await members.list(organizationId)), []);
  });

  test('lists a grant at an organization: then its client gets tokens for it', async () => {
    const client = await auth0.clients.create({ name: 'Shop', app_type: 'non_interactive' });
    const clientId = client.client_id as string;
    const grant = await auth0.clientGrants.create({
      client_id: clientId,
      audience: identifier,
      scope: ['read:orders'],
      organization_usage: 'require',
    });
    const grantId = grant.id as string;
    const oauth = new AuthenticationClient({
      domain: server.domain,
      clientId,
      clientSecret: client.client_secret as string,
    }).oauth;
    const token = () => oauth.clientCredentialsGrant({ audience: identifier, organization: organizationId });
    await assert.rejects(token, { statusCode: 403 });
    const added = await auth0.organizations.clientGrants.create(organizationId, { grant_id: grantId });
    assert.equal(added.id, grantId);
    assert.equal(decodeJwt((await token()).data.access_token).org_id, organizationId);
    const listed = await all(await auth0.organizations.clientGrants.list(organizationId, { per_page: 1 }));
    assert.deepEqual(
      listed.map(({ id }) => id),
      [grantId],
    );
    const organizations = await all(await auth0.clientGrants.organizations.list(grantId));
    assert.deepEqual(
      organizations.map(({ id }) => id),
      [organizationId],
    );
    await auth0.organizations.clientGrants.delete(organizationId, grantId);
    await assert.rejects(token, { statusCode: 403 });
  });

  test('invites somebody, reads, lists and deletes the invitation', async () => {
    const { invitations } = auth0.organizations;
    const made = await invitations.create(organizationId, {
      inviter: { name: 'Ann' },
      invitee: { email: 'new@example.com' },
      client_id: server.clientId,
      roles: [roleId],
    });
    assert.match(made.invitation_url as string, /^https:\/\/localhost:\d+\/invitation\?ticket=/);
    const id = made.id as string;
    assert.equal((await invitations.get(organizationId, id)).invitee?.email, 'new@example.com');
    assert.equal((await all(await invitations.list(organizationId))).length, 1);
    await invitations.delete(organizationId, id);
    await assert.rejects(() => invitations.get(organizationId, id), Management.NotFoundError);
  });

  test('reads the lists of how people sign in, all empty', async () => {
    const { connections, enabledConnections, discoveryDomains, clients } = auth0.organizations;
    for (const list of [connections, enabledConnections, discoveryDomains, clients]) {
      assert.deepEqual(await all((await list.list(organizationId)) as AsyncIterable<unknown>), []);
    }
  });
});
