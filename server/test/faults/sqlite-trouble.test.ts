/** SQLite's file in trouble: a full disk, another process with the write lock, a damaged file at the start. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, admin, startServer, type TestServer } from '../harness.ts';
import { type ServerProcess, startProcess } from '../process.ts';
import { run } from '../start/run.ts';
import { assertUnavailable, timed, until } from './support.ts';

const temporaryFolder = () => mkdtempSync(join(tmpdir(), 'sekisho-trouble-'));
/** How long a request waits for the lock; room for a busy machine, but not for a wait behind another's. */
const lockWaitMs = 5000;
const lateMs = 2 * lockWaitMs - 1000;

describe('another process has the write lock', () => {
  const folder = temporaryFolder();
  const file = join(folder, 'test.sqlite');
  let server: TestServer;
  let machine: Awaited<ReturnType<TestServer['machine']>>;
  let token: string;
  before(async () => {
    server = await startServer({ databaseUrl: `sqlite:${file}` });
    machine = await server.machine();
    token = (await askToken()).body.access_token;
  });
  after(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const credentials = () => ({ client_id: machine.clientId, client_secret: machine.clientSecret });
  const askToken = () => server.token({ ...credentials(), audience: machine.audience });
  const askWithoutWriting = (): Promise<Answer>[] => [
    server.request('GET', '/.well-known/jwks.json'),
    server.request('GET', '/healthz'),
    server.request('GET', '/readyz'),
    server.request('POST', '/oauth/introspect', { form: { ...credentials(), token } }),
  ];

  test('for a moment: what writes waits and succeeds, what only reads does not wait', async (t) => {
    const release = await holdLock(file);
    const token = timed(askToken());
    const client = timed(
      server
        .manage('POST', '/clients', { name: 'Waited' })
        .then((body) => ({ status: 201, body }) as unknown as Answer),
    );
    await sleep(300);
    const reads = await Promise.all(askWithoutWriting().map(timed));
    await release();
    const writes = await Promise.all([token, client]);

    assert.deepEqual(
      reads.map(({ answer }) => answer.status),
      [200, 200, 200, 200],
    );
    for (const { tookMs } of reads) assert.ok(tookMs < lockWaitMs - 1000, `${tookMs.toFixed(0)} ms`);
    assert.deepEqual(
      writes.map(({ answer }) => answer.status),
      [200, 201],
    );
    for (const { tookMs } of writes) assert.ok(tookMs >= 300, `${tookMs.toFixed(0)} ms`);
    const slowestRead = Math.max(...reads.map(({ tookMs }) => tookMs));
    t.diagnostic(`slowest read meanwhile: ${slowestRead.toFixed(0)} ms`);
  });

  test('for long: all that write end with 503 at about the same time, nothing is written, and all recovers', async (t) => {
    const untouched = await server.stateHash();
    const management = await server.managementToken();
    const release = await holdLock(file);
    const create = (name: string) =>
      server.request('POST', '/api/v2/clients', { token: management, json: { name } }).then((answer) => answer);
    const asked = [...Array.from({ length: 20 }, askToken), ...['a', 'b', 'c', 'd'].map(create)].map(timed);
    const answers = await Promise.all(asked);
    const late = Math.max(...answers.map(({ tookMs }) => tookMs));
    t.diagnostic(`20 tokens and 4 changes: the last 503 after ${late.toFixed(0)} ms`);
    for (const { answer, tookMs } of answers) {
      assertUnavailable(answer, 'a request that writes');
      assert.ok(tookMs > lockWaitMs - 1000 && tookMs < lateMs, `${tookMs.toFixed(0)} ms`);
    }
    await release();
    const recoveredMs = await until(200, askToken);
    t.diagnostic(`tokens again after ${recoveredMs.toFixed(0)} ms`);
    assert.equal((await create('after')).status, 201);
    await server.manage('DELETE', `/clients/${(await server.manage('GET', '/clients')).at(-1).client_id}`);
    assert.equal(await server.stateHash(), untouched);
  });
});

/** Takes the write lock from a process of its own; gives how to let it go. */
async function holdLock(file: string): Promise<() => Promise<void>> {
  const program = `
    const db = new (require('node:sqlite').DatabaseSync)(process.argv[1], { timeout: 5000 });
    db.exec('begin immediate');
    process.stdout.write('held');
    process.stdin.on('end', () => { db.exec('rollback'); db.close(); }).resume();`;
  const child = spawn(process.execPath, ['-e', program, file], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return async () => {
    const ended = once(child, 'exit');
    child.stdin.end();
    await ended;
  };
}

const linuxOnly = process.platform === 'linux' ? {} : { skip: 'prlimit is Linux' };

test(
  'a full disk: what can not be stored is 503, what was acknowledged is there, and all recovers',
  linuxOnly,
  async (t) => {
    const folder = temporaryFolder();
    const settings = {
      SEKISHO_ADMIN_CLIENT_ID: admin.clientId,
      SEKISHO_ADMIN_CLIENT_SECRET: admin.clientSecret,
      SEKISHO_LOG_LEVEL: 'silent',
    };
    const server = await startProcess({ folder, env: settings });
    const file = join(folder, 'sekisho.sqlite');
    try {
      const audience = `${server.origin}/api/v2/`;
      const askToken = () =>
        post(server, '/oauth/token', {
          form: {
            grant_type: 'client_credentials',
            client_id: admin.clientId,
            client_secret: admin.clientSecret,
            audience,
          },
        });
      const token = (await askToken()).body.access_token;
      const create = (name: string) => post(server, '/api/v2/clients', { token, json: { name } });
      assert.equal((await create('before')).status, 201);

      // The largest file this process may write from now on: the log has little room left.
      const limit = (bytes: string) =>
        execFileSync('prlimit', ['--pid', String(server.child.pid), `--fsize=${bytes}:`]);
      limit(String(statSync(`${file}-wal`).size + 400_000));
      const issued: string[] = [];
      const created: string[] = ['before'];
      const refused: string[] = [];
      for (let round = 0; refused.length < 5; round += 1) {
        assert.ok(round < 200, 'the disk does not get full');
        const answers = await Promise.all([askToken(), askToken(), askToken(), create(`client ${round}`)]);
        const [change] = answers.slice(-1) as [Answer];
        for (const answer of answers.slice(0, 3)) {
          if (answer.status === 200) issued.push(jtiOf(answer.body.access_token));
          else assertUnavailable(answer, 'token');
        }
        if (change.status === 201) created.push(`client ${round}`);
        else {
          assertUnavailable(change, 'change');
          refused.push(`client ${round}`);
        }
      }
      t.diagnostic(`${issued.length} tokens and ${created.length} clients before, ${refused.length} refused`);
      assert.equal((await fetch(`${server.origin}/.well-known/jwks.json`)).status, 200);
      assert.equal((await fetch(`${server.origin}/healthz`)).status, 200);

      limit('unlimited');
      const recoveredMs = await until(200, askToken);
      t.diagnostic(`tokens again after ${recoveredMs.toFixed(0)} ms`);
      assert.equal((await create('after')).status, 201);
      assert.deepEqual(await server.stop(), { code: 0, signal: null });

      const db = new DatabaseSync(file, { readOnly: true });
      assert.equal(db.prepare('pragma integrity_check').get()?.integrity_check, 'ok');
      const logged = new Set(
        db
          .prepare('select token_id from log_events')
          .all()
          .map((row) => row.token_id),
      );
      assert.deepEqual(
        issued.filter((jti) => !logged.has(jti)),
        [],
      );
      const names = new Set(
        db
          .prepare('select name from clients')
          .all()
          .map(({ name }) => name),
      );
      db.close();
      assert.deepEqual(
        [...created, 'after'].filter((name) => !names.has(name)),
        [],
      );
      assert.deepEqual(
        refused.filter((name) => names.has(name)),
        [],
      );
    } finally {
      await server.kill();
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

describe('a damaged file at the start', () => {
  const damages: Record<string, (file: string) => void> = {
    'all pages but the first overwritten': (file) => {
      const bytes = readFileSync(file);
      bytes.fill(0xa5, 4096);
      writeFileSync(file, bytes);
    },
    'the second half cut off': (file) => truncateSync(file, Math.floor(statSync(file).size / 8192) * 4096),
    'its head overwritten': (file) => {
      const bytes = readFileSync(file);
      bytes.fill(0, 0, 100);
      writeFileSync(file, bytes);
    },
  };

  for (const [damage, inflict] of Object.entries(damages)) {
    test(`${damage}: one clear line, and the file stays as it is`, async () => {
      const folder = temporaryFolder();
      try {
        const startedAt = performance.now();
        const whole = await startProcess({ folder });
        const startMs = performance.now() - startedAt;
        await whole.stop();
        const file = join(folder, 'sekisho.sqlite');
        inflict(file);
        const damaged = readFileSync(file);

        const started = await run({ env: { SEKISHO_DATA_DIR: folder } });
        const { code, afterMs } = await started.ended;
        assert.equal(code, 1);
        // The promise is 3 s; a machine that is as slow with a whole file gets more.
        assert.ok(afterMs < 3000 + 2 * startMs, `${afterMs} ms, a start ${startMs} ms`);
        assert.match(
          started.stderr(),
          /^sekisho: SEKISHO_DATA_DIR names a database that is no whole SQLite file \([^\n]+\): restore it[^\n]*\n$/,
        );
        assert.equal(started.stdout(), '');
        assert.ok(readFileSync(file).equals(damaged));
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
});

async function post(
  server: ServerProcess,
  path: string,
  { form, json, token }: { form?: Record<string, string>; json?: unknown; token?: string },
): Promise<Answer> {
  const headers: Record<string, string> = {};
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  if (json !== undefined) headers['content-type'] = 'application/json';
  const body = form === undefined ? JSON.stringify(json) : new URLSearchParams(form);
  const response = await fetch(`${server.origin}${path}`, { method: 'POST', headers, body });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: JSON.parse(text), text };
}

const jtiOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).jti as string;
