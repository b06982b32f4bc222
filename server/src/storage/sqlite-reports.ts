import { Worker } from 'node:worker_threads';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { reportDeadlineMs } from './database.ts';
import { deadlineError, fromSqlite } from './errors.ts';
import type { Schema } from './schema.ts';

export interface Reports {
  readonly db: Kysely<Schema>;
  close(): Promise<void>;
}

/** `node:sqlite` is synchronous: what may take long runs on a read-only connection in a worker thread. */
export function openReports(file: string): Reports {
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
      createIntrospector: (kysely) => new SqliteIntrospector(kysely),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
  return { db, close: () => connection.close() };
}

/** What the worker answers. */
export type ReportAnswer = { rows: unknown[] } | { error: { message: string; errcode?: number } };

/** One query at a time; a query past its deadline ends with its worker, the next one gets a new worker. */
class ReportConnection implements DatabaseConnection {
  readonly #file: string;
  #worker: Worker | undefined;
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
    const worker = this.#worker ?? this.#start();
    return new Promise((resolve, reject) => {
      const finish = () => {
        clearTimeout(timer);
        worker.removeAllListeners();
      };
      const timer = setTimeout(() => {
        finish();
        this.#worker = undefined;
        void worker.terminate();
        reject(deadlineError(new Error(`over ${reportDeadlineMs} ms: ${query.sql}`)));
      }, reportDeadlineMs);
      worker.once('message', (answer: ReportAnswer) => {
        finish();
        if ('rows' in answer) resolve(answer);
        else reject(fromSqlite(Object.assign(new Error(answer.error.message), answer.error)));
      });
      worker.once('error', (error) => {
        finish();
        this.#worker = undefined;
        reject(error);
      });
      worker.postMessage({ sql: query.sql, parameters: query.parameters });
    });
  }

  #start(): Worker {
    this.#worker = new Worker(new URL('./sqlite-report-worker.ts', import.meta.url), {
      workerData: { file: this.#file },
    });
    this.#worker.unref();
    return this.#worker;
  }
}
