import { Worker } from 'node:worker_threads';
import type { CompiledQuery, DatabaseConnection, Driver, Kysely, QueryResult } from 'kysely';
import { reportDeadlineMs } from './database.ts';
import { deadlineError, fromSqlite } from './errors.ts';
import { kysely } from './kysely.ts';
import type { Schema } from './schema.ts';

export interface Reports {
  readonly db: Kysely<Schema>;
  close(): Promise<void>;
}

/** `node:sqlite` is synchronous: what may take long runs on a read-only connection in a worker thread. */
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
  const db = new Kysely<Schema>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => driver,
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
  return { db, close: () => connection.close() };
}

/** What the worker answers. */
export type ReportAnswer = { rows: unknown[] } | { error: { message: string; errcode?: number } };

interface Asked {
  sql: string;
  resolve(result: { rows: unknown[] }): void;
  reject(error: unknown): void;
}

/** One query at a time; a query past its deadline ends with its worker, the next one gets a new worker. */
class ReportConnection implements DatabaseConnection {
  readonly #file: string;
  #worker: Worker | undefined;
  #asked: Asked | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(file: string) {
    this.#file = file;
  }

  executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const result = this.#last.then(() => this.#ask(query));
    this.#last = result.catch(() => {});
    return result as Promise<QueryResult<R>>;
  }

  // biome-ignore lint/correctness/useYield: part of the interface; reports are never streamed
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('Reports are not streamed.');
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = undefined;
  }

  #ask(query: CompiledQuery): Promise<{ rows: unknown[] }> {
    this.#worker ??= this.#start();
    this.#worker.ref();
    const { promise, resolve, reject } = Promise.withResolvers<{ rows: unknown[] }>();
    this.#asked = { sql: query.sql, resolve, reject };
    const timer = setTimeout(() => this.#giveUp(), reportDeadlineMs);
    this.#worker.postMessage({ sql: query.sql, parameters: query.parameters });
    return promise.finally(() => {
      clearTimeout(timer);
      this.#asked = undefined;
      this.#worker?.unref();
    });
  }

  #giveUp(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
    this.#asked?.reject(deadlineError(new Error(`over ${reportDeadlineMs} ms: ${this.#asked.sql}`)));
  }

  #start(): Worker {
    const worker = new Worker(new URL('./sqlite-report-worker.ts', import.meta.url), {
      workerData: { file: this.#file },
    });
    worker.on('message', (answer: ReportAnswer) => {
      if ('rows' in answer) this.#asked?.resolve(answer);
      else this.#asked?.reject(fromSqlite(Object.assign(new Error(answer.error.message), answer.error)));
    });
    worker.on('error', (error) => {
      if (this.#worker === worker) this.#worker = undefined;
      this.#asked?.reject(error);
    });
    return worker;
  }
}
