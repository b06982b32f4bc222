/** What docs/compatibility.md says of Logto's clients, where no test of a single thing holds it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createApiClient } from '@logto/api/management';
import { admin, eachEngine, startServer, type TestServer } from '../harness.ts';
import { Members } from '../native/members-support.ts';
import { type LogtoClient, logtoClient, ok, refused } from './logto-support.ts';

eachEngine('@logto/api: differences', (engine) => {
  let server: TestServer;
  let api: LogtoClient;
  let native: Members;
  before(async () => {
    server = await startServer({ engine });
    api = logtoClient(server);
    native = await Members.of(server);
  });
  after(() => server.close());

  const machine = async (name: string) => {
    const made = await ok(200, api.POST('/api/applications', { body: { name, type: 'MachineToMachine' } }));
    return { id: made.id, secret: made.secret as unknown as string };
  };
  const token = async ({ id, secret }: { id: string; secret: string }, more: Record<string, string>) =>
    server.request('POST', '/oidc/token', {
      form: { grant_type: 'client_credentials', client_id: id, client_secret: secret, ...more },
    });

  test('an API without access, an unknown one, one with access: three answers', async () => {
    const resource = await ok(201, api.POST('/api/resources', { body: { name: 'X', indicator: 'https://x.example' } }));
    const params = { path: { resourceId: resource.id } };
    const scope = await ok(201, api.POST('/api/resources/{resourceId}/scopes', { params, body: { name: 'read:x' } }));
    const client = await machine('Nobody yet');
    const none = await token(client, { resource: 'https://x.example', scope: 'read:x' });
    assert.deepEqual([none.status, none.body.error], [400, 'access_denied']);
    assert.match(none.body.error_description, /a role with permissions of this API.*a client grant/);
    const unknown = await token(client, { resource: 'https://y.example', scope: 'read:x' });
    assert.deepEqual([unknown.status, unknown.body.error], [400, 'invalid_target']);
    const body = { name: 'x', description: '', type: 'MachineToMachine' as const, scopeIds: [scope.id] };
    const role = await ok(200, api.POST('/api/roles', { body }));
    await ok(
      201,
      api.POST('/api/roles/{id}/applications', {
        params: { path: { id: role.id } },
        body: { applicationIds: [client.id] },
      }),
    );
    const some = await token(client, { resource: 'https://x.example', scope: 'read:x write:x' });
    assert.deepEqual([some.status, some.body.scope, some.body.expires_in], [200, 'read:x', 3600]);
    const absent = await token(client, { resource: 'https://x.example', organization_id: 'org_nothing' });
    assert.deepEqual([absent.status, absent.body.error], [403, 'access_denied']);
    // Both look at and end tokens of either issuer.
    const form = { client_id: client.id, client_secret: client.secret, token: some.body.access_token };
    assert.equal((await server.request('POST', '/oidc/token/introspection', { form })).body.active, true);
    assert.equal((await server.request('POST', '/oidc/token/revocation', { form })).status, 200);
    assert.equal((await server.request('POST', '/oidc/token/introspection', { form })).body.active, false);
  });

  test('a token for another audience is told which one is expected', async () => {
    const wrong = createApiClient({ baseUrl: server.origin, getToken: () => server.managementToken() });
    const { error, response } = await wrong.GET('/api/organizations');
    assert.equal(response.status, 401);
    const { code, message } = error as unknown as { code: string; message: string };
    assert.deepEqual([code, message.includes(server.nativeAudience)], ['auth.unauthorized', true]);
  });

  test('what is Logto’s alone is ignored, refused by name, or not there', async () => {
    const client = await machine('Plain');
    const params = { path: { id: client.id } };
    await ok(200, api.PATCH('/api/applications/{id}', { params, body: { isAdmin: true } }));
    assert.equal((await ok(200, api.GET('/api/applications/{id}', { params }))).isAdmin, false);
    for (const type of ['Protected', 'SAML'] as const) {
      await refused(422, 'application.invalid_type', api.POST('/api/applications', { body: { name: 'P', type } }));
    }
    const oidcClientMetadata = { redirectUris: ['https://*.example.com/cb'], postLogoutRedirectUris: [] };
    const body = { name: 'W', type: 'SPA', oidcClientMetadata } as never;
    await refused(400, 'guard.invalid_input', api.POST('/api/applications', { body }));
    const user = await ok(
      200,
      api.POST('/api/users', { body: { username: 'ida', password: 'Analytical-Engine-1843' } }),
    );
    const { text } = await native.call('GET', `/users/${user.id}?includePasswordHash=true`);
    assert.doesNotMatch(text, /passwordDigest|argon/i);
    const digest = {
      username: 'joe',
      passwordDigest: '5f4dcc3b5aa765d61d8327deb882cf99',
      passwordAlgorithm: 'MD5' as const,
    };
    await refused(422, 'user.password_digest_not_supported', api.POST('/api/users', { body: digest }));
    const ofUser = { params: { path: { userId: user.id } } };
    assert.deepEqual(await ok(200, api.GET('/api/users/{userId}/personal-access-tokens', ofUser)), []);
    await refused(
      404,
      'entity.not_found',
      api.POST('/api/users/{userId}/personal-access-tokens', { ...ofUser, body: { name: 'x' } }),
    );
    assert.deepEqual(await ok(200, api.GET('/api/hooks')), []);
    assert.deepEqual(await ok(200, api.GET('/api/connectors')), []);
  });

  test('of the sign-in experience there is what our pages show; other fields are dropped', async () => {
    const color = { primaryColor: '#0069a8', isDarkModeEnabled: true, darkPrimaryColor: '#3fa9f5' };
    const body = { color, signInMode: 'SignInAndRegister', supportWebsiteUrl: '', customCss: 'body{}' } as const;
    const changed = await ok(200, api.PATCH('/api/sign-in-exp', { body }));
    assert.deepEqual(
      [changed.color, changed.signInMode, changed.supportWebsiteUrl],
      [color, 'SignInAndRegister', null],
    );
    assert.deepEqual(await ok(200, api.GET('/api/sign-in-exp')), changed);
    assert.ok(!('customCss' in changed));
    await refused(400, 'guard.invalid_input', api.PATCH('/api/sign-in-exp', { body: { signInMode: 'Register' } }));
  });

  test('rules that Logto does not have are 409, with their code', async () => {
    const parent = await ok(201, api.POST('/api/organizations', { body: { name: 'Parent' } }));
    const child = await native.expect(201, 'POST', '/organizations', { name: 'Child', parentId: parent.id });
    const params = { path: { id: parent.id } };
    await refused(409, 'organization.has_children', api.DELETE('/api/organizations/{id}', { params }));
    await native.refuse([409, 'organization.cycle'], 'POST', `/organizations/${parent.id}/move`, {
      parentId: child.id,
    });
    const owner = await native.expect(201, 'POST', '/organization-roles', { name: 'chief', isOwner: true });
    const user = await ok(200, api.POST('/api/users', { body: { username: 'chief' } }));
    const of = { path: { id: parent.id, userId: user.id } };
    await ok(201, api.POST('/api/organizations/{id}/users', { params, body: { userIds: [user.id] } }));
    await ok(
      201,
      api.POST('/api/organizations/{id}/users/{userId}/roles', {
        params: of,
        body: { organizationRoleIds: [owner.id] },
      }),
    );
    await refused(
      409,
      'organization.last_owner',
      api.DELETE('/api/users/{userId}', { params: { path: { userId: user.id } } }),
    );
    const below = { path: { id: child.id, userId: user.id } };
    await refused(
      409,
      'organization.member_inherited',
      api.DELETE('/api/organizations/{id}/users/{userId}', { params: below }),
    );
    // A member here too is listed once for each membership.
    await ok(
      201,
      api.POST('/api/organizations/{id}/users', { params: { path: { id: child.id } }, body: { userIds: [user.id] } }),
    );
    const both = await native.expect(200, 'GET', `/organizations/${child.id}/users?inherited=true`);
    assert.deepEqual(
      both.map((one: { id: string; inheritedFrom: string | null }) => [one.id, one.inheritedFrom]),
      [
        [user.id, null],
        [user.id, parent.id],
      ],
    );
    assert.equal(
      (await ok(200, api.GET('/api/organizations/{id}/users', { params: { path: { id: child.id } } }))).length,
      1,
    );
  });

  test('a token for an organization sees its subtree by the same client', async () => {
    const [mine, other] = [
      await ok(201, api.POST('/api/organizations', { body: { name: 'Mine' } })),
      await ok(201, api.POST('/api/organizations', { body: { name: 'Other' } })),
    ];
    const child = await native.expect(201, 'POST', '/organizations', { name: 'Mine too', parentId: mine.id });
    const management = await ok(
      200,
      api.GET('/api/resources/{resourceId}/scopes', {
        params: { path: { resourceId: 'management-api' }, query: { page_size: 100 } },
      }),
    );
    const all = management.find(({ name }) => name === 'all')?.id as string;
    const role = await ok(
      201,
      api.POST('/api/organization-roles', {
        body: { name: 'backend', type: 'MachineToMachine', organizationScopeIds: [], resourceScopeIds: [all] },
      }),
    );
    const client = await machine('Backend of mine');
    const params = { path: { id: mine.id } };
    await ok(201, api.POST('/api/organizations/{id}/applications', { params, body: { applicationIds: [client.id] } }));
    await ok(
      201,
      api.POST('/api/organizations/{id}/applications/roles', {
        params,
        body: { applicationIds: [client.id], organizationRoleIds: [role.id] },
      }),
    );
    const resource = 'https://default.logto.app/api';
    const answer = await token(client, { resource, organization_id: mine.id, scope: 'all' });
    assert.equal(answer.body.scope, 'all', answer.text);
    const delegated = logtoClient(server, { token: answer.body.access_token });
    const seen = await ok(200, delegated.GET('/api/organizations'));
    assert.deepEqual(seen.map(({ id }) => id).sort(), [mine.id, child.id].sort());
    const outside = { params: { path: { id: other.id } } };
    await refused(404, 'entity.not_exists_with_id', delegated.GET('/api/organizations/{id}', outside));
    await refused(404, 'entity.not_found', delegated.DELETE('/api/organizations/{id}', outside));
    const made = await ok(201, delegated.POST('/api/organizations', { body: { name: 'Below' } }));
    assert.equal((await native.expect(200, 'GET', `/organizations/${made.id}`)).parentId, mine.id);
    await ok(200, delegated.GET('/api/organizations/{id}/jit/roles', { params }));
    const { response } = await delegated.POST('/api/organizations/{id}/jit/email-domains', {
      params,
      body: { emailDomain: 'x.example' },
    });
    assert.equal(response.status, 403);
    assert.equal(
      (await delegated.POST('/api/roles', { body: { name: 'r', description: '', scopeIds: [] } })).response.status,
      403,
    );
  });

  test('the first client may be given by another address of the same API', async () => {
    const secret = admin.clientSecret;
    const alias = 'https://api.company.example';
    await native.expect(200, 'PATCH', '/resources/management-api', { aliases: [alias] });
    const answer = await token({ id: admin.clientId, secret }, { resource: alias, scope: 'all' });
    assert.equal(answer.body.scope, 'all', answer.text);
    await ok(200, logtoClient(server, { token: answer.body.access_token }).GET('/api/organizations'));
  });
});
