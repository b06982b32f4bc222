import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';
import type { RefusalReason } from '../../src/protocol/refusal.ts';
import { logtoIdentityScopes, standardIdentityScopes } from '../../src/protocol/tokens/identity-scopes.ts';
import { type Answer, admin, eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { callerWith, goodToken, rawRequest, signed, signingKey } from '../management/support.ts';
import { claimsOf, keyPair, proof, sign } from './assertions.ts';
import { askToken, assertErrorShape, type Machine, refusedAt, tokenFor } from './organization-support.ts';
import { basic, visible, withoutLimits } from './refusals.ts';

eachEngine('the issuer /oidc', (engine) => {
  let server: TestServer;
  let machine: Machine;
  let good: Record<string, string>;
  const clock = new TestClock();
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
    machine = await server.machine({ identifier: 'https://orders.example' });
    good = {
      grant_type: 'client_credentials',
      client_id: machine.clientId,
      client_secret: machine.clientSecret,
      resource: machine.audience,
    };
  });
  after(() => server.close());

  const post = (form: Record<string, string>, headers: Record<string, string> = {}, path = '/oidc/token') =>
    server.request('POST', path, { form, headers });
  const without = (...names: string[]) =>
    Object.fromEntries(Object.entries(good).filter(([name]) => !names.includes(name)));
  const refused = (send: () => Promise<Answer>, status: number, error: string, reason: RefusalReason) =>
    refusedAt(server, 'oidc', send, { status, error, reason });

  describe('what it publishes', () => {
    test('discovery names the issuer without a slash, and only what exists', async () => {
      const { status, headers, body } = await server.request('GET', '/oidc/.well-known/openid-configuration');
      assert.equal(status, 200);
      assert.equal(headers.get('cache-control'), 'public, max-age=300');
      const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'];
      const methods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt'];
      const issuer = `${server.origin}/oidc`;
      const endpoint = (name: string, ...more: string[]) => ({
        [`${name}_endpoint_auth_methods_supported`]: [...methods, ...more],
        [`${name}_endpoint_auth_signing_alg_values_supported`]: algorithms,
      });
      assert.deepEqual(body, {
        issuer,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        introspection_endpoint: `${issuer}/token/introspection`,
        revocation_endpoint: `${issuer}/token/revocation`,
        authorization_endpoint: `${issuer}/auth`,
        pushed_authorization_request_endpoint: `${issuer}/par`,
        device_authorization_endpoint: `${issuer}/device/auth`,
        userinfo_endpoint: `${issuer}/me`,
        end_session_endpoint: `${issuer}/session/end`,
        backchannel_logout_supported: true,
        backchannel_logout_session_supported: true,
        grant_types_supported: [
          'client_credentials',
          'authorization_code',
          'refresh_token',
          'urn:ietf:params:oauth:grant-type:device_code',
          'urn:ietf:params:oauth:grant-type:token-exchange',
        ],
        response_types_supported: ['code'],
        response_modes_supported: ['query', 'form_post'],
        code_challenge_methods_supported: ['S256'],
        authorization_response_iss_parameter_supported: true,
        prompt_values_supported: ['none', 'login', 'consent', 'select_account'],
        ui_locales_supported: ['en', 'ja'],
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
        claims_parameter_supported: false,
        scopes_supported: [...standardIdentityScopes, ...logtoIdentityScopes],
        claims_supported: body.claims_supported,
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
        dpop_signing_alg_values_supported: ['ES256', 'ES384', 'PS256', 'EdDSA', 'Ed25519'],
        tls_client_certificate_bound_access_tokens: false,
        ...endpoint('token', 'none'),
        ...endpoint('introspection'),
        ...endpoint('revocation', 'none'),
      });
      for (const claim of ['sub', 'sid', 'auth_time', 'email', 'address'])
        assert.ok(body.claims_supported.includes(claim));
      // Where RFC 8414 looks for it.
      const other = await server.request('GET', '/.well-known/oauth-authorization-server/oidc');
      assert.deepEqual([other.status, other.body], [200, body]);
    });

    test('its keys are the tenant’s, and are asked for anew each time', async () => {
      const { status, headers, body } = await server.request('GET', '/oidc/jwks');
      assert.equal(status, 200);
      assert.equal(headers.get('cache-control'), 'no-cache, max-age=0, must-revalidate');
      assert.deepEqual(body, (await server.request('GET', '/.well-known/jwks.json')).body);
      assert.ok(body.keys.length > 0 && body.keys.every((key: object) => !('d' in key)));
    });

    test('what is not there is 404 in its shape, at any method; what is beside it is not its own', async () => {
      for (const path of [
        '',
        '/',
        '/auth/x',
        '/mex',
        '/token/',
        '/jwks/x',
        '/token/introspection/',
        '/.well-known/x',
      ]) {
        for (const method of ['GET', 'POST', 'DELETE']) {
          const answer = await server.request(method, `/oidc${path}`);
          assert.equal(`${answer.status} ${answer.body.code}`, '404 oidc.invalid_request', `${method} ${path}`);
          assertErrorShape(answer, 'oidc');
        }
      }
      assert.equal((await server.request('GET', '/oidcx')).body.code, undefined);
      const plain = await server.request('GET', '/oidc/authx?parse_error=false');
      assert.deepEqual(plain.body, { error: 'invalid_request', error_description: 'There is nothing here.' });
      const unreadable = await server.request('GET', '/oidc/%zz');
      assert.equal(`${unreadable.status} ${unreadable.body.code}`, '400 oidc.invalid_request');
    });

    test('its endpoints take no GET', async () => {
      for (const path of ['/oidc/token', '/oidc/token/introspection', '/oidc/token/revocation']) {
        const answer = await server.request('GET', `${path}?client_secret=${machine.clientSecret}`);
        assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'POST']);
        assertErrorShape(answer, 'oidc');
      }
    });
  });

  describe('a token', () => {
    test('by form and by JSON; RFC 9068, the client id as its subject', async () => {
      const answers = [
        await post({ ...good, scope: 'read:orders' }),
        await server.request('POST', '/oidc/token', { json: { ...good, scope: 'read:orders' } }),
      ];
      for (const { status, headers, body } of answers) {
        assert.equal(status, 200);
        assert.equal(headers.get('cache-control'), 'no-store');
        const { access_token: token, ...rest } = body;
        assert.deepEqual(rest, { token_type: 'Bearer', expires_in: 86_400, scope: 'read:orders' });
        const keys = createLocalJWKSet((await server.request('GET', '/oidc/jwks')).body);
        const { payload, protectedHeader } = await jwtVerify(token, keys);
        const { iat, jti } = payload;
        assert.deepEqual(payload, {
          iss: `${server.origin}/oidc`,
          sub: machine.clientId,
          aud: machine.audience,
          iat,
          exp: (iat as number) + 86_400,
          jti,
          scope: 'read:orders',
          client_id: machine.clientId,
        });
        assert.equal(protectedHeader.typ, 'at+jwt');
      }
    });

    test('absent scopes are none, surplus ones are dropped; the answer always says which', async () => {
      for (const [scope, given] of [
        [undefined, ''],
        ['', ''],
        ['nonsense', ''],
        ['write:orders', 'write:orders'],
        ['nonsense write:orders  read:orders write:orders', 'write:orders read:orders'],
      ] as const) {
        const { status, body } = await post(scope === undefined ? good : { ...good, scope });
        assert.deepEqual([status, body.scope], [200, given]);
        assert.equal(decodeJwt(body.access_token).scope, given === '' ? undefined : given);
      }
    });

    test('the id and secret of Basic may be encoded or raw', async () => {
      const rest = without('client_id', 'client_secret');
      const raw = Buffer.from(`${machine.clientId}:${machine.clientSecret}`).toString('base64');
      for (const headers of [basic(machine.clientId, machine.clientSecret), { authorization: `Basic ${raw}` }]) {
        assert.equal((await post(rest, headers)).status, 200);
        assert.equal((await post({ ...rest, client_id: machine.clientId }, headers)).status, 200);
      }
      const raw401 = await post(rest, { authorization: `Basic ${Buffer.from('nobody:x').toString('base64')}` });
      assert.equal(raw401.headers.get('www-authenticate'), 'Basic realm="sekisho"');
    });

    test('of Logto’s clients for the management API: exactly the scope all', async () => {
      const { status, body } = await post({
        grant_type: 'client_credentials',
        client_id: admin.clientId,
        client_secret: admin.clientSecret,
        resource: 'https://default.logto.app/api',
        scope: 'all',
      });
      assert.deepEqual([status, body.scope, typeof body.expires_in], [200, 'all', 'number']);
      assert.equal(decodeJwt(body.access_token).aud, 'https://default.logto.app/api');
      const answer = await server.request('GET', '/api/tenants', { token: body.access_token });
      assert.equal(answer.status, 403, 'all does not stand for manage:tenants');
      const explained = await server.request('POST', '/api/explain', {
        token: body.access_token,
        json: { applicationId: admin.clientId, audience: server.nativeAudience },
      });
      assert.deepEqual([explained.status, explained.body.allowed], [200, true]);
    });

    test('a client assertion is for the issuer that is asked', async () => {
      const { pem, privateKey } = keyPair('ES256');
      const client = {
        client_authentication_methods: {
          private_key_jwt: { credentials: [{ credential_type: 'public_key', pem, alg: 'ES256' }] },
        },
      };
      const { clientId, audience } = await server.machine({ client });
      const ask = async (path: string, aud: string) =>
        post(
          {
            grant_type: 'client_credentials',
            resource: audience,
            ...proof(await sign(privateKey, { alg: 'ES256' }, { ...claimsOf(server, clientId, clock.now()), aud })),
          },
          {},
          path,
        );
      const oidc = `${server.origin}/oidc`;
      assert.equal((await ask('/oidc/token', oidc)).status, 200);
      assert.equal((await ask('/oauth/token', server.issuer)).status, 200);
      for (const aud of [server.issuer, `${oidc}/`, `${oidc}/token`, server.origin]) {
        await refused(() => ask('/oidc/token', aud), 401, 'invalid_client', 'assertion_invalid');
      }
      assert.equal((await ask('/oauth/token', oidc)).status, 401);
    });

    test('oauth4webapi finds everything by discovery', async () => {
      const issuer = new URL(`${server.origin}/oidc`);
      const options = { [oauth.allowInsecureRequests]: true };
      const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options));
      const client = { client_id: machine.clientId };
      const { access_token: token } = await oauth.processClientCredentialsResponse(
        as,
        client,
        await oauth.clientCredentialsGrantRequest(
          as,
          client,
          oauth.ClientSecretBasic(machine.clientSecret),
          { resource: machine.audience, scope: 'read:orders' },
          options,
        ),
      );
      const request = new Request(machine.audience, { headers: { authorization: `Bearer ${token}` } });
      const claims = await oauth.validateJwtAccessToken(as, request, machine.audience, options);
      assert.deepEqual([claims.sub, claims.scope], [machine.clientId, 'read:orders']);
    });
  });

  describe('refusals', () => {
    test('whoever can not prove who they are is told one thing', async () => {
      const expired = await server.machine();
      const added = await server.manage('POST', `/clients/${expired.clientId}/rotate-secret`);
      const wrong = 'x'.repeat(64);
      const spa = await server.machine({ client: { app_type: 'spa', token_endpoint_auth_method: 'none' } });
      const answers = [
        [{ ...good, client_id: 'nobody' }, 'client_unknown'],
        [{ ...good, client_secret: wrong }, 'secret_wrong'],
        [{ ...good, client_id: expired.clientId, client_secret: expired.clientSecret }, 'secret_wrong'],
        [without('client_secret'), 'credentials_missing'],
        [{ ...good, client_id: spa.clientId, client_secret: wrong }, 'client_public'],
      ] as const;
      assert.notEqual(added.client_secret, expired.clientSecret);
      const seen: unknown[] = [];
      for (const [form, reason] of answers) {
        seen.push(visible(await refused(() => post(form), 401, 'invalid_client', reason)));
      }
      for (const one of seen) assert.deepEqual(one, seen[0]);
    });

    test('an expired secret is a wrong one', async () => {
      const target = await server.machine();
      const stored = (await server.rows('credentials')).find(({ client_id }) => client_id === target.clientId);
      const form = { ...good, client_id: target.clientId, client_secret: target.clientSecret };
      const wrong = visible(await post({ ...form, client_secret: 'x'.repeat(64) }));
      await server.composed.services.db.transact((trx) =>
        trx
          .updateTable('credentials')
          .set({ expires_at: clock.now() - 1 })
          .where('id', '=', stored.id)
          .execute(),
      );
      const answer = await refused(() => post(form), 401, 'invalid_client', 'secret_expired');
      assert.deepEqual(visible(answer), wrong);
    });

    test('each has its status, code and message', async () => {
      const other = await server.machine();
      const web = await server.machine({ client: { grant_types: [] } });
      const asWeb = { ...good, client_id: web.clientId, client_secret: web.clientSecret, resource: web.audience };
      const disabled = await server.machine();
      const asDisabled = { ...good, client_id: disabled.clientId, client_secret: disabled.clientSecret };
      await server.composed.services.db.transact((trx) =>
        trx.updateTable('clients').set({ status: 'disabled' }).where('id', '=', disabled.clientId).execute(),
      );
      const table: [Record<string, string>, number, string, RefusalReason][] = [
        [without('client_id', 'client_secret'), 401, 'invalid_client', 'client_id_missing'],
        [without('grant_type'), 400, 'invalid_request', 'grant_type_missing'],
        [{ ...good, grant_type: 'password' }, 400, 'unsupported_grant_type', 'grant_type_unsupported'],
        [asWeb, 400, 'invalid_request', 'grant_type_not_allowed'],
        [asDisabled, 400, 'unauthorized_client', 'client_disabled'],
        [without('resource'), 400, 'invalid_target', 'audience_missing'],
        [{ ...good, resource: 'https://unknown.example' }, 400, 'invalid_target', 'audience_unknown'],
        [{ ...good, resource: 'orders' }, 400, 'invalid_target', 'target_invalid'],
        [{ ...good, resource: `${machine.audience}#x` }, 400, 'invalid_target', 'target_invalid'],
        [{ ...good, audience: 'https://other.example' }, 400, 'invalid_target', 'target_invalid'],
        [{ ...good, resource: 'urn:logto:resource:organizations' }, 400, 'invalid_target', 'audience_unknown'],
        [{ ...good, resource: other.audience }, 400, 'access_denied', 'grant_missing'],
        [{ ...good, resource: server.nativeAudience }, 400, 'access_denied', 'grant_missing'],
        [{ ...good, scope: 'a"b' }, 400, 'invalid_request', 'parameter_invalid'],
        [{ ...good, scope: 'a\nb' }, 400, 'invalid_request', 'parameter_invalid'],
      ];
      for (const [form, status, error, reason] of table) await refused(() => post(form), status, error, reason);
      await refused(
        () => post(good, basic(machine.clientId, machine.clientSecret)),
        400,
        'invalid_request',
        'several_auth_methods',
      );
    });

    test('two resources are an invalid target, by form and by JSON', async () => {
      const type = { 'content-type': 'application/x-www-form-urlencoded' };
      const body = `${new URLSearchParams(good)}&resource=https%3A%2F%2Fb.example`;
      await refused(
        () => server.request('POST', '/oidc/token', { body, headers: type }),
        400,
        'invalid_target',
        'target_invalid',
      );
      const json = { ...good, resource: [machine.audience, 'https://b.example'] };
      await refused(() => server.request('POST', '/oidc/token', { json }), 400, 'invalid_target', 'target_invalid');
    });

    test('bodies that can not be read', async () => {
      const send = (body: string, type: string) =>
        server.request('POST', '/oidc/token', { body, headers: { 'content-type': type } });
      await refused(() => send('{', 'application/json'), 400, 'invalid_request', 'parameter_invalid');
      await refused(() => send('[]', 'application/json'), 400, 'invalid_request', 'parameter_invalid');
      await refused(
        () => send('a=%00', 'application/x-www-form-urlencoded'),
        400,
        'invalid_request',
        'parameter_invalid',
      );
      await refused(() => send('x', 'text/plain'), 415, 'invalid_request', 'parameter_invalid');
      await refusedAt(
        server,
        'oidc',
        () =>
          server.request('POST', '/oidc/token/introspection', {
            body: '{',
            headers: { 'content-type': 'application/json' },
          }),
        { status: 400, error: 'invalid_request', reason: 'parameter_invalid', kind: 'endpoint.refused' },
      );
    });

    test('?parse_error=false gives the plain OAuth body, and nothing else changes', async () => {
      const form = without('resource');
      const { code, message, ...plain } = (await post(form)).body;
      const answer = await post(form, {}, '/oidc/token?parse_error=false');
      assert.deepEqual([answer.status, answer.body], [400, plain]);
      assert.deepEqual([code, message], ['oidc.invalid_target', plain.error_description]);
      for (const query of ['true', '', 'FALSE', '0']) {
        assert.equal((await post(form, {}, `/oidc/token?parse_error=${query}`)).body.code, code);
      }
      assert.equal((await post(good, {}, '/oidc/token?parse_error=false')).status, 200);
    });

    test('another tenant’s host: its own issuer, its own clients; a suspended one, none', async () => {
      const token = await server.managementToken(server.nativeAudience);
      const made = await server.request('POST', '/api/tenants', { token, json: { id: 'second' } });
      assert.equal(made.status, 201, made.text);
      const host = `second.localhost:${server.port}`;
      const form = { 'content-type': 'application/x-www-form-urlencoded' };
      const ask = (name: string) =>
        rawRequest(server, 'POST', '/oidc/token', {
          host: name,
          headers: form,
          body: String(new URLSearchParams(good)),
        });
      const at = (path: string, name = host) => rawRequest(server, 'GET', path, { host: name });
      assert.equal((await at('/oidc/.well-known/openid-configuration')).body.issuer, `http://${host}/oidc`);
      assert.equal((await ask(host)).body.code, 'oidc.invalid_client', 'a client of another tenant');
      const mine = await tokenFor(server, 'oidc', machine, { audience: machine.audience });
      const foreign = await rawRequest(server, 'GET', '/api/v2/clients', { host, token: mine });
      assert.equal(foreign.status, 401);
      for (const path of ['/oidc/.well-known/openid-configuration', '/oidc/jwks']) {
        const unknown = await at(path, `nobody.localhost:${server.port}`);
        assert.deepEqual([unknown.status, unknown.body.code], [404, 'oidc.invalid_request']);
      }
      await server.request('PATCH', '/api/tenants/second', { token, json: { status: 'suspended' } });
      const suspended = await ask(host);
      assert.deepEqual([suspended.status, suspended.body.code], [403, 'oidc.access_denied']);
      assert.equal((await at('/oidc/jwks')).status, 403);
    });
  });

  describe('introspection and revocation', () => {
    test('take tokens of both issuers, at both', async () => {
      const credentials = { client_id: machine.clientId, client_secret: machine.clientSecret };
      for (const issuer of ['root', 'oidc'] as const) {
        for (const [introspection, revocation] of [
          ['/oauth/introspect', '/oauth/revoke'],
          ['/oidc/token/introspection', '/oidc/token/revocation'],
        ] as const) {
          const token = await tokenFor(server, issuer, machine, { audience: machine.audience, scope: 'read:orders' });
          const { payload } = await jwtVerify(
            token,
            createLocalJWKSet((await server.request('GET', '/oidc/jwks')).body),
          );
          const active = { active: true, token_type: 'Bearer', client_id: machine.clientId, ...payload };
          assert.deepEqual((await post({ ...credentials, token }, {}, introspection)).body, active);
          const revoked = await post({ ...credentials, token }, {}, revocation);
          assert.deepEqual([revoked.status, revoked.text, revoked.headers.get('content-length')], [200, '', '0']);
          for (const path of ['/oauth/introspect', '/oidc/token/introspection']) {
            assert.equal((await post({ ...credentials, token }, {}, path)).text, '{"active":false}');
          }
        }
      }
    });

    test('are refused in its shape', async () => {
      for (const path of ['/oidc/token/introspection', '/oidc/token/revocation']) {
        const expected = { kind: 'endpoint.refused', status: 401, error: 'invalid_client' } as const;
        const form = { client_id: machine.clientId, client_secret: 'x'.repeat(64), token: 'x' };
        await refusedAt(server, 'oidc', () => post(form, {}, path), { ...expected, reason: 'secret_wrong' });
        const credentials = { client_id: machine.clientId, client_secret: machine.clientSecret };
        await refusedAt(server, 'oidc', () => post(credentials, {}, path), {
          ...expected,
          status: 400,
          error: 'invalid_request',
          reason: 'token_missing',
        });
      }
      const unknown = await post(
        { client_id: machine.clientId, client_secret: machine.clientSecret, token: 'x' },
        {},
        '/oidc/token/revocation',
      );
      assert.deepEqual([unknown.status, unknown.text], [200, '']);
    });
  });

  describe('the management APIs', () => {
    test('take its tokens, with the scopes they carry, as long as the grant is there', async () => {
      const caller = await callerWith(server, ['read:clients', 'read:resource_servers']);
      const ask = { audience: server.managementAudience, scope: 'read:clients delete:clients' };
      const answer = await askToken(server, 'oidc', caller, ask);
      assert.equal(answer.body.scope, 'read:clients');
      const call = (path: string, token = answer.body.access_token) =>
        server.request('GET', `/api/v2${path}`, { token });
      assert.equal((await call('/clients')).status, 200);
      assert.equal((await call('/resource-servers')).status, 403, 'held, and not in the token');
      const bare = await tokenFor(server, 'oidc', caller, { audience: server.managementAudience });
      assert.equal((await call('/clients', bare)).status, 403, 'a token without scopes');
      const orders = await tokenFor(server, 'oidc', machine, { audience: machine.audience, scope: 'read:orders' });
      assert.equal((await call('/clients', orders)).status, 401, 'another audience');
      await server.manage('DELETE', `/client-grants/${caller.grantId}`);
      assert.equal((await call('/clients')).status, 401);
    });

    test('take no token whose issuer and subject do not belong together', async () => {
      const caller = await callerWith(server, ['read:clients']);
      const { kid, key } = await signingKey(server);
      const { header, payload } = goodToken(server, caller.clientId, kid);
      const call = (change: Record<string, unknown>) =>
        server.request('GET', '/api/v2/clients', {
          token: signed(header, { ...payload, jti: randomUUID(), ...change }, key),
        });
      const iss = `${server.origin}/oidc`;
      const sub = caller.clientId;
      assert.equal((await call({})).status, 200);
      assert.equal((await call({ iss, sub })).status, 200);
      const before = await server.stateHash();
      for (const change of [
        { iss },
        { sub },
        { iss: `${iss}/`, sub },
        { iss: iss.toUpperCase(), sub },
        { iss: `${server.issuer}oidc/token`, sub },
        { iss: `https://other.example/oidc`, sub },
        { iss, sub: 'auth0|somebody' },
        { iss, sub, client_id: undefined },
        { iss, sub, client_id: admin.clientId },
        { iss, sub: admin.clientId },
        { iss, sub, aud: [server.managementAudience] },
        { iss, sub, organization_id: 'org_0000000000000000' },
        { iss, sub, organization_id: ['x'] },
        { iss, sub, organization_id: null },
        { iss, sub, organization_id: '' },
        { org_id: 'org_0000000000000000' },
        { iss: [iss], sub },
      ]) {
        const answer = await call(change);
        assert.equal(answer.status, 401, JSON.stringify(change));
      }
      assert.equal(await server.stateHash(), before);
    });
  });
});

eachEngine('limits at /oidc', (engine) => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ engine, env: { SEKISHO_RATE_LIMIT_FAILURES_PER_CLIENT: '3' } });
  });
  after(() => server.close());

  test('are those of the root, in its shape: failures at both count together', async () => {
    const machine = await server.machine();
    const wrong = { ...machine, clientSecret: 'x'.repeat(64) };
    for (const issuer of ['root', 'oidc', 'root'] as const) {
      assert.equal((await askToken(server, issuer, wrong, { audience: machine.audience })).status, 401);
    }
    const answer = await askToken(server, 'oidc', machine, { audience: machine.audience });
    assert.equal(`${answer.status} ${answer.body.code}`, '429 oidc.too_many_requests');
    assert.ok(Number(answer.headers.get('retry-after')) > 0);
    assertErrorShape(answer, 'oidc');
  });
});
