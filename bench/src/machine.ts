import { execFileSync } from 'node:child_process';
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { projectFolder, removeFolder, temporaryFolder } from './folder.ts';
import { median } from './statistics.ts';

/** Where and of what the figures are: without it they mean nothing. */
export interface Machine {
  date: string;
  commit: string;
  cpu: string;
  cores: number;
  memoryGigabytes: number;
  kernel: string;
  node: string;
  postgres: string;
  /** Milliseconds to make 4 KiB durable on the disk that the databases are on. */
  syncMs: number;
}

export async function describeMachine(postgresUrl: string): Promise<Machine> {
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGigabytes: totalmem() / 2 ** 30,
    kernel: `${type()} ${release()}`,
    node: process.version,
    postgres: await postgresVersion(postgresUrl),
    syncMs: measureSync(),
  };
}

/** The commit that is measured, and whether files differ from it. */
function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', ['--no-optional-locks', ...args], { cwd: projectFolder, encoding: 'utf8' }).trim();
  try {
    const changed = git('status', '--porcelain', '--', '.', ':!docs', ':!bench') !== '';
    return git('rev-parse', '--short=12', 'HEAD') + (changed ? ' with changes' : '');
  } catch {
    return 'unknown';
  }
}

async function postgresVersion(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query('show server_version');
  await client.end();
  return String(rows[0]?.server_version);
}

function measureSync(): number {
  const folder = temporaryFolder('sync');
  const file = openSync(join(folder, 'probe'), 'w');
  const block = Buffer.alloc(4096, 1);
  const times = Array.from({ length: 100 }, () => {
    const startedAt = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    return performance.now() - startedAt;
  });
  closeSync(file);
  removeFolder(folder);
  return median(times);
}
