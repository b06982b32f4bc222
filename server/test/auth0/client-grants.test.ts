import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { withoutLimits } from '../management/support.ts';
import { type Calls, callsOf, walks } from './support.ts';

const inexistent = { status: 404, message: 'The grant does not exist.', errorCode: 'inexistent_client_grant' };
const invalidBody = (message: string | RegExp) => ({ status: 400, message, errorCode: 'invalid_body' });

eachEngine('/api/v2/client-grants', (engine) => {
  let server: TestServer;
  let call: Calls;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    const token = await server.managementToken();
    call = callsOf(server, () => token);
  });
  after(() => server.close());

  let made = 0;
  async function parts() {
    made += 1;
    const identifier = `https://grants-${made}.example`;
    const scopes = [{ value: 'read:a' }, { value: 'write:a' }, { value: 'admin:a' }];
    const api = (await call('POST', '/resource-servers', { identifier, scopes })).body;
    const client = (await call('POST', '/clients', { name: 'Granted', app_type: 'non_interactive' })).body;
    return {
      audience: identifier,
      api,
      client_id: client.client_id as string,
      client_secret: client.client_secret as string,
    };
  }
  const grantOf = async (more: object = {}) => {
    const { audience, client_id, client_secret, api } = await parts();
    const { status, body, text } = await call('POST', '/client-grants', {
      audience,
      client_id,
      scope: ['read:a'],
      ...more,
    });
    assert.equal(status, 201, text);
    const issued = async (scope?: string) =>
      server.token({ client_id, client_secret, audience, ...(scope === undefined ? {} : { scope }) });
    return { grant: body, audience, client_id, api, issued, path: `/client-grants/${body.id}` };
  };

  test('a grant as on the wire: what is unset is absent', async () => {
    const { grant, audience, client_id, path } = await grantOf();
    const { id, ...rest } = grant;
    assert.match(id, /^cgr_[0-9A-Za-z]{16}$/);
    assert.deepEqual(rest, { client_id, audience, scope: ['read:a'], subject_type: 'client' });
    const read = await call('GET', path);
    assert.deepEqual([read.status, read.body], [200, grant]);
  });

  test('a grant with every field; scopes keep their order and are kept once', async () => {
    const full = {
      scope: ['write:a', 'read:a', 'write:a'],
      subject_type: 'client',
      organization_usage: 'allow',
      allow_any_organization: true,
      authorization_details_types: ['payment'],
    };
    const { grant, audience, client_id } = await grantOf(full);
    assert.deepEqual(grant, { id: grant.id, client_id, audience, ...full, scope: ['write:a', 'read:a'] });
  });

  test('scopes may be none or left out: the token then has none', async () => {
    for (const scope of [[], null, undefined]) {
      const { grant, issued } = await grantOf({ scope });
      assert.deepEqual(grant.scope, []);
      const { status, body } = await issued();
      assert.deepEqual([status, 'scope' in body], [200, false]);
    }
  });

  test('all scopes: what the API has at each request; a list of scopes ends it', async () => {
    const { grant, issued, api, path } = await grantOf({ scope: undefined, allow_all_scopes: true });
    assert.equal(grant.allow_all_scopes, true);
    assert.equal((await issued()).body.scope, 'read:a write:a admin:a');
    await call('PATCH', `/resource-servers/${api.id}`, { scopes: [{ value: 'read:a' }, { value: 'new:a' }] });
    assert.equal((await issued()).body.scope, 'read:a new:a');
    const both = { scope: ['read:a'], allow_all_scopes: true };
    await call.refused(invalidBody(/scope/), 'PATCH', path, both);
    const { audience, client_id } = await parts();
    await call.refused(invalidBody(/scope/), 'POST', '/client-grants', { audience, client_id, ...both });
    const listed = (await call('PATCH', path, { scope: ['read:a'] })).body;
    assert.deepEqual([listed.scope, listed.allow_all_scopes], [['read:a'], undefined]);
    assert.equal((await issued()).body.scope, 'read:a');
    assert.equal((await call('PATCH', path, { allow_all_scopes: true })).body.allow_all_scopes, true);
  });

  test('a change counts on the next token; null unsets', async () => {
    const { issued, path } = await grantOf();
    assert.equal((await call('PATCH', path, { scope: ['write:a', 'admin:a'] })).status, 200);
    assert.equal((await issued()).body.scope, 'write:a admin:a');
    assert.equal((await issued('read:a')).status, 403);
    const required = await call('PATCH', path, { organization_usage: 'require', allow_any_organization: false });
    assert.deepEqual([required.body.organization_usage, required.body.allow_any_organization], ['require', false]);
    assert.equal((await issued()).status, 403);
    const unset = (await call('PATCH', path, { organization_usage: null, allow_any_organization: null })).body;
    assert.ok(!('organization_usage' in unset) && !('allow_any_organization' in unset));
    assert.equal((await issued()).status, 200);
    assert.deepEqual((await call('PATCH', path, {})).body, unset);
    assert.deepEqual((await call('PATCH', path, { scope: null })).body.scope, []);
  });

  test('whose grant it is and for what can not be changed', async () => {
    const { path, audience, client_id } = await grantOf();
    for (const [field, value] of Object.entries({
      audience,
      client_id,
      subject_type: 'client',
      id: 'x',
      default_for: 'third_party_clients',
      is_system: false,
      unknown: 1,
    })) {
      const message = `Payload validation error: 'Additional properties not allowed: ${field}'`;
      await call.refused(invalidBody(message), 'PATCH', path, { [field]: value });
    }
  });

  test('what is missing or wrong in a new grant is named', async () => {
    const { audience, client_id } = await parts();
    const cases: [object, RegExp][] = [
      [{ client_id }, /Missing required property: audience/],
      [{ audience }, /client_id/],
      [{ audience, client_id, default_for: 'third_party_clients' }, /client_id/],
      [{ audience, default_for: 'everybody' }, /default_for/],
      [{ audience: '', client_id }, /audience/],
      [{ audience, client_id: '' }, /client_id/],
      [{ audience, client_id, scope: 'read:a' }, /scope/],
      [{ audience, client_id, scope: ['not:there'] }, /no scope "not:there".*scope\.0/],
      [{ audience, client_id, scope: ['read:a', 'READ:A'] }, /scope\.1/],
      [{ audience, client_id, scope: ['x'.repeat(281)] }, /scope\.0/],
      [{ audience, client_id, organization_usage: 'sometimes' }, /organization_usage/],
      [{ audience, client_id, subject_type: 'robot' }, /subject_type/],
      [{ audience, client_id, is_system: true }, /is_system/],
    ];
    for (const [body, message] of cases) await call.refused(invalidBody(message), 'POST', '/client-grants', body);
  });

  test('an API or a client that is not there: 404', async () => {
    const { audience, client_id } = await parts();
    const gone = {
      status: 404,
      message: 'The resource server does not exist',
      errorCode: 'inexistent_resource_server',
    };
    for (const nowhere of [
      'https://nowhere.example',
      'urn:sekisho:management:api_v2',
      '__proto__',
      audience.toUpperCase(),
    ]) {
      await call.refused(gone, 'POST', '/client-grants', { audience: nowhere, client_id, scope: [] });
    }
    const nobody = { status: 404, message: 'The client does not exist', errorCode: 'inexistent_client' };
    await call.refused(nobody, 'POST', '/client-grants', { audience, client_id: 'nobody', scope: [] });
  });

  test('the same client, API and kind of subject a second time: 409, also when two ask at once', async () => {
    const { audience, client_id } = await grantOf();
    const twin = { status: 409, message: /client_grant/ };
    await call.refused(twin, 'POST', '/client-grants', { audience, client_id, scope: [] });
    assert.equal(
      (await call('POST', '/client-grants', { audience, client_id, scope: [], subject_type: 'user' })).status,
      201,
    );
    const fresh = await parts();
    const body = { audience: fresh.audience, client_id: fresh.client_id, scope: [] };
    const answers = await Promise.all(Array.from({ length: 6 }, () => call('POST', '/client-grants', body)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409, 409, 409, 409]);
  });

  test('deleted, again and again: 204; the next token is refused', async () => {
    const { path, issued } = await grantOf();
    assert.equal((await issued()).status, 200);
    assert.deepEqual([(await call('DELETE', path)).status, (await call('DELETE', path)).status], [204, 204]);
    assert.equal((await issued()).status, 403);
    await call.refused(inexistent, 'GET', path);
    await call.refused(inexistent, 'PATCH', path, { scope: [] });
    await call.refused(inexistent, 'GET', `${path}/organizations`);
  });

  test('a default grant serves third-party clients that have none of their own, and no others', async () => {
    const { audience } = await parts();
    const made = await call('POST', '/client-grants', {
      audience,
      default_for: 'third_party_clients',
      scope: ['read:a'],
    });
    assert.equal(made.status, 201, made.text);
    assert.deepEqual(made.body, {
      id: made.body.id,
      default_for: 'third_party_clients',
      audience,
      scope: ['read:a'],
      subject_type: 'client',
    });
    const status = async (is_first_party: boolean) => {
      const client = (await call('POST', '/clients', { name: 'P', app_type: 'non_interactive', is_first_party })).body;
      return (await server.token({ client_id: client.client_id, client_secret: client.client_secret, audience }))
        .status;
    };
    assert.deepEqual([await status(false), await status(true)], [200, 403]);
    await call.refused({ status: 409, message: /client_grant/ }, 'POST', '/client-grants', {
      audience,
      default_for: 'third_party_clients',
    });
    assert.deepEqual((await call('GET', '/client-grants?default_for=third_party_clients')).body, [made.body]);
  });

  test('the organizations of a grant are none yet, in each shape', async () => {
    const { path } = await grantOf();
    assert.deepEqual((await call('GET', `${path}/organizations`)).body, []);
    assert.deepEqual((await call('GET', `${path}/organizations?take=50&include_totals=true`)).body, {
      organizations: [],
    });
    assert.deepEqual((await call('GET', `${path}/organizations?include_totals=true`)).body, {
      start: 0,
      limit: 50,
      total: 0,
      organizations: [],
    });
  });

  test('lists: in each shape every grant exactly once; take wins over include_totals', async () => {
    const { api, audience } = await parts();
    for (let index = 0; index < 105; index += 1) {
      const client = (await call('POST', '/clients', { name: `Walked ${index}` })).body;
      await call('POST', '/client-grants', { client_id: client.client_id, audience, scope: ['read:a'] });
    }
    const native = (await server.rows('resource_servers')).find(({ system_kind }) => system_kind === 'api').id;
    const rows = await server.rows('client_grants');
    const everything = rows
      .filter(({ resource_server_id }) => resource_server_id !== native)
      .map(({ id }) => id)
      .sort();
    for (const seen of await walks(call, '/client-grants', 'client_grants', 'id', ['offset', 'totals', 'checkpoint'])) {
      assert.deepEqual(seen.sort(), everything);
    }
    const ofApi = rows.filter(({ resource_server_id }) => resource_server_id === api.id).length;
    const totals = (
      await call('GET', `/client-grants?audience=${encodeURIComponent(audience)}&include_totals=true&per_page=5`)
    ).body;
    assert.deepEqual([totals.start, totals.limit, totals.total, totals.client_grants.length], [0, 5, ofApi, 5]);
    const checkpoint = (await call('GET', '/client-grants?include_totals=true&take=50')).body;
    assert.deepEqual(Object.keys(checkpoint), ['client_grants', 'next']);
    const past = (await call('GET', '/client-grants?page=1000&include_totals=true')).body;
    assert.deepEqual([past.start, past.client_grants], [50_000, []]);
  });

  test('filters: API, client, kind of subject, any organization', async () => {
    const { grant, audience, client_id } = await grantOf({ allow_any_organization: true, organization_usage: 'allow' });
    const list = async (query: string) => (await call('GET', `/client-grants?${query}`)).body;
    const api = `audience=${encodeURIComponent(audience)}`;
    assert.deepEqual(await list(api), [grant]);
    assert.deepEqual(await list(`client_id=${client_id}`), [grant]);
    assert.deepEqual(await list(`${api}&allow_any_organization=true`), [grant]);
    assert.deepEqual(await list(`${api}&allow_any_organization=false`), []);
    assert.deepEqual(await list(`${api}&subject_type=user`), []);
    assert.deepEqual(await list(`client_id=${encodeURIComponent("' or 1=1 --")}`), []);
    assert.deepEqual(await list(`${api}&client_id=nobody`), []);
  });

  test('the grants at the native API are listed only when they are asked for by audience', async () => {
    const audiences = (await call('GET', '/client-grants?per_page=100')).body.map(
      ({ audience }: { audience: string }) => audience,
    );
    assert.ok(!audiences.includes(server.nativeAudience));
    assert.ok(audiences.includes(server.managementAudience));
    const asked = (await call('GET', `/client-grants?audience=${encodeURIComponent(server.nativeAudience)}`)).body;
    assert.deepEqual(
      asked.map(({ audience }: { audience: string }) => audience),
      [server.nativeAudience],
    );
    const alias = (await call('GET', '/client-grants?audience=https%3A%2F%2Fdefault.logto.app%2Fapi')).body;
    assert.deepEqual(alias, asked);
    assert.ok(asked[0].scope.includes('manage:tenants'), 'shown with the scopes it gives');
  });

  test('a scope or an API that goes takes its grants along at once', async () => {
    const { path, issued, api } = await grantOf({ scope: ['read:a', 'admin:a'] });
    await call('PATCH', `/resource-servers/${api.id}`, { scopes: [{ value: 'read:a' }] });
    assert.deepEqual((await call('GET', path)).body.scope, ['read:a']);
    await call('PATCH', `/resource-servers/${api.id}`, { scopes: [{ value: 'read:a' }, { value: 'admin:a' }] });
    assert.equal((await issued()).body.scope, 'read:a', 'a scope of the same name is another one');
    await call('DELETE', `/resource-servers/${api.id}`);
    await call.refused(inexistent, 'GET', path);
  });
});
