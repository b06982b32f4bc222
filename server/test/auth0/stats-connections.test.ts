import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { callerWith } from '../management/support.ts';

const dayMs = 86_400_000;

eachEngine('/api/v2/stats and /api/v2/connections', (engine) => {
  const clock = new TestClock();
  let server: TestServer;
  let token: string;
  before(async () => {
    server = await startServer({ engine, clock });
    token = await server.managementToken();
  });
  after(() => server.close());

  const get = (path: string): Promise<Answer> => server.request('GET', `/api/v2${path}`, { token });
  const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10);

  test('a day counts the users created on it, and no sign-ins, of which there are none', async () => {
    const connection = 'Username-Password-Authentication';
    const { user_id } = await server.manage('POST', '/users', { connection, email: 'one@example.com' });
    await server.manage('POST', '/users', { connection, email: 'two@example.com' });
    const { db } = server.composed.services;
    const id = user_id.slice(6);
    const yesterday = clock.now() - dayMs;
    await db.transact(async (trx) => {
      await trx.updateTable('users').set({ created_at: yesterday }).where('id', '=', id).execute();
    });
    const answer = await get('/stats/daily');
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.body.length, 30);
    const [before, today] = answer.body.slice(-2);
    const { created_at, updated_at, ...numbers } = today;
    assert.deepEqual(numbers, {
      date: `${dayOf(clock.now())}T00:00:00.000Z`,
      logins: 0,
      signups: 1,
      leaked_passwords: 0,
    });
    assert.ok(Date.parse(created_at) <= Date.parse(updated_at));
    assert.equal(before.signups, 1);
    assert.equal(
      answer.body.reduce((sum: number, day: { signups: number }) => sum + day.signups, 0),
      2,
    );

    const compact = dayOf(yesterday).replaceAll('-', '');
    const one = (await get(`/stats/daily?from=${compact}&to=${compact}`)).body;
    assert.deepEqual(
      one.map((day: Record<string, unknown>) => [day.date, day.signups]),
      [[`${dayOf(yesterday)}T00:00:00.000Z`, 1]],
    );
  });

  test('active users are those who signed in within 30 days, as a bare number', async () => {
    assert.deepEqual([(await get('/stats/active-users')).status, (await get('/stats/active-users')).body], [200, 0]);
    const { db } = server.composed.services;
    const users = await server.rows('users');
    for (const [index, user] of users.entries()) {
      await db.transact(async (trx) => {
        const last_login_at = clock.now() - index * 31 * dayMs;
        await trx.updateTable('users').set({ last_login_at }).where('id', '=', user.id).execute();
      });
    }
    const answer = await get('/stats/active-users');
    assert.equal(answer.text, '1');
    assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
  });

  test('days that are none, or too many, are refused by name', async () => {
    const cases: [string, RegExp][] = [
      ['from=2024-01-01', /on property from$/],
      ['from=20240230', /It is not a day \(YYYYMMDD\)' on property from$/],
      ['to=20241301', /on property to$/],
      ['from=20240102&to=20240101', /on property from$/],
      ['from=20000101&to=20240101', /At most 366 days/],
      ['days=3', /not allowed: days/],
    ];
    for (const [query, message] of cases) {
      const refused = await get(`/stats/daily?${query}`);
      assert.equal(refused.status, 400, query);
      assert.equal(refused.body.errorCode, 'invalid_query_string');
      assert.match(refused.body.message, message);
    }
    assert.equal((await get('/stats/active-users?x=1')).status, 400);
  });

  test('connections are an empty list in each shape', async () => {
    const shapes: [string, unknown][] = [
      ['', []],
      ['?include_totals=true', { start: 0, limit: 50, total: 0, connections: [] }],
      [
        '?page=2&per_page=10&include_totals=true&strategy=auth0&strategy=ad',
        { start: 20, limit: 10, total: 0, connections: [] },
      ],
      ['?include_totals=true&take=50', { connections: [] }],
      ['?from=abc', { connections: [] }],
      ['?name=x&fields=name&include_fields=true&strategy=auth0', []],
    ];
    for (const [query, body] of shapes) {
      const answer = await get(`/connections${query}`);
      assert.deepEqual([answer.status, answer.body], [200, body], query);
    }
    assert.equal((await get('/connections?take=0')).body.errorCode, 'invalid_query_string');
    // What is not there yet reads as a missing scope, so that deploy-cli goes on.
    assert.equal((await get('/connections/con_1')).status, 403);
  });

  test('each route asks for its scope', async () => {
    const caller = (await callerWith(server, ['read:users'])).token;
    for (const [path, scope] of [
      ['/stats/daily', 'read:stats'],
      ['/stats/active-users', 'read:stats'],
      ['/connections', 'read:connections'],
    ]) {
      const refused = await server.request('GET', `/api/v2${path}`, { token: caller });
      assert.equal(refused.status, 403);
      assert.equal(refused.body.message, `Insufficient scope, expected any of: ${scope}`);
      assert.equal((await server.request('GET', `/api/v2${path}`)).status, 401);
    }
  });
});
