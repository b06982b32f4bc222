/** Callers of the whole tenant that hold every scope but one try to give that one away, or to act as who has it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from './support.ts';

/** What the caller does not hold, at either audience. */
const missing = 'read:logs';
type Ids = Record<string, string>;
type Door = readonly [method: string, path: string, json?: unknown];

eachEngine('nobody gives more than they hold, by organizations, roles, members or people', (engine) => {
  let server: TestServer;
  let tokens: { native: string; auth0: string };
  let ids: Ids;

  const admin = async (method: string, path: string, json?: unknown): Promise<Answer['body']> => {
    const token = await server.managementToken(server.nativeAudience);
    const answer = await server.request(method, `/api${path}`, { token, ...(json === undefined ? {} : { json }) });
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  };

  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    const apis = (await server.rows('resource_servers')).filter(({ system_kind }) => system_kind !== null);
    const scopes = await server.rows('scopes');
    const of = (kind: string) => {
      const { id } = apis.find(({ system_kind }) => system_kind === kind);
      return scopes.filter(({ resource_server_id }) => resource_server_id === id);
    };
    const held = (kind: string) =>
      of(kind)
        .map(({ value }) => value as string)
        .filter((value) => !['all', 'manage:tenants', missing].includes(value));
    const scopeId = (kind: string, name: string) => of(kind).find(({ value }) => value === name).id as string;
    tokens = {
      native: (await callerWith(server, held('api'), server.nativeAudience)).token,
      auth0: (await callerWith(server, held('api_v2'))).token,
    };
    const stronger = (type: string) => ({ type, resourceScopeIds: [scopeId('api', missing)] });
    const machineRole = await admin('POST', '/organization-roles', { name: 'sm', ...stronger('MachineToMachine') });
    const userRole = await admin('POST', '/organization-roles', { name: 'su', ...stronger('User') });
    const auth0Scope = { type: 'MachineToMachine', resourceScopeIds: [scopeId('api_v2', missing)] };
    const tenantRole = { name: 'st', description: 'x', type: 'MachineToMachine', scopeIds: [scopeId('api', 'all')] };
    const weak = { name: 'weak', description: 'x', type: 'MachineToMachine', scopeIds: [] };
    const m2m = { type: 'MachineToMachine', description: 'x' };
    const root = (await admin('POST', '/organizations', { name: 'Root' })).id;
    const above = (await admin('POST', '/organizations', { name: 'Above' })).id;
    const puppet = (await admin('POST', '/applications', { name: 'Puppet', ...m2m })).id;
    const strong = (await admin('POST', '/applications', { name: 'Strong', ...m2m })).id;
    const user = (await admin('POST', '/users', { primaryEmail: 'weak@example.com', password: 'Pw-weak-7193-x' })).id;
    const chief = (await admin('POST', '/users', { primaryEmail: 'chief@example.com' })).id;
    ids = {
      ...{ root, above, puppet, strong, user, chief, missing: scopeId('api', missing) },
      machineRole: machineRole.id,
      userRole: userRole.id,
      auth0Role: (await admin('POST', '/organization-roles', { name: 'sa', ...auth0Scope })).id,
      tenantRole: (await admin('POST', '/roles', tenantRole)).id,
      weakRole: (await admin('POST', '/roles', weak)).id,
      weakMachineRole: (await admin('POST', '/organization-roles', { name: 'wm', type: 'MachineToMachine' })).id,
    };
    await admin('POST', `/organizations/${root}/users`, { userIds: [user] });
    await admin('POST', `/organizations/${root}/applications`, { applicationIds: [puppet] });
    const member = (roleIds: string[], more: object) => ({ organizationRoleIds: roleIds, ...more });
    await admin(
      'POST',
      `/organizations/${above}/members`,
      member([ids.machineRole as string], { applicationId: puppet }),
    );
    await admin('POST', `/organizations/${above}/members`, member([ids.userRole as string], { userId: chief }));
    ids.member = (await admin('GET', `/organizations/${root}/members`)).find(
      ({ applicationId }: { applicationId?: string }) => applicationId === puppet,
    ).id;
    const only = { applicationId: strong, thisOrganizationOnly: true };
    ids.only = (await admin('POST', `/organizations/${above}/members`, member([ids.machineRole as string], only))).id;
    await admin('POST', `/organizations/${above}/jit/roles`, { organizationRoleIds: [ids.userRole] });
    await admin('POST', `/organizations/${above}/jit/email-domains`, { emailDomain: 'chiefs.example' });
    const invitation = { organizationId: above, invitee: 'weak@example.com', organizationRoleIds: [ids.userRole] };
    ids.invitation = (
      await admin('POST', '/organization-invitations', { ...invitation, expiresAt: Date.now() + 1e8 })
    ).id;
    const unverified = { primaryEmail: 'mole@chiefs.example', password: 'Pw-mole-7193-x' };
    ids.mole = (
      await server.manage('POST', '/users', {
        connection: 'Username-Password-Authentication',
        email: unverified.primaryEmail,
        password: unverified.password,
        email_verified: false,
      })
    ).user_id;
    const use = { client_id: puppet, audience: server.nativeAudience, scope: [missing], organization_usage: 'allow' };
    ids.grant = (await server.manage('POST', '/client-grants', use)).id;
  });
  after(() => server.close());

  /** The refusal of a door, whichever way it is opened; and nothing changed. */
  async function assertBeyond([method, path, json]: Door): Promise<void> {
    const auth0 = path.startsWith('/v2/');
    const ways: [string, Record<string, string>][] = auth0
      ? [['', {}]]
      : [
          ['', {}],
          ['?dry_run=true', {}],
          ['', { 'idempotency-key': `once ${path}`.replaceAll(' ', '-') }],
          ...(method === 'PATCH' && /^\/(applications|users)\/[^/]+$/.test(path)
            ? [['', { 'if-match': '*' }] as never]
            : []),
        ];
    for (const [query, headers] of ways) {
      const before = await server.stateHash();
      const answer = await server.request(method, `/api${path}${query}`, {
        token: auth0 ? tokens.auth0 : tokens.native,
        headers,
        ...(json === undefined ? {} : { json }),
      });
      const what = `${method} ${path}${query} ${Object.keys(headers)}`;
      assert.equal(answer.status, 403, `${what}: ${answer.status} ${answer.text}`);
      const code = auth0 ? answer.body.errorCode : answer.body.code;
      assert.equal(code, auth0 ? 'operation_not_supported' : 'auth.exceeds_own', `${what}: ${answer.text}`);
      assert.equal(await server.stateHash(), before, `${what} changed something`);
    }
    if (auth0) return;
    assert.deepEqual(await server.rows('idempotency_keys'), [], 'a refusal is remembered');
  }

  const doors: Record<string, (i: Ids) => Door[]> = {
    'roles made of what it lacks': (i) => [
      ['POST', '/roles', { name: 'new', description: 'x', type: 'MachineToMachine', scopeIds: [i.missing] }],
      ['POST', `/roles/${i.weakRole}/scopes`, { scopeIds: [i.missing] }],
      ['POST', `/organization-roles`, { name: 'new', resourceScopeIds: [i.missing] }],
      ['POST', `/organization-roles/${i.weakMachineRole}/resource-scopes`, { scopeIds: [i.missing] }],
      ['PUT', `/organization-roles/${i.weakMachineRole}/resource-scopes`, { scopeIds: [i.missing] }],
    ],
    'tenant-wide roles': (i) => [
      ['POST', `/applications/${i.puppet}/roles`, { roleIds: [i.tenantRole] }],
      ['PUT', `/applications/${i.puppet}/roles`, { roleIds: [i.tenantRole] }],
      ['POST', `/roles/${i.tenantRole}/applications`, { applicationIds: [i.puppet] }],
    ],
    'organization roles of machines': (i) =>
      [i.machineRole, i.auth0Role].flatMap((role): Door[] => {
        const organizationRoleIds = [role];
        const at = `/organizations/${i.root}`;
        const members = [{ applicationId: i.puppet, organizationRoleIds }];
        return [
          ['POST', `${at}/applications/${i.puppet}/roles`, { organizationRoleIds }],
          ['PUT', `${at}/applications/${i.puppet}/roles`, { organizationRoleIds }],
          ['POST', `${at}/applications/roles`, { applicationIds: [i.puppet], organizationRoleIds }],
          ['POST', `${at}/members`, { applicationId: i.strong, organizationRoleIds }],
          ['PATCH', `${at}/members/${i.member}`, { organizationRoleIds }],
          ['POST', '/organizations/batch', { organizations: [{ name: 'New', parentId: i.root, members }] }],
        ];
      }),
    'organization roles of people': (i) => {
      const organizationRoleIds = [i.userRole];
      const at = `/organizations/${i.root}`;
      const later = { invitee: 'mate@example.com', expiresAt: Date.now() + 1e8 };
      return [
        ['POST', `${at}/users/${i.user}/roles`, { organizationRoleIds }],
        ['POST', `${at}/users/${i.user}/roles`, { organizationRoleNames: ['su'] }],
        ['PUT', `${at}/users/${i.user}/roles`, { organizationRoleIds }],
        ['POST', `${at}/users/roles`, { userIds: [i.user], organizationRoleIds }],
        ['POST', `${at}/jit/roles`, { organizationRoleIds }],
        ['PUT', `${at}/jit/roles`, { organizationRoleIds }],
        ['POST', '/organization-invitations', { organizationId: i.root, ...later, organizationRoleIds }],
        ['PUT', `/organization-invitations/${i.invitation}/status`, { status: 'Accepted', acceptedUserId: i.user }],
        ['POST', `/accounts/${i.root}/members`, { user_id: i.chief, role: 'su' }],
        ['POST', `/v2/organizations/${i.root}/members/auth0%7C${i.user}/roles`, { roles: [i.userRole] }],
        [
          'POST',
          `/v2/organizations/${i.root}/invitations`,
          { inviter: { name: 'x' }, invitee: { email: 'mate@example.com' }, client_id: i.puppet, roles: [i.userRole] },
        ],
      ];
    },
    'a place below who has it': (i) => [
      ['POST', `/organizations/${i.root}/move`, { parentId: i.above }],
      ['POST', `/accounts/${i.root}/move`, { parent_id: i.above }],
      ['PATCH', `/organizations/${i.above}/members/${i.only}`, { thisOrganizationOnly: false }],
    ],
    'who has it, taken over': (i) => [
      ['POST', `/applications/${i.strong}/secrets`, { name: 'mine' }],
      ['PATCH', `/applications/${i.strong}/secrets/Default%20secret`, { name: 'mine' }],
      ['DELETE', `/applications/${i.strong}/secrets/Default%20secret`],
      ['PATCH', `/applications/${i.strong}`, { status: 'disabled' }],
      ['PATCH', `/users/${i.chief}/password`, { password: 'Pw-mine-7193-x' }],
      ['PATCH', `/users/${i.chief}`, { primaryEmail: 'mine@example.com' }],
      ['PATCH', `/users/${i.chief}`, { username: 'mine' }],
      ['POST', `/v2/clients/${i.strong}/rotate-secret`],
      ['PATCH', `/v2/clients/${i.strong}`, { token_endpoint_auth_method: 'none' }],
      ['PATCH', `/v2/users/auth0%7C${i.chief}`, { password: 'Pw-mine-7193-x' }],
    ],
    'people of a domain': (i) => [
      ['POST', `/organizations/${i.above}/jit/email-domains`, { emailDomain: 'mine.example' }],
      ['PUT', `/organizations/${i.above}/jit/email-domains`, { emailDomains: ['mine.example'] }],
      ['PATCH', `/v2/users/${encodeURIComponent(i.mole as string)}`, { email_verified: true }],
      [
        'POST',
        '/v2/users',
        {
          connection: 'Username-Password-Authentication',
          email: 'new@chiefs.example',
          password: 'Pw-mine-7193-x',
          email_verified: true,
        },
      ],
    ],
    grants: (i) => [
      ['POST', `/v2/organizations/${i.root}/client-grants`, { grant_id: i.grant }],
      ['PATCH', `/v2/client-grants/${i.grant}`, { allow_any_organization: true }],
      ['PATCH', `/v2/client-grants/${i.grant}`, { organization_usage: 'require' }],
      [
        'POST',
        '/v2/client-grants',
        { client_id: i.strong, audience: server.nativeAudience, scope: ['read:users'], organization_usage: 'allow' },
      ],
    ],
  };
  for (const [what, table] of Object.entries(doors)) {
    test(`${what}: refused by every door, tried, repeated or conditional`, async () => {
      for (const door of table(ids)) await assertBeyond(door);
    });
  }

  test('management scopes are in no tenant-wide role for people, by no door, not even the first client’s', async () => {
    const token = await server.managementToken(server.nativeAudience);
    const role = await admin('POST', '/roles', { name: 'people', description: 'x', scopeIds: [] });
    const auth0Role = await server.manage('POST', '/roles', { name: 'both' });
    const permissions = [{ resource_server_identifier: server.nativeAudience, permission_name: 'read:users' }];
    for (const [path, json, as] of [
      ['/api/roles', { name: 'n', description: 'x', scopeIds: [ids.missing] }, token],
      [`/api/roles/${role.id}/scopes`, { scopeIds: [ids.missing] }, token],
      [`/api/roles/${auth0Role.id}/scopes`, { scopeIds: [ids.missing] }, token],
      [`/api/organization-roles/${auth0Role.id}/resource-scopes`, { scopeIds: [ids.missing] }, token],
      [`/api/v2/roles/${auth0Role.id}/permissions`, { permissions }, await server.managementToken()],
    ] as const) {
      const before = await server.stateHash();
      const answer = await server.request('POST', path, { token: as, json });
      assert.ok([400, 403, 422].includes(answer.status), `${path}: ${answer.status} ${answer.text}`);
      assert.equal(await server.stateHash(), before);
    }
  });

  test('a public client gets no management scopes by any door, and none it had works', async () => {
    const m2m = { name: 'Turned', type: 'MachineToMachine', description: 'x' };
    const spa = await admin('POST', '/applications', {
      ...m2m,
      type: 'SPA',
      oidcClientMetadata: { redirectUris: [], postLogoutRedirectUris: [] },
    });
    const token = await server.managementToken(server.nativeAudience);
    const roles = { organizationRoleIds: [ids.weakMachineRole] };
    for (const [path, json] of [
      [`/applications/${spa.id}/roles`, { roleIds: [ids.weakRole] }],
      [`/roles/${ids.weakRole}/applications`, { applicationIds: [spa.id] }],
      [`/organizations/${ids.root}/applications`, { applicationIds: [spa.id] }],
      [`/organizations/${ids.root}/members`, { applicationId: spa.id, ...roles }],
      ['/organizations/batch', { organizations: [{ name: 'New', members: [{ applicationId: spa.id }] }] }],
      [`/accounts/${ids.root}/members`, { client_id: spa.id, role: 'wm' }],
      [`/applications/${spa.id}/secrets`, { name: 'x' }],
    ] as const) {
      const before = await server.stateHash();
      const answer = await server.request('POST', `/api${path}`, { token, json });
      assert.ok([400, 409, 422].includes(answer.status), `${path}: ${answer.status} ${answer.text}`);
      assert.equal(await server.stateHash(), before);
    }
    const turned = await admin('POST', '/applications', m2m);
    const member = { applicationId: turned.id, organizationRoleIds: [ids.machineRole] };
    await admin('POST', `/organizations/${ids.root}/members`, member);
    await admin('POST', `/applications/${turned.id}/roles`, { roleIds: [ids.tenantRole] });
    const ask = { client_id: turned.id, client_secret: turned.secret, audience: server.nativeAudience };
    const asks = [ask, { ...ask, organization: ids.root as string }];
    const before = [];
    for (const each of asks) before.push((await server.token(each)).body.access_token);
    await server.manage('PATCH', `/clients/${turned.id}`, { token_endpoint_auth_method: 'none' });
    for (const token of before) {
      assert.equal((await server.request('GET', '/api/organizations', { token })).status, 401);
    }
    for (const each of asks) {
      const { client_secret: _, ...without } = each;
      for (const one of [each, without]) assert.ok((await server.token(one)).status >= 400);
    }
  });

  test('a replay belongs to who made the call, and gives nothing that was lost meanwhile', async () => {
    const json = { name: 'Once', type: 'MachineToMachine', description: 'x' };
    const one = await callerWith(server, ['create:applications'], server.nativeAudience);
    const other = await callerWith(server, ['create:applications'], server.nativeAudience);
    const post = (token: string) =>
      server.request('POST', '/api/applications', { token, json, headers: { 'idempotency-key': 'shared' } });
    const first = await post(one.token);
    const foreign = await post(other.token);
    assert.deepEqual([first.status, foreign.status], [200, 200]);
    assert.notEqual(first.body.id, foreign.body.id, 'a key of another client is another key');
    const again = await post(one.token);
    assert.deepEqual([again.body.id, again.body.secret], [first.body.id, null]);
    assert.ok(!JSON.stringify(await server.rows('idempotency_keys')).includes(first.body.secret));
    await server.manage('PATCH', `/client-grants/${one.grantId}`, { scope: [] });
    assert.equal((await post(one.token)).status, 403, 'without the scope nothing is answered again');
    await server.manage('DELETE', `/clients/${one.clientId}`);
    const kept = await server.rows('idempotency_keys');
    assert.deepEqual(new Set(kept.map(({ client_id }) => client_id)), new Set([other.clientId]));
  });
});
