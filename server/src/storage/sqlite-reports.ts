import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CompiledQuery, DatabaseConnection, Driver, Kysely, QueryResult } from 'kysely';
import { reportDeadlineMs } from './database.ts';
import { deadlineError, fromSqlite, unavailableError } from './errors.ts';
import { kysely } from './kysely.ts';
import type { Schema } from './schema.ts';

export interface Reports {
  readonly db: Kysely<Schema>;
  close(): Promise<void>;
}

/**
 * `node:sqlite` is synchronous: what may take long runs on a read-only connection in a process of its own. Not in a
 * worker thread: a query can not be interrupted, so one past its deadline would go on, and keep the server from ending;
 * a process can be killed.
 */
export function openReports(file: string): Reports {
  const { Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } = kysely();
  const connection = new ReportConnection(file);
  const driver: Driver = {
    init: async () => {},
    acquireConnection: async () => connection,
    releaseConnection: async () => {},
    beginTransaction: () => Promise.reject(new Error('Reports only read.')),
    commitTransaction: async () => {},
    rollbackTransaction: async () => {},
    destroy: () => connection.close(),
  };
  class Adapter extends SqliteAdapter {
    // The queries wait in our line, not in Kysely's: so that the wait counts.
    override get supportsMultipleConnections() {
      return true;
    }
  }
  const db = new Kysely<Schema>({
    dialect: {
      createAdapter: () => new Adapter(),
      createDriver: () => driver,
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
  return { db, close: () => connection.close() };
}

/** What the process answers. */
export type ReportAnswer = { rows: unknown[] } | { error: { message: string; errcode?: number } };

interface Asked {
  resolve(result: { rows: unknown[] }): void;
  reject(error: unknown): void;
}

/**
 * One query at a time; one past its deadline ends with its process, the next one gets a new process. The deadline counts
 * from the asking, so that a line of slow queries is no longer than one of them.
 */
class ReportConnection implements DatabaseConnection {
  readonly #file: string;
  #child: ChildProcess | undefined;
  #asked: Asked | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(file: string) {
    this.#file = file;
  }

  executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const until = performance.now() + reportDeadlineMs;
    const result = this.#last.then(() => this.#ask(query, until));
    this.#last = result.catch(() => {});
    return result as Promise<QueryResult<R>>;
  }

  // biome-ignore lint/correctness/useYield: part of the interface; reports are never streamed
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('Reports are not streamed.');
  }

  async close(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    this.#asked?.reject(unavailableError(new Error('closed')));
    if (child === undefined) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async #ask({ sql, parameters }: CompiledQuery, until: number): Promise<{ rows: unknown[] }> {
    const late = () => deadlineError(new Error(`over ${reportDeadlineMs} ms: ${sql}`));
    const timeLeft = until - performance.now();
    if (timeLeft <= 0) throw late();
    this.#child ??= this.#start();
    const child = this.#child;
    const { promise, resolve, reject } = Promise.withResolvers<{ rows: unknown[] }>();
    this.#asked = { resolve, reject };
    const timer = setTimeout(() => {
      this.#child = undefined;
      child.kill('SIGKILL');
      reject(late());
    }, timeLeft);
    child.send({ sql, parameters });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#asked = undefined;
    }
  }

  #start(): ChildProcess {
    const program = fileURLToPath(new URL('./sqlite-report-process.ts', import.meta.url));
    const child = fork(program, [this.#file], { env: {}, execArgv: [], serialization: 'advanced' });
    // Idle, it keeps nobody from ending.
    child.unref();
    child.channel?.unref();
    child.on('message', (answer: ReportAnswer) => {
      // What a process says that was given up is nobody's answer.
      if (this.#child !== child) return;
      if ('rows' in answer) this.#asked?.resolve(answer);
      else this.#asked?.reject(fromSqlite(Object.assign(new Error(answer.error.message), answer.error)));
    });
    const ended = (cause: unknown) => {
      if (this.#child !== child) return;
      this.#child = undefined;
      this.#asked?.reject(unavailableError(cause));
    };
    child.on('error', ended);
    child.on('exit', (code, signal) => ended(new Error(`the process for reports ended with ${signal ?? code}`)));
    return child;
  }
}
