import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { admin, eachEngine, freePort, newPostgresDatabase, startServer, type TestServer } from '../harness.ts';
import { startProcess } from '../process.ts';
import { run, stop, temporaryFolder } from './run.ts';

const exec = promisify(execFile);
const adminEnv = { SEKISHO_ADMIN_CLIENT_ID: admin.clientId, SEKISHO_ADMIN_CLIENT_SECRET: admin.clientSecret };
const otherSecret = 'another-0123456789abcdefghijklmnopqrstuvwxyz';

describe('the first start', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  before(() => {
    folder = temporaryFolder();
  });
  after(() => folder.remove());

  /** Starts in the folder, hands the printed block over, and ends. */
  const block = async (
    env: Record<string, string>,
    look: (text: string, port: number) => unknown = () => {},
    args: string[] = [],
  ): Promise<{ stdout: string; stderr: string }> => {
    const started = await run({ env, args, cwd: folder.path });
    await started.said(args.includes('--json') ? '}\n' : 'Started in');
    try {
      await look(started.stdout(), started.port);
    } finally {
      await stop(started);
    }
    return { stdout: started.stdout(), stderr: started.stderr() };
  };

  test('prints an aligned block with the id and the secret once, and a curl that works when pasted', async () => {
    const { stdout, stderr } = await block({}, async (text, port) => {
      const row = (name: string) => new RegExp(`^  ${name.padEnd(14)}(\\S+.*)$`, 'm').exec(text)?.[1];
      assert.equal(row('Issuer'), `http://localhost:${port}/`);
      assert.equal(row('API'), `http://localhost:${port}/api/v2/`);
      assert.equal(row('Native API'), `http://localhost:${port}/api`);
      assert.equal(row('JWKS'), `http://localhost:${port}/.well-known/jwks.json`);
      assert.equal(row('Data'), join('data', 'sekisho.sqlite'));
      assert.match(row('Started in') ?? '', /^\d+ ms$/);
      const secret = row('Client secret') ?? '';
      assert.match(row('Client id') ?? '', /^[0-9A-Za-z]{32}$/);
      assert.match(secret, /^[0-9A-Za-z]{64}$/);
      assert.equal(text.split(`Client secret`).length, 2);

      const pasted = text.slice(text.indexOf('  curl'));
      const answer = JSON.parse((await exec('bash', ['-c', pasted], { cwd: folder.path })).stdout);
      assert.equal(answer.token_type, 'Bearer');
      const keys = await (await fetch(`http://localhost:${port}/.well-known/jwks.json`)).json();
      const { payload } = await jwtVerify(answer.access_token, createLocalJWKSet(keys as never), {
        issuer: `http://localhost:${port}/`,
        audience: `http://localhost:${port}/api/v2/`,
      });
      assert.match(String(payload.scope), /create:clients/);
    });
    assert.equal(stderr, '');
    assert.equal(stdout.split('\n').filter((line) => /secret/i.test(line)).length, 3, 'title, row and curl');
  });

  test('later starts print the same block without any secret', async () => {
    const database = join(folder.path, 'data/sekisho.sqlite');
    for (const args of [[], ['--json']]) {
      const { stdout } = await block({}, undefined, args);
      assert.match(stdout, /localhost/);
      assert.doesNotMatch(stdout, /client|secret|curl|[0-9A-Za-z]{32}/i);
    }
    assert.ok(statSync(database).size > 0);
  });
});

test('--json prints one object on one line, with the id and the secret', async () => {
  const first = await startProcess();
  try {
    const lines = first.stdout().trimEnd().split('\n');
    assert.equal(lines.length, 1);
    const { clientId, clientSecret, startMs, setupUrl, ...facts } = first.report;
    assert.match(String(setupUrl), new RegExp(`^${first.origin}/setup\\?token=[A-Za-z0-9_-]{43}$`));
    assert.match(String(clientId), /^[0-9A-Za-z]{32}$/);
    assert.match(String(clientSecret), /^[0-9A-Za-z]{64}$/);
    assert.equal(typeof startMs, 'number');
    assert.deepEqual(facts, {
      issuer: `${first.origin}/`,
      api: `${first.origin}/api/v2/`,
      nativeApi: `${first.origin}/api`,
      jwks: `${first.origin}/.well-known/jwks.json`,
      data: join(first.folder, 'sekisho.sqlite'),
    });
    assert.equal(first.stderr(), '');
  } finally {
    await first.stop();
  }
});

test('the pasted curl works over local https, and with a secret that means something in a form', async () => {
  const folder = temporaryFolder();
  const env = {
    SEKISHO_HTTPS: 'local',
    SEKISHO_ADMIN_CLIENT_ID: 'admin',
    SEKISHO_ADMIN_CLIENT_SECRET: '&a=b+c%41 d@e;f\'g"h$i`j\\k|l<m>n(o)p',
  };
  const started = await run({ env, cwd: folder.path });
  try {
    await started.said('audience=');
    const text = started.stdout();
    assert.ok(!text.includes(env.SEKISHO_ADMIN_CLIENT_SECRET), 'whoever set the secret knows it');
    assert.match(text, /^ {2}CA {12}data\/ca\.pem$/m);
    const pasted = text.slice(text.indexOf('  curl'));
    const { stdout } = await exec('bash', ['-c', pasted], { cwd: folder.path, env: { ...process.env, ...env } });
    assert.equal(JSON.parse(stdout).token_type, 'Bearer', stdout);
  } finally {
    await stop(started);
    folder.remove();
  }
});

eachEngine('the management client of the settings', (engine) => {
  let server: TestServer;
  let databaseUrl: string;
  let folder: ReturnType<typeof temporaryFolder>;

  /** Another start on the same database; SQLite needs a file for that. */
  const restart = async (env: Record<string, string>): Promise<TestServer> => {
    await server?.close();
    server = await startServer({ engine, databaseUrl, env });
    return server;
  };
  const tokenStatus = async (clientId: string, clientSecret: string): Promise<number> =>
    (await server.token({ client_id: clientId, client_secret: clientSecret, audience: server.nativeAudience })).status;
  const without = { SEKISHO_ADMIN_CLIENT_ID: '', SEKISHO_ADMIN_CLIENT_SECRET: '' };

  before(async () => {
    folder = temporaryFolder();
    databaseUrl = engine === 'postgres' ? await newPostgresDatabase() : `sqlite:${join(folder.path, 'db.sqlite')}`;
  });
  after(async () => {
    await server?.close();
    folder.remove();
  });

  test('is made with the given id and secret, and holds every scope of both management audiences', async () => {
    await restart({});
    assert.deepEqual(server.composed.started.firstClient, admin);
    for (const audience of [server.managementAudience, server.nativeAudience]) {
      const answer = await server.token({ client_id: admin.clientId, client_secret: admin.clientSecret, audience });
      const api = server.composed.services.systemApis.find(({ path }) => audience.endsWith(path));
      assert.deepEqual(answer.body.scope.split(' ').sort(), api?.scopes.map(({ value }) => value).sort());
    }
  });

  test('is there already at a later start: nothing changes, nothing is said', async () => {
    const was = await server.stateHash();
    await restart({});
    assert.deepEqual(server.composed.started, { firstClient: undefined, warnings: [] });
    assert.equal(await server.stateHash(), was);
  });

  test('keeps its stored secret when the settings have another one, with a warning that tells neither', async () => {
    const was = await server.stateHash();
    await restart({ SEKISHO_ADMIN_CLIENT_SECRET: otherSecret });
    assert.equal(server.composed.started.firstClient, undefined);
    const [warning = '', ...more] = server.composed.started.warnings;
    assert.deepEqual(more, []);
    assert.match(warning, /^SEKISHO_ADMIN_CLIENT_SECRET differs .*the stored one stays/);
    assert.ok(!warning.includes(otherSecret) && !warning.includes(admin.clientSecret));
    assert.equal(await server.stateHash(), was);
    assert.equal(await tokenStatus(admin.clientId, otherSecret), 401);
    assert.equal(await tokenStatus(admin.clientId, admin.clientSecret), 200);
  });

  test('is made beside the first one when it is added later', async () => {
    await restart({ SEKISHO_ADMIN_CLIENT_ID: 'second', SEKISHO_ADMIN_CLIENT_SECRET: otherSecret });
    assert.deepEqual(server.composed.started.firstClient, { clientId: 'second', clientSecret: otherSecret });
    assert.equal(await tokenStatus('second', otherSecret), 200);
    assert.equal(await tokenStatus(admin.clientId, admin.clientSecret), 200);
  });

  test('is not needed by later starts', async () => {
    const was = await server.stateHash();
    await restart(without);
    assert.deepEqual(server.composed.started, { firstClient: undefined, warnings: [] });
    assert.equal(await server.stateHash(), was);
    assert.equal(await tokenStatus(admin.clientId, admin.clientSecret), 200);
  });

  test('signing keys and tokens survive the restarts', async () => {
    const keys = async () => (await server.request('GET', '/.well-known/jwks.json')).body.keys;
    const was = await keys();
    assert.equal(was.length, 2);
    await restart(without);
    assert.deepEqual(await keys(), was);
  });

  test('scopes of the management audiences come with an upgrade, and grants stay as they are', async () => {
    const { db } = server.composed.services;
    const grantsOf = async () => ({
      grants: await server.rows('client_grants'),
      scopes: await server.rows('client_grant_scopes'),
    });
    const scopesOf = async () => (await server.rows('scopes')).map(({ value }) => value).sort();
    const machine = await server.machine({ granted: ['read:orders'] });
    const wanted = await scopesOf();
    const grants = await grantsOf();
    const rolesOf = async () =>
      (await server.rows('roles')).map(({ name, level, subject_kind }) => [name, level, subject_kind]);
    const roles = await rolesOf();
    assert.deepEqual(roles.sort(), [
      ['Logto Management API access', 'tenant', 'client'],
      ['Sekisho administrator', 'tenant', 'user'],
    ]);
    // As an earlier release left it: one scope short, and without the role.
    await db.transact(async (trx) => {
      await trx.deleteFrom('roles').execute();
      await trx.deleteFrom('scopes').where('value', '=', 'read:clients').execute();
      await trx.updateTable('installation').set({ value: 'earlier' }).where('name', '=', 'system_scopes').execute();
    });
    assert.notDeepEqual(await scopesOf(), wanted);
    await restart({});
    assert.deepEqual(await scopesOf(), wanted);
    assert.deepEqual(await grantsOf(), grants);
    assert.deepEqual((await rolesOf()).sort(), roles);
    const valueById = new Map((await server.rows('scopes')).map(({ id, value }) => [id, value]));
    const given = Map.groupBy(await server.rows('role_scopes'), ({ role_id }) => role_id);
    const values = [...given].map(([id, rows]) => [id, rows.map(({ scope_id }) => valueById.get(scope_id)).sort()]);
    const ofAdministrator = values.find(([id]) => id === 'rol_administrator')?.[1] as string[];
    const ofClients = values.find(([id]) => id !== 'rol_administrator')?.[1] as string[];
    assert.deepEqual(ofClients, ['all']);
    assert.ok(['all', 'read:clients', 'create:users'].every((value) => ofAdministrator.includes(value)));
    assert.ok(!ofAdministrator.includes('manage:tenants'), 'the first client alone manages tenants');
    const { clientId, clientSecret, audience } = machine;
    const answer = await server.token({ client_id: clientId, client_secret: clientSecret, audience });
    assert.equal(answer.body.scope, 'read:orders');
  });
});

test('two first starts that race for one PostgreSQL database use the same data, and one prints credentials', async () => {
  const databaseUrl = await newPostgresDatabase();
  const env = {
    SEKISHO_DATABASE_URL: databaseUrl,
    SEKISHO_MASTER_KEY: 'd4'.repeat(32),
    SEKISHO_URL: 'http://localhost',
  };
  const nodes = await Promise.all([1, 2, 3].map(() => startProcess({ env })));
  try {
    const printed = nodes.filter(({ clientSecret }) => clientSecret !== undefined);
    assert.equal(printed.length, 1);
    const [{ clientId = '', clientSecret = '' } = {}] = printed;
    const keys: unknown[] = [];
    for (const { port } of nodes) {
      const url = `http://127.0.0.1:${port}`;
      const ask = async (path: string, init: RequestInit & { headers?: Record<string, string> } = {}) =>
        exec('curl', [
          '-s',
          '-H',
          'Host: localhost',
          ...(init.body === undefined ? [] : ['-d', String(init.body)]),
          `${url}${path}`,
        ]).then(({ stdout }) => JSON.parse(stdout));
      assert.deepEqual(await ask('/readyz'), { status: 'ready' });
      keys.push(await ask('/.well-known/jwks.json'));
      const body = new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret,
        audience: 'http://localhost/api',
      });
      assert.equal((await ask('/oauth/token', { body: body.toString() })).token_type, 'Bearer');
    }
    assert.deepEqual(keys[1], keys[0]);
    assert.deepEqual(keys[2], keys[0]);
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
  }
});

test('two first starts that race with different master keys: one serves, the other is refused', async () => {
  const env = { SEKISHO_DATABASE_URL: await newPostgresDatabase() };
  const results = await Promise.allSettled(
    ['d4', 'e5'].map((byte) => startProcess({ env: { ...env, SEKISHO_MASTER_KEY: byte.repeat(32) } })),
  );
  const serving = results.filter((result) => result.status === 'fulfilled');
  const refused = results.filter((result) => result.status === 'rejected');
  await Promise.all(serving.map(({ value }) => value.stop()));
  assert.deepEqual([serving.length, refused.length], [1, 1]);
  assert.match(String(refused[0]?.reason), /not the key this database was made with/);
});

test('under umask 000 files are for their owner only (0600), folders too (0700)', async () => {
  const folder = temporaryFolder();
  const started = await run({ env: { SEKISHO_HTTPS: 'local' }, cwd: folder.path, umask: '000', args: ['--json'] });
  try {
    await started.said('}\n');
    const data = join(folder.path, 'data');
    const modes = (names: string[]) => names.map((name) => [name, statSync(join(data, name)).mode & 0o777] as const);
    const names = readdirSync(data, { recursive: true }).map(String);
    for (const expected of ['master.key', 'sekisho.sqlite', 'sekisho.sqlite-wal', 'sekisho.sqlite-shm', 'ca-key.pem']) {
      assert.ok(names.includes(expected), expected);
    }
    assert.equal(statSync(data).mode & 0o777, 0o700);
    for (const [name, mode] of modes(names)) {
      const isFolder = statSync(join(data, name)).isDirectory();
      assert.equal(mode.toString(8), isFolder ? '700' : '600', name);
    }
  } finally {
    await stop(started);
    folder.remove();
  }
});

test('sqlite::memory: leaves nothing behind', async () => {
  const folder = temporaryFolder();
  const started = await run({ env: { SEKISHO_DATABASE_URL: 'sqlite::memory:' }, cwd: folder.path, args: ['--json'] });
  try {
    await started.said('}\n');
    assert.equal(JSON.parse(started.stdout()).data, 'memory');
    assert.equal((await fetch(`http://localhost:${started.port}/readyz`)).status, 200);
    assert.deepEqual(readdirSync(folder.path), []);
  } finally {
    await stop(started);
    folder.remove();
  }
});

test('over PostgreSQL with a key from the environment, a folder that can not be written is no obstacle', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder.path, 'file'), '');
  const started = await run({
    env: {
      SEKISHO_DATABASE_URL: await newPostgresDatabase(),
      SEKISHO_MASTER_KEY: 'd4'.repeat(32),
      SEKISHO_DATA_DIR: join(folder.path, 'file/data'),
    },
    args: ['--json'],
  });
  await started.said('}\n');
  await stop(started);
  folder.remove();
});

describe('the master key', () => {
  test('can be rotated: a new one in front encrypts what is new, the old one still decrypts', async () => {
    const folder = temporaryFolder();
    const data = join(folder.path, 'data');
    mkdirSync(data);
    const keyFile = join(data, 'master.key');
    const port = await freePort();
    const env = { ...adminEnv, SEKISHO_PORT: String(port) };
    try {
      await (await startProcess({ folder: data, env })).stop();
      const old = readFileSync(keyFile, 'utf8');
      const fresh = 'f6'.repeat(32);
      const keyNames = async () => {
        const server = await startServer({
          databaseUrl: `sqlite:${join(data, 'sekisho.sqlite')}`,
          env: { SEKISHO_MASTER_KEY: `${fresh},${old.trim()}` },
        });
        const rows = await server.rows('signing_keys');
        await server.close();
        return rows.map(({ private_key }) => String(private_key).split('.')[1]);
      };
      const [before = ''] = await keyNames();

      writeFileSync(keyFile, `${fresh}\n${old}`, { mode: 0o600 });
      const rotated = await startProcess({ folder: data, env });
      const token = await tokenOf(rotated.origin);
      const answer = await fetch(`${rotated.origin}/api/v2/resource-servers`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ identifier: 'urn:new', signing_alg: 'PS256' }),
      });
      assert.equal(answer.status, 201, await answer.text());
      await rotated.stop();
      const after = new Set(await keyNames());
      assert.equal(after.size, 2, 'old rows under the old key, new ones under the new key');
      assert.ok(after.has(before));

      // Without the old key the old rows could not be read: the start says so.
      writeFileSync(keyFile, `${fresh}\n`, { mode: 0o600 });
      await assert.rejects(startProcess({ folder: data, env }), /SEKISHO_MASTER_KEY_FILE .* not the key/);
      writeFileSync(keyFile, old, { mode: 0o600 });
      await (await startProcess({ folder: data, env })).stop();
    } finally {
      folder.remove();
    }
  });
});

async function tokenOf(origin: string): Promise<string> {
  const response = await fetch(`${origin}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: admin.clientId,
      client_secret: admin.clientSecret,
      audience: `${origin}/api/v2/`,
    }),
  });
  return ((await response.json()) as { access_token: string }).access_token;
}
