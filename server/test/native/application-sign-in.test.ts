/** Where people are sent when they sign in to an application, in Logto's words. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { withoutLimits } from '../management/support.ts';
import { type DelegatedCaller, delegatedCaller, makeOrganization } from './delegated.ts';
import { Members } from './members-support.ts';

const invalidInput = [400, 'guard.invalid_input'] as const;
const wholeTenant = [403, 'auth.organization_token'] as const;

eachEngine('sign-in of /api/applications', (engine) => {
  let server: TestServer;
  let native: Members;
  let delegated: DelegatedCaller;
  let organizationId: string;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    native = await Members.of(server);
    organizationId = await makeOrganization(server, 'Customer');
    delegated = await delegatedCaller(server, { organizationId, scopes: ['all'] });
  });
  after(() => server.close());

  const make = (type: string, more: object = {}) =>
    native.expect(200, 'POST', '/applications', { name: type, type, ...more });
  const rowOf = async (id: string) => (await server.rows('clients')).find((row) => row.id === id);

  test('every word is shown as it was sent, and each fact stands once', async () => {
    const oidcClientMetadata = {
      redirectUris: ['https://a.example/cb', 'http://localhost:3000/cb'],
      postLogoutRedirectUris: ['https://a.example/bye'],
      backchannelLogoutUri: 'https://a.example/ended',
      backchannelLogoutSessionRequired: true,
      logoUri: 'https://a.example/logo.svg',
    };
    const customClientMetadata = {
      corsAllowedOrigins: ['https://b.example'],
      idTokenTtl: 600,
      refreshTokenTtlInDays: 7,
      alwaysIssueRefreshToken: true,
      rotateRefreshToken: false,
      allowTokenExchange: true,
      isDeviceFlow: false,
      maxAllowedGrants: 3,
    };
    const made = await make('Traditional', { oidcClientMetadata, customClientMetadata });
    assert.deepEqual([made.oidcClientMetadata, made.customClientMetadata], [oidcClientMetadata, customClientMetadata]);
    const row = await rowOf(made.id);
    assert.deepEqual(JSON.parse(row.sign_in), {
      redirectUris: oidcClientMetadata.redirectUris,
      postLogoutRedirectUris: oidcClientMetadata.postLogoutRedirectUris,
      allowedOrigins: ['https://b.example'],
      backchannelLogoutUri: 'https://a.example/ended',
      backchannelLogoutSessionRequired: true,
      logoUri: 'https://a.example/logo.svg',
      idTokenLifetimeSeconds: 600,
      refreshTokenLifetimeSeconds: 604_800,
      rotatesRefreshTokens: false,
      alwaysIssuesRefreshToken: true,
    });
    assert.deepEqual(JSON.parse(row.extras), {
      logto: { customClientMetadata: { refreshTokenTtlInDays: 7, maxAllowedGrants: 3, isDeviceFlow: false } },
    });
    const { oidcClientMetadata: oidc, customClientMetadata: custom } = await native.expect(
      200,
      'PATCH',
      `/applications/${made.id}`,
      { customClientMetadata: { refreshTokenTtl: 60, corsAllowedOrigins: [] } },
    );
    assert.deepEqual([oidc, custom], [oidcClientMetadata, { refreshTokenTtl: 60, corsAllowedOrigins: [] }]);
    const less = await native.expect(200, 'PATCH', `/applications/${made.id}`, {
      oidcClientMetadata: { redirectUris: ['https://a.example/new'] },
    });
    assert.deepEqual(less.oidcClientMetadata, { redirectUris: ['https://a.example/new'], postLogoutRedirectUris: [] });
    assert.deepEqual(less.customClientMetadata, custom);
  });

  test('what is refused is named, at creation and later', async () => {
    const { id } = await make('SPA');
    for (const [change, path] of [
      [
        { oidcClientMetadata: { redirectUris: ['https://a.example', 'https://a.example/cb#x'] } },
        'oidcClientMetadata.redirectUris.1',
      ],
      [{ oidcClientMetadata: { redirectUris: ['com.example.app://callback'] } }, 'oidcClientMetadata.redirectUris.0'],
      [
        { oidcClientMetadata: { postLogoutRedirectUris: ['http://a.example'] } },
        'oidcClientMetadata.postLogoutRedirectUris.0',
      ],
      [
        { oidcClientMetadata: { backchannelLogoutUri: 'http://a.example/x' } },
        'oidcClientMetadata.backchannelLogoutUri',
      ],
      [{ oidcClientMetadata: { logoUri: 'javascript:alert(1)' } }, 'oidcClientMetadata.logoUri'],
      [
        { customClientMetadata: { corsAllowedOrigins: ['https://a.example/x'] } },
        'customClientMetadata.corsAllowedOrigins.0',
      ],
      [
        { customClientMetadata: { refreshTokenTtl: 60, refreshTokenTtlInDays: 1 } },
        'customClientMetadata.refreshTokenTtl',
      ],
    ] as const) {
      const made = await native.refuse(invalidInput, 'POST', '/applications', { name: 'x', type: 'SPA', ...change });
      assert.equal(made.data.path, path);
      const changed = await native.refuse(invalidInput, 'PATCH', `/applications/${id}`, change);
      assert.equal(changed.data.path, path);
    }
    const own = { oidcClientMetadata: { redirectUris: ['com.example.app://callback'] } };
    assert.deepEqual((await make('Native', own)).oidcClientMetadata.redirectUris, own.oidcClientMetadata.redirectUris);
  });

  test('a token for an organization sets none of it', async () => {
    const oidcClientMetadata = { redirectUris: ['https://a.example/cb'] };
    const customClientMetadata = { corsAllowedOrigins: ['https://a.example'] };
    const machine = { name: 'Machine', type: 'MachineToMachine' };
    const own = await native.expect(200, 'POST', '/applications', machine, delegated.token);
    for (const change of [
      { oidcClientMetadata },
      { customClientMetadata },
      { customClientMetadata: { idTokenTtl: 60 } },
    ]) {
      await native.refuse(wholeTenant, 'POST', '/applications', { ...machine, ...change }, delegated.token);
      await native.refuse(wholeTenant, 'PATCH', `/applications/${own.id}`, change, delegated.token);
    }
    await native.expect(
      200,
      'PATCH',
      `/applications/${own.id}`,
      { name: 'Renamed', oidcClientMetadata: {} },
      delegated.token,
    );
    // What the tenant set stays through changes of the organization, and can not be taken away by it.
    const web = await make('MachineToMachine', { oidcClientMetadata, organizationId });
    const renamed = await native.expect(200, 'PATCH', `/applications/${web.id}`, { name: 'x' }, delegated.token);
    assert.deepEqual(renamed.oidcClientMetadata.redirectUris, oidcClientMetadata.redirectUris);
    await native.refuse(wholeTenant, 'PATCH', `/applications/${web.id}`, { oidcClientMetadata: {} }, delegated.token);
  });
});
