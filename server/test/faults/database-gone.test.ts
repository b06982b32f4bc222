/** PostgreSQL crashes, or hangs, under a running server: it says 503 to all, lives, and recovers by itself. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { createDatabase, type Postgres, startPostgres } from '../../../scripts/postgres.ts';
import { type Answer, startServer, type TestServer } from '../harness.ts';
import { startProcess } from '../process.ts';
import { assertUnavailable, type Timed, timed, until } from './support.ts';

/** Longest time an answer may take when connections are refused, in milliseconds. */
const atOnceMs = 3000;
/** When PostgreSQL hangs: the wait for a connection, and then for a statement, and room for a busy machine. */
const hungMs = 3000 + 6000 + 2000;

describe('PostgreSQL', () => {
  let postgres: Postgres;
  let server: TestServer;
  let machine: Awaited<ReturnType<TestServer['machine']>>;
  let token: string;
  let managementToken: string;
  let nativeToken: string;
  let crashed: unknown;
  const noteCrash = (error: unknown) => {
    crashed = error;
  };

  before(async () => {
    process.on('uncaughtExceptionMonitor', noteCrash);
    postgres = await startPostgres();
    server = await startServer({ databaseUrl: await createDatabase(postgres.url) });
    machine = await server.machine();
    managementToken = await server.managementToken();
    nativeToken = await server.managementToken(server.nativeAudience);
    token = (await askToken()).body.access_token;
  });
  after(async () => {
    await server.close();
    await postgres.stop();
    process.off('uncaughtExceptionMonitor', noteCrash);
  });

  const credentials = () => ({ client_id: machine.clientId, client_secret: machine.clientSecret });
  const askToken = () => server.token({ ...credentials(), audience: machine.audience });
  const about = (path: string) => server.request('POST', path, { form: { ...credentials(), token } });

  /** Every surface, each in its own words. */
  const asks: Record<string, () => Promise<Answer>> = {
    token: askToken,
    introspection: () => about('/oauth/introspect'),
    revocation: () => about('/oauth/revoke'),
    keys: () => server.request('GET', '/.well-known/jwks.json'),
    metadata: () => server.request('GET', '/.well-known/openid-configuration'),
    'auth0 read': () => server.request('GET', `/api/v2/clients/${machine.clientId}`, { token: managementToken }),
    'auth0 list': () => server.request('GET', '/api/v2/clients', { token: managementToken }),
    'auth0 create': () =>
      server.request('POST', '/api/v2/clients', { token: managementToken, json: { name: 'Half-written' } }),
    'native list': () => server.request('GET', '/api/tenants', { token: nativeToken }),
    'native create': () =>
      server.request('POST', '/api/tenants', { token: nativeToken, json: { id: 'half', name: 'Half-written' } }),
    readiness: () => server.request('GET', '/readyz'),
  };

  const askAll = async (): Promise<Record<string, Timed>> =>
    Object.fromEntries(
      await Promise.all(Object.entries(asks).map(async ([name, ask]) => [name, await timed(ask())] as const)),
    );

  function assertAllUnavailable(answers: Record<string, Timed>, withinMs: number): void {
    for (const [name, { answer, tookMs }] of Object.entries(answers)) {
      assertUnavailable(answer, name);
      assert.ok(tookMs < withinMs, `${name} took ${tookMs.toFixed(0)} ms`);
    }
    const body = (name: string) => answers[name]?.answer.body;
    for (const name of ['token', 'introspection', 'revocation', 'keys', 'metadata']) {
      assert.equal(body(name).error, 'temporarily_unavailable');
      assert.equal(typeof body(name).error_description, 'string');
    }
    for (const name of ['auth0 read', 'auth0 list', 'auth0 create']) {
      assert.deepEqual(body(name), {
        statusCode: 503,
        error: 'Service Unavailable',
        message: 'The database is not available.',
      });
    }
    for (const name of ['native list', 'native create']) {
      assert.equal(body(name).code, 'storage.unavailable');
      assert.equal(body(name).status, 503);
    }
    assert.deepEqual(body('readiness'), { status: 'not ready', missing: ['database'] });
  }

  const slowest = (answers: Record<string, Timed>): string =>
    Object.entries(answers)
      .sort(([, a], [, b]) => b.tookMs - a.tookMs)
      .slice(0, 1)
      .map(([name, { tookMs }]) => `${tookMs.toFixed(0)} ms (${name})`)
      .join();

  /** All surfaces answer as ever, also those whose requests failed before. */
  async function assertRecovers(t: TestContext): Promise<void> {
    const tookMs = await until(200, asks.token as () => Promise<Answer>);
    const readyMs = await until(200, asks.readiness as () => Promise<Answer>);
    t.diagnostic(`tokens again after ${tookMs.toFixed(0)} ms, ready after ${readyMs.toFixed(0)} ms more`);
    for (const name of ['introspection', 'keys', 'metadata', 'auth0 read', 'auth0 list', 'native list']) {
      assert.equal((await asks[name]?.())?.status, 200, name);
    }
    assert.equal((await asks.introspection?.())?.body.active, true);
    assert.equal(crashed, undefined);
  }

  test('crashed: 503 with Retry-After everywhere, in each dialect, and all recovers when it is back', async (t) => {
    const untouched = await server.stateHash();
    await postgres.pause();
    const answers = await askAll();
    t.diagnostic(`slowest answer: ${slowest(answers)}`);
    assertAllUnavailable(answers, atOnceMs);
    assert.equal((await server.request('GET', '/healthz')).status, 200);

    // Again, now that no connection is left that was made before.
    assertAllUnavailable(await askAll(), atOnceMs);

    await postgres.resume();
    await assertRecovers(t);
    assert.equal(await server.stateHash(), untouched);
  });

  test('crashed while a transaction waits between two statements: the process lives', async (t) => {
    const untouched = await server.stateHash();
    const { db } = server.composed.services;
    const begun = Promise.withResolvers<void>();
    const paused = Promise.withResolvers<void>();
    const transaction = db.transact(async (trx) => {
      await trx.updateTable('tenants').set({ name: 'half-written' }).execute();
      begun.resolve();
      await paused.promise;
      await trx.updateTable('tenants').set({ environment: 'staging' }).execute();
    });
    const rejected = assert.rejects(transaction, { code: 'storage.unavailable' });
    await begun.promise;
    await postgres.pause();
    await sleep(100);
    paused.resolve();
    await rejected;
    await postgres.resume();
    await assertRecovers(t);
    assert.equal(await server.stateHash(), untouched);
  });

  test('crashed and back many times under load: every token that was given has its log event', async (t) => {
    const issued: string[] = [];
    const statuses = new Map<number, number>();
    let isOver = false;
    /** Waits until one more request has ended with this status. */
    const oneMore = async (status: number): Promise<void> => {
      const before = statuses.get(status) ?? 0;
      const deadline = performance.now() + 20_000;
      while ((statuses.get(status) ?? 0) === before) {
        assert.ok(performance.now() < deadline, `no ${status}`);
        await sleep(10);
      }
    };
    const load = Array.from({ length: 8 }, async () => {
      while (!isOver) {
        const answer = await askToken();
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        if (answer.status === 200) issued.push(jtiOf(answer.body.access_token));
        else assertUnavailable(answer, 'token');
        if (answer.status !== 200) await sleep(10);
      }
    });
    for (let round = 0; round < 3; round += 1) {
      await sleep(250);
      await oneMore(200);
      await postgres.pause();
      await sleep(150);
      await oneMore(503);
      await postgres.resume();
    }
    await sleep(250);
    isOver = true;
    await Promise.all(load);
    await assertRecovers(t);
    t.diagnostic(`statuses: ${[...statuses].map(([status, count]) => `${status} × ${count}`).join(', ')}`);
    assert.ok(issued.length > 0);
    assert.deepEqual([...statuses.keys()].sort(), [200, 503]);
    const logged = new Set((await server.logEvents()).map((event) => event.token_id));
    assert.deepEqual(
      issued.filter((jti) => !logged.has(jti)),
      [],
    );
  });

  test('hung: requests end with 503 in bounded time, also a crowd of them, and all recovers', async (t) => {
    const untouched = await server.stateHash();
    const stopped = await processesOf(postgres.url);
    signal('STOP', stopped);
    let answers: Record<string, Timed>;
    let crowd: Timed[];
    try {
      const asking = askAll();
      crowd = await Promise.all(Array.from({ length: 40 }, () => timed(askToken())));
      answers = await asking;
      assert.equal((await server.request('GET', '/healthz')).status, 200);
      // With every connection given up, new ones hang too.
      const late = await timed(askToken());
      assertUnavailable(late.answer, 'late token');
      t.diagnostic(`without a connection: ${late.tookMs.toFixed(0)} ms`);
      assert.ok(late.tookMs < hungMs);
    } finally {
      signal('CONT', stopped);
    }
    t.diagnostic(`slowest answer: ${slowest(answers)}`);
    t.diagnostic(`slowest of a crowd of 40: ${Math.max(...crowd.map(({ tookMs }) => tookMs)).toFixed(0)} ms`);
    assertAllUnavailable(answers, hungMs);
    for (const { answer, tookMs } of crowd) {
      assertUnavailable(answer, 'token in a crowd');
      assert.ok(tookMs < hungMs, `${tookMs.toFixed(0)} ms`);
    }
    await assertRecovers(t);
    // What was sent before the stop may be done after it, but as a whole: a change and its log event, or neither.
    const clients = (await server.rows('clients')).filter(({ name }) => name === 'Half-written');
    const events = (await server.logEvents()).filter(({ kind }) => kind === 'client.created');
    for (const { id } of clients) assert.ok(events.some(({ details }) => details.includes(id)));
    if (clients.length === 0) assert.equal(await server.stateHash(), untouched);
  });

  test('hung inside a transaction: it ends, and holds up nobody after', async (t) => {
    const { db } = server.composed.services;
    const untouched = await server.stateHash();
    let stopped: number[] = [];
    const startedAt = performance.now();
    const transaction = db.transact(async (trx) => {
      await trx.updateTable('tenants').set({ name: 'half-written' }).execute();
      stopped = await processesOf(postgres.url);
      signal('STOP', stopped);
      await trx.updateTable('tenants').set({ environment: 'staging' }).execute();
    });
    const behind = Array.from({ length: 3 }, () => db.transact(async (trx) => trx.selectFrom('tenants').execute()));
    const outcomes = await Promise.allSettled([transaction, ...behind]);
    const tookMs = performance.now() - startedAt;
    signal('CONT', stopped);
    t.diagnostic(`the transaction and three behind it: ${tookMs.toFixed(0)} ms`);
    for (const outcome of outcomes) {
      assert.equal(outcome.status, 'rejected');
      assert.equal((outcome as PromiseRejectedResult).reason.code, 'storage.unavailable');
    }
    assert.ok(tookMs < hungMs, `${tookMs.toFixed(0)} ms`);
    await assertRecovers(t);
    assert.equal(await server.stateHash(), untouched);
  });

  test('crashed: SIGTERM still ends the process, within its time and with code 0', async (t) => {
    const child = await startProcess({
      env: {
        SEKISHO_DATABASE_URL: await createDatabase(postgres.url),
        SEKISHO_MASTER_KEY: 'a1'.repeat(32),
        SEKISHO_LOG_LEVEL: 'error',
      },
    });
    await postgres.pause();
    const answer = await fetch(`${child.origin}/.well-known/jwks.json`);
    assert.equal(answer.status, 503);
    const startedAt = performance.now();
    const exit = await child.stop();
    t.diagnostic(`ended after ${(performance.now() - startedAt).toFixed(0)} ms`);
    assert.deepEqual(exit, { code: 0, signal: null });
    await postgres.resume();
    await assertRecovers(t);
  });
});

const jtiOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).jti as string;

/** The postmaster and all its children. */
async function processesOf(url: string): Promise<number[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(
    `select pid, current_setting('data_directory') as folder from pg_stat_activity where pid <> pg_backend_pid()`,
  );
  await client.end();
  const postmaster = Number(readFileSync(`${rows[0].folder}/postmaster.pid`, 'utf8').split('\n')[0]);
  return [postmaster, ...rows.map(({ pid }) => Number(pid))];
}

function signal(name: 'STOP' | 'CONT', pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, `SIG${name}`);
    } catch {
      // A backend may have ended meanwhile.
    }
  }
}
