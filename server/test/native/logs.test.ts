import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { callerWith } from '../management/support.ts';
import { nativeToken } from './delegated.ts';

const dayMs = 86_400_000;

eachEngine('logs and figures of the native API', (engine) => {
  const clock = new TestClock();
  let server: TestServer;
  let token: string;
  let machine: Awaited<ReturnType<TestServer['machine']>>;
  before(async () => {
    server = await startServer({ engine, clock });
    token = await nativeToken(server);
    machine = await server.machine();
    const { clientId: client_id, clientSecret: client_secret, audience } = machine;
    for (let count = 0; count < 3; count += 1) await server.token({ client_id, client_secret, audience });
    await server.token({ client_id, client_secret, audience, scope: 'not:there' });
  });
  after(() => server.close());

  const get = (path: string): Promise<Answer> => server.request('GET', `/api${path}`, { token });
  // biome-ignore lint/suspicious/noExplicitAny: bodies are compared, not typed
  const keysOf = (answer: Answer): string[] => answer.body.map(({ key }: any) => key);

  test('what a machine did: Logto’s keys, newest first, with what went wrong', async () => {
    const answer = await get(`/logs?applicationId=${machine.clientId}`);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(keysOf(answer), Array(4).fill('ExchangeTokenBy.ClientCredentials'));
    assert.equal(answer.headers.get('total-number'), '4');
    const [refused, issued] = answer.body;
    assert.equal(refused.payload.result, 'Error');
    assert.equal(refused.payload.error.code, 'scope_not_granted');
    assert.ok(refused.createdAt >= issued.createdAt);
    const { tenantId, id, key, payload, createdAt } = issued;
    assert.deepEqual([tenantId, key, payload.key, payload.result], ['default', key, key, 'Success']);
    assert.deepEqual([payload.applicationId, payload.error], [machine.clientId, undefined]);
    assert.equal(payload.params.audience, machine.audience);
    assert.ok(Math.abs(createdAt - clock.now()) < 60_000);
    assert.deepEqual((await get(`/logs/${id}`)).body, issued);
    assert.ok(!answer.text.includes(machine.clientSecret));
  });

  test('changes are logged too, under our own keys', async () => {
    const changes = await get('/logs?logKey=client_grant.created');
    assert.deepEqual(keysOf(changes), ['client_grant.created']);
    assert.equal(changes.body[0].payload.applicationId, 'admin');
    assert.equal(changes.body[0].payload.params.target, machine.grantId);
    assert.deepEqual((await get('/logs?logKey=Interaction.SignIn')).body, []);
    assert.deepEqual((await get('/logs?userId=nobody')).body, []);
  });

  test('between two times, both included', async () => {
    const all = (await get('/logs?page_size=100')).body;
    const { createdAt } = all.at(-1);
    const at = (await get(`/logs?page_size=100&start_time=${createdAt}&end_time=${createdAt}`)).body;
    assert.deepEqual(
      at,
      all.filter((event: { createdAt: number }) => event.createdAt === createdAt),
    );
    assert.deepEqual((await get(`/logs?end_time=${createdAt - 1}`)).body, []);
    assert.deepEqual((await get(`/logs?start_time=${clock.now() + 1000}`)).body, []);
  });

  test('by page and by cursor the same events, each once', async () => {
    const all = (await get('/logs?page_size=100')).body;
    assert.ok(all.length > 6);
    const walked: unknown[] = [];
    let place = '/logs?page_size=3&cursor=';
    for (let step = 0; step < 50; step += 1) {
      const page = await get(place);
      walked.push(...page.body);
      const next = /<([^>]+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1];
      if (next === undefined) break;
      place = next.slice(`${server.origin}/api`.length);
    }
    assert.deepEqual(walked, all);
    assert.deepEqual((await get('/logs?page_size=3&page=2')).body, all.slice(3, 6));
    const beyond = await get('/logs?page_size=3&page=999999');
    assert.deepEqual([beyond.status, beyond.body], [200, []]);
    assert.deepEqual((await get('/logs?enableCap=true&page_size=100')).body, all);
  });

  test('a capped count stops at 10 001 and says so', async () => {
    const [event] = await server.logEvents();
    const before = server.composed.services.clock.now() - 3 * dayMs;
    const rows = Array.from({ length: 10_050 }, (_, index) => ({
      ...event,
      id: `${String(before).padStart(15, '0')}${String(index).padStart(6, '0')}000000000`,
      kind: 'rate.limited',
    }));
    await server.composed.services.db.transact(async (trx) => {
      for (let start = 0; start < rows.length; start += 500) {
        await trx
          .insertInto('log_events')
          .values(rows.slice(start, start + 500))
          .execute();
      }
    });
    const capped = await get('/logs?logKey=rate.limited&enableCap=true&page=3');
    assert.equal(capped.headers.get('total-number'), '10001');
    assert.equal(capped.headers.get('total-number-is-capped'), 'true');
    assert.doesNotMatch(String(capped.headers.get('link')), /rel="(last|next)"/);
    assert.match(String(capped.headers.get('link')), /page=2>; rel="prev"/);
    assert.equal(capped.body.length, 20);
    const whole = await get('/logs?logKey=rate.limited');
    assert.equal(whole.headers.get('total-number'), '10050');
    assert.equal(whole.headers.get('total-number-is-capped'), null);
  });

  test('what can not be read is refused by name; an event that is not there is 404', async () => {
    for (const [query, path, code] of [
      ['start_time=yesterday', 'start_time', 'guard.invalid_input'],
      ['end_time=-1', 'end_time', 'guard.invalid_input'],
      ['enableCap=yes', 'enableCap', 'guard.invalid_input'],
      ['userId=', 'userId', 'guard.invalid_input'],
      ['page=0', 'page', 'guard.invalid_pagination'],
      ['cursor=forged.x', 'cursor', 'input.cursor_invalid'],
    ]) {
      const answer = await get(`/logs?${query}`);
      assert.equal(answer.status, 400, `${query}: ${answer.text}`);
      assert.deepEqual([answer.body.code, answer.body.data.path], [code, path]);
    }
    const missing = await get('/logs/nothing');
    assert.deepEqual([missing.status, missing.body.code], [404, 'entity.not_exists_with_id']);
  });

  test('another tenant’s events are not there', async () => {
    const made = await server.request('POST', '/api/tenants', { token, json: { id: 'apart' } });
    assert.equal(made.status, 201, made.text);
    const foreign = (await server.rows('log_events')).filter(({ tenant_id }) => tenant_id !== 'default');
    const own = await get('/logs?page_size=100&start_time=0');
    assert.ok(own.body.every(({ tenantId }: { tenantId: string }) => tenantId === 'default'));
    for (const { id } of foreign) assert.equal((await get(`/logs/${id}`)).status, 404);
  });

  test('figures of users: all, new, active by last sign-in', async () => {
    // The day must not turn meanwhile.
    await clock.standingStill(async () => {
      const now = clock.now();
      const midnight = Math.floor(now / dayMs) * dayMs;
      const created = [midnight, midnight - 1, midnight - dayMs, midnight - 8 * dayMs];
      const signedIn = [midnight, midnight - 2 * dayMs, midnight - 10 * dayMs, null];
      for (const index of created.keys()) {
        await server.manage('POST', '/users', {
          connection: 'Username-Password-Authentication',
          email: `u${index}@example.com`,
          password: 'Correct-horse-9-battery',
        });
      }
      const users = (await server.rows('users')).map(({ id }) => id);
      await server.composed.services.db.transact(async (trx) => {
        for (const [index, id] of users.entries()) {
          await trx
            .updateTable('users')
            .set({ created_at: created[index] as number, last_login_at: signedIn[index] ?? null })
            .where('id', '=', id)
            .execute();
        }
      });
      assert.deepEqual((await get('/dashboard/users/total')).body, { totalUserCount: 4 });
      assert.deepEqual((await get('/dashboard/users/new')).body, {
        today: { count: 1, delta: -1 },
        last7Days: { count: 3, delta: 2 },
      });
      const active = (await get('/dashboard/users/active')).body;
      assert.deepEqual(
        [active.dau, active.wau, active.mau],
        [
          { count: 1, delta: 1 },
          { count: 2, delta: 1 },
          { count: 3, delta: 3 },
        ],
      );
      assert.equal(active.dauCurve.length, 30);
      assert.deepEqual(active.dauCurve.at(-1), { date: new Date(midnight).toISOString().slice(0, 10), count: 1 });
      const earlier = await get(
        `/dashboard/users/active?date=${new Date(midnight - dayMs).toISOString().slice(0, 10)}`,
      );
      assert.deepEqual(earlier.body.dau, { count: 0, delta: -1 });
      assert.equal((await get('/dashboard/users/active?date=2026-13-01')).status, 400);
    });
  });

  test('no hooks, no connectors; status without a token', async () => {
    assert.deepEqual((await get('/hooks')).body, []);
    const paged = await get('/hooks?page=1');
    assert.deepEqual([paged.body, paged.headers.get('total-number')], [[], '0']);
    assert.deepEqual((await get('/connectors')).body, []);
    const status = await server.request('GET', '/api/status');
    assert.deepEqual([status.status, status.text], [204, '']);
  });

  test('the scopes are read:logs and read:stats, each for its own', async () => {
    const logs = await callerWith(server, ['read:logs'], server.nativeAudience);
    const stats = await callerWith(server, ['read:stats'], server.nativeAudience);
    const asked = async (caller: { token: string }, path: string): Promise<number> =>
      (await server.request('GET', `/api${path}`, { token: caller.token })).status;
    assert.deepEqual([await asked(logs, '/logs'), await asked(logs, '/dashboard/users/total')], [200, 403]);
    assert.deepEqual([await asked(stats, '/logs'), await asked(stats, '/dashboard/users/total')], [403, 200]);
  });
});
