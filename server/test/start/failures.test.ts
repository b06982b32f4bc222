/** A start that can't succeed: one line that names the setting and the cure, soon, and nothing written. */
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { makeAuthority, makeLeaf } from '../../src/kernel/authority.ts';
import { startProcess } from '../process.ts';
import { assertRefused } from './refused.ts';
import { listens, type Run, run, stop, temporaryFolder } from './run.ts';

const key = 'b2'.repeat(32);

describe('a start that can not succeed', () => {
  const folder = temporaryFolder();
  const data = join(folder.path, 'data');
  const database = join(data, 'sekisho.sqlite');
  const keyFile = join(data, 'master.key');
  const env = { SEKISHO_DATA_DIR: data };

  before(async () => {
    mkdirSync(data);
    await (await startProcess({ folder: data })).stop();
  });
  after(() => folder.remove());

  /** What the data folder holds, but the compile cache and SQLite's own working files. */
  const contents = () => ({
    names: readdirSync(data).filter((name) => !/^compile-cache$|-(wal|shm)$/.test(name)),
    key: existsSync(keyFile) && readFileSync(keyFile, 'utf8'),
    rows: hashOfRows(database),
  });

  /** As `assertRefused`; the data of the earlier start is as it was, and the port is free. */
  async function assertRefusedOnData(more: Record<string, string>, setting: string, cure: RegExp): Promise<Run> {
    const was = contents();
    const started = await assertRefused({ env: { ...env, ...more } }, setting, cure);
    assert.deepEqual(contents(), was);
    assert.equal(await listens(started.port), false);
    return started;
  }

  /** As `assertRefused`, in an empty folder that stays empty. */
  async function assertRefusedInEmptyFolder(more: Record<string, string>, setting: string, cure: RegExp) {
    const empty = temporaryFolder();
    try {
      const started = await assertRefused({ env: more, cwd: empty.path }, setting, cure);
      const written = readdirSync(empty.path, { recursive: true }).map(String);
      assert.deepEqual(
        written.filter((name) => name !== 'data' && !name.startsWith(join('data', 'compile-cache'))),
        [],
      );
      assert.equal(await listens(started.port), false);
    } finally {
      empty.remove();
    }
  }

  test('an unknown setting is named, with the one that was meant', async () => {
    await assertRefusedOnData({ SEKISHO_PROT: '1' }, 'SEKISHO_PROT', /did you mean SEKISHO_PORT\?/);
  });

  test('a wrong value is named, with what is expected', async () => {
    await assertRefusedInEmptyFolder({ SEKISHO_LOG_LEVEL: 'loud' }, 'SEKISHO_LOG_LEVEL', /expects one of trace, /);
    await assertRefusedInEmptyFolder({ SEKISHO_TRUSTED_PROXIES: 'proxy.example' }, 'SEKISHO_TRUSTED_PROXIES', /CIDR/);
  });

  test('a secret in a wrong value is not repeated', async () => {
    const started = await run({
      env: { ...env, SEKISHO_ADMIN_CLIENT_ID: 'a', SEKISHO_ADMIN_CLIENT_SECRET: 'hush-hush' },
    });
    await started.ended;
    assert.match(started.stderr(), /SEKISHO_ADMIN_CLIENT_SECRET expects 32 to 256 characters/);
    assert.doesNotMatch(started.stderr(), /hush/);
  });

  test('a taken port is named, and a first start has then made no client whose secret nobody saw', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    const empty = temporaryFolder();
    try {
      const options = { env: { SEKISHO_PORT: String(port) }, cwd: empty.path };
      await assertRefused(options, 'SEKISHO_PORT', /is taken on 127\.0\.0\.1: .* set another port/);
      assert.deepEqual(readdirSync(empty.path), []);
    } finally {
      other.close();
      empty.remove();
    }
  });

  test('an address of another machine is named', async () => {
    await assertRefusedInEmptyFolder(
      { SEKISHO_HOST: '192.0.2.1' },
      'SEKISHO_HOST',
      /not an address of this machine: set /,
    );
  });

  test('a folder that can not be made is named', async () => {
    const file = join(folder.path, 'file');
    writeFileSync(file, '');
    for (const below of [file, join(file, 'data')]) {
      await assertRefused({ env: { SEKISHO_DATA_DIR: below } }, 'SEKISHO_DATA_DIR', /choose a folder you can write to/);
    }
    assert.equal(readFileSync(file, 'utf8'), '');
  });

  test('a database file in a folder that is not there is named', async () => {
    await assertRefusedInEmptyFolder(
      { SEKISHO_DATABASE_URL: 'sqlite:/nowhere/sekisho.sqlite' },
      'SEKISHO_DATABASE_URL',
      /can not be opened .*choose a path you can write to/,
    );
  });

  test('a file that is no database is left as it is', async () => {
    const file = join(folder.path, 'letter.txt');
    writeFileSync(file, 'Dear reader, '.repeat(100));
    await assertRefused(
      { env: { ...env, SEKISHO_DATABASE_URL: `sqlite:${file}` } },
      'SEKISHO_DATABASE_URL',
      /is no whole SQLite file/,
    );
    assert.equal(readFileSync(file, 'utf8'), 'Dear reader, '.repeat(100));
  });

  test('a wrong master key for an existing database is refused', async () => {
    await assertRefusedOnData({ SEKISHO_MASTER_KEY: key }, 'SEKISHO_MASTER_KEY', /not the key .* set the right key/);
  });

  test('the database of another installation is refused', async () => {
    const otherData = join(folder.path, 'other');
    mkdirSync(otherData);
    await (await startProcess({ folder: otherData })).stop();
    const foreign = join(otherData, 'sekisho.sqlite');
    const was = hashOfRows(foreign);
    await assertRefused(
      { env: { ...env, SEKISHO_DATABASE_URL: `sqlite:${foreign}` } },
      'SEKISHO_MASTER_KEY_FILE',
      /holds not the key this database was made with/,
    );
    assert.equal(hashOfRows(foreign), was);
  });

  describe('the key file', () => {
    let whole: Buffer;
    before(() => {
      whole = readFileSync(keyFile);
    });
    after(() => writeFileSync(keyFile, whole, { mode: 0o600 }));

    test('missing for an existing database: none is made', async () => {
      rmSync(keyFile);
      await assertRefusedOnData({}, 'SEKISHO_MASTER_KEY_FILE', /is missing.*restore it, or set SEKISHO_MASTER_KEY/);
      assert.equal(existsSync(keyFile), false);
    });

    test('truncated, empty or garbled: refused, and not repeated in the message', async () => {
      const hex = whole.toString('utf8').trim();
      for (const text of ['', hex.slice(0, 40), hex.slice(0, 43), hex.slice(0, 63), `${hex}\n${hex.slice(0, 44)}\n`]) {
        writeFileSync(keyFile, text, { mode: 0o600 });
        const started = await assertRefusedOnData({}, 'SEKISHO_MASTER_KEY_FILE', /no whole key.*restore it/);
        assert.ok(!started.stderr().includes(hex.slice(0, 40)));
      }
    });

    test('readable by others: refused', async () => {
      writeFileSync(keyFile, whole);
      for (const mode of [0o644, 0o640, 0o604, 0o620]) {
        chmodSync(keyFile, mode);
        await assertRefusedOnData({}, 'SEKISHO_MASTER_KEY_FILE', /can be read by others: run chmod 600/);
      }
      chmodSync(keyFile, 0o600);
    });
  });

  test('a second process on the same SQLite file is refused, and the first one goes on', async () => {
    const first = await startProcess({ folder: data });
    try {
      await assertRefused(
        { env },
        'SEKISHO_DATA_DIR',
        /another server process has open \(.*sekisho\.sqlite\): stop it/,
      );
      await assertRefused(
        { env: { ...env, SEKISHO_DATABASE_URL: `sqlite:${database}` } },
        'SEKISHO_DATABASE_URL',
        /another server process/,
      );
      assert.equal((await fetch(`${first.origin}/readyz`)).status, 200);
    } finally {
      await first.stop();
    }
  });

  describe('TLS files', () => {
    const path = (name: string) => join(folder.path, name);
    const files = (cert: string, privateKey: string) => ({
      SEKISHO_HTTPS: 'files',
      SEKISHO_TLS_CERT: path(cert),
      SEKISHO_TLS_KEY: path(privateKey),
    });

    before(async () => {
      const now = Date.now();
      const serial = Buffer.alloc(16, 1);
      const authority = await makeAuthority({ commonName: 'Test', hosts: ['localhost'], now, serial });
      const leaf = await makeLeaf({ authority, hosts: ['localhost'], now, serial });
      writeFileSync(path('cert.pem'), leaf.certificate);
      writeFileSync(path('key.pem'), leaf.privateKey, { mode: 0o600 });
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      writeFileSync(path('other-key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    });

    test('not named', async () => {
      await assertRefusedInEmptyFolder({ SEKISHO_HTTPS: 'files' }, 'SEKISHO_HTTPS', /set SEKISHO_TLS_CERT/);
    });
    test('missing', async () => {
      await assertRefusedInEmptyFolder(files('none.pem', 'key.pem'), 'SEKISHO_TLS_CERT', /ENOENT.*give the path/);
      await assertRefusedInEmptyFolder(files('cert.pem', 'none.pem'), 'SEKISHO_TLS_KEY', /ENOENT.*give the path/);
    });
    test('of two pairs', async () => {
      await assertRefusedInEmptyFolder(files('cert.pem', 'other-key.pem'), 'SEKISHO_TLS_KEY', /does not belong/);
    });
    test('swapped', async () => {
      await assertRefusedInEmptyFolder(files('key.pem', 'cert.pem'), 'SEKISHO_TLS_CERT', /holds no certificate/);
    });
    test('of one pair: the server starts', async () => {
      const started = await run({ env: { ...files('cert.pem', 'key.pem'), SEKISHO_DATABASE_URL: 'sqlite::memory:' } });
      await started.said('is ready');
      await stop(started);
    });
  });
});

/** A hash over every table and row: the bytes of the file change with each checkpoint. */
function hashOfRows(file: string): string {
  const db = new DatabaseSync(file, { readOnly: true });
  const tables = db.prepare(`select name, sql from sqlite_schema order by name`).all();
  const rows = tables
    .filter(({ sql }) => String(sql).startsWith('create table'))
    .map(({ name }) => db.prepare(`select * from "${name}"`).all());
  db.close();
  return createHash('sha256')
    .update(JSON.stringify([tables, rows]))
    .digest('hex');
}
