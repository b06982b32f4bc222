import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { admin, eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith, decoded, withoutLimits } from '../management/support.ts';
import { nativeCaller, refused } from './roles-support.ts';

eachEngine('resources', (engine) => {
  let server: TestServer;
  let call: ReturnType<typeof nativeCaller>;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    call = nativeCaller(server, await server.managementToken(server.nativeAudience));
  });
  after(() => server.close());

  const make = async (indicator: string, scopes: string[] = []) => {
    const { body } = await call('POST', '/resources', { name: 'Orders', indicator });
    const ids: string[] = [];
    for (const name of scopes) ids.push((await call('POST', `/resources/${body.id}/scopes`, { name })).body.id);
    return { id: body.id as string, ids };
  };

  test('a resource is made, read, changed, deleted, in Logto’s bodies', async () => {
    const indicator = 'https://first.example';
    const made = await call('POST', '/resources', { name: 'First', indicator, tenantId: 'x', createdAt: 1 });
    assert.equal(made.status, 201);
    const { id } = made.body;
    assert.match(id, /^[0-9a-f]{24}$/);
    const entity = { tenantId: 'default', id, name: 'First', indicator, isDefault: false, accessTokenTtl: 3600 };
    assert.deepEqual(made.body, { ...entity, scopes: [] });
    assert.deepEqual((await call('GET', `/resources/${id}`)).body, entity);
    const changed = await call('PATCH', `/resources/${id}`, {
      name: 'Second',
      accessTokenTtl: 60,
      indicator: 'https://changed.example',
    });
    assert.equal(changed.status, 200);
    assert.deepEqual(changed.body, { ...entity, name: 'Second', accessTokenTtl: 60 });
    assert.equal((await call('DELETE', `/resources/${id}`)).status, 204);
    await refused(server, () => call('GET', `/resources/${id}`), 404, 'entity.not_exists_with_id');
    await refused(server, () => call('PATCH', `/resources/${id}`, { name: 'x' }), 404, 'entity.not_exists');
    await refused(server, () => call('DELETE', `/resources/${id}`), 404, 'entity.not_found');
  });

  test('the list holds the management APIs, with scopes when asked, whole unless a page is asked for', async () => {
    const { id } = await make('https://listed.example', ['read:a', 'write:a']);
    const whole = await call('GET', '/resources?includeScopes=true');
    assert.equal(whole.status, 200);
    assert.equal(whole.headers.get('total-number'), null);
    const native = whole.body.find((one: { id: string }) => one.id === 'management-api');
    assert.equal(native.indicator, server.nativeAudience);
    assert.equal(native.scopes[0].name, 'all');
    assert.equal(native.scopes[0].resourceId, 'management-api');
    assert.ok(native.aliases.includes('https://default.logto.app/api'));
    const listed = whole.body.find((one: { id: string }) => one.id === id);
    assert.deepEqual(
      listed.scopes.map((scope: { name: string }) => scope.name),
      ['read:a', 'write:a'],
    );
    const plain = await call('GET', '/resources');
    assert.equal(plain.body[0].scopes, undefined);
    const page = await call('GET', '/resources?page=1&page_size=1');
    assert.equal(page.body.length, 1);
    assert.equal(page.headers.get('total-number'), String(plain.body.length));
    const first = await call('GET', '/resources?cursor=&page_size=1');
    const next = /<([^>]+)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] as string;
    const second = await call('GET', new URL(next).pathname.replace(/^\/api/, '') + new URL(next).search);
    assert.equal(second.body[0].id, plain.body[1].id);
    await refused(server, () => call('GET', '/resources?cursor=forged.x'), 400, 'input.cursor_invalid');
  });

  test('refused: an identifier that is taken, reserved, an alias, of a bad shape; a bad lifetime', async () => {
    await make('https://taken.example');
    const post =
      (indicator: unknown, more = {}) =>
      () =>
        call('POST', '/resources', { name: 'X', indicator, ...more });
    await refused(server, post('https://taken.example'), 422, 'resource.resource_identifier_in_use', 'indicator');
    for (const reserved of [
      server.nativeAudience,
      server.managementAudience,
      server.issuer,
      'urn:logto:resource:organizations',
      'https://default.logto.app/api',
      'https://other.logto.app/api',
    ]) {
      await refused(server, post(reserved), 400, 'resource_server.reserved', 'indicator');
    }
    await refused(server, post(''), 400, 'guard.invalid_input', 'indicator');
    await refused(server, post(' https://x.example'), 400, 'guard.invalid_input', 'indicator');
    await refused(server, post(7), 400, 'guard.invalid_input', 'indicator');
    await refused(
      server,
      post('https://y.example', { accessTokenTtl: -1 }),
      400,
      'guard.invalid_input',
      'accessTokenTtl',
    );
    await refused(server, post('https://y.example', { accessTokenTtl: 2_592_001 }), 400, 'guard.invalid_input');
  });

  test('scopes come one by one, keep their id through a change, and go with their grants and roles', async () => {
    const machine = await server.machine({ identifier: 'https://scoped.example' });
    const base = `/resources/${machine.apiId}/scopes`;
    const made = await call('POST', base, { name: 'admin:orders', description: 'All of them.' });
    assert.equal(made.status, 201);
    const { id } = made.body;
    const entity = {
      tenantId: 'default',
      id,
      resourceId: machine.apiId,
      name: 'admin:orders',
      description: 'All of them.',
    };
    assert.deepEqual(made.body, entity);
    assert.deepEqual((await call('GET', `${base}/${id}`)).body, entity);
    const list = await call('GET', base);
    assert.equal(list.headers.get('total-number'), '3');
    assert.deepEqual(
      list.body.map((scope: { name: string }) => scope.name),
      ['read:orders', 'write:orders', 'admin:orders'],
    );
    assert.deepEqual((await call('GET', `${base}?q=ADMIN`)).body, [entity]);
    const read = list.body[0].id as string;
    const role = await call('POST', '/roles', { name: 'Reader', description: '', scopeIds: [read, id] });
    assert.equal(role.status, 200, role.text);
    const renamed = await call('PATCH', `${base}/${read}`, { name: 'see:orders' });
    assert.deepEqual([renamed.status, renamed.body.id, renamed.body.name], [200, read, 'see:orders']);
    const ask = { client_id: machine.clientId, client_secret: machine.clientSecret, audience: machine.audience };
    assert.equal((await server.token(ask)).body.scope, 'see:orders write:orders');
    assert.equal((await call('DELETE', `${base}/${read}`)).status, 204);
    assert.equal((await server.token(ask)).body.scope, 'write:orders');
    const left = await call('GET', `/roles/${role.body.id}/scopes`);
    assert.deepEqual(
      left.body.map((scope: { id: string }) => scope.id),
      [id],
    );
    await refused(server, () => call('DELETE', `${base}/${read}`), 404, 'entity.not_found');
  });

  test('refused scopes: taken, with a space, of a bad shape, of another resource, of a management API', async () => {
    const { id, ids } = await make('https://refused-scopes.example', ['read:x', 'write:x']);
    const other = await make('https://other-scopes.example', ['read:y']);
    const base = `/resources/${id}/scopes`;
    await refused(server, () => call('POST', base, { name: 'read:x' }), 422, 'scope.name_exists', 'name');
    await refused(server, () => call('POST', base, { name: 'read x' }), 400, 'scope.name_with_space', 'name');
    for (const name of ['', 'a"b', 'a\\b', 'é', 'x'.repeat(281), 7]) {
      await refused(server, () => call('POST', base, { name }), 400, 'guard.invalid_input', 'name');
    }
    await refused(server, () => call('PATCH', `${base}/${ids[0]}`, { name: 'write:x' }), 422, 'scope.name_exists');
    // Parent and child from different APIs answer as if there were no child.
    const foreign = await call('PATCH', `${base}/${other.ids[0]}`, { name: 'z' });
    const missing = await call('PATCH', `${base}/nowhere`, { name: 'z' });
    assert.deepEqual(foreign.body, missing.body);
    await refused(server, () => call('DELETE', `${base}/${other.ids[0]}`), 404, 'entity.not_found');
    const native = '/resources/management-api';
    const [all] = (await call('GET', `${native}/scopes`)).body;
    const modify = 'resource.cannot_modify_management_api';
    await refused(server, () => call('POST', `${native}/scopes`, { name: 'mine' }), 400, modify);
    await refused(server, () => call('PATCH', `${native}/scopes/${all.id}`, { name: 'mine' }), 400, modify);
    const deleted = () => call('DELETE', `${native}/scopes/${all.id}`);
    await refused(server, deleted, 400, 'resource.cannot_delete_management_api');
    await refused(server, () => call('DELETE', native), 400, 'resource.cannot_delete_management_api');
    await refused(server, () => call('PATCH', native, { name: 'Mine' }), 400, modify);
    await refused(server, () => call('PATCH', `${native}/is-default`, { isDefault: true }), 400, modify);
  });

  test('the default resource is the audience of requests that name none, until it is not or is deleted', async () => {
    const machine = await server.machine({ identifier: 'https://default.example' });
    const ask = { client_id: machine.clientId, client_secret: machine.clientSecret };
    const before = await server.token(ask);
    assert.notEqual(before.status, 200);
    const base = `/resources/${machine.apiId}`;
    const made = await call('PATCH', `${base}/is-default`, { isDefault: true });
    assert.equal(made.body.isDefault, true);
    assert.equal(decoded((await server.token(ask)).body.access_token).payload.aud, machine.audience);
    assert.equal((await call('PATCH', `${base}/is-default`, { isDefault: false })).body.isDefault, false);
    assert.equal((await server.token(ask)).status, before.status);
    await call('PATCH', `${base}/is-default`, { isDefault: true });
    assert.equal((await call('DELETE', base)).status, 204);
    assert.equal((await server.rows('tenants'))[0].default_audience, null);
  });

  test('an alias of the management audience is asked for, carried, accepted, and over with the next request', async () => {
    const alias = 'https://api.example.com';
    const path = '/resources/management-api';
    const set = await call('PATCH', path, { aliases: [alias] });
    assert.equal(set.status, 200, set.text);
    assert.ok(set.body.aliases.includes(alias));
    // What a GET says can be sent back.
    const again = await call('PATCH', path, { aliases: (await call('GET', path)).body.aliases });
    assert.deepEqual(again.body.aliases, set.body.aliases);
    const token = await server.managementToken(alias);
    assert.equal(decoded(token).payload.aud, alias);
    const asAlias = nativeCaller(server, token);
    assert.equal((await asAlias('GET', '/roles')).status, 200);
    const grantee = await server.manage('POST', '/clients', { name: 'Reader', app_type: 'non_interactive' });
    const grant = { client_id: grantee.client_id, audience: alias, scope: ['read:organizations'] };
    assert.equal((await server.manage('POST', '/client-grants', grant)).audience, server.nativeAudience);
    const create = () => call('POST', '/resources', { name: 'X', indicator: alias });
    await refused(server, create, 400, 'resource_server.reserved', 'indicator');
    assert.equal((await call('PATCH', path, { aliases: [] })).status, 200);
    await refused(server, () => asAlias('GET', '/roles'), 401, 'auth.unauthorized');
    const ask = { client_id: admin.clientId, client_secret: admin.clientSecret, audience: alias };
    assert.notEqual((await server.token(ask)).status, 200);
  });

  test('refused aliases: reserved, registered, no URI, of another resource', async () => {
    const { id } = await make('https://registered.example');
    const path = '/resources/management-api';
    const patch = (alias: string) => () => call('PATCH', path, { aliases: [alias] });
    await refused(server, patch('https://registered.example'), 422, 'resource.resource_identifier_in_use', 'aliases.0');
    for (const alias of [server.issuer, server.managementAudience, 'urn:logto:x', 'https://other.logto.app/api']) {
      await refused(server, patch(alias), 400, 'resource_server.reserved', 'aliases.0');
    }
    for (const alias of ['not a uri', 'https://x.example/#f', 'https://x.example/é', 'plain']) {
      await refused(server, patch(alias), 400, 'guard.invalid_input', 'aliases.0');
    }
    await refused(server, patch(`https://x.example/${'x'.repeat(600)}`), 400, 'guard.invalid_input');
    const other = () => call('PATCH', `/resources/${id}`, { aliases: ['https://a.example'] });
    await refused(server, other, 400, 'guard.invalid_input', 'aliases');
    // Both or none.
    const both = () => call('PATCH', path, { accessTokenTtl: 60, aliases: [server.issuer] });
    await refused(server, both, 400, 'resource_server.reserved');
  });

  test('each call needs its scope', async () => {
    const reader = await callerWith(server, ['read:resources'], server.nativeAudience);
    const read = nativeCaller(server, reader.token);
    const { id } = await make('https://guarded.example');
    assert.equal((await read('GET', `/resources/${id}`)).status, 200);
    for (const [method, path, json] of [
      ['POST', '/resources', { name: 'x', indicator: 'https://z.example' }],
      ['PATCH', `/resources/${id}`, { name: 'x' }],
      ['PATCH', `/resources/${id}/is-default`, { isDefault: true }],
      ['DELETE', `/resources/${id}`, undefined],
      ['POST', `/resources/${id}/scopes`, { name: 'x' }],
      ['PATCH', `/resources/${id}/scopes/x`, { name: 'x' }],
      ['DELETE', `/resources/${id}/scopes/x`, undefined],
    ] as const) {
      await refused(server, () => read(method, path, json), 403, 'auth.forbidden');
    }
    const nobody = nativeCaller(server, 'x');
    await refused(server, () => nobody('GET', '/resources'), 401, 'auth.unauthorized');
  });
});
