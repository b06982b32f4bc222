import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { logKinds } from '../../src/domain/logs/kinds.ts';
import { kindsOfType, logTypes } from '../../src/http/auth0/logs/types.ts';
import { type Answer, admin, eachEngine, startServer, TestClock, type TestServer } from '../harness.ts';
import { callerWith } from '../management/support.ts';

test('every kind of log event has a key of Auth0’s, and is found by it', () => {
  assert.deepEqual(Object.keys(logTypes).sort(), Object.keys(logKinds).sort());
  for (const kind of Object.keys(logKinds) as (keyof typeof logKinds)[]) {
    assert.match(logTypes[kind], /^[a-z_]+$/);
    assert.ok(kindsOfType(logTypes[kind]).includes(kind));
  }
  assert.deepEqual(kindsOfType('constructor'), []);
});

eachEngine('/api/v2/logs', (engine) => {
  const clock = new TestClock();
  let server: TestServer;
  let token: string;
  before(async () => {
    server = await startServer({ engine, clock });
    token = await server.managementToken();
  });
  after(() => server.close());

  const get = (path: string): Promise<Answer> => server.request('GET', `/api/v2${path}`, { token });
  const search = (q: string): Promise<Answer> => get(`/logs?per_page=100&search=${encodeURIComponent(q)}`);

  test('a token, a refusal and a change are shown in Auth0’s words', async () => {
    const { audience, clientId, clientSecret } = await server.machine({ granted: ['read:orders'] });
    await server.token({ client_id: clientId, client_secret: clientSecret, audience }, { 'user-agent': 'curl/8' });
    const issued = (await search(`type:seccft AND client_id:${clientId}`)).body;
    assert.equal(issued.length, 1);
    const { _id, log_id, date, ip, details, ...event } = issued[0];
    assert.match(log_id, /^\d{30}$/);
    assert.equal(_id, log_id);
    assert.match(date, /^\d{4}-\d\d-\d\dT.*Z$/);
    assert.equal(ip, '127.0.0.1');
    assert.equal(details.kind, 'token.issued');
    assert.match(details.token_id, /./);
    assert.deepEqual(event, {
      type: 'seccft',
      description: event.description,
      client_id: clientId,
      client_name: 'Machine',
      audience,
      scope: 'read:orders',
      user_agent: 'curl/8',
      hostname: new URL(server.origin).host,
      isMobile: false,
      tenant_name: 'default',
    });
    assert.deepEqual((await get(`/logs/${log_id}`)).body, issued[0]);
    assert.deepEqual(Object.keys((await get(`/logs/${log_id}?fields=type,date`)).body).sort(), ['date', 'type']);

    await server.token({ client_id: clientId, client_secret: 'wrong', audience });
    const refused = (await search(`type:feccft AND client_id:${clientId}`)).body;
    assert.equal(refused.length, 1);
    assert.match(refused[0].details.reason, /./);
    const changes = (await search(`type:sapi AND client_id:${admin.clientId}`)).body;
    assert.ok(changes.length >= 3);
    assert.doesNotMatch(
      JSON.stringify([issued, refused, changes]),
      new RegExp(`${clientSecret}|${admin.clientSecret}`),
    );
  });

  test('a search takes type, client, address and dates, newest first unless told', async () => {
    const all = (await get('/logs?per_page=100')).body.map((event: { log_id: string }) => event.log_id);
    assert.deepEqual(all, [...all].sort().reverse());
    const oldest = (await get('/logs?per_page=100&sort=date:1')).body.map((event: { log_id: string }) => event.log_id);
    assert.deepEqual(oldest.slice(0, 3), [...all].reverse().slice(0, 3));
    const total = async (q: string) =>
      (await get(`/logs?include_totals=true&q=${encodeURIComponent(q)}`)).body.total as number;
    const now = new Date(clock.now()).toISOString();
    assert.ok((await total('date:[2020-01-01 TO *] AND ip:127.0.0.1')) > 0);
    assert.ok((await total(`date:[${now.slice(0, 10)} TO ${now.slice(0, 10)}]`)) > 0);
    assert.equal(await total('date:<2020-01-01'), 0);
    assert.equal(await total('ip:10.0.0.1'), 0);
    assert.equal(await total('type:no_such_type'), 0);
    assert.ok((await total('NOT type:sapi AND NOT client_name:nobody')) > 0, 'a null field is not a match');

    const page = (await get('/logs?include_totals=true&per_page=2&page=1')).body;
    assert.deepEqual(Object.keys(page), ['start', 'limit', 'length', 'total', 'logs']);
    assert.deepEqual([page.start, page.limit, page.length], [2, 2, 2]);
    assert.deepEqual((await get('/logs?page=90&per_page=100&include_totals=true')).body.logs, []);
  });

  test('a search that is not understood is refused by name', async () => {
    const cases: [string, RegExp][] = [
      ['search=token_id:x', /on property search$/],
      ['search=password:x', /on property search$/],
      ['q=jane', /on property q$/],
      ['q=type:s*', /on property q$/],
      ['q=type:a&search=type:a', /on property q$/],
      ['sort=ip:1', /on property sort$/],
      ['per_page=101', /on property per_page$/],
      ['take=101', /on property take$/],
      ['from=abc', /on property from$/],
      ['nothing=1', /not allowed: nothing/],
    ];
    for (const [query, message] of cases) {
      const answer = await get(`/logs?${query}`);
      assert.equal(answer.status, 400, query);
      assert.equal(answer.body.errorCode, 'invalid_query_string');
      assert.match(answer.body.message, message);
    }
    const missing = await get('/logs/0');
    assert.deepEqual([missing.status, missing.body.message], [404, 'The log does not exist.']);
  });

  test('whoever follows the log by position sees each event once, and none that is not settled', async () => {
    clock.advance(3000);
    const seen: string[] = [];
    let path = '/api/v2/logs?take=3';
    for (;;) {
      const answer = await server.request('GET', path, { token });
      assert.equal(answer.status, 200, answer.text);
      assert.ok(Array.isArray(answer.body));
      seen.push(...answer.body.map((event: { log_id: string }) => event.log_id));
      const [, next = ''] = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '') ?? [];
      assert.ok(next.startsWith(`${server.origin}/api/v2/logs?from=`), next);
      path = next.slice(server.origin.length);
      if (answer.body.length === 0) break;
    }
    assert.deepEqual(seen, [...new Set(seen)].sort());
    assert.equal(seen.length, (await server.logEvents()).length);

    // Standing still: two seconds are not over while this machine is slow.
    await clock.standingStill(async () => {
      await server.manage('POST', '/clients', { name: 'followed' });
      const same = await server.request('GET', path, { token });
      assert.deepEqual(same.body, [], 'an event younger than two seconds');
      assert.match(same.headers.get('link') ?? '', new RegExp(path.replace(/[?/]/g, '\\$&')));
    });
    clock.advance(3000);
    const fresh = await server.request('GET', `${path}&page=4&search=nonsense&include_totals=true`, { token });
    assert.deepEqual(
      fresh.body.map((event: { details: { kind: string } }) => event.details.kind),
      ['client.created'],
    );
  });

  test('the log needs a scope, either of two', async () => {
    for (const path of ['/logs', '/logs/1', '/users/1/logs']) {
      const none = await server.request('GET', `/api/v2${path}`, {
        token: (await callerWith(server, ['read:users'])).token,
      });
      assert.equal(none.status, 403);
      assert.equal(none.body.message, 'Insufficient scope, expected any of: read:logs, read:logs_users');
      assert.equal((await server.request('GET', `/api/v2${path}`)).status, 401);
    }
    const users = (await callerWith(server, ['read:logs_users'])).token;
    assert.equal((await server.request('GET', '/api/v2/logs', { token: users })).status, 200);
  });
});
