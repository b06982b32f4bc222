/** Where people are sent when they sign in to a client: what may be registered, and what is shown of it. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertSignIn, redirectUriMatches } from '../../src/domain/clients/sign-in-rules.ts';
import { moveSignInFacts } from '../../src/storage/migrations/0003-sign-in-facts.ts';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from '../management/support.ts';
import { Members } from '../native/members-support.ts';
import { type Calls, callsOf } from './support.ts';

const invalidBody = (message: RegExp) => ({ status: 400, message, errorCode: 'invalid_body' });

/** Nobody is sent here, whoever asks. */
const refusedAnywhere = [
  'javascript:alert(1)',
  'JavaScript:alert(1)',
  'data:text/html,x',
  'vbscript:x',
  'file:///etc/passwd',
  'blob:https://a.example/x',
  'about:blank',
  'intent://a.example#Intent;end',
  'mailto:a@a.example',
  'ws://a.example/cb',
  'http://a.example/cb',
  'http://127.0.0.1.a.example/cb',
  'http://localhost.a.example/cb',
  'https://*.example/cb',
  'https://a.example/*',
  'https://a.example/cb#x',
  'https://a.example/cb#',
  'https://user@a.example/cb',
  'https://user:pass@a.example/cb',
  'https://@a.example/cb',
  'https://a.example@evil.example/cb',
  'https://a.example\\@evil.example/cb',
  'https:a.example/cb',
  'https:/a.example/cb',
  'https:///a.example/cb',
  'https://A.example/cb',
  'HTTPS://a.example/cb',
  'https://a.example:443/cb',
  'https://a.example/x/../cb',
  'https://a.example/%2e%2e/cb',
  'https://例え.example/cb',
  'https://a.example/ cb',
  'https://a.example/\tcb',
  'https://{organization_name}.a.example/cb',
  'http://127.1/cb',
  '//a.example/cb',
  '/cb',
  'a.example',
  '',
];

eachEngine('sign-in of /api/v2/clients', (engine) => {
  let server: TestServer;
  let native: Members;
  let call: Calls;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    const token = await server.managementToken();
    call = callsOf(server, () => token);
    native = await Members.of(server);
  });
  after(() => server.close());

  const make = (more: object) => server.manage('POST', '/clients', { name: 'Web', app_type: 'regular_web', ...more });
  const signInOf = async (id: string) =>
    JSON.parse((await server.rows('clients')).find((row) => row.id === id).sign_in) as Record<string, unknown>;
  const originsOf = async (id: string) =>
    (await server.rows('client_origins')).flatMap((row) => (row.client_id === id ? row.origin : [])).sort();

  describe('what may be registered', () => {
    test('callbacks and logout addresses: one reading, of a scheme that sends codes to nobody else', async () => {
      const { client_id } = await make({});
      for (const field of ['callbacks', 'allowed_logout_urls']) {
        for (const uri of refusedAnywhere) {
          const body = { [field]: ['https://a.example/ok', uri] };
          const expected = invalidBody(new RegExp(`on property ${field}\\.1$`));
          await call.refused(expected, 'POST', '/clients', { name: 'x', app_type: 'native', ...body });
          await call.refused(expected, 'PATCH', `/clients/${client_id}`, body);
        }
      }
      const kept = [
        'https://a.example',
        'https://a.example/',
        'https://a.example:8443/cb?x=1&y=%20',
        'http://localhost:3000',
      ];
      const more = ['http://127.0.0.1/cb', 'http://[::1]:5000/cb', 'http://app.localhost/cb'];
      const shown = await server.manage('PATCH', `/clients/${client_id}`, { callbacks: [...kept, ...more] });
      assert.deepEqual(shown.callbacks, [...kept, ...more]);
    });

    test('a scheme of its own is for a native application, and is a domain name reversed', async () => {
      const own = {
        callbacks: ['com.example.app:/cb', 'com.example.app://cb'],
        allowed_logout_urls: ['com.example.app:/bye'],
      };
      const { client_id, callbacks } = await make({ app_type: 'native', ...own });
      assert.deepEqual(callbacks, own.callbacks);
      for (const app_type of ['regular_web', 'spa', 'non_interactive', undefined]) {
        const expected = invalidBody(/on property callbacks\.0$/);
        await call.refused(expected, 'POST', '/clients', { name: 'x', app_type, callbacks: own.callbacks });
      }
      await call.refused(invalidBody(/on property callbacks\.0$/), 'PATCH', `/clients/${client_id}`, {
        app_type: 'spa',
      });
      await call.refused(invalidBody(/on property callbacks\.0$/), 'PATCH', `/clients/${client_id}`, {
        callbacks: ['myapp://cb'],
      });
      await call.refused(invalidBody(/on property allowed_logout_urls\.0$/), 'PATCH', `/clients/${client_id}`, {
        app_type: null,
        callbacks: [],
      });
    });

    test('addresses on the web: no scheme but https, or http on loopback', async () => {
      const { client_id } = await make({ app_type: 'native' });
      for (const uri of [...refusedAnywhere.filter((one) => one !== ''), 'com.example.app:/x']) {
        for (const [body, property] of [
          [{ initiate_login_uri: uri }, 'initiate_login_uri'],
          [{ logo_uri: uri }, 'logo_uri'],
          [{ oidc_logout: { backchannel_logout_urls: [uri] } }, 'oidc_logout.backchannel_logout_urls.0'],
        ] as const) {
          const expected = invalidBody(new RegExp(`on property ${property}$`));
          await call.refused(expected, 'PATCH', `/clients/${client_id}`, body);
        }
      }
    });

    test('an origin is scheme, host and port', async () => {
      const { client_id } = await make({});
      for (const field of ['allowed_origins', 'web_origins']) {
        for (const origin of [
          'https://a.example/x',
          'https://a.example?x',
          'null',
          '*',
          'https://*.a.example',
          'http://a.example',
          'file://x',
          'blob:https://a.example',
        ]) {
          const body = { allowed_origins: ['https://a.example'], [field]: ['https://b.example', origin] };
          await call.refused(
            invalidBody(new RegExp(`on property ${field}\\.1$`)),
            'PATCH',
            `/clients/${client_id}`,
            body,
          );
        }
      }
      const origins = ['https://a.example', 'https://b.example/', 'http://localhost:3000', 'capacitor://localhost'];
      const shown = await server.manage('PATCH', `/clients/${client_id}`, { web_origins: origins });
      assert.deepEqual([shown.web_origins, shown.allowed_origins], [origins, undefined]);
      const known = ['capacitor://localhost', 'http://localhost:3000', 'https://a.example', 'https://b.example'];
      assert.deepEqual(await originsOf(client_id), known);
    });

    test('lifetimes and their words', async () => {
      const { client_id } = await make({});
      for (const [body, property] of [
        [{ jwt_configuration: { lifetime_in_seconds: 0 } }, 'jwt_configuration.lifetime_in_seconds'],
        [{ refresh_token: { token_lifetime: 0 } }, 'refresh_token.token_lifetime'],
        [{ refresh_token: { token_lifetime: 31_557_601 } }, 'refresh_token.token_lifetime'],
        [{ refresh_token: { token_lifetime: 'x' } }, 'refresh_token.token_lifetime'],
        [{ refresh_token: { rotation_type: 'sometimes' } }, 'refresh_token.rotation_type'],
        [{ oidc_logout: { backchannel_logout_urls: 'https://a.example' } }, 'oidc_logout.backchannel_logout_urls'],
        [
          { oidc_logout: { backchannel_logout_urls: ['https://a.example', 'https://b.example'] } },
          'oidc_logout.backchannel_logout_urls',
        ],
      ] as const) {
        const expected = invalidBody(new RegExp(`on property ${property.replaceAll('.', '\\.')}`));
        await call.refused(expected, 'PATCH', `/clients/${client_id}`, body);
      }
    });

    test('a hundred of each, and no longer than 2048 characters', async () => {
      const many = Array.from({ length: 101 }, (_, index) => `https://a.example/${index}`);
      const { client_id } = await make({ callbacks: many.slice(1) });
      await call.refused(invalidBody(/callbacks/), 'PATCH', `/clients/${client_id}`, { callbacks: many });
      const origins = many.map((_, index) => `https://a${index}.example`);
      await call.refused(invalidBody(/allowed_origins/), 'PATCH', `/clients/${client_id}`, {
        allowed_origins: origins.slice(0, 60),
        web_origins: origins.slice(50),
      });
      await call.refused(invalidBody(/callbacks\.0$/), 'PATCH', `/clients/${client_id}`, {
        callbacks: [`https://a.example/${'x'.repeat(2048)}`],
      });
    });
  });

  test('every word is shown as it was sent, and each fact stands once', async () => {
    const given = {
      callbacks: ['https://a.example/cb'],
      allowed_logout_urls: ['https://a.example/bye'],
      allowed_origins: ['https://a.example', 'https://b.example'],
      web_origins: ['https://b.example', 'https://c.example'],
      initiate_login_uri: 'https://a.example/start',
      logo_uri: 'https://a.example/logo.png',
      organization_usage: 'require',
      require_pushed_authorization_requests: true,
      require_proof_of_possession: false,
      jwt_configuration: { alg: 'RS256', lifetime_in_seconds: 1800, secret_encoded: false },
      oidc_logout: {
        backchannel_logout_urls: ['https://a.example/ended'],
        backchannel_logout_initiators: { mode: 'all' },
      },
      refresh_token: { rotation_type: 'rotating', expiration_type: 'expiring', token_lifetime: 86_400, leeway: 10 },
    };
    const made = await make(given);
    const shown = await server.manage('GET', `/clients/${made.client_id}`);
    assert.deepEqual({ ...shown, ...given }, shown);
    assert.deepEqual(await signInOf(made.client_id), {
      redirectUris: ['https://a.example/cb'],
      postLogoutRedirectUris: ['https://a.example/bye'],
      allowedOrigins: ['https://a.example', 'https://b.example', 'https://c.example'],
      backchannelLogoutUri: 'https://a.example/ended',
      initiateLoginUri: 'https://a.example/start',
      logoUri: 'https://a.example/logo.png',
      idTokenLifetimeSeconds: 1800,
      refreshTokenLifetimeSeconds: 86_400,
      rotatesRefreshTokens: true,
      organizationUsage: 'require',
      requiresPushedRequests: true,
      requiresDpop: false,
    });
    const { tenant, global, client_id, ...settable } = shown;
    assert.deepEqual(await server.manage('PATCH', `/clients/${client_id}`, settable), shown);
    const cleared = {
      callbacks: [],
      logo_uri: '',
      web_origins: [],
      allowed_logout_urls: null,
      oidc_logout: {},
      jwt_configuration: null,
    };
    const after = await server.manage('PATCH', `/clients/${client_id}`, cleared);
    const { callbacks, logo_uri, web_origins, allowed_origins, allowed_logout_urls, oidc_logout, jwt_configuration } =
      after;
    assert.deepEqual(
      [callbacks, logo_uri, web_origins, allowed_origins, allowed_logout_urls, oidc_logout, jwt_configuration],
      [[], '', [], given.allowed_origins, undefined, {}, undefined],
    );
    const { postLogoutRedirectUris, backchannelLogoutUri, logoUri, allowedOrigins } = await signInOf(client_id);
    assert.deepEqual(
      [postLogoutRedirectUris, backchannelLogoutUri, logoUri, allowedOrigins],
      [[], undefined, undefined, given.allowed_origins],
    );
    assert.deepEqual(await originsOf(client_id), given.allowed_origins);
    await server.manage('DELETE', `/clients/${client_id}`);
    assert.deepEqual(await originsOf(client_id), []);
  });

  test('the older name of the logout settings says the same', async () => {
    const url = 'https://a.example/ended';
    const made = await make({ oidc_backchannel_logout: { backchannel_logout_urls: [url] } });
    assert.deepEqual(made.oidc_backchannel_logout, { backchannel_logout_urls: [url] });
    assert.equal((await signInOf(made.client_id)).backchannelLogoutUri, url);
    const both = {
      oidc_logout: { backchannel_logout_urls: [url] },
      oidc_backchannel_logout: { backchannel_logout_urls: [`${url}2`] },
    };
    await call.refused(invalidBody(/oidc_logout/), 'PATCH', `/clients/${made.client_id}`, both);
  });

  test('one dialect shows what another set', async () => {
    const made = await native.expect(200, 'POST', '/applications', {
      name: 'By Logto',
      type: 'Traditional',
      oidcClientMetadata: {
        redirectUris: ['https://a.example/cb'],
        postLogoutRedirectUris: ['https://a.example/bye'],
        backchannelLogoutUri: 'https://a.example/ended',
        logoUri: 'https://a.example/logo.png',
      },
      customClientMetadata: {
        corsAllowedOrigins: ['https://b.example'],
        idTokenTtl: 600,
        refreshTokenTtlInDays: 2,
        rotateRefreshToken: false,
      },
    });
    const shown = await server.manage('GET', `/clients/${made.id}`);
    const { callbacks, allowed_logout_urls, allowed_origins, web_origins, logo_uri } = shown;
    assert.deepEqual(
      [callbacks, allowed_logout_urls, allowed_origins, web_origins, logo_uri],
      [
        ['https://a.example/cb'],
        ['https://a.example/bye'],
        ['https://b.example'],
        undefined,
        'https://a.example/logo.png',
      ],
    );
    assert.deepEqual(
      [shown.jwt_configuration, shown.refresh_token, shown.oidc_logout],
      [
        { lifetime_in_seconds: 600 },
        {
          rotation_type: 'non-rotating',
          expiration_type: 'expiring',
          token_lifetime: 172_800,
          infinite_token_lifetime: false,
        },
        { backchannel_logout_urls: ['https://a.example/ended'] },
      ],
    );
    await server.manage('PATCH', `/clients/${made.id}`, {
      callbacks: ['https://a.example/other'],
      web_origins: ['https://c.example'],
      refresh_token: { rotation_type: 'rotating', expiration_type: 'non-expiring', infinite_token_lifetime: true },
    });
    const read = await native.expect(200, 'GET', `/applications/${made.id}`);
    assert.deepEqual(read.oidcClientMetadata.redirectUris, ['https://a.example/other']);
    assert.deepEqual(read.customClientMetadata, {
      corsAllowedOrigins: ['https://b.example', 'https://c.example'],
      idTokenTtl: 600,
      refreshTokenTtl: 31_557_600,
      rotateRefreshToken: true,
    });
    const custom = { corsAllowedOrigins: ['https://c.example'], refreshTokenTtl: 60 };
    await native.expect(200, 'PATCH', `/applications/${made.id}`, { customClientMetadata: custom });
    const again = await server.manage('GET', `/clients/${made.id}`);
    assert.deepEqual(
      [again.web_origins, again.allowed_origins, again.refresh_token.token_lifetime, again.jwt_configuration],
      [['https://c.example'], undefined, 60, undefined],
    );
  });

  test('who sends a client’s codes elsewhere must hold what it holds', async () => {
    const clerk = await callerWith(server, ['read:clients', 'create:clients', 'update:clients']);
    const stronger = await callerWith(server, ['delete:users']);
    const asClerk = callsOf(server, () => clerk.token);
    const beyond = { status: 403, message: /delete:users/, errorCode: 'operation_not_supported' };
    for (const body of [
      { callbacks: ['https://evil.example/cb'] },
      { allowed_logout_urls: ['https://evil.example'] },
      { web_origins: ['https://evil.example'] },
      { initiate_login_uri: 'https://evil.example/' },
      { oidc_logout: { backchannel_logout_urls: ['https://evil.example'] } },
      { refresh_token: { rotation_type: 'non-rotating' } },
      { grant_types: ['client_credentials', 'authorization_code'] },
      { is_first_party: false },
      { app_type: 'native' },
    ]) {
      await asClerk.refused(beyond, 'PATCH', `/clients/${stronger.clientId}`, body);
    }
    // People manage through this one: their codes are worth what it may have of them.
    const console = await make({ grant_types: ['authorization_code'] });
    await server.manage('POST', '/client-grants', {
      client_id: console.client_id,
      audience: server.managementAudience,
      subject_type: 'user',
      scope: ['delete:users'],
    });
    await asClerk.refused(beyond, 'PATCH', `/clients/${console.client_id}`, { callbacks: ['https://evil.example/cb'] });
    await asClerk.refused(beyond, 'PATCH', `/clients/${console.client_id}`, { token_endpoint_auth_method: 'none' });
    const kept = await asClerk('PATCH', `/clients/${stronger.clientId}`, {
      name: 'Renamed',
      grant_types: ['client_credentials'],
    });
    assert.equal(kept.status, 200, kept.text);
    const own = await make({ grant_types: ['authorization_code'] });
    const changed = await asClerk('PATCH', `/clients/${own.client_id}`, { callbacks: ['https://a.example/cb'] });
    assert.equal(changed.status, 200, changed.text);
  });

  test('what the dialects kept before is moved, whole, and shown as it was', async () => {
    const auth0 = await make({ jwt_configuration: { alg: 'RS256' } });
    const logto = await native.expect(200, 'POST', '/applications', { name: 'Old', type: 'SPA' });
    const plain = await make({});
    const words = {
      callbacks: ['https://old.example/cb', 'com.example.old://cb'],
      allowed_logout_urls: [],
      web_origins: ['https://old.example'],
      organization_usage: 'allow',
      jwt_configuration: { alg: 'RS256', lifetime_in_seconds: 900 },
      oidc_logout: { backchannel_logout_urls: ['https://old.example/ended'] },
      refresh_token: { rotation_type: 'rotating', token_lifetime: 100 },
    };
    const oidcClientMetadata = { redirectUris: ['https://spa.example/cb'], postLogoutRedirectUris: [] };
    const customClientMetadata = {
      corsAllowedOrigins: ['https://page.example'],
      refreshTokenTtlInDays: 3,
      idTokenTtl: 60,
    };
    const old: [string, object][] = [
      [auth0.client_id, { auth0: words }],
      [logto.id, { logto: { oidcClientMetadata, customClientMetadata, customData: { a: 1 } } }],
      [plain.client_id, { auth0: { sso: true } }],
    ];
    const { db } = server.composed.services;
    const { extras: friendly } = (await server.rows('tenants'))[0];
    await db.transact(async (trx) => {
      await trx
        .updateTable('tenants')
        .set({ extras: '{"auth0":{"friendly_name":"Old name","sandbox_version":"22"}}' })
        .execute();
      for (const [id, extras] of old) {
        const row = { extras: JSON.stringify(extras), sign_in: '{}' };
        await trx.updateTable('clients').set(row).where('id', '=', id).execute();
      }
      // More than are read at once.
      const row = await trx
        .selectFrom('clients')
        .selectAll()
        .where('id', '=', plain.client_id)
        .executeTakeFirstOrThrow();
      const copies = Array.from({ length: 1100 }, (_, index) => ({
        ...row,
        id: `copy${String(index).padStart(4, '0')}`,
        extras: JSON.stringify({ auth0: { callbacks: [`https://copy.example/${index}`] } }),
      }));
      for (let start = 0; start < copies.length; start += 100) {
        await trx
          .insertInto('clients')
          .values(copies.slice(start, start + 100))
          .execute();
      }
      await moveSignInFacts(trx as never);
    });
    const shown = await server.manage('GET', `/clients/${auth0.client_id}`);
    assert.deepEqual({ ...shown, ...words }, shown);
    const { redirectUris, rotatesRefreshTokens, refreshTokenLifetimeSeconds } = await signInOf(auth0.client_id);
    assert.deepEqual([redirectUris, rotatesRefreshTokens, refreshTokenLifetimeSeconds], [words.callbacks, true, 100]);
    assert.deepEqual(await originsOf(auth0.client_id), ['https://old.example']);
    const read = await native.expect(200, 'GET', `/applications/${logto.id}`);
    assert.deepEqual(
      [read.oidcClientMetadata, read.customClientMetadata, read.customData],
      [oidcClientMetadata, customClientMetadata, { a: 1 }],
    );
    assert.deepEqual(await originsOf(logto.id), ['https://page.example', 'https://spa.example']);
    assert.deepEqual(await signInOf(plain.client_id), {});
    const rows = (await server.rows('clients')).filter(({ id }) => id.startsWith('copy'));
    assert.ok(rows.every(({ sign_in }) => JSON.parse(sign_in).redirectUris[0]?.startsWith('https://copy.example/')));
    const settings = await server.manage('GET', '/tenants/settings');
    assert.deepEqual([settings.friendly_name, settings.sandbox_version], ['Old name', '22']);
    const renamed = await call('PATCH', `/clients/${auth0.client_id}`, { name: 'Goes on' });
    assert.equal(renamed.status, 200, 'what was there before the rule does not stand in the way of other changes');
    await db.transact((trx) => trx.updateTable('tenants').set({ extras: friendly, sign_in: '{}' }).execute());
  });
});

test('a server that is reached by http lets applications be, too; others only on loopback', () => {
  const signIn = {
    redirectUris: ['http://app.internal/cb'],
    postLogoutRedirectUris: ['http://app.internal/bye'],
    allowedOrigins: ['http://app.internal'],
  };
  assertSignIn({ base: new URL('http://auth.internal:8480') }, { type: 'web', signIn });
  for (const base of ['https://auth.internal', 'http://localhost:8480', 'http://127.0.0.1:8480']) {
    assert.throws(() => assertSignIn({ base: new URL(base) }, { type: 'web', signIn }), { path: 'redirectUris.0' });
  }
});

describe('whether a request may name a redirect URI', () => {
  const client = (type: 'native' | 'web', ...redirectUris: string[]) => ({
    type,
    signIn: { redirectUris, postLogoutRedirectUris: [], allowedOrigins: [] },
  });
  const registered = [
    'https://a.example/cb',
    'http://127.0.0.1:4000/cb',
    'http://[::1]/cb',
    'http://localhost:4000/cb',
  ];

  test('character by character', () => {
    for (const uri of registered) assert.equal(redirectUriMatches(client('web', ...registered), uri), true, uri);
    for (const uri of [
      'https://a.example/cb/',
      'https://a.example/cb/x',
      'https://a.example/cb?x=1',
      'https://a.example/cb#x',
      'https://a.example/CB',
      'https://A.example/cb',
      'https://a.example:443/cb',
      'http://a.example/cb',
      'https://a.example./cb',
      'https://a.example/x/../cb',
      'https://a.example/%63b',
      'https://a.example/;/cb',
      'https://user@a.example/cb',
      'https://a.example@evil.example/cb',
      'https://a.example\\@evil.example/cb',
      'https://evil.example/https://a.example/cb',
      'https://a.example.evil.example/cb',
      'https://aXexample/cb',
      ' https://a.example/cb',
      'https://a.example/cb\n',
      'HTTPS://a.example/cb',
      'https:a.example/cb',
      'https://a.еxample/cb',
      'http://127.0.0.1:4001/cb',
      '',
    ]) {
      assert.equal(redirectUriMatches(client('web', ...registered), uri), false, uri);
    }
  });

  test('any port of a literal loopback address, for a native application', () => {
    const native = client('native', ...registered);
    for (const uri of [
      'http://127.0.0.1/cb',
      'http://127.0.0.1:1/cb',
      'http://127.0.0.1:65535/cb',
      'http://[::1]:9/cb',
    ]) {
      assert.equal(redirectUriMatches(native, uri), true, uri);
    }
    for (const uri of [
      'http://localhost:4001/cb',
      'https://127.0.0.1:4001/cb',
      'http://127.0.0.2:4001/cb',
      'http://127.0.0.1:4001/cb2',
      'http://127.0.0.1:4001/cb?x=1',
      'http://127.0.0.1:65536/cb',
      'http://127.0.0.1:0/cb',
      'http://127.0.0.1:/cb',
      'http://127.0.0.1:4001@evil.example/cb',
      'http://127.0.0.1.evil.example:4001/cb',
      'http://127.0.0.1:4001.evil.example/cb',
      'http://[::1]evil.example:4001/cb',
      'http://[::2]:4001/cb',
      'https://a.example:8443/cb',
    ]) {
      assert.equal(redirectUriMatches(native, uri), false, uri);
    }
  });
});
