/**
 * Runs the server as its users do: a process of its own, started with `--json`, ended by a signal. For what a server
 * inside the test's process can't show: start-up, signals, crashes, and clients that insist on https.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './harness.ts';

const main = join(import.meta.dirname, '../start.js');
/** Milliseconds a start or a stop may take on a busy machine. */
const patienceMs = 90_000;

export interface ProcessOptions {
  /** `SEKISHO_…` variables over the defaults: a free port, the folder, logs from `warn` on. */
  env?: Record<string, string>;
  /** An existing data folder, for a second start; it stays when the process ends. Otherwise a temporary one. */
  folder?: string;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ServerProcess {
  /** `http://localhost:<port>`, or `https://…` */
  readonly origin: string;
  readonly folder: string;
  readonly port: number;
  /** The JSON line of the start. */
  readonly report: Readonly<Record<string, unknown>>;
  /** Path of the local certificate authority, with SEKISHO_HTTPS=local. */
  readonly ca: string | undefined;
  /** The first management client, when this start made it (a secret given by the settings is not told). */
  readonly clientId: string | undefined;
  readonly clientSecret: string | undefined;
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  readonly exited: Promise<Exit>;
  /** SIGTERM, and the end of the process; removes a temporary folder. */
  stop(): Promise<Exit>;
  /** SIGKILL, as a power cut; keeps the folder until `stop`. */
  kill(): Promise<Exit>;
}

/** Starts the server; rejects with its standard error when it ends before it is ready. */
export async function startProcess(options: ProcessOptions = {}): Promise<ServerProcess> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'sekisho-process-'));
  const port = Number(options.env?.SEKISHO_PORT ?? (await freePort()));
  const child = spawn(process.execPath, [main, '--json'], {
    cwd: folder,
    env: {
      ...inheritedEnvironment(),
      SEKISHO_PORT: String(port),
      SEKISHO_DATA_DIR: folder,
      SEKISHO_LOG_LEVEL: 'warn',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
    });
  }
  // Should the tests end early, the server does not outlive them.
  const endWithUs = () => child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => {
      process.off('exit', endWithUs);
      resolve({ code, signal });
    });
  });
  const removeFolder = () => {
    if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
  };
  const end = async (signal: NodeJS.Signals): Promise<Exit> => {
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    const exit = await exited;
    clearTimeout(late);
    return exit;
  };

  let report: Record<string, unknown>;
  try {
    report = await readReport(child, exited, output);
  } catch (error) {
    await end('SIGKILL');
    removeFolder();
    throw error;
  }
  const textOf = (name: string) => report[name] as string | undefined;
  return {
    origin: new URL(report.issuer as string).origin,
    folder,
    port,
    report,
    ca: textOf('ca'),
    clientId: textOf('clientId'),
    clientSecret: textOf('clientSecret'),
    child,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    exited,
    stop: async () => {
      const exit = await end('SIGTERM');
      removeFolder();
      return exit;
    },
    kill: () => end('SIGKILL'),
  };
}

async function readReport(
  child: ChildProcess,
  exited: Promise<Exit>,
  output: { stdout: string; stderr: string },
): Promise<Record<string, unknown>> {
  const ready = Promise.withResolvers<string>();
  child.stdout?.on('data', () => {
    const end = output.stdout.indexOf('\n');
    if (end >= 0) ready.resolve(output.stdout.slice(0, end));
  });
  const late = setTimeout(() => ready.reject(new Error(`not ready in ${patienceMs} ms: ${output.stderr}`)), patienceMs);
  exited.then(({ code }) => ready.reject(new Error(`ended with ${code} before it was ready: ${output.stderr}`)));
  try {
    return JSON.parse(await ready.promise) as Record<string, unknown>;
  } finally {
    clearTimeout(late);
  }
}

/** What this process has, without anybody's own settings of the server. */
const inheritedEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SEKISHO_')));
