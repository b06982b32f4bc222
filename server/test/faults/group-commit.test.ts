/** Shared commits and isolation, at the storage's own doors: what one request writes is seen by itself, once, or not at all. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { dropDatabase } from '../../../scripts/postgres.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import { connect } from '../../src/storage/connect.ts';
import type { Database, Tx } from '../../src/storage/database.ts';
import type { LogEventTable } from '../../src/storage/schema.ts';
import { defineStatement } from '../../src/storage/statement.ts';
import { newPostgresDatabase } from '../harness.ts';

type Mode = 'file' | 'memory' | 'postgres';

interface Opened {
  db: Database;
  /** `sqlite:<path>` or `postgres://…`; to look at the database from outside. */
  url: string;
  open(): Promise<Database>;
  remove(): Promise<void>;
}

async function open(mode: Mode): Promise<Opened> {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-storage-'));
  const url =
    mode === 'postgres'
      ? await newPostgresDatabase()
      : mode === 'file'
        ? `sqlite:${join(folder, 'test.sqlite')}`
        : 'sqlite::memory:';
  const openAgain = () => connect({ url, dataFolder: folder, sqliteSynchronous: 'full', postgresConnections: 6 });
  const db = await openAgain();
  await db.migrate();
  await db.transact((trx) => insertTenant(trx, 'acme'));
  return {
    db,
    url,
    open: openAgain,
    async remove() {
      rmSync(folder, { recursive: true, force: true });
      if (mode === 'postgres') await dropDatabase(url);
    },
  };
}

const insertTenant = (trx: Tx, id: string) =>
  trx
    .insertInto('tenants')
    .values({
      id,
      name: id,
      environment: 'production',
      status: 'active',
      default_audience: null,
      extras: '{}',
      sign_in: '{}',
      created_at: 1,
      updated_at: 1,
    })
    .execute();

let lastId = 0;

const logEvent = (tenantId = 'acme'): LogEventTable => ({
  tenant_id: tenantId,
  id: String(++lastId).padStart(30, '0'),
  at: 1,
  kind: 'token.issued',
  client_id: null,
  client_name: null,
  user_id: null,
  audience: null,
  scope: null,
  token_id: null,
  reason: null,
  description: null,
  ip: null,
  user_agent: null,
  host: null,
  occurrences: 1,
  details: null,
});

const tenantName = defineStatement<{ id: string }, { name: string }>(
  'test_tenant_name',
  'select name from tenants where id = :id',
);

const storedIds = async (db: Database): Promise<string[]> =>
  (await db.read.selectFrom('log_events').select('id').orderBy('id').execute()).map(({ id }) => id);

const isUnavailable = (error: unknown): boolean => error instanceof DomainError && error.code === 'storage.unavailable';

for (const mode of ['file', 'memory', 'postgres'] as const) {
  describe(`the storage [${mode}]`, () => {
    let opened: Opened;
    let db: Database;
    before(async () => {
      opened = await open(mode);
      db = opened.db;
    });
    after(async () => {
      await db.close();
      await opened.remove();
    });

    test('a row that can not be stored fails alone; those that shared its commit are stored', async () => {
      const rows = Array.from({ length: 20 }, (_, index) => logEvent(index === 7 ? 'nobody' : 'acme'));
      const outcomes = await Promise.allSettled(rows.map((row) => db.appendLogEvent(row)));

      const failed = outcomes.flatMap((outcome, index) => (outcome.status === 'rejected' ? [index] : []));
      assert.deepEqual(failed, [7]);
      assert.ok(isUnavailable((outcomes[7] as PromiseRejectedResult).reason));
      const stored = new Set(await storedIds(db));
      assert.deepEqual(
        rows.map(({ id }) => stored.has(id)),
        rows.map((_, index) => index !== 7),
      );
    });

    test('a row that is there already is refused, and the first one stays', async () => {
      const row = logEvent();
      await db.appendLogEvent(row);
      await assert.rejects(db.appendLogEvent({ ...row, kind: 'token.refused' }));
      const [stored] = await db.read.selectFrom('log_events').select('kind').where('id', '=', row.id).execute();
      assert.equal(stored?.kind, 'token.issued');
    });

    test('what a transaction has not committed is seen by no hot read, before, while and after others wait', async () => {
      const seen: string[] = [];
      const look = async () => seen.push((await db.run(tenantName, { id: 'acme' }))[0]?.name ?? '');
      const rename = (name: string, fails: boolean) =>
        db.transact(async (trx) => {
          await trx
            .updateTable('tenants')
            .set({ name: `${name} uncommitted` })
            .where('id', '=', 'acme')
            .execute();
          const looked = Promise.all([look(), look()]);
          await sleep(20);
          void looked.catch(() => {});
          if (fails) throw new Error('changed my mind');
          await trx.updateTable('tenants').set({ name }).where('id', '=', 'acme').execute();
        });
      const renames = ['one', 'two', 'three', 'four'].map((name, index) =>
        rename(name, index % 2 === 1).catch((error: Error) => assert.equal(error.message, 'changed my mind')),
      );
      const looks = Array.from({ length: 50 }, async (_, index) => {
        await sleep(index * 2);
        await look();
      });
      await Promise.all([...renames, ...looks]);
      await look();

      assert.ok(seen.length >= 51);
      assert.deepEqual(
        seen.filter((name) => name.includes('uncommitted')),
        [],
      );
      assert.notEqual(seen.at(-1), 'acme');
    });

    test('a write of the hot path is no part of a transaction that is open: it stays when that rolls back', async () => {
      const row = logEvent();
      let appended: Promise<void> | undefined;
      const transaction = db.transact(async (trx) => {
        await trx.updateTable('tenants').set({ environment: 'staging' }).where('id', '=', 'acme').execute();
        appended = db.appendLogEvent(row);
        await sleep(20);
        throw new Error('rolled back');
      });
      await assert.rejects(transaction, /rolled back/);
      await appended;
      assert.ok((await storedIds(db)).includes(row.id));
      const tenant = await db.read.selectFrom('tenants').select('environment').where('id', '=', 'acme').execute();
      assert.equal(tenant[0]?.environment, 'production');
    });

    test('a transaction that pauses holds up the log for as long as it pauses, and not longer', async () => {
      let isOver = false;
      const begun = Promise.withResolvers<void>();
      const pausing = db.transact(async (trx) => {
        await trx.updateTable('tenants').set({ updated_at: 2 }).where('id', '=', 'acme').execute();
        begun.resolve();
        await sleep(300);
        isOver = true;
      });
      await begun.promise;
      const rows = Array.from({ length: 10 }, () => logEvent());
      const startedAt = performance.now();
      await Promise.all(rows.map((row) => db.appendLogEvent(row)));
      assert.ok(performance.now() - startedAt < 4000);
      // SQLite has one writer; PostgreSQL does not wait.
      if (mode !== 'postgres') assert.ok(isOver);
      await pausing;
      const stored = new Set(await storedIds(db));
      assert.ok(rows.every(({ id }) => stored.has(id)));
    });

    test('transactions that queue hold up neither the log nor anything else until the last of them is over', async () => {
      let over = 0;
      const logged = Promise.withResolvers<void>();
      const queued = Array.from({ length: 40 }, async (_, index) => {
        await db.transact(async (trx) => {
          await trx.updateTable('tenants').set({ updated_at: index }).where('id', '=', 'acme').execute();
          // On PostgreSQL the log waits for none of them, so one of them can wait for the log.
          if (mode === 'postgres' && index === 10) await logged.promise;
        });
        over += 1;
      });
      await new Promise((resolve) => setImmediate(resolve));
      const overAfterOneTurn = over;
      await db.appendLogEvent(logEvent());
      logged.resolve();
      const overAfterLog = over;
      await Promise.all(queued);
      assert.ok(overAfterOneTurn < 5, `${overAfterOneTurn} transactions within one turn of the event loop`);
      assert.ok(overAfterLog < 20, `${overAfterLog} transactions before a log event`);
    });

    test('transactions that read what another writes are as if one came after the other', async () => {
      // Each adds one scope only while there are fewer than three: side by side, none could see the others'.
      const add = (id: string) =>
        db.transact(async (trx) => {
          const there = await trx.selectFrom('users').select('id').where('tenant_id', '=', 'acme').execute();
          await sleep(5);
          if (there.length >= 3) throw new DomainError('entity.in_use', 'full');
          await insertUser(trx, id);
        });
      const outcomes = await Promise.allSettled(Array.from({ length: 8 }, (_, index) => add(`user${index}`)));
      const refusals = outcomes.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
      assert.deepEqual(
        refusals.map(({ reason }) => (reason as DomainError).code),
        Array(5).fill('entity.in_use'),
      );
      assert.equal((await db.read.selectFrom('users').select('id').execute()).length, 3);
    });
  });
}

const insertUser = (trx: Tx, id: string) =>
  trx
    .insertInto('users')
    .values({
      tenant_id: 'acme',
      id,
      email: null,
      email_key: null,
      email_verified: 0,
      username: null,
      username_key: null,
      phone: null,
      phone_verified: 0,
      name: null,
      nickname: null,
      given_name: null,
      family_name: null,
      picture: null,
      owner_organization_id: null,
      client_id: null,
      profile: '{}',
      user_metadata: null,
      app_metadata: null,
      status: 'active',
      password_hash: null,
      logins_count: 0,
      last_login_at: null,
      last_ip: null,
      created_at: 1,
      updated_at: 1,
    })
    .execute();

describe('shared commits', () => {
  test('on SQLite, writes of one turn are one transaction: another process sees the database change once', async () => {
    const { db, url, remove } = await open('file');
    const outside = new DatabaseSync(url.slice('sqlite:'.length), { readOnly: true });
    // Counts the commits of other connections, also when nobody looked in between.
    const commits = walCommits(url.slice('sqlite:'.length));
    const version = () => Number(outside.prepare('pragma data_version').get()?.data_version);
    try {
      const before = { version: version(), commits: commits() };
      await Promise.all(Array.from({ length: 50 }, () => db.appendLogEvent(logEvent())));
      assert.notEqual(version(), before.version);
      assert.equal(commits() - before.commits, 1);

      const beforeAlone = commits();
      for (let index = 0; index < 5; index += 1) await db.appendLogEvent(logEvent());
      assert.equal(commits() - beforeAlone, 5);
    } finally {
      outside.close();
      await db.close();
      await remove();
    }
  });

  test('on PostgreSQL, writes that arrive together are few transactions', async () => {
    const { db, url, remove } = await open('postgres');
    const outside = new pg.Client({ connectionString: url });
    await outside.connect();
    // `xmin` is the transaction that wrote a row.
    const transactions = async () =>
      Number((await outside.query('select count(distinct xmin::text) as n from log_events')).rows[0].n);
    try {
      await Promise.all(Array.from({ length: 50 }, () => db.appendLogEvent(logEvent())));
      assert.equal((await storedIds(db)).length, 50);
      assert.equal(await transactions(), 1);
    } finally {
      await outside.end();
      await db.close();
      await remove();
    }
  });

  for (const mode of ['file', 'postgres'] as const) {
    test(`closing waits for what was accepted: after it, all is in the database [${mode}]`, async () => {
      const { db, open: openAgain, remove } = await open(mode);
      const rows = Array.from({ length: 30 }, () => logEvent());
      const appended = Promise.all(rows.map((row) => db.appendLogEvent(row)));
      const renamed = db.transact(async (trx) => {
        await sleep(50);
        await trx.updateTable('tenants').set({ name: 'renamed' }).where('id', '=', 'acme').execute();
      });
      await db.close();
      await Promise.all([appended, renamed]);

      const again = await openAgain();
      try {
        assert.deepEqual(
          await storedIds(again),
          rows.map(({ id }) => id),
        );
        assert.equal((await again.run(tenantName, { id: 'acme' }))[0]?.name, 'renamed');
      } finally {
        await again.close();
        await remove();
      }
    });
  }

  test('on PostgreSQL, two processes that insert the same thing: one does, the other is told that it exists', async () => {
    const { db, open: openAgain, remove } = await open('postgres');
    const other = await openAgain();
    try {
      const outcomes = await Promise.allSettled(
        [db, other].map((one) => one.transact((trx) => insertTenant(trx, 'b'))),
      );
      const refused = outcomes.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
      assert.deepEqual(
        refused.map(({ reason }) => (reason as DomainError).code),
        ['entity.exists'],
      );
    } finally {
      await Promise.all([db.close(), other.close()]);
      await remove();
    }
  });

  test('on PostgreSQL, counting up from four processes loses no step', async () => {
    const { db, open: openAgain, remove } = await open('postgres');
    const nodes = [db, await openAgain(), await openAgain(), await openAgain()];
    const countUp = (node: Database) =>
      node.transact(async (trx) => {
        const [row] = await trx.selectFrom('tenants').select('updated_at').where('id', '=', 'acme').execute();
        const next = Number(row?.updated_at) + 1;
        await trx.updateTable('tenants').set({ updated_at: next }).where('id', '=', 'acme').execute();
      });
    try {
      const outcomes = await Promise.allSettled(nodes.flatMap((node) => [countUp(node), countUp(node)]));
      const done = outcomes.filter(({ status }) => status === 'fulfilled').length;
      for (const outcome of outcomes) if (outcome.status === 'rejected') assert.ok(isUnavailable(outcome.reason));
      const [row] = await db.read.selectFrom('tenants').select('updated_at').where('id', '=', 'acme').execute();
      assert.equal(row?.updated_at, 1 + done);
      assert.ok(done >= nodes.length, `${done} of ${outcomes.length} were done`);
    } finally {
      await Promise.all(nodes.map((node) => node.close()));
      await remove();
    }
  });
});

/** Reads the write-ahead log: the last frame of a commit carries the size of the database, all others 0. */
function walCommits(file: string): () => number {
  const pageSize = (wal: Buffer) => wal.readUInt32BE(8);
  return () => {
    const wal = readFileSync(`${file}-wal`);
    const salt = wal.subarray(16, 24);
    let commits = 0;
    for (let at = 32; at + 24 <= wal.length; at += 24 + pageSize(wal)) {
      if (!wal.subarray(at + 8, at + 16).equals(salt)) break;
      if (wal.readUInt32BE(at + 4) !== 0) commits += 1;
    }
    return commits;
  };
}
