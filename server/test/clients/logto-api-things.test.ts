/** Users, applications with secrets, roles, API resources by `@logto/api`, unmodified; and which of its calls are here. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { type LogtoClient, logtoClient, ok, refused } from './logto-support.ts';

eachEngine('@logto/api: users, applications, roles, resources', (engine) => {
  let server: TestServer;
  let api: LogtoClient;
  before(async () => {
    server = await startServer({ engine });
    api = logtoClient(server);
  });
  after(() => server.close());

  const role = (name: string, type: 'User' | 'MachineToMachine', scopeIds: string[] = []) =>
    ok(200, api.POST('/api/roles', { body: { name, description: 'A role.', type, scopeIds } }));
  const machine = (name: string) =>
    ok(200, api.POST('/api/applications', { body: { name, type: 'MachineToMachine' } }));

  test('users: made, found, changed, suspended, deleted', async () => {
    const made = await ok(
      200,
      api.POST('/api/users', {
        body: {
          username: 'ada',
          primaryEmail: 'ada@example.com',
          primaryPhone: '12025550123',
          name: 'Ada Lovelace',
          password: 'Analytical-Engine-1843',
          customData: { seat: 1, keep: true },
          profile: { givenName: 'Ada', locale: 'en' },
        },
      }),
    );
    assert.deepEqual([made.hasPassword, made.isSuspended, made.primaryPhone], [true, false, '12025550123']);
    const params = { path: { userId: made.id } };
    assert.deepEqual(await ok(200, api.GET('/api/users/{userId}', { params })), made);
    const changed = await ok(200, api.PATCH('/api/users/{userId}', { params, body: { customData: { seat: 2 } } }));
    assert.deepEqual(changed.customData, { seat: 2 });
    const custom = '/api/users/{userId}/custom-data';
    assert.deepEqual(await ok(200, api.PATCH(custom, { params, body: { customData: { plan: 'x' } } })), {
      seat: 2,
      plan: 'x',
    });
    assert.deepEqual(await ok(200, api.GET(custom, { params })), { seat: 2, plan: 'x' });
    const profile = await ok(
      200,
      api.PATCH('/api/users/{userId}/profile', { params, body: { profile: { familyName: 'Lovelace' } } }),
    );
    assert.deepEqual(profile, { givenName: 'Ada', familyName: 'Lovelace', locale: 'en' });
    const suspended = await ok(
      200,
      api.PATCH('/api/users/{userId}/is-suspended', { params, body: { isSuspended: true } }),
    );
    assert.equal(suspended.isSuspended, true);
    await ok(
      204,
      api.POST('/api/users/{userId}/password/verify', { params, body: { password: 'Analytical-Engine-1843' } }),
    );
    await refused(
      422,
      'session.invalid_credentials',
      api.POST('/api/users/{userId}/password/verify', { params, body: { password: 'Another-Engine-1843' } }),
    );
    await ok(200, api.PATCH('/api/users/{userId}/password', { params, body: { password: 'Difference-Engine-1822' } }));
    assert.equal((await ok(200, api.GET('/api/users/{userId}/has-password', { params }))).hasPassword, true);
    await refused(
      422,
      'user.email_already_in_use',
      api.POST('/api/users', { body: { primaryEmail: 'ADA@example.com' } }),
    );
    await refused(422, 'user.username_already_in_use', api.POST('/api/users', { body: { username: 'Ada' } }));
    await refused(422, 'user.phone_already_in_use', api.POST('/api/users', { body: { primaryPhone: '12025550123' } }));
    await ok(204, api.DELETE('/api/users/{userId}', { params }));
    await refused(404, 'entity.not_exists_with_id', api.GET('/api/users/{userId}', { params }));
  });

  test('search: as the client writes it, and what is not possible', async () => {
    for (const [username, name] of [
      ['sam', 'Sam One'],
      ['sue', 'Sue Two'],
      ['tim', 'Tim One'],
    ] as const) {
      await ok(200, api.POST('/api/users', { body: { username, name } }));
    }
    const found = async (search_params: Record<string, string>) => {
      const { data, error, response } = await api.GET('/api/users', { params: { query: { search_params } } });
      assert.equal(response.status, 200, JSON.stringify(error));
      assert.equal(response.headers.get('total-number'), String(data?.length));
      return data?.map(({ username }) => username).sort();
    };
    assert.deepEqual(await found({ search: '%one%' }), ['sam', 'tim']);
    assert.deepEqual(await found({ 'search.username': 's%' }), ['sam', 'sue']);
    assert.deepEqual(await found({ 'search.name': 'Sue Two', 'mode.name': 'exact' }), ['sue']);
    assert.deepEqual(await found({ 'search.username': 's%', 'search.name': '%one', joint: 'and' }), ['sam']);
    for (const wrong of [{ search: '^s', mode: 'posix' }, { 'search.password': 'x' }, { search: 'x', joint: 'nor' }]) {
      const query = { search_params: wrong as Record<string, string> };
      await refused(400, 'request.invalid_input', api.GET('/api/users', { params: { query } }));
    }
  });

  test('machine applications: found by type, with secrets that are shown once', async () => {
    const made = await machine('Backend');
    const site = await ok(200, api.POST('/api/applications', { body: { name: 'Site', type: 'Traditional' } }));
    const spa = await ok(200, api.POST('/api/applications', { body: { name: 'Front', type: 'SPA' } }));
    const query = { types: ['Traditional', 'SPA'] as ('Traditional' | 'SPA')[] };
    const { data, response } = await api.GET('/api/applications', { params: { query } });
    assert.deepEqual(data?.map(({ id }) => id).sort(), [site.id, spa.id].sort());
    assert.match(response.url, /types=Traditional&types=SPA/);
    assert.equal(response.headers.get('total-number'), null, 'paged only when asked');
    const named = await ok(
      200,
      api.GET('/api/applications', { params: { query: { search_params: { search: 'back%' } } } }),
    );
    assert.deepEqual(
      named.map(({ id }) => id),
      [made.id],
    );
    const params = { path: { id: made.id } };
    assert.equal((await ok(200, api.GET('/api/applications/{id}', { params }))).isAdmin, false);
    const changed = await ok(200, api.PATCH('/api/applications/{id}', { params, body: { description: 'Syncs.' } }));
    assert.equal(changed.description, 'Syncs.');
    const data2 = {
      params: { path: { applicationId: made.id } },
      body: { team: 'blue' } as unknown as Record<string, never>,
    };
    assert.deepEqual(await ok(200, api.PATCH('/api/applications/{applicationId}/custom-data', data2)), {
      team: 'blue',
    });

    const secrets = '/api/applications/{id}/secrets';
    const expiresAt = Date.now() + 3_600_000;
    const secret = await ok(201, api.POST(secrets, { params, body: { name: 'spring', expiresAt } }));
    const token = await server.request('POST', '/oidc/token', {
      form: { grant_type: 'client_credentials', client_id: made.id, client_secret: secret.value },
    });
    assert.equal(token.body.error, 'invalid_target', 'the secret is right, an API is not named');
    const listed = await ok(200, api.GET(secrets, { params }));
    assert.deepEqual(
      listed.map(({ name, value }) => [name, value]),
      [
        ['Default secret', null],
        ['spring', null],
      ],
    );
    await refused(422, 'application.secret_name_exists', api.POST(secrets, { params, body: { name: 'spring' } }));
    const one = { path: { id: made.id, name: 'spring' } };
    const path = '/api/applications/{id}/secrets/{name}';
    assert.equal((await ok(200, api.PATCH(path, { params: one, body: { name: 'autumn' } }))).name, 'autumn');
    await refused(404, 'entity.not_found', api.DELETE(path, { params: one }));
    await ok(204, api.DELETE(path, { params: { path: { id: made.id, name: 'autumn' } } }));
    await refused(
      400,
      'application.no_legacy_secret_found',
      api.DELETE('/api/applications/{id}/legacy-secret', { params }),
    );
    await ok(204, api.DELETE('/api/applications/{id}', { params }));
    await refused(404, 'entity.not_exists_with_id', api.GET('/api/applications/{id}', { params }));
  });

  test('API resources and their scopes', async () => {
    const made = await ok(
      201,
      api.POST('/api/resources', { body: { name: 'Stock', indicator: 'https://stock.example' } }),
    );
    assert.deepEqual([made.accessTokenTtl, made.isDefault, made.scopes], [3600, false, []]);
    const params = { path: { id: made.id } };
    const body = { name: 'Stock 2', accessTokenTtl: 600 };
    const changed = await ok(200, api.PATCH('/api/resources/{id}', { params, body }));
    assert.deepEqual([changed.name, changed.accessTokenTtl, changed.indicator], ['Stock 2', 600, made.indicator]);
    const isDefault = '/api/resources/{id}/is-default';
    assert.equal((await ok(200, api.PATCH(isDefault, { params, body: { isDefault: true } }))).isDefault, true);
    const scopes = '/api/resources/{resourceId}/scopes';
    const of = { path: { resourceId: made.id } };
    const scope = await ok(201, api.POST(scopes, { params: of, body: { name: 'read:stock' } }));
    await refused(422, 'scope.name_exists', api.POST(scopes, { params: of, body: { name: 'read:stock' } }));
    await refused(400, 'scope.name_with_space', api.POST(scopes, { params: of, body: { name: 'read stock' } }));
    const one = { params: { path: { resourceId: made.id, scopeId: scope.id } } };
    const path = '/api/resources/{resourceId}/scopes/{scopeId}';
    assert.equal((await ok(200, api.PATCH(path, { ...one, body: { description: 'Reads.' } }))).description, 'Reads.');
    const listed = await ok(200, api.GET(scopes, { params: of }));
    assert.deepEqual(
      listed.map(({ name }) => name),
      ['read:stock'],
    );
    const query = { includeScopes: 'true' };
    const all = await ok(200, api.GET('/api/resources', { params: { query } }));
    assert.deepEqual(
      all.find(({ id }) => id === made.id)?.scopes?.map(({ name }) => name),
      ['read:stock'],
    );
    await ok(204, api.DELETE(path, one));
    await refused(
      422,
      'resource.resource_identifier_in_use',
      api.POST('/api/resources', { body: { name: 'Twin', indicator: 'https://stock.example' } }),
    );
    await ok(204, api.DELETE('/api/resources/{id}', { params }));
    const management = { path: { id: 'management-api' } };
    assert.equal(
      (await ok(200, api.GET('/api/resources/{id}', { params: management }))).indicator,
      server.nativeAudience,
    );
    await refused(
      400,
      'resource.cannot_delete_management_api',
      api.DELETE('/api/resources/{id}', { params: management }),
    );
    await refused(
      400,
      'resource.cannot_modify_management_api',
      api.PATCH('/api/resources/{id}', { params: management, body: { name: 'Mine' } }),
    );
  });

  test('roles: made of scopes, given to users and to machines', async () => {
    const resource = await ok(
      201,
      api.POST('/api/resources', { body: { name: 'Bills', indicator: 'https://bills.example' } }),
    );
    const scopeOf = (name: string) =>
      ok(
        201,
        api.POST('/api/resources/{resourceId}/scopes', {
          params: { path: { resourceId: resource.id } },
          body: { name },
        }),
      );
    const [read, pay] = [await scopeOf('read:bills'), await scopeOf('pay:bills')];
    const clerk = await role('clerk', 'User', [read.id]);
    const robot = await role('robot', 'MachineToMachine', [pay.id]);
    const params = { path: { id: clerk.id } };
    await ok(201, api.POST('/api/roles/{id}/scopes', { params, body: { scopeIds: [pay.id] } }));
    await refused(
      422,
      'role.scope_exists',
      api.POST('/api/roles/{id}/scopes', { params, body: { scopeIds: [pay.id] } }),
    );
    const rows = await ok(200, api.GET('/api/roles/{id}/scopes', { params }));
    assert.deepEqual(rows.map((row) => [row.name, row.resource.indicator]).sort(), [
      ['pay:bills', 'https://bills.example'],
      ['read:bills', 'https://bills.example'],
    ]);
    await ok(
      204,
      api.DELETE('/api/roles/{id}/scopes/{scopeId}', { params: { path: { id: clerk.id, scopeId: pay.id } } }),
    );
    const una = await ok(200, api.POST('/api/users', { body: { username: 'una' } }));
    const bot = await machine('Bot');
    await ok(201, api.POST('/api/roles/{id}/users', { params, body: { userIds: [una.id] } }));
    await refused(422, 'role.user_exists', api.POST('/api/roles/{id}/users', { params, body: { userIds: [una.id] } }));
    const withRole = await ok(200, api.GET('/api/roles/{id}/users', { params }));
    assert.deepEqual(
      withRole.map(({ id }) => id),
      [una.id],
    );
    const ofUser = { path: { userId: una.id } };
    assert.deepEqual(
      (await ok(200, api.GET('/api/users/{userId}/roles', { params: ofUser }))).map(({ name }) => name),
      ['clerk'],
    );
    await ok(200, api.PUT('/api/users/{userId}/roles', { params: ofUser, body: { roleIds: [] } }));
    const added = await ok(
      201,
      api.POST('/api/users/{userId}/roles', { params: ofUser, body: { roleIds: [clerk.id] } }),
    );
    assert.deepEqual(added, { roleIds: [clerk.id], addedRoleIds: [clerk.id] });
    await refused(
      422,
      'user.invalid_role_type',
      api.POST('/api/users/{userId}/roles', { params: ofUser, body: { roleIds: [robot.id] } }),
    );

    const oneOfUser = { path: { userId: una.id, roleId: clerk.id } };
    await ok(204, api.DELETE('/api/users/{userId}/roles/{roleId}', { params: oneOfUser }));
    await ok(201, api.POST('/api/users/{userId}/roles', { params: ofUser, body: { roleIds: [clerk.id] } }));

    const ofBot = { path: { applicationId: bot.id } };
    await ok(
      201,
      api.POST('/api/applications/{applicationId}/roles', { params: ofBot, body: { roleIds: [robot.id] } }),
    );
    await ok(200, api.PUT('/api/applications/{applicationId}/roles', { params: ofBot, body: { roleIds: [robot.id] } }));
    const itsRoles = await ok(200, api.GET('/api/applications/{applicationId}/roles', { params: ofBot }));
    assert.deepEqual(
      itsRoles.map(({ name }) => name),
      ['robot'],
    );
    const oneRole = { path: { applicationId: bot.id, roleId: robot.id } };
    await ok(204, api.DELETE('/api/applications/{applicationId}/roles/{roleId}', { params: oneRole }));
    await ok(
      201,
      api.POST('/api/applications/{applicationId}/roles', { params: ofBot, body: { roleIds: [robot.id] } }),
    );
    await refused(
      422,
      'application.invalid_role_type',
      api.POST('/api/applications/{applicationId}/roles', { params: ofBot, body: { roleIds: [clerk.id] } }),
    );
    const front = await ok(200, api.POST('/api/applications', { body: { name: 'Front', type: 'SPA' } }));
    await refused(
      422,
      'application.invalid_type',
      api.POST('/api/applications/{applicationId}/roles', {
        params: { path: { applicationId: front.id } },
        body: { roleIds: [robot.id] },
      }),
    );
    const ofRobot = { path: { id: robot.id } };
    assert.deepEqual(
      (await ok(200, api.GET('/api/roles/{id}/applications', { params: ofRobot }))).map(({ id }) => id),
      [bot.id],
    );
    const query = { type: 'MachineToMachine' as const, search_params: { search: 'robot' } };
    const [listed] = await ok(200, api.GET('/api/roles', { params: { query } }));
    assert.deepEqual(
      [listed?.id, listed?.applicationsCount, listed?.featuredApplications[0]?.id],
      [robot.id, 1, bot.id],
    );

    const { body } = await server.request('POST', '/oidc/token', {
      form: {
        grant_type: 'client_credentials',
        client_id: bot.id,
        client_secret: (bot.secret as unknown as string) ?? '',
        resource: 'https://bills.example',
        scope: 'read:bills pay:bills',
      },
    });
    assert.equal(body.scope, 'pay:bills', 'what the role gives, and no more');

    await ok(
      204,
      api.DELETE('/api/roles/{id}/applications/{applicationId}', {
        params: { path: { id: robot.id, applicationId: bot.id } },
      }),
    );
    await ok(204, api.DELETE('/api/roles/{id}/users/{userId}', { params: { path: { id: clerk.id, userId: una.id } } }));
    await ok(200, api.PATCH('/api/roles/{id}', { params, body: { description: 'Counts.' } }));
    await refused(
      422,
      'role.name_in_use',
      api.POST('/api/roles', { body: { name: 'Clerk', description: '', scopeIds: [] } }),
    );
    await ok(204, api.DELETE('/api/roles/{id}', { params }));
    await refused(404, 'entity.not_exists_with_id', api.GET('/api/roles/{id}', { params }));
    const management = await ok(
      200,
      api.GET('/api/resources/{resourceId}/scopes', {
        params: { path: { resourceId: 'management-api' }, query: { page_size: 100 } },
      }),
    );
    const scopeIds = management.filter(({ name }) => name === 'all').map(({ id }) => id);
    await refused(
      422,
      'role.management_api_scopes_not_assignable_to_user_role',
      api.POST('/api/roles', { body: { name: 'Too much', description: '', type: 'User', scopeIds } }),
    );
  });

  test('every call it has for these things is here, but for what is listed', async () => {
    const document = (await server.request('GET', '/api/openapi.json')).body as { paths: Record<string, object> };
    const nameless = (path: string) => path.replaceAll(/\{[^}]*\}/g, '{}');
    const here = new Set(
      Object.entries(document.paths).flatMap(([path, item]) =>
        Object.keys(item).map((method) => `${method} ${nameless(path.replace(/^(?!\/api)/, '/api'))}`),
      ),
    );
    const missing = callsOfClient()
      .filter(([, path]) => /^\/api\/(organization|users|applications|roles|resources)/.test(path))
      .filter(([method, path]) => !here.has(`${method} ${nameless(path)}`))
      .map(([, path]) => path.replace(/^\/api\/(\w+)\/\{\w+\}\/([^{]+?)(\/\{.*)?$/, '$1 $2'));
    assert.deepEqual([...new Set(missing)].sort(), notHere);
  });
});

/** Method and path of everything that the client's types know. */
function callsOfClient(): [method: string, path: string][] {
  const types = new URL('./generated-types/management.d.ts', import.meta.resolve('@logto/api/management'));
  const paths = readFileSync(types, 'utf8').split('\n};')[0] as string;
  return [...paths.matchAll(/^ {4}"(\/api\/[^"]+)": \{$(.*?)^ {4}\};$/gms)].flatMap(([, path, item]) =>
    [...(item as string).matchAll(/^ {8}(get|post|put|patch|delete): operations/gm)].map(
      ([, method]): [string, string] => [method as string, path as string],
    ),
  );
}

/** What belongs to ways of signing in that are not here yet, and to kinds of applications that are not possible. */
const notHere = [
  'applications access-control',
  'applications protected-app-metadata/custom-domains',
  'applications sign-in-experience',
  'applications user-consent-scopes',
  'applications users',
  'users all-identities',
  'users identities',
  'users logto-configs',
  'users mfa-verifications',
  'users password/expiration',
  'users personal-access-tokens',
  'users personal-access-tokens/delete',
  'users sessions',
  'users sso-identities',
];
