/** `authPolicyIds` of applications, organizations and the sign-in experience: who may say it, and who leaves it alone. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from '../management/support.ts';
import { delegatedCaller } from './delegated.ts';
import { Members } from './members-support.ts';
import { insertPolicy } from './policy-rows.ts';

/** Logto's clients are told 422 of organizations, 404 of the rest. */
const unknownAt = (path: string) =>
  [path.startsWith('/organizations') ? 422 : 404, 'entity.relation_foreign_key_not_found'] as const;

eachEngine('authPolicyIds', (engine) => {
  let server: TestServer;
  let native: Members;
  let policy: string;
  let other: string;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    native = await Members.of(server);
    policy = await insertPolicy(server);
    other = await insertPolicy(server);
  });
  after(() => server.close());

  const application = (more: object = {}) =>
    native.expect(200, 'POST', '/applications', { name: 'Portal', type: 'Traditional', ...more });
  const organization = (more: object = {}) => native.expect(201, 'POST', '/organizations', { name: 'Acme', ...more });

  /** Where the field stands: the path to change it, and what else may be said there. */
  const places = async () => {
    const [app, org] = [await application(), await organization()];
    return [`/applications/${app.id}`, `/organizations/${org.id}`, '/sign-in-exp'];
  };

  test('is null, is set, is replaced, is unset; what is absent stays', async () => {
    for (const path of await places()) {
      const read = async () => (await native.expect(200, 'GET', path)).authPolicyIds;
      const patch = async (json: object) => (await native.expect(200, 'PATCH', path, json)).authPolicyIds;
      assert.equal(await read(), null, path);
      assert.deepEqual(await patch({ authPolicyIds: [policy, 'password'] }), [policy, 'password']);
      assert.deepEqual(await patch({ name: 'Renamed' }), [policy, 'password']);
      assert.deepEqual(await read(), [policy, 'password']);
      assert.deepEqual(await patch({ authPolicyIds: [other] }), [other]);
      assert.equal(await patch({ authPolicyIds: null }), null);
      assert.equal(await read(), null, path);
    }
  });

  test('is set where a thing is made', async () => {
    assert.deepEqual((await application({ authPolicyIds: [policy] })).authPolicyIds, [policy]);
    assert.deepEqual((await organization({ authPolicyIds: ['password'] })).authPolicyIds, ['password']);
    assert.equal((await application({ authPolicyIds: null })).authPolicyIds, null);
    const listed = await native.expect(200, 'GET', '/organizations?page_size=100');
    assert.ok(listed.some(({ authPolicyIds }: { authPolicyIds: unknown }) => Array.isArray(authPolicyIds)));
    const bad = { name: 'Bad', authPolicyIds: ['nothing'] };
    await native.refuse(unknownAt('/organizations'), 'POST', '/organizations', bad);
    await native.refuse(unknownAt('/applications'), 'POST', '/applications', { ...bad, type: 'SPA' });
  });

  test('an empty list, one twice, one that is not there, one of another tenant: named, and nothing changes', async () => {
    await native.expect(201, 'POST', '/tenants', { id: 'other' });
    const elsewhere = await insertPolicy(server, { tenant_id: 'other' });
    for (const path of await places()) {
      const empty = await native.refuse([400, 'guard.invalid_input'], 'PATCH', path, { authPolicyIds: [] });
      assert.deepEqual([empty.data.path, /let nobody in/.test(empty.message)], ['authPolicyIds', true]);
      const twice = { authPolicyIds: [policy, 'password', policy] };
      const repeated = await native.refuse([400, 'guard.invalid_input'], 'PATCH', path, twice);
      assert.equal(repeated.data.path, 'authPolicyIds.2');
      for (const id of ['nothing', elsewhere, 'PASSWORD', 'a\u0001']) {
        const answer = await native.refuse(unknownAt(path), 'PATCH', path, { authPolicyIds: ['password', id] });
        assert.equal(answer.data.path, 'authPolicyIds.1');
      }
      for (const authPolicyIds of ['password', [1], [''], [['password']], Array(101).fill('password')]) {
        await native.refuse([400, 'guard.invalid_input'], 'PATCH', path, { authPolicyIds });
      }
    }
  });

  test('other dialects leave it alone when they change the rest', async () => {
    const ids = [policy];
    const { id } = await application({ authPolicyIds: ids });
    await server.manage('PATCH', `/clients/${id}`, { callbacks: ['https://app.example/other'], name: 'Theirs' });
    await server.manage('PATCH', `/clients/${id}`, { jwt_configuration: { lifetime_in_seconds: 60 } });
    const app = await native.expect(200, 'PATCH', `/applications/${id}`, {
      oidcClientMetadata: { redirectUris: [] },
      customClientMetadata: {},
    });
    assert.deepEqual([app.name, app.authPolicyIds], ['Theirs', ids]);

    const org = await organization({ authPolicyIds: ids });
    await server.manage('PATCH', `/organizations/${org.id}`, { display_name: 'Theirs', metadata: { a: 'b' } });
    await native.expect(200, 'PATCH', `/accounts/${org.id}`, { name: 'Account' });
    assert.deepEqual((await native.expect(200, 'GET', `/organizations/${org.id}`)).authPolicyIds, ids);
    await native.expect(200, 'POST', `/organizations/${org.id}/move`, { parentId: (await organization()).id });
    assert.deepEqual((await native.expect(200, 'GET', `/organizations/${org.id}`)).authPolicyIds, ids);

    await native.expect(200, 'PATCH', '/sign-in-exp', { authPolicyIds: ids });
    await server.manage('PATCH', '/tenants/settings', { friendly_name: 'Theirs', support_url: '' });
    assert.deepEqual((await native.expect(200, 'GET', '/sign-in-exp')).authPolicyIds, ids);
    await native.expect(200, 'PATCH', '/sign-in-exp', { authPolicyIds: null });
  });

  test('a client that changes its own registration does not let itself off', async () => {
    const { value } = await native.expect(201, 'POST', '/initial-access-tokens', {
      name: 'Partners',
      expiresAt: Date.now() + 60_000,
    });
    const metadata = { redirect_uris: ['https://partner.example/cb'], client_name: 'Partner' };
    const made = await server.request('POST', '/oidc/register', { token: value, json: metadata });
    assert.equal(made.status, 201, made.text);
    const { client_id, registration_access_token: token, registration_client_uri: uri } = made.body;
    await native.expect(200, 'PATCH', `/applications/${client_id}`, { authPolicyIds: [policy] });
    const json = { ...metadata, client_id, client_name: 'Partner 2' };
    const changed = await server.request('PUT', new URL(uri).pathname, { token, json });
    assert.equal(changed.status, 200, changed.text);
    const read = await native.expect(200, 'GET', `/applications/${client_id}`);
    assert.deepEqual([read.name, read.authPolicyIds], ['Partner 2', [policy]]);
  });

  test('a token for an organization chooses none, of its own organization or below; what it changes else stays', async () => {
    const own = await organization({ authPolicyIds: [policy] });
    const { token } = await delegatedCaller(server, { organizationId: own.id, scopes: ['all'] });
    const code = [403, 'auth.organization_token'] as const;
    const below = await native.expect(201, 'POST', '/organizations', { name: 'Below', parentId: own.id }, token);
    for (const id of [own.id, below.id]) {
      const path = `/organizations/${id}`;
      await native.refuse(code, 'PATCH', path, { authPolicyIds: ['password'] }, token);
      await native.refuse(code, 'PATCH', path, { authPolicyIds: ['nothing'] }, token);
    }
    await native.refuse(code, 'PATCH', `/organizations/${own.id}`, { authPolicyIds: null }, token);
    await native.refuse(code, 'POST', '/organizations', { name: 'New', authPolicyIds: ['password'] }, token);
    const renamed = await native.expect(
      200,
      'PATCH',
      `/organizations/${own.id}`,
      { name: 'New', authPolicyIds: [policy] },
      token,
    );
    assert.deepEqual([renamed.name, renamed.authPolicyIds], ['New', [policy]]);
    const machine = { name: 'M', type: 'MachineToMachine' };
    await native.refuse(code, 'POST', '/applications', { ...machine, authPolicyIds: ['password'] }, token);
    const { id } = await native.expect(200, 'POST', '/applications', machine, token);
    await native.refuse(code, 'PATCH', `/applications/${id}`, { authPolicyIds: ['password'] }, token);
  });

  test('whoever changes it at an application must hold what people get through it', async () => {
    const { id } = await application();
    await server.manage('POST', '/client-grants', {
      client_id: id,
      audience: server.nativeAudience,
      subject_type: 'user',
      scope: ['all'],
    });
    const { token } = await callerWith(server, ['update:applications'], server.nativeAudience);
    const change = { authPolicyIds: ['password'] };
    await native.refuse([403, 'auth.exceeds_own'], 'PATCH', `/applications/${id}`, change, token);
    const { id: plain } = await application();
    await native.expect(200, 'PATCH', `/applications/${plain}`, change, token);
    const reader = await callerWith(server, ['read:organizations'], server.nativeAudience);
    const { id: org } = await organization();
    for (const path of [`/applications/${id}`, `/organizations/${org}`, '/sign-in-exp']) {
      await native.refuse([403, 'auth.forbidden'], 'PATCH', path, change, reader.token);
      assert.equal((await server.request('PATCH', `/api${path}`, { json: change })).status, 401);
    }
    await native.refuse([404, 'entity.not_exists'], 'PATCH', '/organizations/org_none', change);
  });
});
