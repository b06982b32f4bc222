import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import { createDatabase, type Postgres, startPostgres } from '../../../scripts/postgres.ts';
import { startProcess } from '../process.ts';
import { assertRefused } from './refused.ts';
import { listens, temporaryFolder } from './run.ts';

const key = 'b2'.repeat(32);

describe('a start over PostgreSQL that can not succeed', () => {
  let postgres: Postgres;
  let folder: ReturnType<typeof temporaryFolder>;
  before(async () => {
    folder = temporaryFolder();
    postgres = await startPostgres();
  });
  after(async () => {
    folder.remove();
    await postgres.stop();
  });

  const withKey = (url: string) => ({ SEKISHO_DATABASE_URL: url, SEKISHO_MASTER_KEY: key });
  const refused = async (env: Record<string, string>, setting: string, cure: RegExp) => {
    const started = await assertRefused({ env, cwd: folder.path }, setting, cure);
    assert.equal(await listens(started.port), false);
    assert.doesNotMatch(started.stderr(), /pass-word/, 'no password');
    return started;
  };
  const tablesOf = async (url: string) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query(`select tablename from pg_tables where schemaname = 'public'`);
    await client.end();
    return rows;
  };
  const query = async (sql: string) => {
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  const urlWith = (change: (url: URL) => void) => {
    const url = new URL(postgres.url);
    change(url);
    return url.href;
  };

  test('without a master key: the key is asked for, and none is made', async () => {
    const url = await createDatabase(postgres.url);
    await refused({ SEKISHO_DATABASE_URL: url }, 'SEKISHO_MASTER_KEY', /is required for postgres.*openssl rand/);
    const missing = join(folder.path, 'none.key');
    await refused(
      { SEKISHO_DATABASE_URL: url, SEKISHO_MASTER_KEY_FILE: missing },
      'SEKISHO_MASTER_KEY',
      /is required for postgres/,
    );
    assert.equal(existsSync(missing), false);
    assert.deepEqual(await tablesOf(url), []);
  });

  test('nobody listens at the address', async () => {
    await refused(
      withKey('postgres://u:pass-word@127.0.0.1:1/db'),
      'SEKISHO_DATABASE_URL',
      /ECONNREFUSED.*start it, or correct/,
    );
  });

  test('what listens there never answers', async () => {
    const silent = createServer((socket) => void socket.resume()).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as { port: number };
    try {
      await refused(withKey(`postgres://u:pass-word@127.0.0.1:${port}/db`), 'SEKISHO_DATABASE_URL', /no answer within/);
    } finally {
      silent.close();
    }
  });

  test('the password is wrong', async () => {
    await query(`create role locked login password 'pass-word-right'`);
    // The first line that fits decides: only this user has to give a password.
    await query(
      `do $$ begin execute format($f$ copy (select unnest(array[
         'host all locked 127.0.0.1/32 scram-sha-256', 'host all all 127.0.0.1/32 trust'])) to %L $f$,
         current_setting('hba_file')); end $$`,
    );
    await query('select pg_reload_conf()');
    const url = urlWith((changed) => {
      changed.username = 'locked';
      changed.password = 'pass-word-wrong';
    });
    await refused(withKey(url), 'SEKISHO_DATABASE_URL', /refuses the user or the password.*correct them/);
  });

  test('the user does not exist', async () => {
    await refused(
      withKey(urlWith((url) => (url.username = 'nobody_here'))),
      'SEKISHO_DATABASE_URL',
      /refuses the user or the password/,
    );
  });

  test('the user may not make tables', async () => {
    await query('create role reader login');
    const url = await createDatabase(postgres.url);
    await refused(
      withKey(Object.assign(new URL(url), { username: 'reader' }).href),
      'SEKISHO_DATABASE_URL',
      /not make tables.*grant it the right/,
    );
  });

  test('the database does not exist', async () => {
    await refused(
      withKey(urlWith((url) => (url.pathname = '/none'))),
      'SEKISHO_DATABASE_URL',
      /does not exist on its server.*create it, or correct the name/,
    );
  });

  test('the master key is another one: the database stays as it is', async () => {
    const url = await createDatabase(postgres.url);
    const first = await startProcess({ env: withKey(url) });
    await first.stop();
    await refused(
      { SEKISHO_DATABASE_URL: url, SEKISHO_MASTER_KEY: 'c3'.repeat(32) },
      'SEKISHO_MASTER_KEY',
      /not the key this database was made with/,
    );
    await (await startProcess({ env: withKey(url) })).stop();
  });
});
