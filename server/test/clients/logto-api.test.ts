/**
 * The flow of Logto's guides by `@logto/api`, unmodified: template, organizations, people, machines, their roles,
 * invitations, just-in-time membership. The compiler holds every body and parameter against the client's own types.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { type LogtoClient, logtoClient, ok, refused } from './logto-support.ts';

eachEngine('@logto/api: organizations', (engine) => {
  let server: TestServer;
  let api: LogtoClient;
  before(async () => {
    server = await startServer({ engine });
    api = logtoClient(server);
  });
  after(() => server.close());

  const user = async (name: string) =>
    ok(200, api.POST('/api/users', { body: { name, primaryEmail: `${name.toLowerCase()}@example.com` } }));
  const organization = (name: string) => ok(201, api.POST('/api/organizations', { body: { name } }));
  const role = (name: string, type: 'User' | 'MachineToMachine' = 'User') =>
    ok(
      201,
      api.POST('/api/organization-roles', { body: { name, type, organizationScopeIds: [], resourceScopeIds: [] } }),
    );
  const inOrganization = (id: string) => ({ params: { path: { id } } });

  test('the template: scopes, roles made of them, and of scopes of an API', async () => {
    const read = await ok(201, api.POST('/api/organization-scopes', { body: { name: 'read:data' } }));
    const write = await ok(
      201,
      api.POST('/api/organization-scopes', { body: { name: 'write:data', description: 'Writes.' } }),
    );
    const resource = await ok(
      201,
      api.POST('/api/resources', { body: { name: 'Orders', indicator: 'https://orders.example' } }),
    );
    const orders = await ok(
      201,
      api.POST('/api/resources/{resourceId}/scopes', {
        params: { path: { resourceId: resource.id } },
        body: { name: 'read:orders' },
      }),
    );
    const admin = await ok(
      201,
      api.POST('/api/organization-roles', {
        body: { name: 'admin', organizationScopeIds: [read.id], resourceScopeIds: [] },
      }),
    );
    assert.equal(admin.type, 'User');
    const params = { path: { id: admin.id } };
    await ok(
      201,
      api.POST('/api/organization-roles/{id}/scopes', { params, body: { organizationScopeIds: [write.id] } }),
    );
    await ok(
      201,
      api.POST('/api/organization-roles/{id}/resource-scopes', { params, body: { scopeIds: [orders.id] } }),
    );
    const [listed] = await ok(200, api.GET('/api/organization-roles', { params: { query: { q: 'ADM' } } }));
    assert.deepEqual(listed?.scopes.map(({ name }) => name).sort(), ['read:data', 'write:data']);
    assert.deepEqual(listed?.resourceScopes, [
      { id: orders.id, name: 'read:orders', resource: { id: resource.id, name: 'Orders' } },
    ]);
    const names = await ok(200, api.GET('/api/organization-roles/{id}/scopes', { params }));
    assert.deepEqual(names.map(({ name }) => name).sort(), ['read:data', 'write:data']);
    await ok(
      204,
      api.PUT('/api/organization-roles/{id}/scopes', { params, body: { organizationScopeIds: [read.id] } }),
    );
    await ok(
      204,
      api.DELETE('/api/organization-roles/{id}/resource-scopes/{scopeId}', {
        params: { path: { id: admin.id, scopeId: orders.id } },
      }),
    );
    assert.deepEqual(await ok(200, api.GET('/api/organization-roles/{id}/resource-scopes', { params })), []);
    await ok(204, api.PUT('/api/organization-roles/{id}/resource-scopes', { params, body: { scopeIds: [orders.id] } }));
    const changed = await ok(200, api.PATCH('/api/organization-roles/{id}', { params, body: { description: 'All.' } }));
    assert.equal(changed.description, 'All.');
    assert.deepEqual(await ok(200, api.GET('/api/organization-roles/{id}', { params })), changed);
    const all = await ok(200, api.GET('/api/organization-scopes', { params: { query: { q: 'data' } } }));
    assert.deepEqual(all.map(({ name }) => name).sort(), ['read:data', 'write:data']);
    await ok(
      204,
      api.DELETE('/api/organization-roles/{id}/scopes/{organizationScopeId}', {
        params: { path: { id: admin.id, organizationScopeId: read.id } },
      }),
    );
    const short = await role('short-lived');
    await ok(204, api.DELETE('/api/organization-roles/{id}', { params: { path: { id: short.id } } }));
    const scope = { path: { id: write.id } };
    const renamed = await ok(
      200,
      api.PATCH('/api/organization-scopes/{id}', { params: scope, body: { name: 'edit:data' } }),
    );
    assert.equal(renamed.name, 'edit:data');
    await ok(204, api.DELETE('/api/organization-scopes/{id}', { params: scope }));
    await refused(404, 'entity.not_exists_with_id', api.GET('/api/organization-scopes/{id}', { params: scope }));
    await refused(
      422,
      'entity.unique_integrity_violation',
      api.POST('/api/organization-roles', { body: { name: 'Admin', organizationScopeIds: [], resourceScopeIds: [] } }),
    );
    await refused(
      422,
      'entity.relation_foreign_key_not_found',
      api.POST('/api/organization-roles/{id}/scopes', { params, body: { organizationScopeIds: ['nothing'] } }),
    );
  });

  test('organizations: made, found, changed, deleted', async () => {
    const made = await ok(
      201,
      api.POST('/api/organizations', {
        body: {
          name: 'Acme',
          description: 'A customer.',
          customData: { plan: 'pro' },
          color: { primaryColor: '#112233' },
          tenantId: 'ignored',
          createdAt: 1,
        },
      }),
    );
    assert.equal(made.tenantId, 'default');
    assert.ok(Math.abs(made.createdAt - Date.now()) < 60_000, 'what the server says is not for the client to say');
    const one = inOrganization(made.id);
    assert.deepEqual(await ok(200, api.GET('/api/organizations/{id}', one)), made);
    const changed = await ok(
      200,
      api.PATCH('/api/organizations/{id}', { ...one, body: { customData: { seats: 3 }, isMfaRequired: true } }),
    );
    assert.deepEqual([changed.customData, changed.isMfaRequired, changed.name], [{ seats: 3 }, true, 'Acme']);
    const query = { q: 'acm', showFeatured: 'true', page: 1, page_size: 5 };
    const [found] = await ok(200, api.GET('/api/organizations', { params: { query } }));
    assert.deepEqual([found?.id, found?.usersCount, found?.featuredUsers], [made.id, 0, []]);
    await ok(204, api.DELETE('/api/organizations/{id}', one));
    await refused(404, 'entity.not_exists_with_id', api.GET('/api/organizations/{id}', one));
    await refused(404, 'entity.not_exists', api.PATCH('/api/organizations/{id}', { ...one, body: { name: 'X' } }));
    await refused(404, 'entity.not_found', api.DELETE('/api/organizations/{id}', one));
    await refused(400, 'guard.invalid_input', api.POST('/api/organizations', { body: {} as { name: string } }));
  });

  test('pages: Total-Number and Link as in Logto', async () => {
    for (const name of ['Page 1', 'Page 2', 'Page 3']) await organization(name);
    const query = { q: 'page', page: 2, page_size: 1 };
    const { data, response } = await api.GET('/api/organizations', { params: { query } });
    assert.equal(data?.length, 1);
    assert.equal(response.headers.get('total-number'), '3');
    const link = response.headers.get('link') ?? '';
    for (const [rel, page] of [
      ['first', 1],
      ['prev', 1],
      ['next', 3],
      ['last', 3],
    ] as const) {
      assert.match(link, new RegExp(`[?&]page=${page}[^>]*>; rel="${rel}"`));
    }
    assert.ok(link.includes('q=page') && link.includes('page_size=1'), link);
    await refused(400, 'guard.invalid_pagination', api.GET('/api/organizations', { params: { query: { page: 0 } } }));
    await refused(
      400,
      'guard.invalid_pagination',
      api.GET('/api/organizations', { params: { query: { page_size: 101 } } }),
    );
  });

  test('members: people and their roles', async () => {
    const { id } = await organization('People');
    const [ann, ben] = [await user('Ann'), await user('Ben')];
    const [editor, viewer] = [await role('editor'), await role('viewer')];
    await ok(
      201,
      api.POST('/api/organizations/{id}/users', { ...inOrganization(id), body: { userIds: [ann.id, ben.id] } }),
    );
    await ok(201, api.POST('/api/organizations/{id}/users', { ...inOrganization(id), body: { userIds: [ann.id] } }));
    await ok(
      201,
      api.POST('/api/organizations/{id}/users/roles', {
        ...inOrganization(id),
        body: { userIds: [ann.id, ben.id], organizationRoleIds: [editor.id] },
      }),
    );
    const ofAnn = { params: { path: { id, userId: ann.id } } };
    const path = '/api/organizations/{id}/users/{userId}/roles';
    await ok(201, api.POST(path, { ...ofAnn, body: { organizationRoleNames: ['viewer'] } }));
    const roles = await ok(200, api.GET(path, ofAnn));
    assert.deepEqual(roles.map(({ name }) => name).sort(), ['editor', 'viewer']);
    await ok(
      204,
      api.DELETE('/api/organizations/{id}/users/{userId}/roles/{organizationRoleId}', {
        params: { path: { ...ofAnn.params.path, organizationRoleId: editor.id } },
      }),
    );
    await ok(204, api.PUT(path, { ...ofAnn, body: { organizationRoleIds: [editor.id, viewer.id] } }));
    assert.deepEqual(await ok(200, api.GET('/api/organizations/{id}/users/{userId}/scopes', ofAnn)), []);
    const query = { q: 'ann@', page_size: 10 };
    const found = await ok(200, api.GET('/api/organizations/{id}/users', { params: { path: { id }, query } }));
    assert.deepEqual(
      found.map(({ id, name }) => [id, name]),
      [[ann.id, 'Ann']],
    );
    assert.deepEqual(found[0]?.organizationRoles.map(({ name }) => name).sort(), ['editor', 'viewer']);
    const of = await ok(200, api.GET('/api/users/{userId}/organizations', { params: { path: { userId: ann.id } } }));
    assert.deepEqual(
      of.map((one) => [one.id, one.organizationRoles.length]),
      [[id, 2]],
    );
    await ok(204, api.PUT('/api/organizations/{id}/users', { ...inOrganization(id), body: { userIds: [ann.id] } }));
    await refused(422, 'organization.require_membership', api.GET(path, { params: { path: { id, userId: ben.id } } }));
    await refused(
      422,
      'organization.role_names_not_found',
      api.POST(path, { ...ofAnn, body: { organizationRoleNames: ['x'] } }),
    );
    await ok(204, api.DELETE('/api/organizations/{id}/users/{userId}', ofAnn));
    await refused(404, 'entity.not_found', api.DELETE('/api/organizations/{id}/users/{userId}', ofAnn));
    await refused(
      422,
      'entity.relation_foreign_key_not_found',
      api.POST('/api/organizations/{id}/users', { ...inOrganization(id), body: { userIds: ['nobody'] } }),
    );
  });

  test('members: machines and their roles', async () => {
    const { id } = await organization('Machines');
    const machine = await ok(200, api.POST('/api/applications', { body: { name: 'Sync', type: 'MachineToMachine' } }));
    const web = await ok(200, api.POST('/api/applications', { body: { name: 'Site', type: 'SPA' } }));
    const [reader, writer] = [await role('reader', 'MachineToMachine'), await role('writer', 'MachineToMachine')];
    const people = await role('people');
    const of = inOrganization(id);
    await ok(201, api.POST('/api/organizations/{id}/applications', { ...of, body: { applicationIds: [machine.id] } }));
    await ok(
      201,
      api.POST('/api/organizations/{id}/applications/roles', {
        ...of,
        body: { applicationIds: [machine.id], organizationRoleIds: [reader.id] },
      }),
    );
    const one = { params: { path: { id, applicationId: machine.id } } };
    const path = '/api/organizations/{id}/applications/{applicationId}/roles';
    await ok(201, api.POST(path, { ...one, body: { organizationRoleIds: [writer.id] } }));
    await ok(204, api.PUT(path, { ...one, body: { organizationRoleIds: [writer.id] } }));
    assert.deepEqual(
      (await ok(200, api.GET(path, one))).map(({ name }) => name),
      ['writer'],
    );
    await refused(
      422,
      'entity.db_constraint_violated',
      api.POST(path, { ...one, body: { organizationRoleIds: [people.id] } }),
    );
    await refused(
      422,
      'entity.db_constraint_violated',
      api.POST('/api/organizations/{id}/applications', { ...of, body: { applicationIds: [web.id] } }),
    );
    const [listed] = await ok(200, api.GET('/api/organizations/{id}/applications', of));
    assert.deepEqual([listed?.id, listed?.organizationRoles.map(({ name }) => name)], [machine.id, ['writer']]);
    const its = await ok(
      200,
      api.GET('/api/applications/{id}/organizations', { params: { path: { id: machine.id } } }),
    );
    assert.deepEqual(
      its.map((one) => one.id),
      [id],
    );
    await ok(
      204,
      api.DELETE('/api/organizations/{id}/applications/{applicationId}/roles/{organizationRoleId}', {
        params: { path: { ...one.params.path, organizationRoleId: writer.id } },
      }),
    );
    await ok(204, api.PUT('/api/organizations/{id}/applications', { ...of, body: { applicationIds: [machine.id] } }));
    await ok(204, api.DELETE('/api/organizations/{id}/applications/{applicationId}', one));
    await refused(404, 'entity.not_found', api.DELETE('/api/organizations/{id}/applications/{applicationId}', one));
  });

  test('just-in-time membership: domains, roles; no connectors', async () => {
    const { id } = await organization('Just in time');
    const of = inOrganization(id);
    const newcomer = await role('newcomer');
    const domains = '/api/organizations/{id}/jit/email-domains';
    const bound = await ok(201, api.POST(domains, { ...of, body: { emailDomain: 'jit.example' } }));
    assert.deepEqual(bound, { tenantId: 'default', organizationId: id, emailDomain: 'jit.example' });
    await ok(204, api.PUT(domains, { ...of, body: { emailDomains: ['jit.example', 'other.example'] } }));
    await ok(
      204,
      api.DELETE('/api/organizations/{id}/jit/email-domains/{emailDomain}', {
        params: { path: { id, emailDomain: 'other.example' } },
      }),
    );
    assert.deepEqual(await ok(200, api.GET(domains, of)), [bound]);
    const roles = '/api/organizations/{id}/jit/roles';
    await ok(201, api.POST(roles, { ...of, body: { organizationRoleIds: [newcomer.id] } }));
    await ok(204, api.PUT(roles, { ...of, body: { organizationRoleIds: [newcomer.id] } }));
    assert.deepEqual(
      (await ok(200, api.GET(roles, of))).map(({ name }) => name),
      ['newcomer'],
    );
    const zoe = await ok(200, api.POST('/api/users', { body: { primaryEmail: 'zoe@jit.example' } }));
    const members = await ok(200, api.GET('/api/organizations/{id}/users', of));
    assert.deepEqual(
      members.map((one) => [one.id, one.organizationRoles[0]?.name]),
      [[zoe.id, 'newcomer']],
    );
    await ok(
      204,
      api.DELETE('/api/organizations/{id}/jit/roles/{organizationRoleId}', {
        params: { path: { id, organizationRoleId: newcomer.id } },
      }),
    );
    const connectors = '/api/organizations/{id}/jit/sso-connectors';
    await refused(
      404,
      'entity.not_found',
      api.DELETE('/api/organizations/{id}/jit/sso-connectors/{ssoConnectorId}', {
        params: { path: { id, ssoConnectorId: 'x' } },
      }),
    );
    assert.deepEqual(await ok(200, api.GET(connectors, of)), []);
    await ok(204, api.PUT(connectors, { ...of, body: { ssoConnectorIds: [] } }));
    await refused(
      422,
      'entity.relation_foreign_key_not_found',
      api.POST(connectors, { ...of, body: { ssoConnectorIds: ['x'] } }),
    );
  });

  test('invitations: made, listed, accepted, revoked, deleted', async () => {
    const { id: organizationId } = await organization('Guests');
    const guest = await role('guest');
    const ivy = await user('Ivy');
    const expiresAt = Date.now() + 3_600_000;
    const invite = (invitee: string, more = {}) =>
      api.POST('/api/organization-invitations', {
        body: { invitee, organizationId, expiresAt, organizationRoleIds: [guest.id], messagePayload: false, ...more },
      });
    const made = await ok(201, invite('ivy@example.com'));
    assert.deepEqual([made.status, made.organizationRoles.map(({ name }) => name)], ['Pending', ['guest']]);
    await refused(422, 'entity.unique_integrity_violation', invite('IVY@example.com'));
    await refused(400, 'request.invalid_input', invite('x@example.com', { expiresAt: 1 }));
    await refused(
      422,
      'connector.not_found',
      invite('y@example.com', { messagePayload: { link: 'https://a.example' } }),
    );
    const one = { params: { path: { id: made.id } } };
    assert.equal((await ok(200, api.GET('/api/organization-invitations/{id}', one))).invitee, 'ivy@example.com');
    const query = { organizationId };
    assert.equal((await ok(200, api.GET('/api/organization-invitations', { params: { query } }))).length, 1);
    const path = '/api/organization-invitations/{id}/status';
    const accepted = await ok(200, api.PUT(path, { ...one, body: { status: 'Accepted', acceptedUserId: ivy.id } }));
    assert.deepEqual([accepted.status, accepted.acceptedUserId], ['Accepted', ivy.id]);
    const [member] = await ok(200, api.GET('/api/organizations/{id}/users', inOrganization(organizationId)));
    assert.deepEqual([member?.id, member?.organizationRoles.map(({ name }) => name)], [ivy.id, ['guest']]);
    await refused(422, 'request.invalid_input', invite('ivy@example.com'));
    const other = await ok(201, invite('jo@example.com'));
    const ofOther = { params: { path: { id: other.id } } };
    assert.equal((await ok(200, api.PUT(path, { ...ofOther, body: { status: 'Revoked' } }))).status, 'Revoked');
    await refused(
      422,
      'connector.not_found',
      api.POST('/api/organization-invitations/{id}/message', { ...ofOther, body: {} }),
    );
    await ok(204, api.DELETE('/api/organization-invitations/{id}', ofOther));
    await refused(404, 'entity.not_exists_with_id', api.GET('/api/organization-invitations/{id}', ofOther));
  });

  describe('refusals', () => {
    test('without a right of the native API land in error, never thrown', async () => {
      const unknown = logtoClient(server, { token: 'nonsense' });
      await refused(401, 'auth.unauthorized', unknown.GET('/api/organizations'));
      const reader = logtoClient(server, { token: await server.managementToken() });
      await refused(401, 'auth.unauthorized', reader.GET('/api/organizations'));
    });
  });
});
