/** `@logto/api`, unmodified, against a server of its own address: how it gets its token and what it does with it. */
import assert from 'node:assert/strict';
import { after, before, describe, mock, test } from 'node:test';
import { createManagementApi } from '@logto/api/management';
import { decodeJwt } from 'jose';
import { admin, eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith } from '../management/support.ts';
import { Rows } from '../token/organization-support.ts';

eachEngine('@logto/api', (engine) => {
  let server: TestServer;
  let warnings: { mock: { callCount(): number; restore(): void } };
  before(async () => {
    warnings = mock.method(console, 'warn', () => {});
    server = await startServer({ engine });
  });
  after(async () => {
    warnings.mock.restore();
    await server.close();
  });

  const asAdmin = () => ({ clientId: admin.clientId, clientSecret: admin.clientSecret, baseUrl: server.origin });

  describe('its token', () => {
    test('is for the address Logto’s cloud has, and holds the scope all and no other', async () => {
      const { clientCredentials } = createManagementApi('default', asAdmin());
      const { value, scope, expiresAt } = await clientCredentials.getAccessToken();
      assert.equal(scope, 'all');
      const claims = decodeJwt(value);
      assert.deepEqual(
        [claims.iss, claims.sub, claims.aud, claims.scope],
        [`${server.origin}/oidc`, admin.clientId, 'https://default.logto.app/api', 'all'],
      );
      assert.ok(Math.abs(expiresAt - (claims.exp as number)) <= 5);
      const events = (await server.logEvents()).length;
      assert.equal((await clientCredentials.getAccessToken()).value, value, 'it keeps the token');
      assert.equal((await server.logEvents()).length, events);
    });

    test('may be asked for by the real address of the API', async () => {
      const { clientCredentials } = createManagementApi('default', {
        ...asAdmin(),
        apiIndicator: server.nativeAudience,
      });
      const { value, scope } = await clientCredentials.getAccessToken();
      assert.deepEqual([scope, decodeJwt(value).aud], ['all', server.nativeAudience]);
    });

    test('comes from a role for machines too, as Logto gives it', async () => {
      const rows = new Rows(server);
      const client = await server.manage('POST', '/clients', { name: 'Backend', app_type: 'non_interactive' });
      const options = { ...asAdmin(), clientId: client.client_id, clientSecret: client.client_secret };
      const ask = () => createManagementApi('default', options).clientCredentials.getAccessToken();
      await assert.rejects(ask(), /Failed to fetch access token: 400/);
      const { id } = (await server.rows('scopes')).find(
        ({ value, tenant_id }) => value === 'all' && tenant_id === 'default',
      );
      await rows.assign(client.client_id, await rows.role('tenant', { scopes: [id] }));
      assert.equal((await ask()).scope, 'all');
    });

    test('is refused to a wrong secret, an unknown API and another tenant’s address', async () => {
      for (const [tenantId, more, status] of [
        ['default', { clientSecret: 'x'.repeat(64) }, 401],
        ['default', { clientId: 'nobody' }, 401],
        ['default', { apiIndicator: 'https://other.example/api' }, 400],
        ['elsewhere', {}, 400],
      ] as const) {
        const { clientCredentials } = createManagementApi(tenantId, { ...asAdmin(), ...more });
        await assert.rejects(clientCredentials.getAccessToken(), {
          name: 'ClientCredentialsError',
          message: new RegExp(`^Failed to fetch access token: ${status} `),
        });
      }
    });
  });

  describe('its calls', () => {
    test('are answered, and it warns of nothing', async () => {
      const { apiClient } = createManagementApi('default', asAdmin());
      const seen = warnings.mock.callCount();
      const { data, error, response } = await apiClient.GET('/api/organizations');
      assert.deepEqual([response.status, error], [200, undefined]);
      assert.deepEqual(data, []);
      assert.equal(warnings.mock.callCount(), seen);
    });

    test('of a client without the scope all: it warns, and the refusal lands in error', async () => {
      const caller = await callerWith(server, ['read:logs'], server.nativeAudience);
      const { apiClient } = createManagementApi('default', { ...asAdmin(), ...caller });
      const seen = warnings.mock.callCount();
      const { data, error, response } = await apiClient.GET('/api/organizations');
      assert.deepEqual([response.status, data], [403, undefined]);
      assert.equal((error as { code?: string } | undefined)?.code, 'auth.forbidden');
      assert.equal(warnings.mock.callCount(), seen + 1);
    });
  });
});
