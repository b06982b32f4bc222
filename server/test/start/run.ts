/**
 * Runs the server as a process to its end or to its word that it is ready, and keeps all it says. For starts that are
 * meant to fail, and for the block that people read; `startProcess` is for servers that work.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../harness.ts';

const main = join(import.meta.dirname, '../../start.js');
/** For a start or an end on a busy machine, in milliseconds. */
const patienceMs = 90_000;

export interface Run {
  readonly child: ChildProcess;
  readonly port: number;
  stdout(): string;
  stderr(): string;
  /** Exit code, and milliseconds from the spawn to the end. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; afterMs: number }>;
  /** Resolves when standard output holds the text; rejects when the process ends before. */
  said(text: string): Promise<void>;
}

export interface RunOptions {
  env?: Record<string, string>;
  args?: readonly string[];
  cwd?: string;
  /** Starts under this umask, as a shell would. */
  umask?: string;
}

/** Without SEKISHO_PORT, a free port is set; nothing else is. */
export async function run(options: RunOptions = {}): Promise<Run> {
  const port = Number(options.env?.SEKISHO_PORT ?? (await freePort()));
  const command = [process.execPath, main, ...(options.args ?? [])];
  const [file = '', ...args] =
    options.umask === undefined ? command : ['sh', '-c', `umask ${options.umask} && exec "$@"`, 'sh', ...command];
  const startedAt = performance.now();
  const child = spawn(file, args, {
    cwd: options.cwd ?? tmpdir(),
    env: { ...inherited(), SEKISHO_PORT: String(port), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const endWithUs = () => child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
    });
  }
  const tooLong = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  const ended = new Promise<Awaited<Run['ended']>>((resolve) => {
    child.once('close', (code, signal) => {
      clearTimeout(tooLong);
      process.off('exit', endWithUs);
      resolve({ code, signal, afterMs: performance.now() - startedAt });
    });
  });
  return {
    child,
    port,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    ended,
    said(text) {
      return new Promise((resolve, reject) => {
        const look = () => {
          if (!output.stdout.includes(text)) return;
          // Only a start that does not come is ended by the clock.
          clearTimeout(tooLong);
          resolve();
        };
        look();
        child.stdout.on('data', look);
        void ended.then(({ code }) => reject(new Error(`ended with ${code}: ${output.stderr}`)));
      });
    },
  };
}

/** Ends the process as an operator does, and waits for it. */
export async function stop(started: Run): Promise<void> {
  started.child.kill('SIGTERM');
  await started.ended;
}

export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'sekisho-start-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Whether anything listens there. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

const inherited = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SEKISHO_')));
