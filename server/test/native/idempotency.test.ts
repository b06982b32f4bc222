import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, eachEngine, newPostgresDatabase, startServer, TestClock, type TestServer } from '../harness.ts';
import { callerWith } from '../management/support.ts';
import { nativeToken } from './delegated.ts';

let counter = 0;
const newId = (): string => {
  counter += 1;
  return `idem-${counter}`;
};

const post = (server: TestServer, token: string, key: string, json: unknown, path = '/api/tenants'): Promise<Answer> =>
  server.request('POST', path, { token, json, headers: { 'idempotency-key': key } });

const created = async (server: TestServer, id: string): Promise<number> =>
  (await server.logEvents()).filter(({ kind, details }) => {
    return kind === 'tenant.created' && JSON.parse(details).target === id;
  }).length;

eachEngine('Idempotency-Key', (engine) => {
  const clock = new TestClock();
  let server: TestServer;
  let token: string;
  before(async () => {
    server = await startServer({ engine, clock });
    token = await nativeToken(server);
  });
  after(() => server.close());

  test('the same call again: the same answer, its secrets as null, and nothing is made', async () => {
    const id = newId();
    const first = await post(server, token, 'a key/1', { id });
    assert.equal(first.status, 400, 'a space is no visible character');
    const made = await post(server, token, 'key-1', { id, name: 'N' });
    assert.equal(made.status, 201, made.text);
    assert.equal(made.headers.get('idempotency-replayed'), null);
    assert.match(made.body.managementClient.clientSecret, /^[0-9A-Za-z]{64}$/);
    const state = await server.stateHash();

    const again = await post(server, token, 'key-1', { name: 'N', id });
    assert.equal(again.status, 201, again.text);
    assert.equal(again.headers.get('idempotency-replayed'), 'true');
    const { clientId } = made.body.managementClient;
    assert.deepEqual(again.body, { ...made.body, managementClient: { clientId, clientSecret: null } });
    assert.equal(await server.stateHash(), state);
    assert.equal(await created(server, id), 1);
    const rows = JSON.stringify(await server.rows('idempotency_keys'));
    assert.ok(!rows.includes(made.body.managementClient.clientSecret), 'no secret is kept');
    assert.ok(!rows.includes('key-1'), 'nor the key itself');
  });

  test('another body or query under the key: 422, and nothing is made', async () => {
    const id = newId();
    assert.equal((await post(server, token, 'key-2', { id })).status, 201);
    const state = await server.stateHash();
    for (const [json, path] of [
      [{ id: newId() }, '/api/tenants'],
      [{ id, name: 'other' }, '/api/tenants'],
      [{ id }, '/api/tenants?x=1'],
    ] as const) {
      const answer = await post(server, token, 'key-2', json, path);
      assert.equal(answer.status, 422, answer.text);
      assert.equal(answer.body.code, 'idempotency.key_reused');
    }
    assert.equal(await server.stateHash(), state);
  });

  test('another caller has keys of its own', async () => {
    const id = newId();
    assert.equal((await post(server, token, 'key-3', { id })).status, 201);
    const other = await callerWith(server, ['manage:tenants'], server.nativeAudience);
    const answer = await post(server, other.token, 'key-3', { id });
    assert.equal(answer.status, 409, answer.text);
    assert.equal(answer.body.code, 'entity.exists');
  });

  test('a refusal is not kept: what was wrong may be put right under the same key', async () => {
    const id = newId();
    const keys = await server.rows('idempotency_keys');
    const refused = await post(server, token, 'key-4', { id: 'default' });
    assert.equal(refused.status, 409, refused.text);
    assert.equal((await post(server, token, 'key-4', { id: 7 })).status, 400);
    assert.equal((await server.rows('idempotency_keys')).length, keys.length);
    assert.equal((await post(server, token, 'key-4', { id })).status, 201);
  });

  test('a key that is none: 400 naming the header, and nothing is made', async () => {
    const state = await server.stateHash();
    for (const key of ['', 'x'.repeat(256), 'a b', 'a\tb', 'é']) {
      const answer = await post(server, token, key, { id: newId() });
      assert.equal(answer.status, 400, `${key}: ${answer.text}`);
      assert.equal(answer.body.code, 'guard.invalid_input');
      assert.deepEqual(answer.body.data, { part: 'headers', path: 'Idempotency-Key' });
    }
    assert.equal(await server.stateHash(), state);
  });

  test('20 calls at once make one thing', async () => {
    const id = newId();
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(server, token, 'key-5', { id })));
    for (const { status, body, text } of answers) {
      assert.ok(status === 201 || (status === 409 && body.code === 'idempotency.in_flight'), text);
    }
    const fresh = answers.filter(({ status, headers }) => status === 201 && !headers.has('idempotency-replayed'));
    assert.equal(fresh.length, 1);
    assert.equal(await created(server, id), 1);
    assert.equal((await post(server, token, 'key-5', { id })).headers.get('idempotency-replayed'), 'true');
  });

  test('after 24 hours a key is new, and housekeeping removes it', async () => {
    const [id, later] = [newId(), newId()];
    assert.equal((await post(server, token, 'key-6', { id })).status, 201);
    await server.composed.housekeeping.run();
    assert.ok((await server.rows('idempotency_keys')).length > 0);
    clock.advance(24 * 3600 * 1000 + 1);
    try {
      const fresh = await nativeToken(server);
      const answer = await post(server, fresh, 'key-6', { id: later });
      assert.equal(answer.status, 201, answer.text);
      assert.equal(answer.body.id, later);
      await server.composed.housekeeping.run();
      assert.equal((await server.rows('idempotency_keys')).length, 1);
    } finally {
      clock.advance(-24 * 3600 * 1000 - 1);
    }
  });
});

test('two nodes over one PostgreSQL: 20 calls with one key make one thing', async () => {
  const databaseUrl = await newPostgresDatabase();
  const nodes = [await startServer({ databaseUrl }), await startServer({ databaseUrl })] as const;
  try {
    const id = newId();
    const calls = await Promise.all(nodes.map(async (node) => ({ node, token: await nativeToken(node) })));
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => {
        const { node, token } = calls[index % 2] as (typeof calls)[number];
        return post(node, token, 'key', { id });
      }),
    );
    const done = answers.filter(({ status }) => status === 201);
    assert.equal(done.filter(({ headers }) => !headers.has('idempotency-replayed')).length, 1);
    assert.ok(done.length >= 1);
    for (const { status, body, text } of answers) {
      assert.ok(status === 201 || body.code === 'idempotency.in_flight', text);
    }
    assert.equal(await created(nodes[0], id), 1);
    for (const { node, token } of calls) assert.equal((await post(node, token, 'key', { id })).status, 201);
  } finally {
    for (const node of nodes) await node.close();
  }
});
