import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Servers run as child processes: they say on stdout, in one line of JSON, that they are ready. */
export interface Child {
  pid: number;
  /** The line of JSON it was ready with. */
  ready: Readonly<Record<string, unknown>>;
  /** `performance.now()` at the spawn. */
  spawnedAt: number;
  /** Milliseconds from the spawn to the line. */
  readyMs: number;
  /** SIGTERM, then SIGKILL when it does not end within 10 s. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

const readyWithinMs = 60_000;
const stopWithinMs = 10_000;

const live = new Set<ChildProcess>();
const cleanups = new Set<() => Promise<unknown>>();

process.on('exit', killChildren);

/** Ends every child at once. */
export function killChildren(): void {
  for (const child of live) child.kill('SIGKILL');
}

/** Lets no child outlive this process. */
export function track(child: ChildProcess): void {
  live.add(child);
  child.once('exit', () => live.delete(child));
}

/** Something else to end when the benchmark is interrupted. Returns how to end it earlier, once. */
export function onInterrupt(cleanup: () => Promise<unknown>): () => Promise<void> {
  cleanups.add(cleanup);
  return async () => {
    if (cleanups.delete(cleanup)) await cleanup();
  };
}

/** Ends children, temporary folders and whatever `onInterrupt` was told of when a signal ends this process. */
export function cleanUpOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      process.stderr.write(`\n${signal}: cleaning up\n`);
      Promise.allSettled([...cleanups].map((cleanup) => cleanup())).finally(() => process.exit(130));
    });
  }
}

/** Starts a TypeScript file with this Node and waits for its line of JSON that has all of `members`. */
export async function startChild(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  members: readonly string[],
  nodeOptions: readonly string[] = [],
): Promise<Child> {
  const spawnedAt = performance.now();
  const child = spawn(process.execPath, [...nodeOptions, file, ...args], {
    env: { ...environment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  track(child);
  const exited = once(child, 'exit');
  const said = lastWords(child);
  try {
    const ready = await readyLine(child, members);
    return {
      pid: child.pid!,
      ready,
      spawnedAt,
      readyMs: performance.now() - spawnedAt,
      stop: () => end(child, exited, 'SIGTERM'),
      kill: () => end(child, exited, 'SIGKILL'),
    };
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`${file} did not start: ${(error as Error).message}\n${said()}`);
  }
}

/** The environment without our own settings: what a developer exported must not change a measurement. */
function environment(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SEKISHO_')));
}

function readyLine(child: ChildProcess, members: readonly string[]): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready within ${readyWithinMs} ms`)), readyWithinMs);
    const lines = createInterface({ input: child.stdout! });
    lines.on('line', (line) => {
      const value = parse(line);
      if (value === undefined || !members.every((member) => member in value)) return;
      clearTimeout(timer);
      lines.close();
      child.stdout!.resume();
      resolve(value);
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      reject(new Error(`ended with ${signal ?? `code ${code}`}`));
    });
  });
}

function parse(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Keeps the end of what a child writes to stderr, for the message when it fails. */
function lastWords(child: ChildProcess): () => string {
  let text = '';
  child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-4000);
  });
  return () => text;
}

async function end(child: ChildProcess, exited: Promise<unknown>, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
  await exited;
  clearTimeout(timer);
}
