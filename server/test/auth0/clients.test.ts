import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { SignJWT } from 'jose';
import { admin, eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from '../management/support.ts';
import { type Calls, callsOf, rsaKeys, walks } from './support.ts';

const secretShape = /^[0-9A-Za-z]{64}$/;
const inexistent = { status: 404, message: 'The client does not exist', errorCode: 'inexistent_client' };
const invalidBody = (message: string | RegExp) => ({ status: 400, message, errorCode: 'invalid_body' });

/** The defaults a minimal POST gets, as recorded at Auth0 (contract 2.1). */
const defaults = {
  tenant: 'default',
  global: false,
  is_first_party: true,
  oidc_conformant: false,
  sso_disabled: false,
  cross_origin_authentication: false,
  is_token_endpoint_ip_header_trusted: false,
  custom_login_page_on: true,
  jwt_configuration: { lifetime_in_seconds: 36_000, secret_encoded: false },
  refresh_token: {
    rotation_type: 'non-rotating',
    expiration_type: 'non-expiring',
    leeway: 0,
    infinite_token_lifetime: true,
    infinite_idle_token_lifetime: true,
    token_lifetime: 31_557_600,
    idle_token_lifetime: 2_592_000,
  },
};

eachEngine('/api/v2/clients', (engine) => {
  let server: TestServer;
  let call: Calls;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    const token = await server.managementToken();
    call = callsOf(server, () => token);
  });
  after(() => server.close());

  const machine = async (more: object = {}) => {
    const { status, body, text } = await call('POST', '/clients', {
      name: 'Machine',
      app_type: 'non_interactive',
      ...more,
    });
    assert.equal(status, 201, text);
    return body;
  };

  /** The status of a token request with a secret, or with an assertion signed by a key. */
  const tokenStatus = async (clientId: string, proof: Record<string, string>): Promise<number> =>
    (await server.token({ client_id: clientId, audience: server.managementAudience, ...proof })).status;
  const assertion = (clientId: string, key: ReturnType<typeof rsaKeys>['privateKey']): Promise<string> =>
    new SignJWT({ iss: clientId, sub: clientId, aud: server.issuer, jti: randomUUID() })
      .setProtectedHeader({ alg: 'RS256' })
      .setIssuedAt()
      .setExpirationTime('2m')
      .sign(key);
  const byKey = async (clientId: string, key: ReturnType<typeof rsaKeys>['privateKey']) => ({
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await assertion(clientId, key),
  });

  test('a minimal client, as on the wire', async () => {
    const { status, body } = await call('POST', '/clients', { name: 'Plain' });
    assert.equal(status, 201);
    const { client_id, client_secret, ...rest } = body;
    assert.match(client_id, /^[0-9A-Za-z]{32}$/);
    assert.match(client_secret, secretShape);
    const golden = {
      ...defaults,
      name: 'Plain',
      grant_types: ['authorization_code', 'implicit', 'refresh_token', 'client_credentials'],
    };
    assert.deepEqual(rest, golden);
    const read = await call('GET', `/clients/${client_id}`);
    assert.deepEqual([read.status, read.body], [200, { client_id, ...golden }]);
  });

  test('a machine gets the one grant type it needs', async () => {
    const { client_id, client_secret: _secret, ...rest } = await machine();
    const golden = { ...defaults, name: 'Machine', app_type: 'non_interactive', grant_types: ['client_credentials'] };
    assert.deepEqual(rest, golden);
    assert.ok(client_id);
  });

  test('every field that can be set makes the round trip, and what was read can be written back', async () => {
    const full = {
      name: 'Full',
      description: 'Everything',
      app_type: 'regular_web',
      logo_uri: 'https://shop.example/logo.png',
      callbacks: ['https://shop.example/callback', 'http://localhost:3000/cb'],
      allowed_logout_urls: ['https://shop.example/bye'],
      web_origins: ['https://shop.example'],
      allowed_origins: ['https://shop.example'],
      grant_types: ['client_credentials', 'authorization_code'],
      token_endpoint_auth_method: 'client_secret_basic',
      client_metadata: { tier: 'gold' },
      jwt_configuration: { alg: 'RS256' },
      organization_usage: 'allow',
      oidc_conformant: true,
      is_first_party: false,
      sso: true,
      initiate_login_uri: 'https://shop.example/login',
      token_quota: { client_credentials: { enforce: true, per_day: 100 } },
      require_pushed_authorization_requests: false,
      compliance_level: 'none',
    };
    const { body: made } = await call('POST', '/clients', full);
    const { body: read } = await call('GET', `/clients/${made.client_id}`);
    const { client_id, tenant, global, ...settable } = read;
    assert.deepEqual({ ...settable, ...full }, settable);
    const { client_secret: _secret, ...shown } = made;
    assert.deepEqual(shown, read);
    const again = await call('PATCH', `/clients/${client_id}`, settable);
    assert.deepEqual([again.status, again.body], [200, read]);
    assert.deepEqual([tenant, global], ['default', false]);
  });

  test('a secret is shown where it is made and nowhere else', async () => {
    const made = await machine();
    const path = `/clients/${made.client_id}`;
    const answers = [
      await call('GET', path),
      await call('GET', '/clients'),
      await call('GET', '/clients?fields=client_secret,name'),
      await call('GET', `${path}?fields=client_secret`),
      await call('PATCH', path, { name: 'Renamed' }),
      await call('PATCH', path, { client_secret: 'MRK-0123456789abcdefghijklmnopqrstu' }),
      await call('GET', `${path}/credentials`),
    ];
    for (const { status, text } of answers) {
      assert.equal(status, 200, text);
      assert.ok(!text.includes('"client_secret":'), text);
      assert.ok(!text.includes('MRK-0123') && !text.includes(made.client_secret));
    }
    assert.ok(!JSON.stringify(await server.rows('credentials')).includes('MRK-0123'));
    assert.ok(!JSON.stringify(await server.logEvents()).includes('MRK-0123'));
  });

  test('rotation answers with the whole client and a new secret; the one before ends at once, or after a while', async () => {
    const { clientId, clientSecret, audience } = await server.machine();
    const issued = async (secret: string) =>
      (await server.token({ client_id: clientId, client_secret: secret, audience })).status;
    assert.equal(await issued(clientSecret), 200);
    const rotated = await call('POST', `/clients/${clientId}/rotate-secret`);
    assert.equal(rotated.status, 200, rotated.text);
    assert.match(rotated.body.client_secret, secretShape);
    assert.equal(rotated.body.name, 'Machine');
    assert.deepEqual([await issued(clientSecret), await issued(rotated.body.client_secret)], [401, 200]);
    const later = await call('POST', `/clients/${clientId}/rotate-secret`, { overlap_seconds: 60 });
    assert.deepEqual([await issued(rotated.body.client_secret), await issued(later.body.client_secret)], [200, 200]);
    await call.refused(invalidBody(/overlap_seconds/), 'POST', `/clients/${clientId}/rotate-secret`, {
      overlap_seconds: -1,
    });
    await call.refused(inexistent, 'POST', '/clients/nobody/rotate-secret');
  });

  test('a supplied secret must not be guessable', async () => {
    const { client_id } = await machine();
    for (const secret of ['', 'short', 'a'.repeat(64), 'ab'.repeat(32), 'x'.repeat(257)]) {
      await call.refused(invalidBody(/client_secret/), 'PATCH', `/clients/${client_id}`, { client_secret: secret });
    }
    await call.refused(invalidBody(/client_secret/), 'POST', '/clients', { name: 'x', client_secret: 'x'.repeat(64) });
  });

  test('what is not there: 404 to read and change, 204 to delete, again and again', async () => {
    const { client_id } = await machine();
    const deleted = [await call('DELETE', `/clients/${client_id}`), await call('DELETE', `/clients/${client_id}`)];
    assert.deepEqual(
      deleted.map(({ status, text }) => [status, text]),
      [
        [204, ''],
        [204, ''],
      ],
    );
    for (const id of [client_id, 'nobody', '__proto__']) {
      await call.refused(inexistent, 'GET', `/clients/${id}`);
      await call.refused(inexistent, 'PATCH', `/clients/${id}`, { name: 'x' });
    }
    assert.equal((await call('GET', `/clients/${client_id}/credentials`)).status, 404);
  });

  test('a deleted client takes its grants and credentials with it; a new one of the same name gets none of it', async () => {
    const { clientId, clientSecret, audience, grantId } = await server.machine({ client: { name: 'Phoenix' } });
    await call('DELETE', `/clients/${clientId}`);
    assert.equal((await call('GET', `/client-grants/${grantId}`)).status, 404);
    assert.ok(!(await server.rows('credentials')).some(({ client_id }) => client_id === clientId));
    const next = await machine({ name: 'Phoenix' });
    const old = await server.token({ client_id: clientId, client_secret: clientSecret, audience });
    const mixed = await server.token({ client_id: next.client_id, client_secret: clientSecret, audience });
    const ungranted = await server.token({ client_id: next.client_id, client_secret: next.client_secret, audience });
    assert.deepEqual([old.status, mixed.status, ungranted.status], [401, 401, 403]);
  });

  test('fields that belong to the server or to nobody are refused by name', async () => {
    const { client_id } = await machine();
    for (const field of [
      'client_id',
      'tenant',
      'global',
      'signing_keys',
      'callback_url_template',
      'unknown',
      'created_at',
    ]) {
      const expected = invalidBody(`Payload validation error: 'Additional properties not allowed: ${field}'`);
      await call.refused(expected, 'POST', '/clients', { name: 'x', [field]: 'x' });
      await call.refused(expected, 'PATCH', `/clients/${client_id}`, { [field]: 'x' });
    }
    await call.refused(
      invalidBody("Payload validation error: 'Missing required property: name'"),
      'POST',
      '/clients',
      {},
    );
    const wrongs: Record<string, unknown[]> = {
      name: ['', '<b>', 'x'.repeat(513), 7],
      description: ['x'.repeat(141)],
      token_endpoint_auth_method: ['private_key_jwt', 'client_secret_jwt', ''],
      app_type: ['', 'Non Interactive', 7],
      organization_usage: ['always'],
      jwt_configuration: [{ alg: 'none' }, { lifetime_in_seconds: -1 }, { unknown: 1 }],
      client_metadata: [{ a: {} }, 'x', []],
      grant_types: ['client_credentials', [7]],
    };
    for (const [field, values] of Object.entries(wrongs)) {
      for (const value of values) {
        await call.refused(invalidBody(new RegExp(field)), 'POST', '/clients', { name: 'x', [field]: value });
        await call.refused(invalidBody(new RegExp(field)), 'PATCH', `/clients/${client_id}`, { [field]: value });
      }
    }
  });

  test('addresses that run code, hide their host or are none are refused, at creation and later', async () => {
    const { client_id } = await machine();
    const unsafe = [
      'javascript:alert(1)',
      'JavaScript:alert(1)',
      ' javascript:alert(1)',
      'java\tscript:alert(1)',
      'data:text/html,x',
      'vbscript:x',
      'file:///etc/passwd',
      'blob:https://a.example/x',
      'https://*.example',
      'https://*',
      'https://a.*.example/cb',
      'https://user:pass@a.example',
      'https://a.example\\@evil.example\u0000',
      'https://a.example/\r\nx',
      '/relative',
      'a.example',
      '//a.example',
      '',
    ];
    for (const field of ['callbacks', 'allowed_logout_urls', 'web_origins', 'allowed_origins']) {
      for (const url of unsafe) {
        if (url.includes('\u0000') && field !== 'callbacks') continue;
        const expected = url.includes('\u0000') ? /NUL/ : new RegExp(`on property ${field}\\.1$`);
        await call.refused(invalidBody(expected), 'POST', '/clients', {
          name: 'x',
          [field]: ['https://a.example', url],
        });
        await call.refused(invalidBody(expected), 'PATCH', `/clients/${client_id}`, {
          [field]: ['https://a.example', url],
        });
      }
    }
    for (const field of ['initiate_login_uri', 'logo_uri']) {
      for (const url of ['javascript:alert(1)', 'data:text/html,x', 'https://*.example']) {
        await call.refused(invalidBody(new RegExp(field)), 'POST', '/clients', { name: 'x', [field]: url });
        await call.refused(invalidBody(new RegExp(field)), 'PATCH', `/clients/${client_id}`, { [field]: url });
      }
    }
  });

  test('metadata is merged key by key: null deletes one, null for all deletes all, ten are the most', async () => {
    const { client_id } = await machine({ client_metadata: { a: '1', b: '2' } });
    const patch = async (client_metadata: unknown) =>
      (await call('PATCH', `/clients/${client_id}`, { client_metadata })).body.client_metadata;
    assert.deepEqual(await patch({ c: '3' }), { a: '1', b: '2', c: '3' });
    assert.deepEqual(await patch({ a: null, b: 'new', constructor: 'x' }), { b: 'new', c: '3', constructor: 'x' });
    assert.deepEqual(await patch({}), { b: 'new', c: '3', constructor: 'x' });
    const eight = Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`k${index}`, 'v']));
    await call.refused(invalidBody(/client_metadata/), 'PATCH', `/clients/${client_id}`, { client_metadata: eight });
    assert.equal(await patch(null), undefined);
    assert.deepEqual(await patch({ ...eight, x: '1', y: '2' }), { ...eight, x: '1', y: '2' });
  });

  test('null unsets an optional field', async () => {
    const { client_id } = await machine({
      description: 'x',
      callbacks: ['https://a.example'],
      organization_usage: 'deny',
    });
    const { body } = await call('PATCH', `/clients/${client_id}`, {
      description: null,
      callbacks: null,
      organization_usage: null,
      app_type: null,
    });
    for (const field of ['description', 'callbacks', 'organization_usage', 'app_type'])
      assert.ok(!(field in body), field);
  });

  test('created with a key, the client proves itself with it and has no secret', async () => {
    const { pem, privateKey } = rsaKeys();
    const key = { credential_type: 'public_key', pem, name: 'First' };
    const made = await machine({ client_authentication_methods: { private_key_jwt: { credentials: [key] } } });
    const [credential] = (await call('GET', `/clients/${made.client_id}/credentials`)).body;
    assert.deepEqual(made.client_authentication_methods, { private_key_jwt: { credentials: [{ id: credential.id }] } });
    for (const body of [made, (await call('GET', `/clients/${made.client_id}`)).body]) {
      assert.equal(body.client_secret, undefined);
      assert.equal(body.token_endpoint_auth_method, undefined);
    }
    await call('POST', '/client-grants', { client_id: made.client_id, audience: server.managementAudience, scope: [] });
    assert.equal(await tokenStatus(made.client_id, await byKey(made.client_id, privateKey)), 200);
    assert.equal(await tokenStatus(made.client_id, { client_secret: 'x'.repeat(64) }), 401);
    const path = `/clients/${made.client_id}`;
    await call.refused(invalidBody(/token_endpoint_auth_method/), 'PATCH', path, {
      token_endpoint_auth_method: 'client_secret_post',
    });
    const both = {
      token_endpoint_auth_method: 'client_secret_post',
      client_authentication_methods: { private_key_jwt: { credentials: [key] } },
    };
    await call.refused(invalidBody(/token_endpoint_auth_method/), 'POST', '/clients', { name: 'Both', ...both });
  });

  test('switched to keys and back: the key counts once it is named, and a secret comes back once', async () => {
    const { clientId, clientSecret, audience } = await server.machine();
    const path = `/clients/${clientId}`;
    const status = async (proof: Record<string, string>) =>
      (await server.token({ client_id: clientId, audience, ...proof })).status;
    const { pem, privateKey } = rsaKeys();
    const { body: credential } = await call('POST', `${path}/credentials`, { credential_type: 'public_key', pem });
    assert.equal(await status(await byKey(clientId, privateKey)), 401, 'not named yet');
    const methods = { private_key_jwt: { credentials: [{ id: credential.id }] } };
    const switched = await call('PATCH', path, {
      client_authentication_methods: methods,
      token_endpoint_auth_method: null,
    });
    assert.equal(switched.status, 200, switched.text);
    assert.deepEqual(switched.body.client_authentication_methods, methods);
    assert.deepEqual(
      [await status(await byKey(clientId, privateKey)), await status({ client_secret: clientSecret })],
      [200, 401],
    );
    const inUse = { status: 409, message: /in use/ };
    await call.refused(inUse, 'DELETE', `${path}/credentials/${credential.id}`);
    const back = await call('PATCH', path, {
      client_authentication_methods: null,
      token_endpoint_auth_method: 'client_secret_post',
    });
    assert.equal(back.status, 200, back.text);
    assert.equal(back.body.token_endpoint_auth_method, 'client_secret_post');
    assert.equal(back.body.client_authentication_methods, undefined);
    assert.equal(await status(await byKey(clientId, privateKey)), 401);
    assert.equal(await status({ client_secret: back.body.client_secret ?? clientSecret }), 200);
    assert.equal((await call('DELETE', `${path}/credentials/${credential.id}`)).status, 204);
  });

  test('a client that never had a secret gets one when its keys are cleared, shown once', async () => {
    const { pem } = rsaKeys();
    const key = { credential_type: 'public_key', pem };
    const made = await machine({ client_authentication_methods: { private_key_jwt: { credentials: [key] } } });
    const path = `/clients/${made.client_id}`;
    const change = { client_authentication_methods: null, token_endpoint_auth_method: 'client_secret_post' };
    const cleared = await call('PATCH', path, change);
    assert.match(cleared.body.client_secret, secretShape);
    assert.equal((await call('PATCH', path, change)).body.client_secret, undefined);
    assert.equal((await call('GET', path)).body.client_secret, undefined);
  });

  test('the methods of a client name its own credentials and no others', async () => {
    const [one, other] = [await machine(), await machine()];
    const { pem } = rsaKeys();
    const { body: foreign } = await call('POST', `/clients/${other.client_id}/credentials`, {
      credential_type: 'public_key',
      pem,
    });
    for (const id of [foreign.id, 'cred_nothing', '__proto__']) {
      const body = {
        client_authentication_methods: { private_key_jwt: { credentials: [{ id }] } },
        token_endpoint_auth_method: null,
      };
      await call.refused(invalidBody(/credential/), 'PATCH', `/clients/${one.client_id}`, body);
    }
    const withPem = {
      client_authentication_methods: { private_key_jwt: { credentials: [{ credential_type: 'public_key', pem }] } },
    };
    await call.refused(invalidBody(/credentials\.0/), 'PATCH', `/clients/${one.client_id}`, withPem);
    const none = { client_authentication_methods: { private_key_jwt: { credentials: [] } } };
    await call.refused(invalidBody(/credentials/), 'PATCH', `/clients/${one.client_id}`, none);
  });

  test('a credential as on the wire: made, listed, read, prolonged, removed; its key is never shown', async () => {
    const { client_id } = await machine();
    const path = `/clients/${client_id}/credentials`;
    const { pem } = rsaKeys();
    const made = await call('POST', path, {
      credential_type: 'public_key',
      pem,
      name: 'Laptop',
      expires_at: '2099-01-01T00:00:00.000Z',
    });
    assert.equal(made.status, 201, made.text);
    const { id, kid, created_at, updated_at, ...rest } = made.body;
    assert.match(id, /^cred_[0-9A-Za-z]{22}$/);
    assert.match(kid, /^[A-Za-z0-9_-]{43}$/);
    assert.equal(created_at, updated_at);
    assert.deepEqual(rest, {
      name: 'Laptop',
      alg: 'RS256',
      credential_type: 'public_key',
      expires_at: '2099-01-01T00:00:00.000Z',
    });
    assert.deepEqual((await call('GET', path)).body, [made.body]);
    assert.deepEqual((await call('GET', `${path}/${id}`)).body, made.body);
    const prolonged = await call('PATCH', `${path}/${id}`, { expires_at: '2098-01-01T00:00:00.000Z' });
    assert.deepEqual([prolonged.status, prolonged.body.expires_at], [200, '2098-01-01T00:00:00.000Z']);
    assert.equal((await call('PATCH', `${path}/${id}`, { expires_at: null })).body.expires_at, undefined);
    assert.deepEqual(
      [(await call('DELETE', `${path}/${id}`)).status, (await call('DELETE', `${path}/${id}`)).status],
      [204, 204],
    );
    await call.refused(
      { status: 404, message: 'The credential does not exist.', errorCode: 'inexistent_credential' },
      'GET',
      `${path}/${id}`,
    );
    await call.refused(
      { status: 404, message: 'The credential does not exist.', errorCode: 'inexistent_credential' },
      'PATCH',
      `${path}/${id}`,
      {},
    );
  });

  test('keys that are none, are private, too small, expired, or there already are refused by field', async () => {
    const { client_id } = await machine();
    const path = `/clients/${client_id}/credentials`;
    const { pem, privateKey } = rsaKeys();
    const base = { credential_type: 'public_key' };
    const { generateKeyPairSync } = await import('node:crypto');
    const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'pem', type: 'spki' });
    const cases: [object, RegExp][] = [
      [{ ...base, pem: 'nonsense' }, /pem/],
      [{ ...base, pem: '' }, /pem/],
      [{ ...base }, /pem|jwk/],
      [{ ...base, pem: privateKey.export({ format: 'pem', type: 'pkcs8' }) }, /private.*pem/],
      [{ ...base, jwk: privateKey.export({ format: 'jwk' }) }, /private.*jwk/],
      [{ ...base, jwk: { kty: 'oct', k: 'AAAA' } }, /jwk/],
      [{ ...base, pem, jwk: { kty: 'RSA' } }, /pem/],
      [{ ...base, pem: small }, /2048/],
      [{ ...base, pem, alg: 'ES256' }, /alg/],
      [{ ...base, pem, alg: 'HS256' }, /alg/],
      [{ ...base, pem, alg: 'none' }, /alg/],
      [{ ...base, pem, expires_at: '2001-01-01T00:00:00.000Z' }, /expires_at/],
      [{ ...base, pem, expires_at: 'tomorrow' }, /expires_at/],
      [{ ...base, pem, expires_at: '99' }, /expires_at/],
      [{ ...base, pem, kid: 'a b' }, /kid/],
      [{ ...base, pem, kid: '../../x' }, /kid/],
      [{ ...base, pem, name: 'x'.repeat(129) }, /name/],
      [{ ...base, pem, parse_expiry_from_cert: true }, /pem/],
      [{ pem }, /credential_type/],
      [{ credential_type: 'password', pem }, /credential_type/],
    ];
    for (const [body, message] of cases) await call.refused(invalidBody(message), 'POST', path, body);
    await call('POST', path, { ...base, pem });
    const twice = await call('POST', path, { ...base, pem });
    assert.equal(twice.status, 409, twice.text);
    await call.refused(inexistent, 'POST', '/clients/nobody/credentials', { ...base, pem });
    await call.refused(inexistent, 'GET', '/clients/nobody/credentials');
  });

  test('lists: a bare array, an object with totals, checkpoints; each client exactly once in each', async () => {
    for (let index = 0; index < 105; index += 1) await machine({ name: `Listed ${index}` });
    const everyone = (await server.rows('clients')).map(({ id }) => id).sort();
    const walked = await walks(call, '/clients', 'clients', 'client_id', ['offset', 'totals', 'checkpoint']);
    for (const seen of walked) {
      assert.deepEqual([...seen].sort(), everyone);
      assert.deepEqual(seen, walked[0], 'in the same order');
    }
    const bare = await call('GET', '/clients');
    assert.equal(bare.body.length, 50, 'the default page');
    const totals = (await call('GET', '/clients?page=1&per_page=10&include_totals=true')).body;
    assert.deepEqual(Object.keys(totals), ['start', 'limit', 'total', 'clients']);
    assert.deepEqual([totals.start, totals.limit, totals.total, totals.clients.length], [10, 10, everyone.length, 10]);
    const past = (await call('GET', '/clients?page=1000&per_page=100&include_totals=true')).body;
    assert.deepEqual(past, { start: 100_000, limit: 100, total: everyone.length, clients: [] });
    assert.deepEqual((await call('GET', '/clients?page=1000')).body, []);
    const exact = (await call('GET', `/clients?take=100&q=${encodeURIComponent('Listed 10')}`)).body;
    assert.deepEqual(Object.keys(exact), ['clients'], 'no next on the last page');
    assert.deepEqual(exact.clients.map(({ name }: { name: string }) => name).sort(), [
      'Listed 10',
      'Listed 100',
      'Listed 101',
      'Listed 102',
      'Listed 103',
      'Listed 104',
    ]);
    assert.equal((await call('GET', '/clients?from=&take=5&include_totals=true&page=3')).body.clients.length, 5);
  });

  test('filters: kind of application, first party, part of the name; none of it reaches SQL as code', async () => {
    const spa = await machine({ name: 'Filtered 100%_', app_type: 'spa', is_first_party: false });
    const ids = async (query: string) =>
      (await call('GET', `/clients?per_page=100&${query}`)).body.map(
        ({ client_id }: { client_id: string }) => client_id,
      );
    assert.deepEqual(await ids('app_type=spa'), [spa.client_id]);
    assert.deepEqual(await ids('is_first_party=false&app_type=spa'), [spa.client_id]);
    assert.deepEqual(await ids('is_first_party=true&app_type=spa'), []);
    assert.deepEqual(await ids('q=100%25_'), [spa.client_id]);
    assert.deepEqual(await ids('q=FILTERED'), [spa.client_id]);
    assert.deepEqual(await ids(`q=${encodeURIComponent("' or 1=1 --")}`), []);
    await call.refused(
      {
        status: 403,
        message: 'Insufficient scope, expected any of: read:global_clients',
        errorCode: 'insufficient_scope',
      },
      'GET',
      '/clients?is_global=true',
    );
    assert.deepEqual(await ids('external_client_id=x'), []);
    assert.ok((await ids('is_global=false')).length > 1);
  });

  test('fields are picked or left out, on one client and on lists', async () => {
    const { client_id } = await machine();
    const one = async (query: string) => (await call('GET', `/clients/${client_id}?${query}`)).body;
    assert.deepEqual(await one('fields=name,client_id'), { client_id, name: 'Machine' });
    assert.deepEqual(await one('fields=name&include_fields=true'), { name: 'Machine' });
    const rest = await one('fields=name,client_id&include_fields=false');
    assert.ok(!('name' in rest) && !('client_id' in rest) && 'grant_types' in rest);
    assert.deepEqual(await one('fields=unknown,__proto__,constructor'), {});
    const list = (await call('GET', '/clients?fields=client_id&include_totals=true&per_page=3')).body.clients;
    assert.ok(list.every((item: object) => Object.keys(item).join() === 'client_id'));
  });

  test('what a token sees depends on its scopes', async () => {
    const { pem } = rsaKeys();
    const made = await machine({
      client_authentication_methods: { private_key_jwt: { credentials: [{ credential_type: 'public_key', pem }] } },
      description: 'Seen',
    });
    const summary = ['app_type', 'client_id', 'description', 'name'];
    const seen = async (scope: string) => {
      const { token } = await callerWith(server, [scope]);
      const { status, body } = await server.request('GET', `/api/v2/clients/${made.client_id}`, { token });
      assert.equal(status, 200);
      return body;
    };
    for (const scope of ['read:client_summary', 'read:client_credentials']) {
      assert.deepEqual(Object.keys(await seen(scope)).sort(), summary, scope);
    }
    const settings = await seen('read:clients');
    assert.ok('grant_types' in settings && !('client_authentication_methods' in settings));
    assert.ok('client_authentication_methods' in (await seen('read:client_keys')));
    const { token } = await callerWith(server, ['read:clients']);
    for (const field of ['client_secret', 'encryption_key', 'client_authentication_methods', 'signing_keys']) {
      for (const path of [`/clients/${made.client_id}`, '/clients']) {
        const { status, body } = await server.request('GET', `/api/v2${path}?fields=name,${field}`, { token });
        assert.equal(status, 403);
        assert.equal(body.message, `You cannot read the following fields: ${field}`);
      }
    }
  });

  test('each part of a change needs its own scope', async () => {
    const target = await machine();
    const { pem } = rsaKeys();
    const { body: credential } = await call('POST', `/clients/${target.client_id}/credentials`, {
      credential_type: 'public_key',
      pem,
    });
    const methods = { private_key_jwt: { credentials: [{ id: credential.id }] } };
    const parts: [string, object, string[]][] = [
      ['update:clients', { name: 'Renamed' }, ['update:client_keys', 'update:client_credentials']],
      ['update:client_keys', { client_secret: 'MRK-0123456789abcdefghijklmnopqrstu' }, ['update:client_credentials']],
      [
        'update:client_credentials',
        { client_authentication_methods: methods, token_endpoint_auth_method: null },
        ['update:client_keys'],
      ],
    ];
    for (const [right, body, wrong] of parts) {
      for (const scope of wrong) {
        const calls = callsOf(
          server,
          (
            (token) => () =>
              token
          )((await callerWith(server, [scope])).token),
        );
        await calls.refused(
          { status: 403, message: /^Insufficient scope, expected any of: /, errorCode: 'insufficient_scope' },
          'PATCH',
          `/clients/${target.client_id}`,
          body,
        );
      }
      const { token } = await callerWith(server, [right]);
      const answer = await server.request('PATCH', `/api/v2/clients/${target.client_id}`, { token, json: body });
      assert.equal(answer.status, 200, answer.text);
    }
    const creator = await callerWith(server, ['create:clients']);
    const withKey = {
      name: 'Keyed',
      client_authentication_methods: { private_key_jwt: { credentials: [{ credential_type: 'public_key', pem }] } },
    };
    const calls = callsOf(server, () => creator.token);
    await calls.refused(
      {
        status: 403,
        message: 'Insufficient scope, expected any of: create:client_credentials',
        errorCode: 'insufficient_scope',
      },
      'POST',
      '/clients',
      withKey,
    );
  });

  test('a client is public when it says so or is a browser or native application; then it has no secret', async () => {
    for (const kind of [{ token_endpoint_auth_method: 'none' }, { app_type: 'spa' }, { app_type: 'native' }]) {
      const { body } = await call('POST', '/clients', { name: 'Public', ...kind });
      assert.equal(body.client_secret, undefined);
      const confidential = await call('PATCH', `/clients/${body.client_id}`, {
        token_endpoint_auth_method: 'client_secret_post',
      });
      assert.match(confidential.body.client_secret, secretShape);
    }
  });

  test('a client linked to an API names it by identifier; one that is not there is refused', async () => {
    const { audience, apiId } = await server.machine();
    const made = await machine({ app_type: 'resource_server', resource_server_identifier: audience });
    assert.equal(made.resource_server_identifier, audience);
    const gone = {
      status: 404,
      message: 'The resource server does not exist',
      errorCode: 'inexistent_resource_server',
    };
    await call.refused(gone, 'POST', '/clients', { name: 'x', resource_server_identifier: 'https://nowhere.example' });
    await call('DELETE', `/resource-servers/${apiId}`);
    const after = await call('GET', `/clients/${made.client_id}`);
    assert.equal(after.status, 200);
    assert.equal(after.body.resource_server_identifier, undefined);
  });
});

eachEngine('the last client that is able to manage clients', (engine) => {
  let server: TestServer;
  let call: Calls;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    const token = await server.managementToken();
    call = callsOf(server, () => token);
  });
  after(() => server.close());
  const last = { status: 409, message: /No client would be left/ };

  /** The first client holds a grant at each management audience; either makes it able. */
  const grantsOfFirst = async () =>
    (await server.rows('client_grants')).filter(({ client_id }) => client_id === admin.clientId);

  test('can not be deleted, disabled or made public, nor lose both of its grants; with a second one it can', async () => {
    const path = `/clients/${admin.clientId}`;
    await call.refused(last, 'DELETE', path);
    await call.refused(last, 'PATCH', path, { enabled: false });
    await call.refused(last, 'PATCH', path, { token_endpoint_auth_method: 'none' });
    await call.refused(last, 'PATCH', path, { app_type: 'spa' });
    await call.refused(last, 'PATCH', path, { grant_types: ['authorization_code'] });

    const apis = await server.rows('resource_servers');
    const native = apis.find(({ system_kind }) => system_kind === 'api').id;
    const grants = await grantsOfFirst();
    const nativeGrant = grants.find(({ resource_server_id }) => resource_server_id === native).id;
    const auth0Grant = grants.find(({ resource_server_id }) => resource_server_id !== native).id;
    assert.equal((await call('DELETE', `/client-grants/${nativeGrant}`)).status, 204);
    await call.refused(last, 'DELETE', `/client-grants/${auth0Grant}`);
    await call.refused(last, 'PATCH', `/client-grants/${auth0Grant}`, { scope: ['read:clients'] });
    await call.refused(last, 'PATCH', `/client-grants/${auth0Grant}`, { scope: [] });

    const second = await callerWith(server, ['read:clients', 'update:clients', 'delete:clients']);
    await call('PATCH', `/clients/${second.clientId}`, { enabled: false });
    await call.refused(last, 'DELETE', path);
    await call('PATCH', `/clients/${second.clientId}`, { enabled: true });
    assert.equal((await call('DELETE', path)).status, 204);
    const calls = callsOf(server, () => second.token);
    await calls.refused(last, 'DELETE', `/clients/${second.clientId}`);
  });
});

eachEngine('two last administrators that remove each other at once', (engine) => {
  test('one of the two stays', async () => {
    const server = await startServer({ engine, env: withoutLimits });
    try {
      const scopes = ['update:clients', 'delete:clients'];
      const [a, b] = [await callerWith(server, scopes), await callerWith(server, scopes)];
      await server.manage('DELETE', `/clients/${admin.clientId}`);
      const answers = await Promise.all([
        server.request('DELETE', `/api/v2/clients/${b.clientId}`, { token: a.token }),
        server.request('DELETE', `/api/v2/clients/${a.clientId}`, { token: b.token }),
      ]);
      const statuses = answers.map(({ status }) => status).sort();
      assert.equal(statuses[0], 204, JSON.stringify(statuses));
      assert.ok([401, 409].includes(statuses[1] as number), JSON.stringify(statuses));
      assert.equal((await server.rows('clients')).length, 1);
    } finally {
      await server.close();
    }
  });
});
