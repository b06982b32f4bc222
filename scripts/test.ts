/**
 * What `npm test` runs: types → lint → every test on a throw-away PostgreSQL, and in Chromium. The first part that fails
 * ends it.
 *
 *   npm test                                               everything
 *   npm test -- server/test/floors.test.ts                 these files only
 *   npm test -- --test-name-pattern='runs up'              options go to Node's test runner, written with `=`
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { constants } from 'node:os';
import { join, relative, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { installChromium } from './chromium.ts';
import { installKerberos, kerberosEnvironment } from './kerberos.ts';
import { installOauthlib } from './oauthlib.ts';
import { installOpenldap } from './openldap.ts';
import { type Postgres, startPostgres } from './postgres.ts';

const root = join(import.meta.dirname, '..');
const testFiles = ['server/test', 'client', 'contract', 'bench', 'scripts'].map((folder) => `${folder}/**/*.test.ts`);
const runnerDefaults = ['--test-reporter=spec', '--test-concurrency=2', '--test-timeout=300000'];
const graceMs = 5_000;

type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

let running: ChildProcess | undefined;
let stopping: StopSignal | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop(signal));

process.exitCode = await main(process.argv.slice(2));

/** Returns the exit code. */
async function main(args: string[]): Promise<number> {
  const options = args.filter((arg) => arg.startsWith('-'));
  const named = args.filter((arg) => !arg.startsWith('-'));
  const files = named.length > 0 ? named.map((file) => relative(root, resolve(file))) : findTestFiles();
  if (files.length === 0) return fail(`No tests found: ${testFiles.join(', ')}`);
  const missing = files.filter((file) => !existsSync(join(root, file)));
  if (missing.length > 0) return fail(`No such test file: ${missing.join(', ')}`);

  const isChecked =
    (await check('Types', ['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.json'])) &&
    (await check('Types', ['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'examples/react/tsconfig.json'])) &&
    (await check('Lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.']));
  const code = isChecked ? await runTests(files, options) : 1;
  return stopping ? 128 + constants.signals[stopping] : code;
}

function findTestFiles(): string[] {
  const isOurs = (path: string) => !path.split(/[\\/]/).includes('node_modules');
  return globSync(testFiles, { cwd: root }).filter(isOurs).sort();
}

async function check(title: string, command: string[]): Promise<boolean> {
  if (stopping) return false;
  console.log(`${title}: ${command.slice(1).join(' ')}`);
  const code = await run(command, process.env);
  if (code !== 0 && !stopping) console.error(`${title}: failed, so no test was run.`);
  return code === 0;
}

async function runTests(files: string[], options: string[]): Promise<number> {
  let postgres: Postgres | undefined;
  try {
    await installChromium();
    await installOpenldap();
    await installOauthlib();
    const kerberos = kerberosEnvironment(await installKerberos());
    postgres = await startPostgres();
    if (stopping) return 1;
    const nameOf = (option: string) => option.split('=')[0];
    const defaults = runnerDefaults.filter((option) => !options.some((given) => nameOf(given) === nameOf(option)));
    const env = { ...inheritedEnvironment(), ...kerberos, SEKISHO_TEST_POSTGRES_URL: postgres.url };
    return await run(['--test', ...defaults, ...options, ...files], env);
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  } finally {
    await postgres?.stop();
  }
}

/** Somebody's own settings must not change what the tests see. */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SEKISHO_')));
}

/**
 * Runs Node with these arguments to its end and returns the exit code. It gets a process group of its own, so that a
 * signal reaches it once, from us, and what it leaves running can be ended with it.
 */
function run(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
    });
    running = child;
    const guard = startGuard(child);
    child.once('error', (error) => resolve(fail(error.message)));
    child.once('exit', (code) => {
      running = undefined;
      guard.end('done\n');
      signalGroup(child, 'SIGKILL');
      resolve(code ?? 1);
    });
  });
}

/** Should we be killed, no handler runs; but the end of its input then tells this shell to end the child's group. */
function startGuard(child: ChildProcess): Writable {
  const shell = spawn('sh', ['-c', 'read -r done || kill -s KILL -- "-$1"', 'guard', String(child.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  shell.once('error', () => {});
  shell.stdin.on('error', () => {});
  shell.unref();
  return shell.stdin;
}

/** Ends the part that runs; the way back through `main` then stops PostgreSQL. */
function stop(signal: StopSignal): void {
  stopping = signal;
  const child = running;
  if (!child) return;
  signalGroup(child, signal);
  setTimeout(() => signalGroup(child, 'SIGKILL'), graceMs).unref();
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nobody of the group is left.
  }
}

function fail(message: string): number {
  console.error(message);
  return 1;
}
