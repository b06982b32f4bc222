import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith, rawRequest, withoutLimits } from '../management/support.ts';
import { type Calls, callsOf, walks } from './support.ts';

const inexistent = { status: 404, message: 'No organization found by that id or name' };
const taken = { status: 409, message: 'An organization with this name already exists.' };
const invalidBody = (message: string | RegExp) => ({ status: 400, message, errorCode: 'invalid_body' });

eachEngine('/api/v2/organizations', (engine) => {
  let server: TestServer;
  let call: Calls;
  let nativeToken: string;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    const token = await server.managementToken();
    call = callsOf(server, () => token);
    nativeToken = await server.managementToken(server.nativeAudience);
  });
  after(() => server.close());

  const native = (method: string, path: string, json?: unknown) =>
    server.request(method, `/api${path}`, { token: nativeToken, json });

  let made = 0;
  async function organizationOf(more: object = {}) {
    made += 1;
    const { status, body, text } = await call('POST', '/organizations', { name: `org-${made}`, ...more });
    assert.equal(status, 201, text);
    return { organization: body, path: `/organizations/${body.id}` };
  }

  const full = {
    name: 'full',
    display_name: 'Full & Co',
    branding: { logo_url: 'https://full.example/logo.png', colors: { primary: '#aa0000', page_background: '#ffffff' } },
    metadata: { tier: 'gold' },
    token_quota: { client_credentials: { enforce: true, per_hour: 10 } },
    third_party_client_access: 'block',
    is_app_entitlement_active: true,
  };

  test('an organization as on the wire: name is the slug, only what is set is shown', async () => {
    const { organization, path } = await organizationOf({ name: 'plain', enabled_connections: [] });
    assert.match(organization.id, /^org_[0-9A-Za-z]{16}$/);
    assert.deepEqual(organization, { id: organization.id, name: 'plain', display_name: 'plain' });
    const read = await call('GET', path);
    assert.deepEqual([read.status, read.body], [200, organization]);
    const byName = await call('GET', '/organizations/name/plain');
    assert.deepEqual([byName.status, byName.body], [200, organization]);
    const row = (await server.rows('organizations')).find(({ id }) => id === organization.id);
    assert.deepEqual([row.parent_id, row.slug, row.name], [null, 'plain', 'plain']);
  });

  test('an organization with every field, read back in the native API by the same id', async () => {
    const { organization, path } = await organizationOf(full);
    assert.deepEqual(organization, { id: organization.id, ...full });
    assert.deepEqual((await call('GET', path)).body, organization);
    const other = await native('GET', path);
    assert.deepEqual(
      [other.body.name, other.body.slug, other.body.customData],
      ['Full & Co', 'full', { tier: 'gold' }],
    );
  });

  test('a change: what is absent stays, metadata are merged, null deletes a key or unsets a field', async () => {
    const { organization, path } = await organizationOf({ ...full, name: 'changing', metadata: { a: '1', b: '2' } });
    const changed = await call('PATCH', path, { metadata: { a: null, c: '3' }, token_quota: null, name: 'changed' });
    const { token_quota: _, ...rest } = organization;
    assert.equal(changed.status, 200, changed.text);
    assert.deepEqual(changed.body, { ...rest, name: 'changed', metadata: { b: '2', c: '3' } });
    assert.deepEqual((await call('PATCH', path, {})).body, changed.body);
    assert.deepEqual((await call('PATCH', path, { metadata: {} })).body, changed.body);
    await call.refused(inexistent, 'GET', '/organizations/name/changing');
    const named = await call('PATCH', path, { display_name: '\u202eمنظمة 🏯' });
    assert.equal(named.body.display_name, '\u202eمنظمة 🏯');
    assert.equal(named.body.name, 'changed');
  });

  test("another dialect's metadata and extras are not shown here, and stay through a change", async () => {
    const made = await native('POST', '/organizations', {
      name: 'From elsewhere',
      customData: { plan: { seats: 3 }, region: 'eu' },
      color: { primaryColor: '#123456' },
    });
    const path = `/organizations/${made.body.id}`;
    assert.deepEqual((await call('GET', path)).body, {
      id: made.body.id,
      name: 'from-elsewhere',
      display_name: 'From elsewhere',
      metadata: { region: 'eu' },
    });
    await call('PATCH', path, { metadata: { region: null, tier: 'gold' }, is_app_entitlement_active: false });
    const after = (await native('GET', path)).body;
    assert.deepEqual(after.customData, { plan: { seats: 3 }, tier: 'gold' });
    assert.deepEqual(after.color, { primaryColor: '#123456' });
  });

  test('at most 25 keys of metadata, a change included; no key reaches a prototype', async () => {
    const keys = (count: number, prefix = 'k') =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, 'v']));
    const { organization, path } = await organizationOf({ metadata: keys(25) });
    assert.equal(Object.keys(organization.metadata).length, 25);
    const many = invalidBody(/on property metadata/);
    await call.refused(many, 'POST', '/organizations', { name: 'many', metadata: keys(26) });
    await call.refused(many, 'PATCH', path, { metadata: { other: 'v' } });
    const swapped = await call('PATCH', path, { metadata: { k0: null, other: 'v' } });
    assert.equal(Object.keys(swapped.body.metadata).length, 25);
    await call.refused(
      invalidBody(/metadata\.__proto__" has a name that is not allowed/),
      'PATCH',
      path,
      JSON.parse('{"metadata":{"__proto__":"v"}}'),
    );
    await call.refused(invalidBody(/on property metadata/), 'PATCH', path, { metadata: { k1: 1 } });
    await call.refused(invalidBody(/on property metadata/), 'PATCH', path, { metadata: { k1: 'x'.repeat(256) } });
  });

  test('names that are no slug are refused, naming the field', async () => {
    const { path } = await organizationOf();
    for (const name of ['', 'Upper', 'a b', '-a', '_a', 'é', 'a\u200bb', 'x'.repeat(51), '株式会社', 'a/b']) {
      await call.refused(invalidBody(/on property name/), 'POST', '/organizations', { name });
      await call.refused(invalidBody(/on property name/), 'PATCH', path, { name });
    }
    for (const name of ['a', '0-_', 'x'.repeat(50)]) await organizationOf({ name });
  });

  test('a name that is taken: 409, by every dialect that took it', async () => {
    const { path } = await organizationOf({ name: 'acme' });
    await native('POST', '/organizations', { name: 'Native one' });
    const { path: other } = await organizationOf();
    for (const name of ['acme', 'native-one']) {
      await call.refused(taken, 'POST', '/organizations', { name });
      await call.refused(taken, 'PATCH', other, { name });
    }
    assert.equal((await call('PATCH', path, { name: 'acme' })).status, 200);
  });

  test('bodies and queries that are refused, naming the field', async () => {
    const { path } = await organizationOf();
    const name = 'refused';
    const refusals: [string, string, unknown, RegExp][] = [
      ['POST', '/organizations', {}, /'Missing required property: name'/],
      ['POST', '/organizations', { name, id: 'org_mine' }, /'Additional properties not allowed: id'/],
      ['POST', '/organizations', { name, parent_id: 'org_x' }, /'Additional properties not allowed: parent_id'/],
      ['POST', '/organizations', { name, status: 'suspended' }, /'Additional properties not allowed: status'/],
      ['POST', '/organizations', { name, display_name: '' }, /on property display_name/],
      ['POST', '/organizations', { name, display_name: '\u200b\u2060' }, /on property display_name$/],
      ['POST', '/organizations', { name, display_name: 'x'.repeat(256) }, /on property display_name/],
      ['POST', '/organizations', { name, branding: { color: 'red' } }, /Additional properties not allowed: color/],
      [
        'POST',
        '/organizations',
        { name, branding: { logo_url: 'javascript:alert(1)' } },
        /on property branding\.logo_url/,
      ],
      ['POST', '/organizations', { name, metadata: [] }, /on property metadata/],
      ['POST', '/organizations', { name, token_quota: { client_credentials: {} } }, /token_quota/],
      ['POST', '/organizations', { name, third_party_client_access: 'maybe' }, /on property third_party_client_access/],
      [
        'POST',
        '/organizations',
        { name, enabled_connections: [{ connection_id: 'con_x' }] },
        /on property enabled_connections/,
      ],
      ['PATCH', path, { enabled_connections: [] }, /'Additional properties not allowed: enabled_connections'/],
      ['PATCH', path, { display_name: '\u200b' }, /on property display_name$/],
    ];
    for (const [method, target, json, message] of refusals) {
      await call.refused(invalidBody(message), method, target, json);
    }
    const badQuery = { status: 400, message: /^Query validation error/, errorCode: 'invalid_query_string' };
    for (const query of [
      'per_page=101',
      'take=0',
      'from=forged',
      'sort=name',
      'sort=metadata:1',
      'sort=__proto__:1',
      'x=1',
    ]) {
      await call.refused(badQuery, 'GET', `/organizations?${query}`);
    }
  });

  test('what is not there answers 404; its deletion 204', async () => {
    for (const id of ['org_0000000000000000', '__proto__', 'acme', '%F0%9F%8F%AF']) {
      for (const rest of [
        '',
        '/client-grants',
        '/members',
        '/invitations',
        '/connections',
        '/enabled_connections',
        '/discovery-domains',
        '/clients',
      ]) {
        await call.refused(inexistent, 'GET', `/organizations/${id}${rest}`);
      }
      await call.refused(inexistent, 'PATCH', `/organizations/${id}`, { display_name: 'Mine' });
      const before = await server.stateHash();
      assert.equal((await call('DELETE', `/organizations/${id}`)).status, 204);
      assert.equal(await server.stateHash(), before);
    }
    await call.refused(inexistent, 'GET', '/organizations/name/__proto__');
    await call.refused(inexistent, 'GET', '/organizations/name/org_0000000000000000');
  });

  test('lists: every walk gives the same, in order of creation or as asked', async () => {
    for (let index = 0; index < 45; index += 1) await organizationOf({ display_name: `Listed ${99 - index}` });
    const shapes = ['offset', 'totals', 'checkpoint'] as const;
    const [offset, totals, checkpoint] = await walks(call, '/organizations', 'organizations', 'id', shapes);
    assert.ok((offset?.length ?? 0) >= 45);
    assert.deepEqual(totals, offset);
    assert.deepEqual(checkpoint, offset);
    const sorted = async (sort: string, field: string) =>
      (await call('GET', `/organizations?sort=${sort}&per_page=100`)).body.map(
        (one: Record<string, string>) => one[field],
      );
    const names = await sorted('name:1', 'name');
    assert.deepEqual(names, [...names].sort());
    assert.deepEqual(await sorted('name:-1', 'name'), [...names].reverse());
    assert.deepEqual((await sorted('created_at:-1', 'id')).reverse(), await sorted('created_at:1', 'id'));
    const shown = (await sorted('display_name:1', 'display_name')).filter((name: string) => name.startsWith('Listed'));
    assert.deepEqual(shown, [...shown].sort());
    const past = (await call('GET', '/organizations?page=99&include_totals=true')).body;
    assert.deepEqual(past.organizations, []);
  });

  test('an organization with children stays; a leaf goes with its log event', async () => {
    const { organization, path } = await organizationOf({ name: 'parent' });
    const child = (await native('POST', '/organizations', { name: 'Child', parentId: organization.id })).body;
    await call.refused(
      { status: 409, message: /has children/, errorCode: 'organization.has_children' },
      'DELETE',
      path,
    );
    assert.equal((await call('DELETE', `/organizations/${child.id}`)).status, 204);
    assert.equal((await call('DELETE', path)).status, 204);
    await call.refused(inexistent, 'GET', path);
    const kinds = (await server.logEvents()).filter(({ details }) =>
      details?.includes(`"target":"${organization.id}"`),
    );
    assert.deepEqual(
      kinds.map(({ kind }) => kind),
      ['organization.created', 'organization.deleted'],
    );
  });

  test('how people sign in: empty lists in the shapes that clients read', async () => {
    const { path } = await organizationOf();
    const shapes: [string, unknown][] = [
      ['connections', []],
      ['connections?include_totals=true', { start: 0, limit: 50, total: 0, connections: [] }],
      [
        'enabled_connections?include_totals=true&page=1&per_page=2',
        { start: 2, limit: 2, total: 0, enabled_connections: [] },
      ],
      ['discovery-domains?take=50', { domains: [] }],
      ['clients?take=50', { clients: [] }],
    ];
    for (const [rest, expected] of shapes) {
      const { status, body } = await call('GET', `${path}/${rest}`);
      assert.deepEqual([status, body], [200, expected], rest);
    }
    const known = { status: 403, message: /^Insufficient scope/, errorCode: 'insufficient_scope' };
    await call.refused(known, 'POST', `${path}/enabled_connections`, { connection_id: 'con_x' });
    await call.refused(known, 'POST', `${path}/discovery-domains`, { domain: 'example.com' });
  });

  test('a token with another scope than the route names: 403; with none at all: 401', async () => {
    const { path } = await organizationOf();
    const { token } = await callerWith(server, ['read:organizations']);
    const narrow = callsOf(server, () => token);
    const refusal = (scope: string) => ({
      status: 403,
      message: `Insufficient scope, expected any of: ${scope}`,
      errorCode: 'insufficient_scope',
    });
    assert.equal((await narrow('GET', path)).status, 200);
    await narrow.refused(refusal('create:organizations'), 'POST', '/organizations', { name: 'x' });
    await narrow.refused(refusal('update:organizations'), 'PATCH', path, { display_name: 'x' });
    await narrow.refused(refusal('delete:organizations'), 'DELETE', path);
    await narrow.refused(refusal('read:organization_members'), 'GET', `${path}/members`);
    await narrow.refused(refusal('read:organization_invitations'), 'GET', `${path}/invitations`);
    assert.equal((await server.request('GET', `/api/v2${path}`)).status, 401);
  });

  test('a management token of this dialect never carries an organization', async () => {
    const { organization } = await organizationOf();
    const { clientId, clientSecret } = await callerWith(server, ['read:organizations']);
    const answer = await server.token({
      client_id: clientId,
      client_secret: clientSecret,
      audience: server.managementAudience,
      organization: organization.id,
    });
    assert.equal(answer.status, 403, answer.text);
  });

  test("another tenant's organization, role, user and grant answer as what is not there", async () => {
    const { body: tenant } = await native('POST', '/tenants', { id: 'next-door' });
    const host = `next-door.localhost:${server.port}`;
    const send = (token: string | undefined, method: string, path: string, body: string, type = 'application/json') =>
      rawRequest(server, method, path, { host, body, headers: { 'content-type': type }, ...(token && { token }) });
    const { clientId, clientSecret } = tenant.managementClient;
    const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
    const login = new URLSearchParams({ ...form, audience: `http://${host}/api/v2/` }).toString();
    const issued = await send(undefined, 'POST', '/oauth/token', login, 'application/x-www-form-urlencoded');
    const there = async (path: string, json: unknown) =>
      (await send(issued.body.access_token, 'POST', `/api/v2${path}`, JSON.stringify(json))).body;
    const foreign = await there('/organizations', { name: 'foreign' });
    const role = await there('/roles', { name: 'Foreign' });
    const connection = 'Username-Password-Authentication';
    const user = await there('/users', { email: 'foreign@example.com', connection });
    await there('/resource-servers', { identifier: 'urn:foreign', name: 'Foreign' });
    const client = await there('/clients', { name: 'Foreign' });
    const grant = await there('/client-grants', {
      client_id: client.client_id,
      audience: 'urn:foreign',
      organization_usage: 'allow',
    });
    assert.ok(foreign.id && role.id && user.user_id && grant.id);

    const { organization, path } = await organizationOf();
    const own = (await call('POST', '/users', { email: 'own@example.com', connection })).body.user_id;
    await call('POST', `${path}/members`, { members: [own] });
    /** The same request with the foreign id and with one that is nowhere: the answers are equal. */
    const assertTwins = async (method: string, target: string, foreignId: string, json?: (id: string) => unknown) => {
      const before = await server.stateHash();
      const answers = ['nothing', foreignId].map((id) => call(method, target.replace('ID', id), json?.(id)));
      const [nowhere, elsewhere] = await Promise.all(answers);
      assert.deepEqual([elsewhere?.status, elsewhere?.text], [nowhere?.status, nowhere?.text], `${method} ${target}`);
      assert.ok(nowhere?.status === 404 || method === 'DELETE', `${method} ${target}: ${nowhere?.text}`);
      assert.equal(await server.stateHash(), before);
    };
    for (const rest of ['', '/members', '/client-grants', '/invitations', '/clients']) {
      await assertTwins('GET', `/organizations/ID${rest}`, foreign.id);
    }
    await assertTwins('PATCH', '/organizations/ID', foreign.id, () => ({ display_name: 'Mine' }));
    await assertTwins('DELETE', '/organizations/ID', foreign.id);
    await assertTwins('POST', '/organizations/ID/members', foreign.id, () => ({ members: [own] }));
    await assertTwins('POST', `${path}/members`, user.user_id, (id) => ({ members: [own, id] }));
    await assertTwins('POST', `${path}/members/${own}/roles`, role.id, (id) => ({ roles: [id] }));
    await assertTwins('POST', `${path}/client-grants`, grant.id, (id) => ({ grant_id: id }));
    await assertTwins('GET', '/client-grants/ID/organizations', grant.id);
    await assertTwins('PATCH', '/roles/ID', role.id, () => ({ name: 'Mine' }));
    await assertTwins('DELETE', '/roles/ID', role.id);
    await assertTwins('POST', `/users/${own}/roles`, role.id, (id) => ({ roles: [id] }));
    const listed = (await call('GET', '/organizations?sort=created_at:-1')).body[0];
    assert.equal(listed.id, organization.id);
  });
});
