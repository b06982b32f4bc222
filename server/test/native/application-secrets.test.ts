import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { callerWith, withoutLimits } from '../management/support.ts';
import { AscendingClock } from './ascending-clock.ts';
import { nativeToken } from './delegated.ts';
import { Members } from './members-support.ts';

const invalidInput = [400, 'guard.invalid_input'] as const;

eachEngine('/api/applications/:id/secrets', (engine) => {
  let server: TestServer;
  let native: Members;
  const clock = new AscendingClock();
  before(async () => {
    server = await startServer({ engine, env: withoutLimits, clock });
    native = await Members.of(server);
  });
  after(() => server.close());

  const machine = (type = 'MachineToMachine') =>
    native.expect(200, 'POST', '/applications', { name: 'With secrets', type });
  /** Whether the token endpoint knows the secret: without a grant it says so after that. */
  const works = async (client_id: string, client_secret: string): Promise<boolean> => {
    const answer = await server.token({ client_id, client_secret, audience: server.nativeAudience });
    assert.ok(answer.status === 401 || answer.status === 403, answer.text);
    return answer.status === 403;
  };

  test('several secrets live at once; each is shown when it is made and never again', async () => {
    const { id, secret } = await machine();
    const path = `/applications/${id}/secrets`;
    const made = await native.expect(201, 'POST', path, { name: '2026-03' });
    const { value, createdAt } = made;
    assert.match(value, /^[0-9A-Za-z]{64}$/);
    assert.deepEqual(made, {
      tenantId: 'default',
      applicationId: id,
      name: '2026-03',
      value,
      prefix: value.slice(0, 6),
      createdAt,
      expiresAt: null,
      lastUsedAt: null,
    });
    const listed = await native.expect(200, 'GET', path);
    assert.deepEqual(
      listed.map((one: Record<string, unknown>) => [one.name, one.value, one.prefix]),
      [
        ['Default secret', null, secret.slice(0, 6)],
        ['2026-03', null, value.slice(0, 6)],
      ],
    );
    assert.deepEqual([await works(id, secret), await works(id, value)], [true, true]);
    const everything = [
      ...(await server.logEvents()),
      ...(await server.rows('credentials')),
      await native.expect(200, 'GET', `/applications/${id}`),
      await native.expect(200, 'GET', '/applications'),
    ];
    for (const text of [secret, value]) assert.ok(!JSON.stringify(everything).includes(text));
    await native.expect(204, 'DELETE', `${path}/Default%20secret`);
    assert.deepEqual([await works(id, secret), await works(id, value)], [false, true]);
    const kinds = (await server.logEvents()).map(({ kind }) => kind).filter((kind) => kind.startsWith('client_secret'));
    assert.deepEqual(kinds, ['client_secret.created', 'client_secret.deleted']);
  });

  test('a secret expires when it was told to', async () => {
    const { id } = await machine();
    const path = `/applications/${id}/secrets`;
    const expiresAt = clock.now() + 60_000;
    const made = await native.expect(201, 'POST', path, { name: 'short', expiresAt });
    assert.equal(made.expiresAt, expiresAt);
    assert.equal(await works(id, made.value), true);
    clock.advance(61_000);
    assert.equal(await works(id, made.value), false);
    const past = await native.refuse([400, 'request.invalid_input'], 'POST', path, { name: 'x', expiresAt });
    assert.equal(past.data.path, 'expiresAt');
    await native.refuse(invalidInput, 'POST', path, { name: 'x', expiresAt: 'tomorrow' });
  });

  test('names are unique for each application, seen and written one way', async () => {
    const [{ id }, other] = [await machine(), await machine()];
    const path = `/applications/${id}/secrets`;
    await native.expect(201, 'POST', path, { name: 'café' });
    const taken = [422, 'application.secret_name_exists'] as const;
    await native.refuse(taken, 'POST', path, { name: 'café' });
    await native.refuse(taken, 'POST', path, { name: 'Default secret' });
    await native.refuse(taken, 'PATCH', `${path}/caf%C3%A9`, { name: 'Default secret' });
    for (const name of ['', ' ', ' café', 'caf\u200bé', 'cafe\u0301', 'a\nb', 'x'.repeat(129)]) {
      await native.refuse(invalidInput, 'POST', path, { name });
      await native.refuse(invalidInput, 'PATCH', `${path}/caf%C3%A9`, { name });
    }
    await native.expect(201, 'POST', `/applications/${other.id}/secrets`, { name: 'café' });
    const renamed = await native.expect(200, 'PATCH', `${path}/caf%C3%A9`, { name: '鍵 🔑' });
    assert.deepEqual([renamed.name, renamed.value], ['鍵 🔑', null]);
    const at = await Promise.all([1, 2].map(() => native.call('POST', path, { name: 'at once' })));
    assert.deepEqual(at.map(({ status }) => status).sort(), [201, 422]);
  });

  test('what is missing is missing, whether the application or the secret; a pair that does not belong too', async () => {
    const [{ id }, other] = [await machine(), await machine()];
    await native.expect(201, 'POST', `/applications/${other.id}/secrets`, { name: 'theirs' });
    const path = `/applications/${id}/secrets`;
    await native.refuse([404, 'entity.not_exists_with_id'], 'GET', '/applications/nothing/secrets');
    await native.refuse([404, 'entity.not_exists'], 'POST', '/applications/nothing/secrets', { name: 'x' });
    await native.refuse([404, 'entity.not_exists'], 'PATCH', `${path}/theirs`, { name: 'x' });
    await native.refuse([404, 'entity.not_found'], 'DELETE', `${path}/theirs`);
    await native.refuse([400, 'application.no_legacy_secret_found'], 'DELETE', `/applications/${id}/legacy-secret`);
    await native.refuse([404, 'entity.not_found'], 'DELETE', '/applications/nothing/legacy-secret');
  });

  test('a public application has no secrets', async () => {
    for (const type of ['SPA', 'Native']) {
      const { id } = await machine(type);
      assert.deepEqual(await native.expect(200, 'GET', `/applications/${id}/secrets`), []);
      await native.refuse(invalidInput, 'POST', `/applications/${id}/secrets`, { name: 'x' });
    }
  });

  test('nobody takes over an application that holds more than they do', async () => {
    const scopes = ['application_secrets', 'applications'].flatMap((what) =>
      ['read', 'create', 'update', 'delete'].map((verb) => `${verb}:${what}`),
    );
    const caller = await callerWith(server, scopes, server.nativeAudience);
    const target = await callerWith(server, ['read:logs'], server.nativeAudience);
    const path = `/applications/${target.clientId}/secrets`;
    const exceeds = [403, 'auth.exceeds_own'] as const;
    await native.refuse(exceeds, 'POST', path, { name: 'mine' }, caller.token);
    await native.refuse(exceeds, 'PATCH', `${path}/secret`, { name: 'mine' }, caller.token);
    await native.refuse(exceeds, 'DELETE', `${path}/secret`, undefined, caller.token);
    await native.refuse(exceeds, 'PATCH', `/applications/${target.clientId}`, { status: 'disabled' }, caller.token);
    await native.expect(201, 'POST', `/applications/${caller.clientId}/secrets`, { name: 'own' }, caller.token);
    const role = await native.expect(200, 'POST', '/roles', {
      name: `readers of logs ${engine}`,
      description: '',
      type: 'MachineToMachine',
    });
    const all = await native.expect(200, 'GET', '/resources/management-api/scopes?page_size=100');
    const readLogs = all.find((scope: { name: string }) => scope.name === 'read:logs');
    await native.expect(201, 'POST', `/roles/${role.id}/scopes`, { scopeIds: [readLogs.id] });
    const { id } = await machine();
    await native.expect(201, 'POST', `/applications/${id}/secrets`, { name: 'before' }, caller.token);
    await native.expect(201, 'POST', `/applications/${id}/roles`, { roleIds: [role.id] });
    await native.refuse(exceeds, 'POST', `/applications/${id}/secrets`, { name: 'after' }, caller.token);
  });

  test('a replay does not show a secret again, and a dry run makes none', async () => {
    const { id } = await machine();
    const token = await nativeToken(server);
    const send = (path: string, json: object, headers: Record<string, string> = {}) =>
      server.request('POST', `/api${path}`, { token, json, headers });
    const key = { 'idempotency-key': 'secret-1' };
    const first = await send(`/applications/${id}/secrets`, { name: 'once' }, key);
    const again = await send(`/applications/${id}/secrets`, { name: 'once' }, key);
    assert.deepEqual([again.status, again.body], [201, { ...first.body, value: null }]);
    const made = await send(
      '/applications',
      { name: 'Once', type: 'MachineToMachine' },
      { 'idempotency-key': 'app-1' },
    );
    const replayed = await send(
      '/applications',
      { name: 'Once', type: 'MachineToMachine' },
      { 'idempotency-key': 'app-1' },
    );
    assert.deepEqual(replayed.body, { ...made.body, secret: null });
    const before = await server.stateHash();
    const dry = await send(`/applications/${id}/secrets?dry_run=true`, { name: 'dry' });
    assert.deepEqual([dry.status, dry.body.value], [201, null]);
    assert.equal(await server.stateHash(), before);
  });

  test('every route names its scope', async () => {
    const caller = await callerWith(server, ['read:applications', 'update:applications'], server.nativeAudience);
    const { id } = await machine();
    const path = `/applications/${id}/secrets`;
    for (const [method, where, json] of [
      ['GET', path],
      ['POST', path, { name: 'x' }],
      ['PATCH', `${path}/Default%20secret`, { name: 'x' }],
      ['DELETE', `${path}/Default%20secret`],
      ['DELETE', `/applications/${id}/legacy-secret`],
    ] as const) {
      await native.refuse([403, 'auth.forbidden'], method, where, json, caller.token);
    }
  });
});
