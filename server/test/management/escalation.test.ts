import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, test } from 'node:test';
import { type Answer, admin, eachEngine, startServer, type TestServer } from '../harness.ts';
import { type Caller, callerWith, withoutLimits } from './support.ts';

const pem = () =>
  generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'pem', type: 'spki' }) as string;

/** Enough to create and change clients, credentials and grants, and nothing else. */
const clerkScopes = [
  'read:clients',
  'create:clients',
  'update:clients',
  'delete:clients',
  'update:client_keys',
  'create:client_credentials',
  'read:client_credentials',
  'update:client_credentials',
  'delete:client_credentials',
  'read:client_grants',
  'create:client_grants',
  'update:client_grants',
  'create:resource_servers',
];

eachEngine('nobody gives or takes over more than they hold', (engine) => {
  let server: TestServer;
  let clerk: Caller;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    clerk = await callerWith(server, clerkScopes);
  });
  after(() => server.close());

  const asClerk = (method: string, path: string, json?: unknown): Promise<Answer> =>
    server.request(
      method,
      `/api/v2${path}`,
      json === undefined ? { token: clerk.token } : { token: clerk.token, json },
    );

  /** The call is refused as going beyond the caller, and nothing changed. */
  async function assertBeyond(method: string, path: string, json?: unknown): Promise<void> {
    const before = await server.stateHash();
    const answer = await asClerk(method, path, json);
    assert.equal(answer.status, 403, `${method} ${path}: ${answer.text}`);
    assert.equal(answer.body.errorCode, 'operation_not_supported', answer.text);
    assert.equal(await server.stateHash(), before, `${method} ${path} changed something`);
  }

  /** The call is refused as wrong in itself, and nothing changed. */
  async function assertInvalid(method: string, path: string, json: unknown, message: RegExp): Promise<void> {
    const before = await server.stateHash();
    const answer = await asClerk(method, path, json);
    assert.equal(answer.status, 400, `${method} ${path}: ${answer.text}`);
    assert.match(answer.body.message, message);
    assert.equal(await server.stateHash(), before);
  }

  test('a grant to itself with a scope it lacks: 403', async () => {
    await assertBeyond('PATCH', `/client-grants/${clerk.grantId}`, { scope: [...clerkScopes, 'delete:users'] });
    for (const scope of ['all', 'manage:tenants', 'introspect:tokens']) {
      const body = { client_id: clerk.clientId, audience: server.nativeAudience, scope: [scope] };
      await assertBeyond('POST', '/client-grants', body);
    }
  });

  test('a grant to another client that it controls: 403, by identifier, alias, https twin or id of the API', async () => {
    const puppet = (await asClerk('POST', '/clients', { name: 'Puppet', app_type: 'non_interactive' })).body;
    const ids = (await server.rows('resource_servers')).filter(({ system_kind }) => system_kind !== null);
    const auth0Id = ids.find(({ system_kind }) => system_kind === 'api_v2').id;
    const nativeId = ids.find(({ system_kind }) => system_kind === 'api').id;
    const twin = server.managementAudience.replace('http:', 'https:');
    for (const audience of [server.managementAudience, twin, auth0Id]) {
      await assertBeyond('POST', '/client-grants', { client_id: puppet.client_id, audience, scope: ['delete:users'] });
    }
    for (const audience of [server.nativeAudience, 'https://default.logto.app/api', nativeId]) {
      await assertBeyond('POST', '/client-grants', { client_id: puppet.client_id, audience, scope: ['all'] });
    }
    const body = { client_id: puppet.client_id, audience: server.managementAudience, scope: ['read:clients'] };
    const own = await asClerk('POST', '/client-grants', body);
    assert.equal(own.status, 201, 'what it holds it may give');
    await assertBeyond('PATCH', `/client-grants/${own.body.id}`, { scope: ['read:clients', 'read:logs'] });
  });

  test('the umbrella scope counts as all it stands for, and does not bring manage:tenants', async () => {
    const holder = await callerWith(server, ['introspect:tokens'], server.nativeAudience);
    const client = await server.manage('POST', '/clients', { name: 'Umbrella', app_type: 'non_interactive' });
    // A caller with `all` at the native audience and the right to make grants.
    const steward = await callerWith(server, clerkScopes);
    const stewardGrant = { client_id: steward.clientId, audience: server.nativeAudience, scope: ['all'] };
    await server.manage('POST', '/client-grants', stewardGrant);
    const before = await server.stateHash();
    const body = { client_id: client.client_id, audience: server.nativeAudience };
    const tenants = await server.request('POST', '/api/v2/client-grants', {
      token: steward.token,
      json: { ...body, scope: ['manage:tenants'] },
    });
    assert.equal(tenants.status, 403, tenants.text);
    assert.equal(await server.stateHash(), before);
    const single = await server.request('POST', '/api/v2/client-grants', {
      token: steward.token,
      json: { ...body, scope: ['introspect:tokens'] },
    });
    assert.equal(single.status, 201, single.text);
    // Who holds one scope under the umbrella does not hold the umbrella.
    assert.ok(holder.token);
    await assertBeyond('PATCH', `/client-grants/${single.body.id}`, { scope: ['all'] });
  });

  test('all scopes of a management audience can not be granted, not even by the first client', async () => {
    const puppet = (await asClerk('POST', '/clients', { name: 'Puppet', app_type: 'non_interactive' })).body;
    for (const audience of [server.managementAudience, server.nativeAudience]) {
      const body = { client_id: puppet.client_id, audience, allow_all_scopes: true };
      await assertInvalid('POST', '/client-grants', body, /allow_all_scopes/);
      const before = await server.stateHash();
      const byAdmin = await server.request('POST', '/api/v2/client-grants', {
        token: await server.managementToken(),
        json: body,
      });
      assert.equal(byAdmin.status, 400, byAdmin.text);
      assert.equal(await server.stateHash(), before);
    }
    await assertInvalid('PATCH', `/client-grants/${clerk.grantId}`, { allow_all_scopes: true }, /allow_all_scopes/);
  });

  test('a default grant for third parties at a management audience: 400', async () => {
    const body = { default_for: 'third_party_clients', audience: server.managementAudience, scope: ['read:clients'] };
    await assertInvalid('POST', '/client-grants', body, /audience/);
  });

  test('the secret, the keys and the way of authentication of a stronger client: 403 by every door', async () => {
    const stronger = `/clients/${admin.clientId}`;
    await assertBeyond('POST', `${stronger}/rotate-secret`);
    await assertBeyond('POST', `${stronger}/rotate-secret`, { overlap_seconds: 60 });
    await assertBeyond('POST', `${stronger}/credentials`, { credential_type: 'public_key', pem: pem() });
    await assertBeyond('PATCH', stronger, { client_secret: 'Zz0123456789abcdefghijklmnopqrstuvwxyz' });
    await assertBeyond('PATCH', stronger, { token_endpoint_auth_method: 'none' });
    await assertBeyond('PATCH', stronger, { token_endpoint_auth_method: 'client_secret_post' });
    await assertBeyond('PATCH', stronger, { enabled: false });
    // A browser application is public, so its kind is part of how it authenticates.
    await assertBeyond('PATCH', stronger, { app_type: 'spa' });
  });

  test('a key that waits at a stronger client can not be enabled, prolonged or removed', async () => {
    const stronger = await callerWith(server, ['delete:users']);
    const path = `/clients/${stronger.clientId}`;
    const key = { credential_type: 'public_key', pem: pem() };
    const waiting = await server.manage('POST', `${path}/credentials`, key);
    await assertBeyond('PATCH', path, {
      client_authentication_methods: { private_key_jwt: { credentials: [{ id: waiting.id }] } },
    });
    await assertBeyond('PATCH', `${path}/credentials/${waiting.id}`, { expires_at: '2099-01-01T00:00:00.000Z' });
    await assertBeyond('DELETE', `${path}/credentials/${waiting.id}`);
  });

  test('a disabled stronger client is as far away as an enabled one', async () => {
    const stronger = await callerWith(server, ['delete:users']);
    const path = `/clients/${stronger.clientId}`;
    await server.manage('PATCH', path, { enabled: false });
    await assertBeyond('POST', `${path}/rotate-secret`);
    await assertBeyond('POST', `${path}/credentials`, { credential_type: 'public_key', pem: pem() });
    await assertBeyond('PATCH', path, { enabled: true });
    await assertBeyond('PATCH', path, { client_secret: 'Zz0123456789abcdefghijklmnopqrstuvwxyz' });
  });

  test('a public client with a stronger grant can not be made confidential', async () => {
    for (const publicly of [{ token_endpoint_auth_method: 'none' }, { app_type: 'spa' }]) {
      const stronger = await callerWith(server, ['delete:users']);
      const path = `/clients/${stronger.clientId}`;
      await server.manage('PATCH', path, publicly);
      await assertBeyond('PATCH', path, { token_endpoint_auth_method: 'client_secret_post' });
      if ('app_type' in publicly) await assertBeyond('PATCH', path, { app_type: 'non_interactive' });
      await assertBeyond('PATCH', path, { client_secret: 'Zz0123456789abcdefghijklmnopqrstuvwxyz' });
      await assertBeyond('POST', `${path}/rotate-secret`);
    }
  });

  test('what does not touch its authentication can be changed at a stronger client', async () => {
    const stronger = await callerWith(server, ['delete:users']);
    const renamed = await asClerk('PATCH', `/clients/${stronger.clientId}`, { name: 'Renamed' });
    assert.equal(renamed.status, 200, renamed.text);
    assert.equal(renamed.body.client_secret, undefined);
  });

  test('a client can not be linked to a management audience, at creation or later', async () => {
    const puppet = (await asClerk('POST', '/clients', { name: 'Puppet', app_type: 'resource_server' })).body;
    for (const identifier of [server.managementAudience, server.nativeAudience]) {
      const linked = { resource_server_identifier: identifier };
      const message = /resource_server_identifier/;
      await assertInvalid('POST', '/clients', { name: 'Linked', app_type: 'resource_server', ...linked }, message);
      await assertInvalid('PATCH', `/clients/${puppet.client_id}`, linked, message);
    }
  });

  test('nobody can register a management audience, its twin, an alias or an issuer as an API of their own', async () => {
    const host = `localhost:${server.port}`;
    const reserved = [
      server.managementAudience,
      `https://${host}/api/v2/`,
      `http://${host}/api/v2`,
      server.nativeAudience,
      `https://${host}/api/`,
      server.issuer,
      `http://${host}`,
      `http://${host}/oidc`,
      `http://acme.${host}/api/v2/`,
      `http://acme.${host}/`,
      `http://127.0.0.1:${server.port}/api/v2/`,
      'https://default.logto.app/api',
      'https://other.logto.app/api',
      'urn:logto:organizations',
      'URN:Logto:organization:x',
      'urn:sekisho:management:api',
      `HTTP://LOCALHOST:${server.port}/api/v2/`,
      `http://${host}/api/./v2/`,
      `http://user@${host}/api/v2/`,
    ];
    for (const identifier of reserved) await assertInvalid('POST', '/resource-servers', { identifier }, /identifier/);
  });

  test('at an ordinary API the scope to create grants is enough', async () => {
    const api = { identifier: 'https://orders.example', scopes: [{ value: 'read:orders' }, { value: 'read:users' }] };
    await server.manage('POST', '/resource-servers', api);
    const client = (await asClerk('POST', '/clients', { name: 'Orders', app_type: 'non_interactive' })).body;
    const body = { client_id: client.client_id, audience: api.identifier };
    const grant = await asClerk('POST', '/client-grants', { ...body, scope: ['read:orders', 'read:users'] });
    assert.equal(grant.status, 201, grant.text);
    const all = await asClerk('PATCH', `/client-grants/${grant.body.id}`, { allow_all_scopes: true });
    assert.equal(all.status, 200, all.text);
    const rotated = await asClerk('POST', `/clients/${client.client_id}/rotate-secret`);
    assert.equal(rotated.status, 200, rotated.text);
  });

  test('a public client never gets a token for a management audience, however it became one', async () => {
    const scope = ['read:clients'];
    for (const publicly of [{ token_endpoint_auth_method: 'none' }, { app_type: 'spa' }, { app_type: 'native' }]) {
      const client = await server.manage('POST', '/clients', {
        name: 'Public',
        ...publicly,
        grant_types: ['client_credentials'],
      });
      assert.equal(client.client_secret, undefined);
      for (const audience of [server.managementAudience, server.nativeAudience]) {
        const grant = await server.request('POST', '/api/v2/client-grants', {
          token: await server.managementToken(),
          json: { client_id: client.client_id, audience, scope: audience === server.nativeAudience ? ['all'] : scope },
        });
        assert.ok([201, 400].includes(grant.status), grant.text);
        for (const secret of [{}, { client_secret: '' }, { client_secret: 'x'.repeat(40) }]) {
          const answer = await server.token({ client_id: client.client_id, audience, ...secret });
          assert.ok(answer.status >= 400 && answer.status < 500, answer.text);
          assert.equal(answer.body.access_token, undefined);
        }
      }
    }
    const turned = await callerWith(server, scope);
    assert.equal((await server.request('GET', '/api/v2/clients', { token: turned.token })).status, 200);
    await server.manage('PATCH', `/clients/${turned.clientId}`, { token_endpoint_auth_method: 'none' });
    const after = await server.request('GET', '/api/v2/clients', { token: turned.token });
    assert.equal(after.status, 401, 'a token from before ends with it');
  });

  test('a scope the caller lost a moment ago can not be given any more', async () => {
    const caller = await callerWith(server, [...clerkScopes, 'read:logs']);
    const client = await server.manage('POST', '/clients', { name: 'Later', app_type: 'non_interactive' });
    await server.manage('PATCH', `/client-grants/${caller.grantId}`, { scope: clerkScopes });
    const before = await server.stateHash();
    const answer = await server.request('POST', '/api/v2/client-grants', {
      token: caller.token,
      json: { client_id: client.client_id, audience: server.managementAudience, scope: ['read:logs'] },
    });
    assert.equal(answer.status, 403, answer.text);
    assert.equal(await server.stateHash(), before);
  });

  test('a management audience never takes an organization in its grant', async () => {
    const body = { scope: ['read:clients'], client_id: clerk.clientId, audience: server.managementAudience };
    await assertInvalid(
      'PATCH',
      `/client-grants/${clerk.grantId}`,
      { organization_usage: 'allow' },
      /organization_usage/,
    );
    await assertInvalid('POST', '/client-grants', { ...body, organization_usage: 'require' }, /organization_usage/);
  });
});
