import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from '../management/support.ts';
import {
  type Call,
  callsWith,
  delegatedCaller,
  makeOrganization,
  makeOrganizationRole,
  makeUser,
  nativeToken,
} from './delegated.ts';

eachEngine('just-in-time membership', (engine) => {
  let server: TestServer;
  let call: Call;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    call = callsWith(server, await nativeToken(server));
  });
  after(() => server.close());

  async function refused(asked: () => Promise<Answer>, status: number, code: string, path?: string): Promise<Answer> {
    const state = await server.stateHash();
    const answer = await asked();
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.body.code, code);
    if (path !== undefined) assert.equal(answer.body.data?.path, path);
    assert.equal(await server.stateHash(), state);
    return answer;
  }
  const domainsOf = async (id: string, query = '') =>
    (await call('GET', `/organizations/${id}/jit/email-domains${query}`)).body.map(
      ({ emailDomain }: { emailDomain: string }) => emailDomain,
    );
  const organizationsOf = async (userId: string): Promise<string[]> =>
    (await server.rows('memberships'))
      .filter(({ subject_id }) => subject_id === userId)
      .map(({ organization_id }) => organization_id)
      .sort();
  /** A user by the front door of the Auth0 dialect. */
  const signUp = async (email: string, email_verified = true): Promise<string> => {
    const user = await server.manage('POST', '/users', {
      connection: 'Username-Password-Authentication',
      email,
      email_verified,
      password: 'Correct-Horse-9-Battery',
    });
    return user.user_id.replace(/^auth0\|/, '');
  };

  test('domains are bound in their canonical form, listed, replaced and freed', async () => {
    const id = await makeOrganization(server, 'Domains');
    const path = `/organizations/${id}/jit/email-domains`;
    const bound = await call('POST', path, { emailDomain: 'ACME.example' });
    assert.equal(bound.status, 201);
    assert.deepEqual(bound.body, { tenantId: 'default', organizationId: id, emailDomain: 'acme.example' });
    assert.equal((await call('POST', path, { emailDomain: '日本.example' })).body.emailDomain, 'xn--wgv71a.example');
    for (const twin of ['acme.example', 'Acme.Example', 'ａcme.example', 'xn--wgv71a.example']) {
      await refused(
        () => call('POST', path, { emailDomain: twin }),
        422,
        'entity.unique_integrity_violation',
        'emailDomain',
      );
    }
    assert.deepEqual(await domainsOf(id), ['acme.example', 'xn--wgv71a.example']);
    assert.deepEqual(await domainsOf(id, '?page=2&page_size=1'), ['xn--wgv71a.example']);
    const byKey = await call('GET', `${path}?page_size=1&cursor=`);
    assert.deepEqual([byKey.body.length, byKey.body[0].emailDomain], [1, 'acme.example']);
    const cursor = /cursor=([^&>]+)/.exec(byKey.headers.get('link') ?? '')?.[1];
    assert.deepEqual(await domainsOf(id, `?page_size=1&cursor=${cursor}`), ['xn--wgv71a.example']);
    const other = await makeOrganization(server, 'Other');
    await refused(
      () => call('GET', `/organizations/${other}/jit/email-domains?cursor=${cursor}`),
      400,
      'input.cursor_invalid',
    );
    assert.equal((await call('PUT', path, { emailDomains: ['b.example', 'A.example', 'a.example'] })).status, 204);
    assert.deepEqual(await domainsOf(id), ['a.example', 'b.example']);
    assert.equal((await call('DELETE', `${path}/B.example`)).status, 204);
    await refused(() => call('DELETE', `${path}/b.example`), 404, 'entity.not_found');
    await refused(() => call('DELETE', `${path}/__proto__`), 404, 'entity.not_found');
    assert.equal((await call('PUT', path, { emailDomains: [] })).status, 204);
    assert.deepEqual(await domainsOf(id), []);
    // The same domain may be bound to several organizations.
    for (const each of [id, other])
      assert.equal(
        (await call('POST', `/organizations/${each}/jit/email-domains`, { emailDomain: 'both.example' })).status,
        201,
      );
  });

  test('what is no domain is refused with the field', async () => {
    const id = await makeOrganization(server, 'Bad domains');
    const path = `/organizations/${id}/jit/email-domains`;
    const bad = [
      '',
      'example',
      'a@b.example',
      '@b.example',
      '.example',
      'a..example',
      'a.example.',
      '-a.example',
      'a b.example',
      '*.example',
      'a.example/x',
      'a.example:1',
      'x'.repeat(254),
      'a\u200b',
      '"',
      '%',
    ];
    for (const emailDomain of bad) {
      await refused(() => call('POST', path, { emailDomain }), 400, 'guard.invalid_input', 'emailDomain');
      const many = await refused(
        () => call('PUT', path, { emailDomains: ['good.example', emailDomain] }),
        400,
        'guard.invalid_input',
      );
      assert.match(many.body.data.path, /^emailDomains\.1$/);
    }
    await refused(
      () => call('PUT', path, { emailDomains: Array(10_000).fill('a.example') }),
      400,
      'guard.invalid_input',
      'emailDomains',
    );
    await refused(
      () => call('POST', '/organizations/org_nobody/jit/email-domains', { emailDomain: 'a.example' }),
      404,
      'entity.not_exists',
    );
  });

  test('roles: for users only, none that the caller may not give', async () => {
    const id = await makeOrganization(server, 'Roles');
    const path = `/organizations/${id}/jit/roles`;
    const [one, two, strong] = [
      await makeOrganizationRole(server, { scopes: [], kind: 'user', name: 'jit one' }),
      await makeOrganizationRole(server, { scopes: [], kind: 'user', name: 'jit two' }),
      await makeOrganizationRole(server, { scopes: ['delete:users'], kind: 'user', name: 'jit strong' }),
    ];
    const machine = await makeOrganizationRole(server, { scopes: [], kind: 'client' });
    const given = await call('POST', path, { organizationRoleIds: [one] });
    assert.deepEqual([given.status, given.body], [201, { organizationRoleIds: [one] }]);
    assert.equal((await call('POST', path, { organizationRoleIds: [one, two] })).status, 201);
    const listed = (await call('GET', path)).body;
    assert.deepEqual(
      listed.map(({ id: role, type }: { id: string; type: string }) => [role, type]).sort(),
      [
        [one, 'User'],
        [two, 'User'],
      ].sort(),
    );
    assert.equal((await call('GET', `${path}?page_size=1`)).headers.get('total-number'), '2');
    assert.equal((await call('GET', `${path}?page_size=1&cursor=`)).body.length, 1);
    await refused(() => call('POST', path, { organizationRoleIds: [machine] }), 422, 'entity.db_constraint_violated');
    await refused(
      () => call('POST', path, { organizationRoleIds: [one, 'rol_nobody'] }),
      422,
      'entity.relation_foreign_key_not_found',
      'organizationRoleIds',
    );
    await refused(
      () => call('PUT', path, { organizationRoleIds: ['__proto__'] }),
      422,
      'entity.relation_foreign_key_not_found',
    );
    await refused(() => call('POST', path, { organizationRoleIds: [] }), 400, 'guard.invalid_input');
    await refused(
      () => call('POST', path, { organizationRoleIds: Array(10_000).fill(one) }),
      400,
      'guard.invalid_input',
    );
    const weak = callsWith(server, (await callerWith(server, ['update:organizations'], server.nativeAudience)).token);
    for (const method of ['POST', 'PUT']) {
      await refused(() => weak(method, path, { organizationRoleIds: [strong] }), 403, 'auth.exceeds_own');
    }
    assert.equal((await call('PUT', path, { organizationRoleIds: [strong] })).status, 204);
    assert.deepEqual(
      (await call('GET', path)).body.map(({ id: role }: { id: string }) => role),
      [strong],
    );
    assert.equal((await call('DELETE', `${path}/${strong}`)).status, 204);
    await refused(() => call('DELETE', `${path}/${strong}`), 404, 'entity.not_found');
    assert.equal((await call('PUT', path, { organizationRoleIds: [] })).status, 204);
  });

  test('there are no SSO connectors', async () => {
    const id = await makeOrganization(server, 'Connectors');
    const path = `/organizations/${id}/jit/sso-connectors`;
    for (const query of ['', '?page=1', '?cursor=']) assert.deepEqual((await call('GET', path + query)).body, []);
    assert.equal((await call('PUT', path, { ssoConnectorIds: [] })).status, 204);
    for (const method of ['POST', 'PUT']) {
      await refused(
        () => call(method, path, { ssoConnectorIds: ['x'] }),
        422,
        'entity.relation_foreign_key_not_found',
        'ssoConnectorIds',
      );
      await refused(
        () => call(method, '/organizations/org_nobody/jit/sso-connectors', { ssoConnectorIds: ['x'] }),
        404,
        'entity.not_exists',
      );
    }
    await refused(() => call('POST', path, { ssoConnectorIds: [] }), 400, 'guard.invalid_input');
    await refused(() => call('DELETE', `${path}/x`), 404, 'entity.not_found');
  });

  test('who has a verified address of the domain becomes a member with the roles; nobody else', async () => {
    const id = await makeOrganization(server, 'Joining');
    const second = await makeOrganization(server, 'Joining too');
    const role = await makeOrganizationRole(server, { scopes: [], kind: 'user' });
    for (const each of [id, second])
      await call('POST', `/organizations/${each}/jit/email-domains`, { emailDomain: 'joining.example' });
    await call('POST', `/organizations/${id}/jit/roles`, { organizationRoleIds: [role] });
    const joined = await signUp('Taro@Joining.EXAMPLE');
    assert.deepEqual(await organizationsOf(joined), [id, second].sort());
    const mine = (await server.rows('memberships')).find(
      (row) => row.subject_id === joined && row.organization_id === id,
    );
    const roles = (await server.rows('membership_roles')).filter(({ membership_id }) => membership_id === mine.id);
    assert.deepEqual(
      roles.map(({ role_id }) => role_id),
      [role],
    );
    for (const email of [
      'a@sub.joining.example',
      'a@joining.example.evil',
      'a@notjoining.example',
      'joining.example@other.example',
    ]) {
      assert.deepEqual(await organizationsOf(await signUp(email)), [], email);
    }
    const later = await signUp('later@joining.example', false);
    assert.deepEqual(await organizationsOf(later), []);
    await server.manage('PATCH', `/users/auth0|${later}`, { email_verified: true });
    assert.deepEqual(await organizationsOf(later), [id, second].sort());
    // Freed: who is a member stays one, and nobody joins.
    assert.equal((await call('DELETE', `/organizations/${id}/jit/email-domains/joining.example`)).status, 204);
    assert.deepEqual(await organizationsOf(joined), [id, second].sort());
    assert.deepEqual(await organizationsOf(await signUp('after@joining.example')), [second]);
    const added = (await server.logEvents()).filter(
      ({ kind, user_id }) => kind === 'organization_member.added' && user_id === joined,
    );
    assert.equal(added.length, 2);
  });

  test('not in what is suspended, itself or from above', async () => {
    const top = await makeOrganization(server, 'Suspended');
    const child = await makeOrganization(server, 'Below', top);
    const free = await makeOrganization(server, 'Free');
    for (const each of [top, child, free])
      await call('POST', `/organizations/${each}/jit/email-domains`, { emailDomain: 'halted.example' });
    assert.equal((await call('PATCH', `/organizations/${top}`, { status: 'suspended' })).status, 200);
    assert.deepEqual(await organizationsOf(await signUp('a@halted.example')), [free]);
    await call('PATCH', `/organizations/${top}`, { status: 'active' });
    assert.deepEqual(await organizationsOf(await signUp('b@halted.example')), [top, child, free].sort());
  });

  test('a person that belongs to a customer joins in that customer’s subtree only', async () => {
    const own = await makeOrganization(server, 'Owner');
    const child = await makeOrganization(server, 'Owner child', own);
    const foreign = await makeOrganization(server, 'Foreign');
    const userId = await makeUser(server, { email: 'person@owned.example', emailVerified: false });
    await server.composed.services.db.transact((trx) =>
      trx
        .updateTable('users')
        .set({ owner_organization_id: own })
        .where('tenant_id', '=', 'default')
        .where('id', '=', userId)
        .execute(),
    );
    for (const each of [child, foreign])
      await call('POST', `/organizations/${each}/jit/email-domains`, { emailDomain: 'owned.example' });
    await server.manage('PATCH', `/users/auth0|${userId}`, { email_verified: true });
    assert.deepEqual(await organizationsOf(userId), [child]);
  });

  test('a customer’s own backend reads what it has, and binds nothing', async () => {
    const own = await makeOrganization(server, 'Customer');
    const foreign = await makeOrganization(server, 'Other customer');
    const role = await makeOrganizationRole(server, { scopes: [], kind: 'user' });
    for (const each of [own, foreign]) {
      await call('POST', `/organizations/${each}/jit/email-domains`, { emailDomain: 'customer.example' });
      await call('POST', `/organizations/${each}/jit/roles`, { organizationRoleIds: [role] });
    }
    const { token } = await delegatedCaller(server, { organizationId: own, scopes: ['all'], isOwner: true });
    const theirs = callsWith(server, token);
    assert.equal((await theirs('GET', `/organizations/${own}/jit/email-domains`)).body.length, 1);
    assert.equal((await theirs('GET', `/organizations/${own}/jit/roles`)).body.length, 1);
    for (const id of [own, foreign]) {
      const changes: [string, string, object?][] = [
        ['POST', 'email-domains', { emailDomain: 'victim.example' }],
        ['PUT', 'email-domains', { emailDomains: ['victim.example'] }],
        ['DELETE', 'email-domains/customer.example'],
        ['POST', 'roles', { organizationRoleIds: [role] }],
        ['PUT', 'roles', { organizationRoleIds: [] }],
        ['DELETE', `roles/${role}`],
        ['POST', 'sso-connectors', { ssoConnectorIds: ['x'] }],
        ['PUT', 'sso-connectors', { ssoConnectorIds: [] }],
        ['DELETE', 'sso-connectors/x'],
      ];
      for (const [method, path, json] of changes) {
        await refused(() => theirs(method, `/organizations/${id}/jit/${path}`, json), 403, 'auth.organization_token');
      }
    }
  });
});
