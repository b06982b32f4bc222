import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { type Answer, eachEngine, newPostgresDatabase, startServer, TestClock, type TestServer } from '../harness.ts';
import { rawRequest, withoutLimits } from '../management/support.ts';
import { Browser, callbackOf, codeOf, makeUser, native, redirectUri } from './support.ts';

const endpoints = { root: '/oidc/register', oidc: '/oidc/reg' } as const;
const discovery = { root: '', oidc: '/oidc' } as const;
type Key = keyof typeof endpoints;
const hour = 3_600_000;

eachEngine('dynamic client registration', (engine) => {
  let server: TestServer;
  const clock = new TestClock();
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
  });
  after(() => server.close());

  const initialToken = async (uses = 1, more: Record<string, unknown> = {}): Promise<{ id: string; value: string }> =>
    native(server, 'POST', '/initial-access-tokens', {
      name: 'Partners',
      uses,
      expiresAt: clock.now() + hour,
      ...more,
    });

  const register = (issuer: Key, token: string | undefined, metadata: unknown): Promise<Answer> =>
    server.request('POST', endpoints[issuer], { ...(token === undefined ? {} : { token }), json: metadata });

  async function registered(metadata: Record<string, unknown> = {}, issuer: Key = 'root') {
    const { value } = await initialToken();
    const answer = await register(issuer, value, { redirect_uris: [redirectUri], ...metadata });
    assert.equal(answer.status, 201, answer.text);
    return answer.body;
  }

  /** The path of a client's own registration. */
  const pathOf = ({ registration_client_uri: uri }: { registration_client_uri: string }) => new URL(uri).pathname;

  const manage = (method: string, client: Record<string, string>, json?: unknown) =>
    server.request(method, pathOf(client as never), {
      token: client.registration_access_token as string,
      ...(json === undefined ? {} : { json }),
    });

  /** What a client sends back to say the same again. */
  const again = ({ client_id, client_name, redirect_uris, grant_types, token_endpoint_auth_method }: never) => ({
    client_id,
    client_name,
    redirect_uris,
    grant_types,
    token_endpoint_auth_method,
  });

  async function refused(work: () => Promise<Answer>, status: number, error: string, about?: RegExp): Promise<void> {
    const before = await server.stateHash();
    const tokens = JSON.stringify(await server.rows('initial_access_tokens'));
    const answer = await work();
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.body.error, error, answer.text);
    if (about !== undefined) assert.match(answer.body.error_description, about);
    assert.equal(await server.stateHash(), before);
    assert.equal(JSON.stringify(await server.rows('initial_access_tokens')), tokens);
    assert.equal((await server.logEvents()).at(-1).kind, 'client_registration.refused');
  }

  for (const issuer of Object.keys(endpoints) as Key[]) {
    describe(issuer, () => {
      test('off until there is an initial access token; discovery says so', async () => {
        const endpoint = async () =>
          (await server.request('GET', `${discovery[issuer]}/.well-known/openid-configuration`)).body
            .registration_endpoint;
        await server.composed.services.db.transact((trx) => trx.deleteFrom('initial_access_tokens').execute());
        assert.equal(await endpoint(), undefined);
        await refused(() => register(issuer, undefined, { redirect_uris: [redirectUri] }), 401, 'invalid_token');
        const { id } = await initialToken();
        assert.equal(await endpoint(), `${server.origin}${endpoints[issuer]}`);
        await native(server, 'DELETE', `/initial-access-tokens/${id}`);
        assert.equal(await endpoint(), undefined);
      });

      test('a registered client signs people in, after they agreed', async () => {
        const client = await registered({ client_name: 'Partner', logo_uri: 'https://app.example/logo.png' }, issuer);
        assert.deepEqual(Object.keys(client).sort(), [
          'application_type',
          'client_id',
          'client_id_issued_at',
          'client_name',
          'client_secret',
          'client_secret_expires_at',
          'grant_types',
          'id_token_signed_response_alg',
          'logo_uri',
          'post_logout_redirect_uris',
          'redirect_uris',
          'registration_access_token',
          'registration_client_uri',
          'response_types',
          'subject_type',
          'token_endpoint_auth_method',
        ]);
        assert.equal(client.client_secret_expires_at, 0);
        assert.deepEqual(client.grant_types, ['authorization_code']);
        assert.deepEqual(client.response_types, ['code']);
        assert.equal(client.token_endpoint_auth_method, 'client_secret_basic');
        assert.equal(client.registration_client_uri, `${server.origin}${endpoints[issuer]}/${client.client_id}`);
        const application = await native(server, 'GET', `/applications/${client.client_id}`);
        assert.equal(application.isThirdParty, true);

        const user = await makeUser(server);
        const browser = new Browser(server);
        const app = { clientId: client.client_id, clientSecret: undefined };
        const { verifier } = await codeOf(browser, issuer, app, user).catch(() => ({ verifier: '' }));
        assert.equal(verifier, '', 'the consent page is between');
        const pushed = await browser.submit('/consent', { decision: 'allow' });
        assert.ok(callbackOf(pushed).code);
        // Now it is remembered.
        const callback = await codeOf(browser, issuer, app, user);
        const basic = Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64');
        const tokens = await server.request('POST', issuer === 'root' ? '/oauth/token' : '/oidc/token', {
          form: {
            grant_type: 'authorization_code',
            code: callback.code as string,
            redirect_uri: redirectUri,
            code_verifier: callback.verifier,
          },
          headers: { authorization: `Basic ${basic}` },
        });
        assert.equal(tokens.status, 200, tokens.text);
        assert.ok(tokens.body.id_token);
      });

      test('its own registration: read, replaced, ended', async () => {
        const client = await registered({ client_name: 'Before' }, issuer);
        const read = await manage('GET', client);
        assert.equal(read.status, 200);
        const { client_secret: _secret, client_secret_expires_at: _expires, ...rest } = client;
        assert.deepEqual(read.body, rest);
        const other = 'https://app.example/other';
        const changed = await manage('PUT', client, {
          ...again(client as never),
          client_name: 'After',
          redirect_uris: [other],
          registration_access_token: 'ignored',
        });
        assert.equal(changed.status, 200, changed.text);
        assert.equal(changed.body.client_name, 'After');
        assert.deepEqual(changed.body.redirect_uris, [other]);
        assert.equal(changed.body.registration_access_token, client.registration_access_token);
        assert.equal('client_secret' in changed.body, false);
        assert.equal((await manage('DELETE', client)).status, 204);
        await refused(() => manage('GET', client), 401, 'invalid_token');
        const application = await server.request('GET', `/api/applications/${client.client_id}`, {
          token: await server.managementToken(server.nativeAudience),
        });
        assert.equal(application.status, 404);
      });
    });
  }

  test('an initial access token: unknown, used up, over, ended, of another kind', async () => {
    const metadata = { redirect_uris: [redirectUri] };
    const two = await initialToken(2);
    assert.equal((await register('root', two.value, metadata)).status, 201);
    assert.equal((await register('oidc', two.value, metadata)).status, 201);
    await refused(() => register('root', two.value, metadata), 401, 'invalid_token');
    await refused(() => register('root', 'nonsense', metadata), 401, 'invalid_token');
    const old = await initialToken();
    clock.advance(2 * hour);
    await refused(() => register('root', old.value, metadata), 401, 'invalid_token');
    const gone = await initialToken();
    await native(server, 'DELETE', `/initial-access-tokens/${gone.id}`);
    await refused(() => register('root', gone.value, metadata), 401, 'invalid_token');
    const client = await registered();
    await refused(() => register('root', client.registration_access_token, metadata), 401, 'invalid_token');
    const management = await server.managementToken(server.nativeAudience);
    await refused(() => register('root', management, metadata), 401, 'invalid_token');
    const { value } = await initialToken();
    const answer = await server.request('POST', '/oidc/register', {
      json: metadata,
      headers: { authorization: `Basic ${Buffer.from(`x:${value}`).toString('base64')}` },
    });
    assert.equal(answer.status, 401);
    assert.equal(
      (await server.request('POST', `/oidc/register?access_token=${value}`, { json: metadata })).status,
      401,
    );
  });

  test('bad metadata is refused by its name, and uses nothing up', async () => {
    const { value } = await initialToken();
    const withUris = { redirect_uris: [redirectUri] };
    const redirects: [unknown, RegExp][] = [
      [undefined, /redirect_uris/],
      [[], /redirect_uris/],
      [['https://app.example/cb#x'], /redirect_uris\.0/],
      [['https://app.example/cb', 'JavaScript:alert(1)'], /redirect_uris\.1/],
      [['data:text/html,x'], /redirect_uris\.0/],
      [['vbscript:x'], /redirect_uris\.0/],
      [['file:///etc/passwd'], /redirect_uris\.0/],
      [['blob:https://app.example/x'], /redirect_uris\.0/],
      [['https://*.example/cb'], /redirect_uris\.0/],
      [['http://app.example/cb'], /redirect_uris\.0/],
      [['https://app.example/cb\n'], /redirect_uris\.0/],
      [['com.example.app:/cb'], /redirect_uris\.0/],
      ['https://app.example/cb', /redirect_uris/],
      [[7], /redirect_uris/],
    ];
    for (const [uris, about] of redirects) {
      await refused(() => register('oidc', value, { redirect_uris: uris }), 400, 'invalid_redirect_uri', about);
    }
    const others: [Record<string, unknown>, RegExp][] = [
      [{ post_logout_redirect_uris: ['javascript:alert(1)'] }, /post_logout_redirect_uris\.0/],
      [{ initiate_login_uri: 'javascript:alert(1)' }, /initiate_login_uri/],
      [{ logo_uri: 'javascript:alert(1)' }, /logo_uri/],
      [{ client_uri: 'data:text/html,x' }, /client_uri/],
      [{ policy_uri: 'ftp://app.example/' }, /policy_uri/],
      [{ tos_uri: 7 }, /tos_uri/],
      [{ backchannel_logout_uri: 'http://app.example/' }, /backchannel_logout_uri/],
      [{ backchannel_logout_session_required: 'yes' }, /backchannel_logout_session_required/],
      [{ grant_types: ['implicit'] }, /grant_types/],
      [{ grant_types: ['authorization_code', 'client_credentials'] }, /grant_types/],
      [{ grant_types: ['password'] }, /grant_types/],
      [{ grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange'] }, /grant_types/],
      [{ grant_types: [] }, /grant_types/],
      [{ response_types: ['token'] }, /response_types/],
      [{ response_types: ['code', 'code id_token'] }, /response_types/],
      [{ token_endpoint_auth_method: 'tls_client_auth' }, /token_endpoint_auth_method/],
      [{ token_endpoint_auth_method: 'private_key_jwt' }, /jwks/],
      [{ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ kty: 'oct', k: 'AA' }] } }, /jwks\.keys\.0/],
      [{ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: ['x'] } }, /jwks\.keys\.0/],
      [{ jwks_uri: 'https://app.example/jwks' }, /jwks_uri/],
      [{ sector_identifier_uri: 'https://app.example/sector' }, /sector_identifier_uri/],
      [{ subject_type: 'pairwise' }, /subject_type/],
      [{ id_token_signed_response_alg: 'none' }, /id_token_signed_response_alg/],
      [{ userinfo_signed_response_alg: 'RS256' }, /userinfo_signed_response_alg/],
      [{ software_statement: 'x.y.z' }, /software_statement/],
      [{ client_name: 'Bank\u202egro.live' }, /client_name/],
      [{ client_name: 'a\nb' }, /client_name/],
      [{ client_name: 'x'.repeat(129) }, /client_name/],
      [{ client_name: {} }, /client_name/],
      [{ application_type: 'machine' }, /application_type/],
    ];
    for (const [metadata, about] of others) {
      const body = { ...withUris, ...metadata };
      await refused(() => register('oidc', value, body), 400, 'invalid_client_metadata', about);
    }
    for (const body of [[], 'text', 7, null]) {
      await refused(() => register('root', value, body), 400, 'invalid_client_metadata');
    }
    const form = await server.request('POST', '/oidc/register', { token: value, form: { redirect_uris: 'x' } });
    assert.equal(form.status, 400);
    assert.equal(form.body.error, 'invalid_client_metadata');
    assert.equal((await register('oidc', value, withUris)).status, 201);
  });

  test('what a client is not asked about it can not say', async () => {
    const client = await registered({
      client_id: 'admin',
      client_secret: 'x'.repeat(40),
      first_party: true,
      firstParty: true,
      is_first_party: true,
      isThirdParty: false,
      scope: 'all',
      status: 'active',
      owner_organization_id: 'org_x',
      ownerOrganizationId: 'org_x',
      extras: { logto: {} },
      __proto__: { firstParty: true },
      default_max_age: 10,
      contacts: ['a@example.com'],
    });
    assert.notEqual(client.client_id, 'admin');
    assert.notEqual(client.client_secret, 'x'.repeat(40));
    const application = await native(server, 'GET', `/applications/${client.client_id}`);
    assert.equal(application.isThirdParty, true);
    const grants = await server.rows('client_grants');
    assert.equal(grants.filter(({ client_id }) => client_id === client.client_id).length, 0);
    const roles = await server.rows('role_assignments');
    assert.equal(roles.filter(({ subject_id }) => subject_id === client.client_id).length, 0);
    // Nothing of it is good at a management API.
    for (const audience of [server.nativeAudience, server.managementAudience]) {
      const answer = await server.token({
        client_id: client.client_id,
        client_secret: client.client_secret,
        audience,
      });
      assert.ok(answer.status === 401 || answer.status === 403, answer.text);
    }
  });

  test('no address is fetched, at registration or at an update', async () => {
    let connections = 0;
    const canary = createServer((_request, response) => response.end()).on('connection', () => {
      connections += 1;
    });
    await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve));
    const at = `http://127.0.0.1:${(canary.address() as AddressInfo).port}`;
    const uris = {
      redirect_uris: [`${at}/cb`],
      logo_uri: `${at}/logo`,
      client_uri: `${at}/`,
      policy_uri: `${at}/policy`,
      tos_uri: `${at}/tos`,
      initiate_login_uri: `${at}/login`,
      backchannel_logout_uri: `${at}/logout`,
      request_uris: [`${at}/request`],
    };
    try {
      const client = await registered(uris);
      const changed = await manage('PUT', client, { client_id: client.client_id, ...uris });
      assert.equal(changed.status, 200, changed.text);
      for (const name of ['jwks_uri', 'sector_identifier_uri']) {
        const { value } = await initialToken();
        assert.equal((await register('root', value, { ...uris, [name]: `${at}/x` })).status, 400);
      }
      assert.equal(connections, 0);
    } finally {
      canary.close();
    }
  });

  test('an update is checked like a registration', async () => {
    const client = await registered();
    const same = again(client as never) as Record<string, unknown>;
    const forbidden: [Record<string, unknown>, string][] = [
      [{ redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri'],
      [{ redirect_uris: [] }, 'invalid_redirect_uri'],
      [{ grant_types: ['client_credentials'] }, 'invalid_client_metadata'],
      [{ post_logout_redirect_uris: ['//evil.example'] }, 'invalid_client_metadata'],
      [{ token_endpoint_auth_method: 'private_key_jwt' }, 'invalid_client_metadata'],
      [{ jwks_uri: 'https://app.example/jwks' }, 'invalid_client_metadata'],
      [{ client_id: 'admin' }, 'invalid_client_metadata'],
      [{ client_id: undefined }, 'invalid_client_metadata'],
    ];
    for (const [change, error] of forbidden) {
      await refused(() => manage('PUT', client, { ...same, ...change }), 400, error);
    }
    // A native client's own scheme does not outlive the type.
    const native = await registered({ application_type: 'native', redirect_uris: ['com.example.app:/cb'] });
    const web = { ...(again(native as never) as object), application_type: 'web' };
    await refused(() => manage('PUT', native, web), 400, 'invalid_redirect_uri');
  });

  test('public becomes confidential with a new secret, and back without one', async () => {
    const client = await registered({ token_endpoint_auth_method: 'none' });
    assert.equal('client_secret' in client, false);
    const same = again(client as never) as Record<string, unknown>;
    const confidential = await manage('PUT', client, { ...same, token_endpoint_auth_method: 'client_secret_post' });
    assert.equal(confidential.status, 200, confidential.text);
    assert.equal(confidential.body.client_secret_expires_at, 0);
    const secret = confidential.body.client_secret as string;
    const introspect = () =>
      server.request('POST', '/oauth/introspect', {
        form: { client_id: client.client_id, client_secret: secret, token: 'x' },
      });
    assert.equal((await introspect()).status, 200);
    const back = await manage('PUT', client, same);
    assert.equal(back.body.token_endpoint_auth_method, 'none');
    assert.equal((await introspect()).status, 401);
  });

  test('private_key_jwt with inline keys, which are replaced as a whole', async () => {
    const pair = async (kid: string) => {
      const { publicKey, privateKey } = await generateKeyPair('ES256');
      return { jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256' }, privateKey };
    };
    const [one, two] = [await pair('key'), await pair('key')];
    const client = await registered({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [one.jwk] } });
    assert.equal('client_secret' in client, false);
    assert.equal(client.jwks.keys[0].x, one.jwk.x);
    const authenticates = async (key: typeof one) => {
      const assertion = await new SignJWT({ jti: Math.random().toString(36) })
        .setProtectedHeader({ alg: 'ES256', kid: 'key' })
        .setIssuer(client.client_id)
        .setSubject(client.client_id)
        .setAudience(server.issuer)
        .setIssuedAt(Math.floor(clock.now() / 1000))
        .setExpirationTime(Math.floor(clock.now() / 1000) + 60)
        .sign(key.privateKey);
      const form = {
        token: 'x',
        client_assertion: assertion,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      };
      return (await server.request('POST', '/oauth/introspect', { form })).status;
    };
    assert.equal(await authenticates(one), 200);
    assert.equal(await authenticates(two), 401);
    const same = again(client as never) as Record<string, unknown>;
    const changed = await manage('PUT', client, { ...same, jwks: { keys: [two.jwk] } });
    assert.equal(changed.status, 200, changed.text);
    assert.equal(changed.body.jwks.keys.length, 1);
    assert.equal(await authenticates(one), 401);
    assert.equal(await authenticates(two), 200);
    const before = await server.rows('credentials');
    assert.equal((await manage('PUT', client, { ...same, jwks: { keys: [two.jwk] } })).status, 200);
    const ids = (rows: { id: string }[]) => rows.map(({ id }) => id).sort();
    assert.deepEqual(ids(await server.rows('credentials')), ids(before));
  });

  test('a registration access token is good for its own client and nothing else', async () => {
    const mine = await registered();
    const theirs = await registered();
    const token = mine.registration_access_token as string;
    const theirPath = pathOf(theirs);
    const body = again(theirs as never);
    const calls = [
      () => server.request('GET', theirPath, { token }),
      () => server.request('PUT', theirPath, { token, json: body }),
      () => server.request('DELETE', theirPath, { token }),
      () => server.request('GET', theirPath, {}),
      () => server.request('DELETE', theirPath, {}),
      () => server.request('GET', '/oidc/register/nobody', { token }),
      () => server.request('DELETE', '/oidc/register/admin', { token }),
    ];
    const answers: string[] = [];
    for (const call of calls) {
      await refused(
        async () => {
          const answer = await call();
          answers.push(answer.text);
          assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/);
          return answer;
        },
        401,
        'invalid_token',
      );
    }
    assert.equal(new Set(answers).size, 1, 'not yours and not there are one answer');
    // An administrator's token has its own door.
    const management = await server.managementToken(server.nativeAudience);
    await refused(() => server.request('GET', theirPath, { token: management }), 401, 'invalid_token');
    for (const path of ['/api/applications', `/api/applications/${mine.client_id}`, '/api/v2/clients', '/userinfo']) {
      assert.equal((await server.request('GET', path, { token })).status, 401, path);
    }
    // A client that an administrator made has no registration to manage.
    const { id } = await native(server, 'POST', '/applications', { name: 'Ours', type: 'Traditional' });
    await refused(() => server.request('GET', `/oidc/register/${id}`, { token }), 401, 'invalid_token');
  });

  test('of a client that became one of the house, or was disabled, nothing can be changed', async () => {
    const metadata = (client: never) => again(client);
    const house = await registered();
    await server.manage('PATCH', `/clients/${house.client_id}`, { is_first_party: true });
    const disabled = await registered();
    await native(server, 'PATCH', `/applications/${disabled.client_id}`, { status: 'disabled' });
    for (const client of [house, disabled]) {
      await refused(() => manage('GET', client), 403, 'access_denied');
      await refused(() => manage('PUT', client, metadata(client as never)), 403, 'access_denied');
      await refused(() => manage('DELETE', client), 403, 'access_denied');
    }
  });

  test('what an administrator set stays: lifetimes, further grant types, stricter rules', async () => {
    const client = await registered();
    await native(server, 'PATCH', `/applications/${client.client_id}`, {
      customClientMetadata: { idTokenTtl: 120, corsAllowedOrigins: ['https://spa.example'], allowTokenExchange: true },
    });
    await server.manage('PATCH', `/clients/${client.client_id}`, { require_pushed_authorization_requests: true });
    const changed = await manage('PUT', client, {
      ...(again(client as never) as object),
      grant_types: ['authorization_code'],
      require_pushed_authorization_requests: false,
    });
    assert.equal(changed.status, 200, changed.text);
    assert.equal(changed.body.require_pushed_authorization_requests, true);
    const { customClientMetadata: custom } = await native(server, 'GET', `/applications/${client.client_id}`);
    assert.equal(custom.idTokenTtl, 120);
    assert.deepEqual(custom.corsAllowedOrigins, ['https://spa.example']);
    assert.equal(custom.allowTokenExchange, true);
  });

  test('secrets are kept as hashes, and in no log', async () => {
    const { value } = await initialToken();
    const { body } = await register('root', value, { redirect_uris: [redirectUri] });
    const kept = JSON.stringify([
      await server.rows('initial_access_tokens'),
      await server.rows('client_registrations'),
      await server.rows('credentials'),
      await server.logEvents(),
    ]);
    for (const secret of [value, body.registration_access_token, body.client_secret]) {
      assert.ok(secret.length >= 43);
      assert.equal(kept.includes(secret), false);
    }
    const events = (await server.logEvents()).filter(({ kind }) => kind === 'client.registered');
    assert.equal(JSON.parse(events.at(-1).details).target, body.client_id);
  });

  test('over the management API: listed without values, ended, and only by who may', async () => {
    const token = await initialToken(3);
    assert.deepEqual(Object.keys(token).sort(), ['createdAt', 'expiresAt', 'id', 'name', 'usesLeft', 'value']);
    const list = await native(server, 'GET', '/initial-access-tokens');
    const listed = list.find(({ id }: { id: string }) => id === token.id);
    assert.equal(listed.usesLeft, 3);
    assert.equal('value' in listed, false);
    const management = await server.managementToken(server.nativeAudience);
    const post = (json: unknown, bearer = management) =>
      server.request('POST', '/api/initial-access-tokens', { token: bearer, json });
    for (const body of [
      { name: 'x', expiresAt: clock.now() - 1 },
      { name: 'x', expiresAt: clock.now() + 400 * 86_400_000 },
      { name: 'x' },
      { name: '', expiresAt: clock.now() + hour },
      { name: 'x', uses: 0, expiresAt: clock.now() + hour },
      { name: 'x', uses: 1.5, expiresAt: clock.now() + hour },
    ]) {
      assert.equal((await post(body)).status, 400, JSON.stringify(body));
    }
    assert.equal((await post({ name: 'x', expiresAt: clock.now() + hour }, 'none')).status, 401);
    const missing = await server.request('DELETE', '/api/initial-access-tokens/iat_none', { token: management });
    assert.equal(missing.status, 404);
    // Of another tenant it is nothing.
    await native(server, 'POST', '/tenants', { id: 'elsewhere', name: 'Elsewhere' });
    const answer = await rawRequest(server, 'POST', '/oidc/register', {
      host: `elsewhere.localhost:${server.port}`,
      token: token.value,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: [redirectUri] }),
    });
    assert.equal(answer.status, 401);
  });

  test('20 at once with one use: one client', async () => {
    const { value } = await initialToken(1);
    const before = (await server.rows('clients')).length;
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        register(index % 2 === 0 ? 'root' : 'oidc', value, { redirect_uris: [redirectUri] }),
      ),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, ...Array.from({ length: 19 }, () => 401)]);
    assert.equal((await server.rows('clients')).length, before + 1);
  });
});

test('two nodes, 20 at once with one use: one client', async () => {
  const databaseUrl = await newPostgresDatabase();
  const nodes = [
    await startServer({ databaseUrl, env: withoutLimits }),
    await startServer({ databaseUrl, env: withoutLimits }),
  ] as [TestServer, TestServer];
  try {
    const { value } = await native(nodes[0], 'POST', '/initial-access-tokens', {
      name: 'Once',
      expiresAt: Date.now() + hour,
    });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (nodes[index % 2] as TestServer).request('POST', '/oidc/register', {
          token: value,
          json: { redirect_uris: [redirectUri] },
        }),
      ),
    );
    assert.deepEqual(
      answers.map(({ status }) => status).filter((status) => status !== 401),
      [201],
    );
  } finally {
    for (const node of nodes) await node.close();
  }
});
