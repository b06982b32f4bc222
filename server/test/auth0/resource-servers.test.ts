import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { decoded, withoutLimits } from '../management/support.ts';
import { type Calls, callsOf, walks } from './support.ts';

const inexistent = {
  status: 404,
  message: 'The resource server does not exist',
  errorCode: 'inexistent_resource_server',
};
const invalidBody = (message: string | RegExp) => ({ status: 400, message, errorCode: 'invalid_body' });
const policies = { user: { policy: 'allow_all' }, client: { policy: 'require_client_grant' } };

eachEngine('/api/v2/resource-servers', (engine) => {
  const clock = new TestClock();
  let server: TestServer;
  let call: Calls;
  before(async () => {
    server = await startServer({ engine, clock, env: withoutLimits });
    const token = await server.managementToken();
    call = callsOf(server, () => token);
  });
  after(() => server.close());

  let made = 0;
  /** Each of another millisecond: those of one stand in no order that is promised. */
  async function api(more: object = {}) {
    made += 1;
    clock.advance(1);
    const { status, body, text } = await call('POST', '/resource-servers', {
      identifier: `https://api-${made}.example`,
      ...more,
    });
    assert.equal(status, 201, text);
    return { ...body, path: `/resource-servers/${body.id}` };
  }

  test('a minimal API, as on the wire', async () => {
    const { status, body } = await call('POST', '/resource-servers', { identifier: 'https://minimal.example' });
    assert.equal(status, 201);
    assert.match(body.id, /^[0-9a-f]{24}$/);
    assert.deepEqual(body, {
      id: body.id,
      identifier: 'https://minimal.example',
      name: 'https://minimal.example',
      signing_alg: 'RS256',
      token_lifetime: 86_400,
      token_lifetime_for_web: 7200,
      token_dialect: 'access_token',
      allow_offline_access: false,
      skip_consent_for_verifiable_first_party_clients: false,
      subject_type_authorization: policies,
    });
  });

  test('every field makes the round trip, and what was read can be written back', async () => {
    const full = {
      name: 'Full',
      scopes: [{ value: 'write:a', description: 'Write' }, { value: 'read:a' }],
      signing_alg: 'RS512',
      token_lifetime: 600,
      token_lifetime_for_web: 300,
      token_dialect: 'rfc9068_profile_authz',
      enforce_policies: true,
      allow_offline_access: true,
      skip_consent_for_verifiable_first_party_clients: true,
      subject_type_authorization: { user: { policy: 'deny_all' }, client: { policy: 'deny_all' } },
      proof_of_possession: { mechanism: 'dpop', required: false },
      consent_policy: 'standard',
    };
    const { path, ...shown } = await api(full);
    assert.deepEqual(shown, { id: shown.id, identifier: shown.identifier, ...full });
    const { id: _id, identifier: _identifier, ...settable } = shown;
    const again = await call('PATCH', path, settable);
    assert.deepEqual([again.status, again.body], [200, shown]);
    assert.deepEqual((await call('GET', path)).body, shown);
  });

  test('found by id and by identifier, however it is written in a path', async () => {
    const identifiers = [
      'https://shop.example/api/v1/?q=1&r=2#part',
      'urn:shop:orders',
      'orders',
      'a b',
      'Ünïcödé 😀',
      '%2F',
      'a%b',
      '../../etc',
      '.',
      '..',
      'a/../b',
      'x;y=z',
      `https://long.example/${'x'.repeat(570)}`,
    ];
    for (const identifier of identifiers) {
      const { body } = await call('POST', '/resource-servers', { identifier });
      assert.equal(body.identifier, identifier);
      // A lone dot segment can not be sent by an HTTP client that tidies paths; by id it can.
      const key = /^\.+$/.test(identifier) ? body.id : encodeURIComponent(identifier);
      const read = await call('GET', `/resource-servers/${key}`);
      assert.deepEqual([read.status, read.body.id], [200, body.id], identifier);
      assert.equal((await call('PATCH', `/resource-servers/${key}`, { name: 'Found' })).body.name, 'Found');
      assert.deepEqual(
        (await call('GET', `/resource-servers?identifiers=${encodeURIComponent(identifier)}`)).body.map(
          ({ id }: { id: string }) => id,
        ),
        [body.id],
      );
      assert.equal((await call('DELETE', `/resource-servers/${key}`)).status, 204);
      await call.refused(inexistent, 'GET', `/resource-servers/${body.id}`);
    }
  });

  test('identifiers are unique and exact: 409 for the same one, also when several ask at once', async () => {
    const { identifier } = await api();
    const taken = { status: 409, message: 'A resource server with the same identifier already exists.' };
    await call.refused(taken, 'POST', '/resource-servers', { identifier });
    for (const other of [`${identifier}/`, identifier.toUpperCase()]) {
      assert.equal((await call('POST', '/resource-servers', { identifier: other })).status, 201);
    }
    const at = () => call('POST', '/resource-servers', { identifier: 'https://raced.example' });
    const answers = await Promise.all(Array.from({ length: 6 }, at));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409, 409, 409, 409]);
  });

  test('an identifier can not be changed, look like an id, or have space at its ends', async () => {
    const { path } = await api();
    const unknown = (field: string) =>
      invalidBody(`Payload validation error: 'Additional properties not allowed: ${field}'`);
    for (const field of ['identifier', 'id', 'client_id', 'is_system', 'create_test_application', 'unknown']) {
      await call.refused(unknown(field), 'PATCH', path, { [field]: 'x' });
    }
    for (const field of ['id', 'client_id', 'is_system', 'unknown']) {
      await call.refused(unknown(field), 'POST', '/resource-servers', {
        identifier: 'https://x.example',
        [field]: 'x',
      });
    }
    for (const identifier of ['', ' a', 'a ', '0123456789abcdef01234567', 'x'.repeat(601)]) {
      await call.refused(invalidBody(/identifier/), 'POST', '/resource-servers', { identifier });
    }
    await call.refused(invalidBody(/Missing required property: identifier/), 'POST', '/resource-servers', {
      name: 'x',
    });
  });

  test('what is wrong in a field is named', async () => {
    const { path } = await api();
    const wrongs: Record<string, unknown[]> = {
      name: ['', '<b>', 'x'.repeat(201), null],
      signing_alg: ['none', 'HS512', 'rs256', 7],
      signing_secret: ['short', 'x'.repeat(64)],
      token_lifetime: [-1, 2_592_001, 1.5, '600', null],
      token_lifetime_for_web: [-1, 2_592_001],
      token_dialect: ['classic', ''],
      enforce_policies: ['true', 1],
      subject_type_authorization: [{ client: { policy: 'allow_all' } }, { robot: {} }, { user: { policy: 'x' } }],
      scopes: [
        {},
        [{}],
        [{ value: 'a b' }],
        [{ value: 'a' }, { value: 'a' }],
        [{ value: 'a', description: 'x'.repeat(501) }],
        [{ value: 'a', x: 1 }],
      ],
    };
    for (const [field, values] of Object.entries(wrongs)) {
      for (const value of values) {
        await call.refused(invalidBody(new RegExp(field)), 'PATCH', path, { [field]: value });
        await call.refused(invalidBody(new RegExp(field)), 'POST', '/resource-servers', {
          identifier: 'https://x.example',
          [field]: value,
        });
      }
    }
  });

  test('the lifetime and the algorithm of the API are those of its tokens', async () => {
    for (const [alg, lifetime] of [
      ['RS256', 60],
      ['RS512', 2_592_000],
      ['PS256', 600],
      ['ES256', 600],
      ['ES384', 600],
      ['EdDSA', 600],
      ['HS256', 600],
    ] as const) {
      const { audience, clientId, clientSecret } = await server.machine({
        api: { signing_alg: alg, token_lifetime: lifetime },
      });
      const { body } = await server.token({ client_id: clientId, client_secret: clientSecret, audience });
      assert.equal(body.expires_in, lifetime);
      const { header, payload } = decoded(body.access_token);
      assert.deepEqual([header.alg, payload.exp - payload.iat], [alg, lifetime]);
    }
  });

  test('a signing secret goes with HS256 only, must be strong, and is shown at most where it is made', async () => {
    const secret = 'MRK-0123456789abcdefghijklmnopqrstu';
    const given = await api({ signing_alg: 'HS256', signing_secret: secret });
    const answers = [
      await call('GET', given.path),
      await call('PATCH', given.path, { name: 'x' }),
      await call('GET', '/resource-servers?per_page=100'),
    ];
    for (const { text } of answers) assert.ok(!text.includes('MRK-') && !text.includes('"signing_secret"'));
    assert.ok(!JSON.stringify(await server.rows('resource_servers')).includes('MRK-'));
    const { path } = await api();
    await call.refused(invalidBody(/signing_secret/), 'PATCH', path, { signing_secret: secret });
    await call.refused(invalidBody(/signing_secret/), 'PATCH', given.path, { signing_secret: '0123456789abcdef' });
    assert.equal((await call('PATCH', given.path, { signing_alg: 'RS256' })).status, 200);
    assert.equal((await server.rows('resource_servers')).find(({ id }) => id === given.id).signing_secret, null);
  });

  test('a list of scopes replaces the one before; the order stays as given', async () => {
    const { path } = await api({ scopes: [{ value: 'a' }, { value: 'b', description: 'B' }] });
    const patched = async (scopes: object[]) => (await call('PATCH', path, { scopes })).body.scopes;
    assert.deepEqual(await patched([{ value: 'c' }, { value: 'a', description: 'A' }]), [
      { value: 'c' },
      { value: 'a', description: 'A' },
    ]);
    assert.deepEqual((await call('PATCH', path, { name: 'x' })).body.scopes, [
      { value: 'c' },
      { value: 'a', description: 'A' },
    ]);
    assert.equal(await patched([]), undefined);
    const thousand = Array.from({ length: 1000 }, (_, index) => ({ value: `scope:${index}` }));
    assert.deepEqual(await patched(thousand), thousand);
  });

  test('what is not there: 404 to read and change, 204 to delete, again and again', async () => {
    const { path } = await api();
    assert.deepEqual([(await call('DELETE', path)).status, (await call('DELETE', path)).status], [204, 204]);
    for (const id of [
      path.slice(18),
      'nobody',
      'https%3A%2F%2Fnowhere.example',
      'urn%3Asekisho%3Amanagement%3Aapi_v2',
    ]) {
      await call.refused(inexistent, 'GET', `/resource-servers/${id}`);
      await call.refused(inexistent, 'PATCH', `/resource-servers/${id}`, { name: 'x' });
      assert.equal((await call('DELETE', `/resource-servers/${id}`)).status, 204);
    }
  });

  test('lists: a bare array, an object with totals, by identifiers; each API exactly once', async () => {
    for (let index = 0; index < 105; index += 1) await api();
    const rows = await server.rows('resource_servers');
    const everything = rows
      .filter(({ system_kind }) => system_kind !== 'api')
      .map(({ id }) => id)
      .sort();
    for (const seen of await walks(call, '/resource-servers', 'resource_servers', 'id', ['offset', 'totals'])) {
      assert.deepEqual(seen.sort(), everything);
    }
    assert.equal((await call('GET', '/resource-servers')).body.length, 50);
    const totals = (await call('GET', '/resource-servers?page=2&per_page=10&include_totals=true')).body;
    assert.deepEqual(
      [totals.start, totals.limit, totals.total, totals.resource_servers.length],
      [20, 10, everything.length, 10],
    );
    const past = (await call('GET', '/resource-servers?page=999&include_totals=true')).body;
    assert.deepEqual([past.start, past.total, past.resource_servers], [49_950, everything.length, []]);
    const [one, two] = [await api(), await api()];
    const query = [one, two, { identifier: 'https://nowhere.example' }]
      .map(({ identifier }) => `identifiers=${encodeURIComponent(identifier)}`)
      .join('&');
    const found = (await call('GET', `/resource-servers?${query}&include_totals=true`)).body;
    assert.deepEqual(
      found.resource_servers.map(({ id }: { id: string }) => id),
      [one.id, two.id],
    );
    assert.equal(found.total, 2);
  });

  test('fields are picked or left out', async () => {
    const { path, id, identifier } = await api();
    assert.deepEqual((await call('GET', `${path}?fields=id,identifier`)).body, { id, identifier });
    const rest = (await call('GET', `${path}?fields=id&include_fields=false`)).body;
    assert.ok(!('id' in rest) && 'name' in rest);
    const list = (await call('GET', '/resource-servers?fields=name&per_page=2')).body;
    assert.ok(list.every((item: object) => Object.keys(item).join() === 'name'));
  });

  test('the management API has the name that deploy-cli leaves alone; the native one is listed when it is named', async () => {
    const list = (await call('GET', '/resource-servers?per_page=100')).body;
    const systems = list.filter(({ is_system }: { is_system?: boolean }) => is_system);
    assert.deepEqual(
      systems.map(({ name, identifier }: Record<string, string>) => [name, identifier]),
      [['Auth0 Management API', server.managementAudience]],
    );
    for (const identifier of [server.nativeAudience, 'https://default.logto.app/api']) {
      const asked = (await call('GET', `/resource-servers?identifiers=${encodeURIComponent(identifier)}`)).body;
      assert.deepEqual(
        asked.map((one: Record<string, string>) => one.identifier),
        [server.nativeAudience],
      );
      assert.equal((await call('GET', `/resource-servers/${encodeURIComponent(identifier)}`)).body.is_system, true);
    }
    const twin = server.managementAudience.replace('http:', 'https:');
    assert.equal(
      (await call('GET', `/resource-servers/${encodeURIComponent(twin)}`)).body.identifier,
      server.managementAudience,
    );
  });

  test('a system API is neither deleted nor given other scopes, algorithm, dialect, name or policy', async () => {
    const changes: object[] = [
      { scopes: [] },
      { scopes: [{ value: 'read:clients' }] },
      { signing_alg: 'HS256' },
      { signing_alg: 'ES256' },
      { signing_secret: 'MRK-0123456789abcdefghijklmnopqrstu' },
      { token_dialect: 'access_token' },
      { name: 'Mine' },
      { subject_type_authorization: { client: { policy: 'deny_all' } } },
      { subject_type_authorization: { user: { policy: 'allow_all' } } },
    ];
    for (const audience of [server.managementAudience, server.nativeAudience]) {
      const { body } = await call('GET', `/resource-servers/${encodeURIComponent(audience)}`);
      for (const key of [encodeURIComponent(audience), body.id]) {
        const path = `/resource-servers/${key}`;
        await call.refused(invalidBody(/system/), 'DELETE', path);
        for (const change of changes) await call.refused(invalidBody(/./), 'PATCH', path, change);
      }
      const lifetime = await call('PATCH', `/resource-servers/${body.id}`, { token_lifetime: 3600 });
      assert.deepEqual([lifetime.status, lifetime.body.token_lifetime, lifetime.body.name], [200, 3600, body.name]);
    }
  });
});
