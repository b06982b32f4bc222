import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Context } from '../../src/domain/context.ts';
import { createSetupLink } from '../../src/domain/setup/setup-links.ts';
import { useSetupLink } from '../../src/domain/setup/use-setup-link.ts';
import { auth0ManagementApi } from '../../src/http/auth0/system-api.ts';
import { nativeManagementApi } from '../../src/http/native/system-api.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import { authorizeApiKey } from '../../src/protocol/api-key.ts';
import { eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from '../management/support.ts';
import { contextAt, nobody } from '../sign-in/people.ts';
import { Browser, codeOf, exchange, makeApp, password } from '../sign-in/support.ts';
import { delegatedCaller, makeOrganization } from './delegated.ts';
import { Members } from './members-support.ts';

const minute = 60_000;
const hour = 60 * minute;
const asServer = (server: TestServer): Context => {
  const { services, site, origin } = contextAt(server);
  return { ...services, site, origin, actor: { kind: 'server' } };
};

const keyScopes = ['create:api_keys', 'read:users', 'read:logs'];

eachEngine('/api/api-keys', (engine) => {
  let server: TestServer;
  let native: Members;
  const clock = new TestClock();
  before(async () => {
    server = await startServer({ engine, env: withoutLimits, clock });
    native = await Members.of(server);
  });
  after(() => server.close());

  const body = (more: object = {}) => ({
    label: 'Import',
    scopes: ['read:users'],
    expiresAt: clock.now() + hour,
    ...more,
  });
  const make = (more: object = {}, token = native.token) => native.expect(201, 'POST', '/api-keys', body(more), token);
  /** What a request with the key may do, or the code it is refused with. */
  const authorize = async (value: string | undefined, scopes: string[], api = nativeManagementApi, at = server) => {
    try {
      return [...(await authorizeApiKey(contextAt(at), api, value, scopes)).scopes].sort();
    } catch (error) {
      assert.ok(error instanceof DomainError, String(error));
      return error.code;
    }
  };
  const works = async (value: string) => Array.isArray(await authorize(value, ['read:users']));
  const refusals = async () =>
    (await server.logEvents()).filter(({ kind }) => kind === 'access.refused').map(({ description }) => description);

  test('its value is told once, and kept as a hash', async () => {
    const made = await make({ scopes: ['read:users', 'read:logs', 'read:users'] });
    const { id, value, createdAt, expiresAt } = made;
    assert.match(value, /^key_[0-9A-Za-z]{43}$/);
    const shown = {
      id,
      label: 'Import',
      prefix: value.slice(0, 10),
      scopes: ['read:users', 'read:logs'],
      applicationId: 'admin',
      userId: null,
      createdAt,
      expiresAt,
      lastUsedAt: null,
    };
    assert.deepEqual(made, { ...shown, value });
    const listed = await native.expect(200, 'GET', '/api-keys');
    assert.deepEqual(
      listed.find((one: { id: string }) => one.id === id),
      shown,
    );
    const written = JSON.stringify([await server.rows('api_keys'), await server.logEvents(), listed]);
    assert.ok(written.includes(value.slice(0, 10)) && !written.includes(value.slice(10)));
    const event = (await server.logEvents()).findLast(({ kind }) => kind === 'api_key.created');
    assert.deepEqual([JSON.parse(event.details).target, event.client_id], [id, 'admin']);
  });

  test('the same call again does not tell it again', async () => {
    const json = body({ label: 'Once' });
    const headers = { 'idempotency-key': 'one-key' };
    const call = () => server.request('POST', '/api/api-keys', { token: native.token, json, headers });
    const [first, again] = [await call(), await call()];
    assert.equal(again.headers.get('idempotency-replayed'), 'true');
    assert.deepEqual(again.body, { ...first.body, value: null });
    const dry = await native.expect(201, 'POST', '/api-keys?dry_run=true', body());
    assert.equal(dry.value, null);
    assert.ok(!(await server.rows('api_keys')).some(({ id }) => id === dry.id));
  });

  test('fields that are missing, wrong or out of bounds are named, and nothing is made', async () => {
    for (const [path, more] of Object.entries({
      label: { label: '' },
      scopes: { scopes: [] },
      'scopes.0': { scopes: ['read:nothing'] },
      expiresAt: { expiresAt: 'soon' },
    })) {
      const before = await server.stateHash();
      const answer = await native.call('POST', '/api-keys', body(more));
      assert.equal(answer.status, 400, answer.text);
      assert.ok(answer.text.includes(path), `${path}: ${answer.text}`);
      assert.equal(await server.stateHash(), before);
    }
    for (const ahead of [-1, 59_000, 367 * 24 * hour]) {
      const refused = ['POST', '/api-keys', body({ expiresAt: clock.now() + ahead })] as const;
      const problem = await native.refuse([400, 'request.invalid_input'], ...refused);
      assert.equal(problem.data.path, 'expiresAt');
    }
    const inSeconds = body({ expiresAt: Math.floor(clock.now() / 1000) + 3600 });
    const { message } = await native.refuse([400, 'request.invalid_input'], 'POST', '/api-keys', inSeconds);
    assert.match(message, /milliseconds/);
    for (const [name] of Object.entries(body())) {
      const answer = await native.call('POST', '/api-keys', body({ [name]: undefined }));
      assert.equal(answer.status, 400, answer.text);
    }
  });

  test('no token, no scope, nothing there', async () => {
    const { token } = await callerWith(server, ['read:users'], server.nativeAudience);
    const calls = [
      ['GET', '/api-keys', undefined, 'read:api_keys'],
      ['POST', '/api-keys', body(), 'create:api_keys'],
      ['DELETE', '/api-keys/apk_none', undefined, 'delete:api_keys'],
    ] as const;
    for (const [method, path, json, scope] of calls) {
      assert.equal((await server.request(method, `/api${path}`, json && { json })).status, 401);
      const problem = await native.refuse([403, 'auth.forbidden'], method, path, json, token);
      assert.deepEqual(problem.data, { scopes: [scope] });
    }
    await native.refuse([404, 'entity.not_found'], 'DELETE', '/api-keys/apk_none');
  });

  test('nobody makes a key that may more than the token at hand', async () => {
    const caller = await callerWith(server, keyScopes, server.nativeAudience);
    assert.deepEqual((await make({ scopes: ['read:logs'] }, caller.token)).scopes, ['read:logs']);
    for (const scopes of [['all'], ['read:users', 'update:users'], ['manage:tenants']]) {
      await native.refuse([403, 'auth.exceeds_own'], 'POST', '/api-keys', body({ scopes }), caller.token);
    }
    // The client holds more by now; the token does not carry it.
    await server.manage('PATCH', `/client-grants/${caller.grantId}`, { scope: [...keyScopes, 'read:roles'] });
    const wider = body({ scopes: ['read:roles'] });
    await native.refuse([403, 'auth.exceeds_own'], 'POST', '/api-keys', wider, caller.token);
    // The token carries what the client does not hold any more.
    await server.manage('PATCH', `/client-grants/${caller.grantId}`, { scope: ['create:api_keys'] });
    await native.refuse([403, 'auth.exceeds_own'], 'POST', '/api-keys', body(), caller.token);
  });

  test('a token for an organization makes, reads and ends none', async () => {
    const organizationId = await makeOrganization(server, 'Customer');
    const { token } = await delegatedCaller(server, { organizationId, scopes: ['all'] });
    const { id } = await make();
    const code = [403, 'auth.organization_token'] as const;
    await native.refuse(code, 'POST', '/api-keys', body(), token);
    await native.refuse(code, 'GET', '/api-keys', undefined, token);
    await native.refuse(code, 'DELETE', `/api-keys/${id}`, undefined, token);
  });

  test('a key of another tenant is as if it were not', async () => {
    const { id, value } = await make();
    await native.expect(201, 'POST', '/tenants', { id: 'other' });
    const site = server.composed.services.sites.ofTenant('other');
    await assert.rejects(
      authorizeApiKey({ ...contextAt(server), site }, nativeManagementApi, value, ['read:users']),
      /not valid/,
    );
    assert.ok(await works(value));
    await native.expect(204, 'DELETE', `/api-keys/${id}`);
  });

  test('it does what its maker may and it carries, and no more', async () => {
    const caller = await callerWith(server, keyScopes, server.nativeAudience);
    const { value, id } = await make({ scopes: ['read:users', 'read:logs'] }, caller.token);
    assert.deepEqual(await authorize(value, ['read:users']), ['read:logs', 'read:users']);
    assert.equal(await authorize(value, ['create:api_keys']), 'auth.insufficient_scope');
    assert.equal(await authorize(value, ['read:users'], auth0ManagementApi), 'auth.invalid_token');
    await server.manage('PATCH', `/client-grants/${caller.grantId}`, { scope: ['read:users'] });
    assert.deepEqual(await authorize(value, ['read:users']), ['read:users']);
    assert.equal(await authorize(value, ['read:logs']), 'auth.insufficient_scope');
    const event = (await server.logEvents()).findLast(({ kind }) => kind === 'access.refused');
    assert.deepEqual([event.client_id, event.token_id], [caller.clientId, id]);
    await server.manage('DELETE', `/client-grants/${caller.grantId}`);
    assert.equal(await authorize(value, ['read:users']), 'auth.invalid_token');
    await server.manage('POST', '/client-grants', {
      client_id: caller.clientId,
      audience: server.nativeAudience,
      scope: ['all'],
    });
    assert.deepEqual(await authorize(value, ['read:users']), ['read:logs', 'read:users']);
    await native.expect(200, 'PATCH', `/applications/${caller.clientId}`, { status: 'disabled' });
    assert.equal(await authorize(value, ['read:users']), 'auth.invalid_token');
    await server.manage('DELETE', `/clients/${caller.clientId}`);
    assert.equal(await authorize(value, ['read:users']), 'auth.invalid_token');
    assert.ok(!(await server.rows('api_keys')).some((row) => row.id === id), 'it went with its maker');
  });

  test('one with all may everything but tenants, which it was not given', async () => {
    const { value } = await make({ scopes: ['all'] });
    const scopes = await authorize(value, ['update:users']);
    assert.ok(Array.isArray(scopes) && scopes.includes('read:logs') && !scopes.includes('manage:tenants'));
  });

  test('none, an unknown one, one that is over, one that was ended: refused, and logged why', async () => {
    const over = await make({ expiresAt: clock.now() + 2 * minute });
    const ended = await make();
    assert.deepEqual([await works(over.value), await works(ended.value)], [true, true]);
    await native.expect(204, 'DELETE', `/api-keys/${ended.id}`);
    await native.refuse([404, 'entity.not_found'], 'DELETE', `/api-keys/${ended.id}`);
    clock.advance(2 * minute);
    try {
      const before = (await refusals()).length;
      assert.equal(await authorize(undefined, ['read:users']), 'auth.missing');
      const odd = ['key_', `${ended.value}x`, over.value.toLowerCase(), 'key_\0', 'é'.repeat(9999)];
      for (const value of [...odd, ended.value, over.value]) {
        assert.equal(await authorize(value, ['read:users']), 'auth.invalid_token');
      }
      const reasons = (await refusals()).slice(before);
      const unknown = 'no API key has this value';
      assert.deepEqual(reasons, ['no API key', ...odd.map(() => unknown), unknown, 'the API key has expired']);
      const listed = await native.expect(200, 'GET', '/api-keys');
      assert.ok(!listed.some(({ id }: { id: string }) => id === over.id || id === ended.id));
    } finally {
      clock.advance(-2 * minute);
    }
  });

  test('when it was last used is known to a minute', async () => {
    const { id, value } = await make();
    const lastUsed = async () => {
      const listed = await native.expect(200, 'GET', '/api-keys');
      return listed.find((one: { id: string }) => one.id === id).lastUsedAt as number | null;
    };
    assert.equal(await lastUsed(), null);
    const start = clock.now();
    await works(value);
    const first = (await lastUsed()) ?? 0;
    assert.ok(first >= start && first <= clock.now());
    await works(value);
    assert.equal(await lastUsed(), first);
    clock.advance(61_000);
    await works(value);
    assert.ok(((await lastUsed()) ?? 0) >= first + 61_000);
    clock.advance(-61_000);
  });

  test('at most 100 at once', async () => {
    const room = 100 - (await native.expect(200, 'GET', '/api-keys')).length;
    const made: string[] = [];
    for (let count = 0; count < room; count += 1) made.push((await make()).id);
    await native.refuse([400, 'guard.invalid_input'], 'POST', '/api-keys', body());
    for (const id of made) await native.expect(204, 'DELETE', `/api-keys/${id}`);
    await make();
  });

  test('one that a person made by an application acts for that person, and ends with either', async () => {
    const app = await makeApp(server);
    const grant = await server.manage('POST', '/client-grants', {
      client_id: app.clientId,
      audience: server.nativeAudience,
      subject_type: 'user',
      scope: ['create:api_keys', 'read:users', 'update:users'],
    });
    const setup = new URL((await createSetupLink(server.composed.services, 'default')).url).searchParams.get('token');
    const email = nobody();
    const { id: userId } = await useSetupLink(asServer(server), {
      token: setup ?? '',
      identifier: email,
      password,
    });
    const asked = { audience: server.nativeAudience, scope: 'create:api_keys read:users' };
    const callback = await codeOf(new Browser(server), 'root', app, { id: userId, email, password }, asked);
    const { access_token: token } = (await exchange(server, 'root', app, callback)).body;
    const { value, ...made } = await make({}, token);
    assert.deepEqual([made.applicationId, made.userId], [app.clientId, userId]);
    const actor = await authorizeApiKey(contextAt(server), nativeManagementApi, value, ['read:users']);
    assert.deepEqual([actor.userId, actor.clientId, [...actor.scopes]], [userId, app.clientId, ['read:users']]);
    // The application may, the person may; the token was not asked for it.
    const wider = body({ scopes: ['update:users'] });
    await native.refuse([403, 'auth.exceeds_own'], 'POST', '/api-keys', wider, token);
    await server.manage('PATCH', `/client-grants/${grant.id}`, { scope: ['create:api_keys'] });
    assert.equal(await authorize(value, ['read:users']), 'auth.insufficient_scope');
    await server.manage('PATCH', `/client-grants/${grant.id}`, { scope: ['create:api_keys', 'read:users'] });
    assert.ok(await works(value));
    await native.expect(204, 'DELETE', `/users/${userId}/roles/rol_administrator`);
    assert.ok(!(await works(value)), 'whoever is no administrator any more');
    await native.expect(201, 'POST', `/users/${userId}/roles`, { roleIds: ['rol_administrator'] });
    assert.ok(await works(value));
    await native.expect(200, 'PATCH', `/users/${userId}`, { status: 'blocked' });
    assert.ok(!(await works(value)), 'a blocked person');
    await native.expect(200, 'PATCH', `/users/${userId}`, { status: 'active' });
    assert.ok(!(await works(value)), 'it ended for good');
  });
});

eachEngine('limits of API keys', (engine) => {
  test('bad ones count for themselves and for the address; requests for the maker', async () => {
    const clock = new TestClock();
    const env = {
      SEKISHO_RATE_LIMIT_FAILURES_PER_CLIENT: '3',
      SEKISHO_RATE_LIMIT_FAILURES_PER_ADDRESS: '8',
      SEKISHO_RATE_LIMIT_REQUESTS_PER_CLIENT: '30',
    };
    const server = await startServer({ engine, env, clock });
    try {
      const native = await Members.of(server);
      // As the minute goes on, the hits of the one before fade.
      await clock.standingStill(async () => {
        const json = { label: 'L', scopes: ['read:users'], expiresAt: clock.now() + hour };
        const { value } = await native.expect(201, 'POST', '/api-keys', json);
        const codeOfOne = (value: string) =>
          authorizeApiKey(contextAt(server), nativeManagementApi, value, ['read:users']).then(
            () => 'good',
            ({ code }) => code,
          );
        const bad = 'auth.invalid_token';
        const codes: string[] = [];
        for (let count = 0; count < 5; count += 1) codes.push(await codeOfOne('key_one'));
        assert.deepEqual(codes, [bad, bad, bad, 'rate.limited', 'rate.limited']);
        assert.equal(await codeOfOne(value), 'good', 'another key at the same address');
        for (let count = 0; count < 5; count += 1) assert.equal(await codeOfOne(`key_${count}`), bad);
        assert.deepEqual([await codeOfOne('key_new'), await codeOfOne(value)], ['rate.limited', 'rate.limited']);
        clock.advance(121_000);
        for (let count = 0; count < 30; count += 1) assert.equal(await codeOfOne(value), 'good', String(count));
        assert.equal(await codeOfOne(value), 'rate.limited');
      });
    } finally {
      await server.close();
    }
  });
});
