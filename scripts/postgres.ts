/**
 * A throw-away PostgreSQL server for tests and benchmarks: own temporary folder, own free port on loopback, never one
 * that already runs.
 *
 *   startPostgres ─ binaries (found, else installed) ─ initdb ─ postgres ⇄ pause / resume ─ stop
 *                                                         └ guard: a shell that outlives us and cleans up after us
 */
import { type ChildProcess, execFile, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, globSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { chown, mkdtemp, readFile, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { canInstallPackages, installPackage } from './apt.ts';
import { freePort } from './ports.ts';
import { isExecutable } from './programs.ts';

const run = promisify(execFile);

const startTimeoutMs = 60_000;
/** Long enough for a machine that stands still: a server that is killed leaves processes behind for a moment. */
const stopTimeoutMs = 30_000;

export interface PostgresOptions {
  /** Server settings, such as `{ fsync: 'on' }`; what ties the server to its folder and port can not be changed. */
  settings?: Record<string, string>;
}

export interface Postgres {
  /** Of the maintenance database; give it to `createDatabase`. */
  url: string;
  /** Crash the server (immediate shutdown); its data and port stay. */
  pause(): Promise<void>;
  /** Start it again on the same data and port. */
  resume(): Promise<void>;
  /** End the server and remove its folder. May be called again. */
  stop(): Promise<void>;
}

/**
 * Starts a server that accepts connections when the promise resolves. It ends at the latest when this process does, in
 * whatever way that happens. Throws one line with the cure where PostgreSQL is missing, the tail of the server's log
 * where it does not start.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const binaries = await findOrInstallBinaries();
  const owner = unprivilegedOwner();
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-pg-'));
  const guard = startGuard(folder);
  try {
    if (owner) await chown(folder, owner.uid, owner.gid);
    const spawnOptions: SpawnOptions = { cwd: folder, env: environmentWithoutPostgres(), ...owner };
    await initialize(binaries, folder, spawnOptions);
    const server = await launchOnFreePort({ binaries, folder, spawnOptions, guard, settings: options.settings ?? {} });
    return {
      url: `postgresql://postgres@127.0.0.1:${server.port}/postgres`,
      pause: () => server.end('SIGQUIT'),
      resume: () => server.launch(),
      stop: async () => {
        await server.end('SIGINT');
        // Should it have been killed, its processes may still write while we remove.
        await rm(folder, { recursive: true, force: true, maxRetries: 10 });
        guard.dismiss();
      },
    };
  } catch (error) {
    // The guard ends what may run by now and removes the folder.
    guard.dismiss();
    throw error;
  }
}

const databasePrefix = 'sekisho_test_';

/** Creates an empty database with a name of its own on the server at `serverUrl`, and returns the database's URL. */
export async function createDatabase(serverUrl: string): Promise<string> {
  const name = `${databasePrefix}${randomBytes(8).toString('hex')}`;
  await query(serverUrl, `create database ${name}`);
  return withDatabase(serverUrl, name);
}

/** Drops a database that `createDatabase` made, with the connections it still has; any other name is refused. */
export async function dropDatabase(databaseUrl: string): Promise<void> {
  const name = new URL(databaseUrl).pathname.slice(1);
  if (!new RegExp(`^${databasePrefix}[0-9a-f]{16}$`).test(name)) {
    throw new Error(`Not a database of createDatabase: '${name}'`);
  }
  await query(withDatabase(databaseUrl, 'postgres'), `drop database if exists ${name} with (force)`);
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

async function query(connectionString: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

// --- binaries ---------------------------------------------------------------------------------------------------------

interface Binaries {
  initdb: string;
  postgres: string;
}

async function findOrInstallBinaries(): Promise<Binaries> {
  const found = findBinaries();
  if (found) return found;
  if (!canInstallPackages()) {
    throw new Error(
      'PostgreSQL is missing: install it (Debian: apt-get install postgresql) or put initdb and postgres on PATH.',
    );
  }
  console.error('PostgreSQL is missing: installing the package postgresql with apt-get.');
  await installOnDebian();
  const installed = findBinaries();
  if (!installed) throw new Error('PostgreSQL is missing: apt-get installed it, but without initdb and postgres.');
  return installed;
}

function findBinaries(): Binaries | undefined {
  const onPath = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const version = (folder: string) => Number(folder.split('/').at(-2));
  const ofDebian = globSync('/usr/lib/postgresql/*/bin').sort((a, b) => version(b) - version(a));
  for (const folder of [...onPath, ...ofDebian]) {
    const binaries = { initdb: join(folder, 'initdb'), postgres: join(folder, 'postgres') };
    if (isExecutable(binaries.initdb) && isExecutable(binaries.postgres)) return binaries;
  }
  return undefined;
}

/** Installs the package without the cluster that Debian would create and start beside it. */
async function installOnDebian(): Promise<void> {
  const settingsFile = '/etc/postgresql-common/createcluster.conf';
  const before = existsSync(settingsFile) ? readFileSync(settingsFile, 'utf8') : undefined;
  try {
    await run('mkdir', ['-p', '/etc/postgresql-common']);
    writeFileSync(settingsFile, `${before ?? ''}\ncreate_main_cluster = false\n`);
    await installPackage('postgresql', ['-o', 'Dpkg::Options::=--force-confold']);
  } catch (error) {
    throw new Error(`PostgreSQL is missing; install it by hand. ${(error as Error).message}`);
  } finally {
    // The machine's own choice for later clusters is not ours to make.
    if (before === undefined) rmSync(settingsFile, { force: true });
    else writeFileSync(settingsFile, before);
  }
}

// --- server -----------------------------------------------------------------------------------------------------------

interface Owner {
  uid: number;
  gid: number;
}

/** PostgreSQL refuses to run as root: whom it runs as instead; undefined where we are not root. */
function unprivilegedOwner(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => Number.parseInt(spawnSync('id', [flag, name]).stdout.toString(), 10));
    if (uid && gid) return { uid, gid };
  }
  throw new Error('PostgreSQL can not run as root, and there is no user postgres or nobody: add one.');
}

/** PGDATA, PGPORT, PGOPTIONS and the like would steer the server away from what we ask for. */
function environmentWithoutPostgres(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PG')));
}

async function initialize(binaries: Binaries, folder: string, spawnOptions: SpawnOptions): Promise<void> {
  const data = join(folder, 'data');
  const args = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  try {
    await run(binaries.initdb, args, spawnOptions);
  } catch (error) {
    throw new Error(`initdb failed: ${String((error as { stderr?: string }).stderr || error).trim()}`);
  }
}

interface LaunchInput {
  binaries: Binaries;
  folder: string;
  spawnOptions: SpawnOptions;
  guard: Guard;
  settings: Record<string, string>;
}

interface Server {
  port: number;
  launch(): Promise<void>;
  end(signal: 'SIGINT' | 'SIGQUIT'): Promise<void>;
}

async function launchOnFreePort(input: LaunchInput): Promise<Server> {
  for (let attempt = 1; ; attempt += 1) {
    const server = describeServer(input, await freePort());
    try {
      await server.launch();
      return server;
    } catch (error) {
      // Another program of the machine may have taken the port between our look and the server's.
      if (attempt === 3 || !String(error).includes('Address already in use')) throw error;
    }
  }
}

function describeServer(input: LaunchInput, port: number): Server {
  const { folder, guard } = input;
  const data = join(folder, 'data');
  const log = join(folder, 'log');
  const settings = {
    max_connections: '200',
    // Nothing here outlives the machine. A killed server loses nothing by it: the kernel still holds the pages.
    fsync: 'off',
    ...input.settings,
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: folder,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  let child: ChildProcess | undefined;

  const end = async (signal: 'SIGINT' | 'SIGQUIT') => {
    const ending = child;
    if (!ending || hasEnded(ending)) return;
    ending.kill(signal);
    if (!(await endsWithin(ending, stopTimeoutMs))) {
      ending.kill('SIGKILL');
      await endsWithin(ending, stopTimeoutMs);
    }
  };

  const launch = async () => {
    if (child && !hasEnded(child)) throw new Error('The PostgreSQL server runs already.');
    const output = openSync(log, 'a');
    // Detached: Ctrl-C at the terminal goes to us, and we decide when the server ends.
    const launched = spawn(input.binaries.postgres, ['-D', data, ...args], {
      ...input.spawnOptions,
      stdio: ['ignore', output, output],
      detached: true,
    });
    closeSync(output);
    child = launched;
    launched.once('error', () => {});
    launched.once('exit', () => guard.watch(undefined));
    // A forgotten stop() must not keep this process alive; the guard ends the server then.
    launched.unref();
    guard.watch(launched.pid);
    if (await isReady(launched, join(data, 'postmaster.pid'))) return;
    await end('SIGQUIT');
    throw new Error(`PostgreSQL did not start:\n${readFileSync(log, 'utf8').trim().split('\n').slice(-20).join('\n')}`);
  };

  return { port, launch, end };
}

/** As pg_ctl does it: the first line of postmaster.pid names the process, the eighth its state. */
async function isReady(child: ChildProcess, pidFile: string): Promise<boolean> {
  const deadline = performance.now() + startTimeoutMs;
  while (performance.now() < deadline && !hasEnded(child)) {
    // It comes and goes while we look.
    const lines = await readFile(pidFile, 'utf8').then(
      (text) => text.split('\n'),
      () => [],
    );
    if (Number(lines[0]) === child.pid && lines[7]?.trim() === 'ready') return true;
    await sleep(20);
  }
  return false;
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

async function endsWithin(child: ChildProcess, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline && !hasEnded(child)) await sleep(10);
  return hasEnded(child);
}

// --- guard ------------------------------------------------------------------------------------------------------------

interface Guard {
  /** The process to end when we are gone; undefined for none. */
  watch(pid: number | undefined): void;
  /** End what is watched, remove the folder, and go. */
  dismiss(): void;
}

/**
 * Exit hooks do not run when a process is killed, so a shell waits for the end of its input, which comes with our end
 * in any case; in its own session, so that a signal to our group does not reach it. The process ids come from us:
 * one read from a file could be a stranger's by then. (A dead server that nobody reaps still answers to `kill -0`,
 * therefore the look at its file.)
 */
function startGuard(folder: string): Guard {
  const script = `
    trap '' HUP INT TERM
    while read -r line; do pid=$line; done
    alive() { [ -e "$1/data/postmaster.pid" ] && kill -0 "$pid" 2>/dev/null; }
    if [ -n "$pid" ]; then
      kill -QUIT "$pid" 2>/dev/null
      for i in 1 2 3 4 5 6 7 8 9 10; do alive "$1" && sleep 0.2; done
      alive "$1" && kill -KILL "$pid"
    fi
    rm -rf -- "$1"`;
  const shell = spawn('sh', ['-c', script, 'guard', folder], {
    cwd: '/',
    env: { PATH: process.env.PATH },
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  shell.unref();
  shell.once('error', () => {});
  const input = shell.stdin;
  input.on('error', () => {});
  (input as Socket).unref();
  return {
    watch: (pid) => input.writable && input.write(`${pid ?? ''}\n`),
    dismiss: () => input.end(),
  };
}
