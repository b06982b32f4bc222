/** Auth0's own SDK, unmodified: `auth0` 7 for management, `auth0/legacy` for tokens. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Management, ManagementClient } from 'auth0';
import { AuthenticationClient } from 'auth0/legacy';
import { decodeJwt, jwtVerify } from 'jose';
import { startTrusted, type TrustedServer } from './trusted.ts';

const pemPair = () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
};

const { publicPem, privatePem } = pemPair();

describe("Auth0's SDK", () => {
  let server: TrustedServer;
  let auth0: ManagementClient;
  before(async () => {
    server = await startTrusted();
    auth0 = login();
  });
  after(() => server?.stop());

  /** The SDK as the first management client; it keeps the token it gets. */
  const login = (): ManagementClient => {
    const { domain, clientId, clientSecret } = server;
    return new ManagementClient({ domain, clientId, clientSecret });
  };

  /** An API and a client, for what rests on both. */
  async function apiAndClient(name: string) {
    const identifier = `https://${name}.example/`;
    const api = await auth0.resourceServers.create({
      identifier,
      name,
      scopes: [{ value: 'read:orders', description: 'Read orders' }, { value: 'write:orders' }],
    });
    const client = await auth0.clients.create({ name, app_type: 'non_interactive' });
    return {
      identifier,
      apiId: api.id as string,
      clientId: client.client_id as string,
      clientSecret: client.client_secret as string,
    };
  }

  test('makes, reads, lists, changes and deletes a client; its secret is shown when made and no more', async () => {
    const made = await auth0.clients.create({
      name: 'Invoices',
      description: 'Sends invoices',
      app_type: 'non_interactive',
      client_metadata: { team: 'billing' },
      callbacks: ['https://invoices.example/callback'],
    });
    const id = made.client_id as string;
    assert.match(id, /^[0-9A-Za-z]{32}$/);
    assert.match(made.client_secret as string, /^[0-9A-Za-z_-]{64}$/);

    const read = await auth0.clients.get(id);
    assert.equal(read.name, 'Invoices');
    assert.equal(read.client_secret, undefined);
    assert.deepEqual(read.callbacks, ['https://invoices.example/callback']);

    const changed = await auth0.clients.update(id, { name: 'Bills', client_metadata: { floor: '3' } });
    assert.equal(changed.name, 'Bills');
    assert.deepEqual(changed.client_metadata, { team: 'billing', floor: '3' });

    const listed = await auth0.clients.list({ fields: 'client_id,name', include_fields: true });
    assert.deepEqual(
      listed.data.find(({ client_id }) => client_id === id),
      { client_id: id, name: 'Bills' },
    );

    await auth0.clients.delete(id);
    await assert.rejects(() => auth0.clients.get(id), Management.NotFoundError);
    await auth0.clients.delete(id);
  });

  test('rotates a secret: the new one gives tokens, the old one no more', async () => {
    const { identifier, clientId, clientSecret } = await apiAndClient('rotating');
    await auth0.clientGrants.create({ client_id: clientId, audience: identifier, scope: [] });
    const { client_secret } = await auth0.clients.rotateSecret(clientId);
    assert.notEqual(client_secret, clientSecret);
    const tokensWith = (secret: string) =>
      new AuthenticationClient({ domain: server.domain, clientId, clientSecret: secret }).oauth.clientCredentialsGrant({
        audience: identifier,
      });
    await assert.rejects(tokensWith(clientSecret), { statusCode: 401, error: 'access_denied' });
    assert.equal((await tokensWith(client_secret as string)).status, 200);
  });

  test('adds, lists, reads, changes and deletes credentials; one in use stays', async () => {
    const { clientId } = await apiAndClient('credentials');
    const { credentials } = auth0.clients;
    const first = await credentials.create(clientId, { credential_type: 'public_key', name: 'one', pem: publicPem });
    const second = await credentials.create(clientId, {
      credential_type: 'public_key',
      name: 'two',
      pem: pemPair().publicPem,
      alg: 'PS256',
    });
    assert.match(first.id as string, /^cred_/);
    assert.equal(first.alg, 'RS256');
    assert.equal(second.alg, 'PS256');
    assert.equal(Object.hasOwn(first, 'pem'), false);
    assert.deepEqual((await credentials.list(clientId)).map(({ name }) => name).sort(), ['one', 'two']);
    const read = await credentials.get(clientId, first.id as string);
    assert.equal(read.kid, first.kid);
    const end = new Date(Date.now() + 3_600_000).toISOString();
    assert.equal((await credentials.update(clientId, first.id as string, { expires_at: end })).expires_at, end);

    const switched = await auth0.clients.update(clientId, {
      client_authentication_methods: { private_key_jwt: { credentials: [{ id: first.id as string }] } },
      token_endpoint_auth_method: null,
    });
    assert.deepEqual(switched.client_authentication_methods, { private_key_jwt: { credentials: [{ id: first.id }] } });
    assert.equal(switched.token_endpoint_auth_method, undefined);
    await assert.rejects(
      () => credentials.delete(clientId, first.id as string),
      (error: Management.ConflictError) => error.statusCode === 409,
    );
    await credentials.delete(clientId, second.id as string);
    assert.deepEqual(
      (await credentials.list(clientId)).map(({ id }) => id),
      [first.id],
    );
  });

  test('makes, reads, lists, changes and deletes an API, by id and by identifier', async () => {
    const { identifier, apiId } = await apiAndClient('catalogue');
    const byIdentifier = await auth0.resourceServers.get(identifier);
    assert.equal(byIdentifier.id, apiId);
    assert.equal(byIdentifier.token_lifetime, 86_400);
    assert.equal(byIdentifier.signing_alg, 'RS256');
    const changed = await auth0.resourceServers.update(apiId, {
      token_lifetime: 3600,
      token_dialect: 'rfc9068_profile_authz',
      scopes: [{ value: 'read:orders', description: 'Read' }],
    });
    assert.equal(changed.token_lifetime, 3600);
    assert.deepEqual(changed.scopes, [{ value: 'read:orders', description: 'Read' }]);
    const listed = await auth0.resourceServers.list({ identifiers: [identifier] });
    assert.deepEqual(
      listed.data.map(({ id }) => id),
      [apiId],
    );
    await auth0.resourceServers.delete(identifier);
    await assert.rejects(() => auth0.resourceServers.get(apiId), Management.NotFoundError);
  });

  test('an HS256 API shows its signing secret when it is made, and no more; its tokens verify with it', async () => {
    const identifier = 'urn:symmetric';
    const made = await auth0.resourceServers.create({ identifier, signing_alg: 'HS256' });
    assert.equal((await auth0.resourceServers.get(identifier)).signing_secret, undefined);
    const { clientId, clientSecret } = await apiAndClient('symmetric');
    await auth0.clientGrants.create({ client_id: clientId, audience: identifier });
    const client = new AuthenticationClient({ domain: server.domain, clientId, clientSecret });
    const { data } = await client.oauth.clientCredentialsGrant({ audience: identifier });
    const secret = new TextEncoder().encode(made.signing_secret);
    assert.equal((await jwtVerify(data.access_token, secret)).payload.aud, identifier);
    const changed = await auth0.resourceServers.update(identifier, { signing_secret: clientSecret });
    assert.equal(changed.signing_secret, clientSecret);
    assert.equal((await auth0.resourceServers.update(identifier, { name: 'Same' })).signing_secret, undefined);
  });

  test('makes, reads, lists, changes and deletes a client grant', async () => {
    const { identifier, clientId } = await apiAndClient('granting');
    const made = await auth0.clientGrants.create({ client_id: clientId, audience: identifier, scope: ['read:orders'] });
    const id = made.id as string;
    assert.match(id, /^cgr_/);
    assert.deepEqual((await auth0.clientGrants.get(id)).scope, ['read:orders']);
    const changed = await auth0.clientGrants.update(id, { scope: ['read:orders', 'write:orders'] });
    assert.deepEqual([...(changed.scope ?? [])].sort(), ['read:orders', 'write:orders']);
    const listed = await auth0.clientGrants.list({ audience: identifier });
    assert.deepEqual(
      listed.data.map((grant) => grant.id),
      [id],
    );
    await auth0.clientGrants.delete(id);
    await auth0.clientGrants.delete(id);
    assert.deepEqual((await auth0.clientGrants.list({ client_id: clientId })).data, []);
  });

  test('iterates over several pages: every client, API and grant once', async () => {
    const names = Array.from({ length: 105 }, (_, index) => `page-${String(index).padStart(3, '0')}`);
    const made = new Set<string>();
    for (let start = 0; start < names.length; start += 15) {
      await Promise.all(
        names.slice(start, start + 15).map(async (name) => {
          const { identifier, clientId } = await apiAndClient(name);
          await auth0.clientGrants.create({ client_id: clientId, audience: identifier, scope: ['read:orders'] });
          made.add(clientId);
        }),
      );
    }
    const clients: string[] = [];
    for await (const client of await auth0.clients.list({ per_page: 20 })) clients.push(client.client_id as string);
    const grants: string[] = [];
    for await (const grant of await auth0.clientGrants.list()) grants.push(grant.client_id as string);
    const apis: string[] = [];
    for await (const api of await auth0.resourceServers.list()) apis.push(api.identifier as string);
    for (const [what, ids] of Object.entries({ clients, grants, apis })) {
      assert.equal(new Set(ids).size, ids.length, `${what} twice`);
    }
    assert.ok([...made].every((id) => clients.includes(id)));
    assert.ok([...made].every((id) => grants.includes(id)));
    assert.ok(names.every((name) => apis.includes(`https://${name}.example/`)));
    assert.ok(!apis.includes(server.report.nativeApi as string), 'the native management API is not listed');
  });

  test('reads and changes tenant settings; flags are merged', async () => {
    const { settings } = auth0.tenants;
    await settings.update({
      friendly_name: 'Miyako',
      session_lifetime: 100,
      flags: { enable_client_connections: false },
    });
    await settings.update({ flags: { disable_clickjack_protection_headers: true } });
    const read = await settings.get();
    assert.equal(read.friendly_name, 'Miyako');
    assert.equal(read.session_lifetime, 100);
    assert.equal(read.flags?.enable_client_connections, false);
    assert.equal(read.flags?.disable_clickjack_protection_headers, true);
    assert.deepEqual(await settings.get({ fields: 'friendly_name', include_fields: true }), {
      friendly_name: 'Miyako',
    });
  });

  test('lists, rotates and revokes signing keys; the current and the next one stay', async () => {
    const { signing } = auth0.keys;
    const before = await signing.list();
    const current = before.find((key) => key.current);
    const next = before.find((key) => key.next);
    assert.match(current?.cert ?? '', /BEGIN CERTIFICATE/);
    const rotated = await signing.rotate();
    assert.equal(rotated.kid, next?.kid);
    assert.equal((await signing.get(next?.kid as string)).current, true);
    const previous = await signing.get(current?.kid as string);
    assert.equal(previous.previous, true);
    for (const key of (await signing.list()).filter((key) => key.current || key.next)) {
      await assert.rejects(() => signing.revoke(key.kid), { statusCode: 400 });
    }
    await signing.revoke(previous.kid);
    // The token of this client was signed with that key.
    await assert.rejects(() => signing.list(), Management.UnauthorizedError);
    auth0 = login();
    assert.equal((await auth0.keys.signing.get(previous.kid)).revoked, true);
  });

  test('makes, reads, searches, changes and deletes users; a twin is a conflict', async () => {
    const connection = 'Username-Password-Authentication';
    const emails = Array.from({ length: 3 }, (_, index) => `person-${index}@example.com`);
    const made = [];
    for (const email of emails) {
      made.push(
        await auth0.users.create({
          connection,
          email,
          password: `Long-${server.clientSecret}`,
          user_metadata: { a: '1' },
        }),
      );
    }
    const id = made[0]?.user_id as string;
    assert.match(id, /^auth0\|/);
    assert.deepEqual((await auth0.users.get(id)).user_metadata, { a: '1' });
    assert.equal(JSON.stringify(made).includes(server.clientSecret), false);
    await assert.rejects(
      () => auth0.users.create({ connection, email: emails[0] as string }),
      Management.ConflictError,
    );

    const found = await auth0.users.list({ q: 'email:"person-1@example.com"', search_engine: 'v3' });
    assert.deepEqual(
      found.data.map(({ email }) => email),
      ['person-1@example.com'],
    );
    const byEmail = await auth0.users.listUsersByEmail({ email: emails[2] as string });
    assert.deepEqual(
      byEmail.map(({ user_id }) => user_id),
      [made[2]?.user_id],
    );
    const changed = await auth0.users.update(id, { name: 'Hana', user_metadata: { b: '2' }, blocked: true });
    assert.deepEqual([changed.name, changed.user_metadata, changed.blocked], ['Hana', { a: '1', b: '2' }, true]);
    const listed: unknown[] = [];
    for await (const { email } of await auth0.users.list({ per_page: 2, sort: 'created_at:1' })) listed.push(email);
    assert.deepEqual(listed, emails);
    for (const { user_id } of made) await auth0.users.delete(user_id as string);
    await assert.rejects(() => auth0.users.get(id), Management.NotFoundError);
  });

  test('reads logs by search, by id and by checkpoint', async () => {
    const { identifier, clientId, clientSecret } = await apiAndClient('logged');
    const client = new AuthenticationClient({ domain: server.domain, clientId, clientSecret });
    await assert.rejects(client.oauth.clientCredentialsGrant({ audience: identifier }), { statusCode: 403 });
    await auth0.clientGrants.create({ client_id: clientId, audience: identifier, scope: ['read:orders'] });
    await client.oauth.clientCredentialsGrant({ audience: identifier });

    const search = await auth0.logs.list({ search: `client_id:"${clientId}"`, sort: 'date:1' });
    const ofToken = search.data.filter(({ audience }) => audience === identifier);
    assert.deepEqual(
      ofToken.map(({ type }) => type),
      ['feccft', 'seccft'],
    );
    const event = await auth0.logs.get(ofToken[1]?.log_id as string);
    assert.equal(event.client_name, 'logged');

    // Readers by position stop two seconds before now.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    const seen: string[] = [];
    let from = '';
    for (let call = 0; call < 200; call += 1) {
      const page = await auth0.logs.list({}, { queryParams: { from, take: 20 } });
      const events = page.response as unknown as { log_id: string }[];
      if (events.length === 0) break;
      seen.push(...events.map(({ log_id }) => log_id));
      const next = /<([^>]+)>; rel="next"/.exec(page.rawResponse.headers.get('link') ?? '')?.[1];
      from = new URL(next as string).searchParams.get('from') as string;
    }
    assert.equal(new Set(seen).size, seen.length);
    assert.deepEqual([...seen].sort(), seen);
    assert.ok(ofToken.every(({ log_id }) => seen.includes(log_id as string)));
  });

  test('finds no connections and no daily statistics yet', async () => {
    assert.deepEqual((await auth0.connections.list()).data, []);
    assert.ok(Array.isArray(await auth0.stats.getDaily()));
  });

  describe("maps refusals to the SDK's errors", () => {
    const body = (error: { body?: unknown }) => error.body as Record<string, unknown>;

    test('404 NotFoundError', () =>
      assert.rejects(
        () => auth0.clients.get('nobody'),
        (error) => {
          assert.ok(error instanceof Management.NotFoundError);
          assert.deepEqual(body(error), {
            statusCode: 404,
            error: 'Not Found',
            message: 'The client does not exist',
            errorCode: 'inexistent_client',
          });
          return true;
        },
      ));

    test('409 ConflictError: an identifier is there once', async () => {
      const { identifier } = await apiAndClient('conflict');
      await assert.rejects(
        () => auth0.resourceServers.create({ identifier }),
        (error) => {
          assert.ok(error instanceof Management.ConflictError);
          assert.equal(body(error).message, 'A resource server with the same identifier already exists.');
          return true;
        },
      );
    });

    test('400 BadRequestError: an unknown field is named', () =>
      assert.rejects(
        () => auth0.clients.create({ name: 'x', colour: 'red' } as never),
        (error) => {
          assert.ok(error instanceof Management.BadRequestError);
          assert.equal(body(error).errorCode, 'invalid_body');
          assert.match(body(error).message as string, /Additional properties not allowed: colour/);
          return true;
        },
      ));

    test('403 ForbiddenError: a token without the scope', async () => {
      const { clientId, clientSecret } = await apiAndClient('forbidden');
      await auth0.clientGrants.create({
        client_id: clientId,
        audience: server.managementAudience,
        scope: ['read:clients'],
      });
      const reader = new ManagementClient({ domain: server.domain, clientId, clientSecret });
      assert.ok((await reader.clients.list()).data.length > 0);
      await assert.rejects(
        () => reader.clients.delete(clientId),
        (error) => {
          assert.ok(error instanceof Management.ForbiddenError);
          assert.equal(body(error).errorCode, 'insufficient_scope');
          assert.equal(body(error).message, 'Insufficient scope, expected any of: delete:clients');
          return true;
        },
      );
      assert.equal((await auth0.clients.get(clientId)).client_id, clientId);
    });

    test('401 UnauthorizedError: a token that is none', () =>
      assert.rejects(
        () => new ManagementClient({ domain: server.domain, token: 'none' }).clients.get('x'),
        Management.UnauthorizedError,
      ));

    test('401 of the token endpoint, told by statusCode', () =>
      assert.rejects(
        () =>
          new ManagementClient({ domain: server.domain, clientId: server.clientId, clientSecret: 'wrong' }).clients.get(
            'x',
          ),
        { statusCode: 401 },
      ));

    test('429 TooManyRequestsError with what the headers tell', async () => {
      const limited = await startTrusted({ SEKISHO_RATE_LIMIT_REQUESTS_PER_CLIENT: '6' });
      try {
        const { domain, clientId, clientSecret } = limited;
        const client = new ManagementClient({ domain, clientId, clientSecret });
        const { rawResponse } = await client.clients.get(clientId).withRawResponse();
        assert.equal(rawResponse.headers.get('x-ratelimit-limit'), '6');
        const calls = async () => {
          for (let call = 0; call < 10; call += 1) await client.clients.get(clientId, {}, { maxRetries: 0 });
        };
        await assert.rejects(calls, (error) => {
          assert.ok(error instanceof Management.TooManyRequestsError);
          assert.equal(body(error).errorCode, 'too_many_requests');
          assert.equal(error.rawResponse?.headers.get('x-ratelimit-remaining'), '0');
          assert.match(error.rawResponse?.headers.get('retry-after') ?? '', /^\d+$/);
          return true;
        });
      } finally {
        await limited.stop();
      }
    });
  });

  describe('AuthenticationClient', () => {
    test('gets a token with a secret; the SDK reads its life and its scopes', async () => {
      const { identifier, clientId, clientSecret } = await apiAndClient('secret');
      await auth0.clientGrants.create({ client_id: clientId, audience: identifier, scope: ['read:orders'] });
      const client = new AuthenticationClient({ domain: server.domain, clientId, clientSecret });
      const { data } = await client.oauth.clientCredentialsGrant({ audience: identifier });
      assert.equal(data.token_type, 'Bearer');
      assert.equal(data.expires_in, 86_400);
      assert.equal(decodeJwt(data.access_token).scope, 'read:orders');
    });

    test('gets a token with a private key, RS256 and PS256, in header without kid', async () => {
      const { identifier, clientId } = await apiAndClient('key');
      await auth0.clientGrants.create({ client_id: clientId, audience: identifier, scope: ['read:orders'] });
      for (const alg of ['RS256', 'PS256'] as const) {
        const pair = pemPair();
        const { id } = await auth0.clients.credentials.create(clientId, {
          credential_type: 'public_key',
          pem: pair.publicPem,
          alg,
        });
        await auth0.clients.update(clientId, {
          client_authentication_methods: { private_key_jwt: { credentials: [{ id: id as string }] } },
          token_endpoint_auth_method: null,
        });
        const tokensWith = (key: string) =>
          new AuthenticationClient({
            domain: server.domain,
            clientId,
            clientAssertionSigningKey: key,
            clientAssertionSigningAlg: alg,
          }).oauth.clientCredentialsGrant({ audience: identifier });
        const { data } = await tokensWith(pair.privatePem);
        assert.equal(decodeJwt(data.access_token).sub, `${clientId}@clients`);
        await assert.rejects(tokensWith(privatePem), { statusCode: 401, error: 'invalid_client' });
      }
    });

    test('reads what the token endpoint says of an API that is not there', async () => {
      const { domain, clientId, clientSecret } = server;
      const client = new AuthenticationClient({ domain, clientId, clientSecret });
      await assert.rejects(client.oauth.clientCredentialsGrant({ audience: 'https://nowhere.example' }), {
        statusCode: 403,
        error: 'access_denied',
        error_description: 'Service not enabled within domain: https://nowhere.example',
      });
    });
  });

  test('ManagementClient logs in with a private key', async () => {
    const client = await auth0.clients.create({
      name: 'Keyed',
      app_type: 'non_interactive',
      client_authentication_methods: {
        private_key_jwt: { credentials: [{ credential_type: 'public_key', pem: publicPem, alg: 'RS256' }] },
      },
    });
    const clientId = client.client_id as string;
    await auth0.clientGrants.create({
      client_id: clientId,
      audience: server.managementAudience,
      scope: ['read:clients'],
    });
    const keyed = new ManagementClient({ domain: server.domain, clientId, clientAssertionSigningKey: privatePem });
    assert.equal((await keyed.clients.get(clientId)).name, 'Keyed');
  });
});
