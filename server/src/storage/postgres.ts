import { availableParallelism } from 'node:os';
import type { Kysely, PostgresPool, PostgresPoolClient } from 'kysely';
import pg from 'pg';
import { Mutex } from '../kernel/mutex.ts';
import { type Database, reportDeadlineMs, type Tx } from './database.ts';
import { fromPostgres, isUnavailable, SerializationFailure, UniqueViolation, unavailableError } from './errors.ts';
import { kysely, lazily } from './kysely.ts';
import { isMigrated, migrateToLatest } from './migrate.ts';
import { LogEventBatcher } from './postgres-log-events.ts';
import { ReadBatcher } from './postgres-reads.ts';
import type { Schema } from './schema.ts';
import { type CompiledStatement, compileForMany, compileForPostgres, type Statement } from './statement.ts';

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database` */
  url: string;
  /** Most connections of this process. */
  connections?: number;
}

const transactionTries = 6;

/**
 * How long things may take, in milliseconds. A request that finds PostgreSQL hung ends before its caller gives up
 * (Auth0's clients: after 10 s).
 */
const limits = {
  connect: 3000,
  statement: 5000,
  /** A server that is stopped, or cut off, can not cancel its statements: then we hang up. */
  hangUpAfter: 1000,
  /** A process that stops inside a transaction does not hold its row locks for ever. */
  idleInTransaction: 10_000,
  ping: 2000,
  /** For the transactions of this process before one. */
  turn: 5000,
};

/** The shared engine: many server processes over one PostgreSQL. */
export function openPostgres(options: PostgresOptions): Database {
  const base: pg.PoolConfig = {
    connectionString: options.url,
    connectionTimeoutMillis: limits.connect,
    idle_in_transaction_session_timeout: limits.idleInTransaction,
    keepAlive: true,
    application_name: 'sekisho',
    types: numericTypes,
  };
  const newPool = (max: number, deadlineMs: number, more: pg.PoolConfig = {}) =>
    quiet(
      new pg.Pool({
        ...base,
        ...more,
        max,
        statement_timeout: deadlineMs,
        query_timeout: deadlineMs + limits.hangUpAfter,
      }),
    );
  const pool = newPool(options.connections ?? 10, limits.statement);
  // A count or a search takes one core of the database at most, and all of them half of the cores, for tokens want the
  // others; but never fewer than two, or one that is slow would hold up all lists.
  const reportConnections = Math.max(2, Math.min(4, Math.floor(availableParallelism() / 2)));
  const reportPool = newPool(reportConnections, reportDeadlineMs, { options: '-c max_parallel_workers_per_gather=0' });
  const read = lazily(() => kyselyOver(pool));
  const reports = lazily(() => kyselyOver(reportPool));
  // One writing transaction of this process at a time. PostgreSQL takes two that touch the same page of an index for a
  // conflict, and in a small installation all share a page: side by side, a few would fail each other at every try.
  const turns = new Mutex();
  const batcher = new LogEventBatcher(pool);
  const compiled = new Map<string, CompiledStatement>();

  const query = async (statement: Statement<never, unknown>, args: object): Promise<pg.QueryResult> => {
    let entry = compiled.get(statement.name);
    if (entry === undefined) {
      entry = compileForPostgres(statement);
      compiled.set(statement.name, entry);
    }
    try {
      return await pool.query({ name: statement.name, text: entry.sql, values: entry.bind(args) });
    } catch (error) {
      throw fromPostgres(error);
    }
  };

  const alone = async (statement: Statement<never, unknown>, args: object): Promise<unknown[]> =>
    (await query(statement, args)).rows;
  const readers = new Map<string, ReadBatcher | undefined>();
  const run = (statement: Statement<never, unknown>, args: object): Promise<unknown[]> => {
    if (!readers.has(statement.name)) {
      const many = compileForMany(statement);
      const reader = many && new ReadBatcher(pool, many, (each) => alone(statement, each));
      readers.set(statement.name, reader);
    }
    return readers.get(statement.name)?.run(args) ?? alone(statement, args);
  };

  return {
    location: placeOf(options.url),
    get read() {
      return read();
    },
    get reports() {
      return reports();
    },
    transact(work) {
      const until = performance.now() + limits.turn;
      return turns.run(() => {
        // Behind a transaction that hung there is no use in hanging too.
        if (performance.now() > until) throw unavailableError(new Error('the transactions before took too long'));
        return transact(read(), work);
      });
    },
    run: (statement, args) => run(statement as Statement<never, unknown>, args) as never,
    write: async (statement, args) => (await query(statement as Statement<never, unknown>, args)).rowCount ?? 0,
    appendLogEvent: (row) => batcher.append(row),
    async runWithin(trx, statement, args) {
      const { sql, bind } = compileForPostgres(statement as Statement<never, unknown>);
      return (await trx.executeQuery(kysely().CompiledQuery.raw(sql, bind(args)))).rows as never;
    },
    async migrate() {
      if (await isMigrated(this)) return;
      // A migration, and the wait for another process's, may take longer than a request.
      const patient = quiet(new pg.Pool({ ...base, max: 2 }));
      try {
        await migrateToLatest(kyselyOver(patient));
      } finally {
        await patient.end();
      }
    },
    async ping() {
      try {
        await pool.query({ text: 'select 1', query_timeout: limits.ping } as pg.QueryConfig);
      } catch (error) {
        throw fromPostgres(error);
      }
    },
    async close() {
      await batcher.drain();
      await Promise.all([pool.end(), reportPool.end()]);
    },
  };
}

/** One serializable transaction, tried again when PostgreSQL asks for it: another process had the same data. */
async function transact<T>(db: Kysely<Schema>, work: (trx: Tx) => Promise<T>): Promise<T> {
  let hasLookedAgain = false;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await db.transaction().setIsolationLevel('serializable').execute(work);
    } catch (error) {
      // After a unique violation the next run's own look finds the row and names the field.
      const again = error instanceof SerializationFailure || (error instanceof UniqueViolation && !hasLookedAgain);
      if (!again || attempt === transactionTries) throw error;
      if (error instanceof UniqueViolation) hasLookedAgain = true;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 10 * 2 ** attempt));
    }
  }
}

/** Times are 64-bit integers of milliseconds and fit a JavaScript number; `pg` would hand them over as text. */
const numericTypes = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === 20 ? Number : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
};

/** An idle connection that breaks is not news: the next query says so. */
function quiet(pool: pg.Pool): pg.Pool {
  pool.on('error', () => {});
  return pool;
}

function kyselyOver(pool: pg.Pool): Kysely<Schema> {
  const translating: PostgresPool = {
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect().catch((error) => {
        throw fromPostgres(error);
      });
      let broken: unknown;
      const breaks = (error: unknown) => {
        broken = error;
      };
      // Between two statements of a transaction only a listener hears that the connection broke; without one the
      // process would end.
      client.on('error', breaks);
      return {
        query: async (text: string, values: unknown[]) => {
          if (broken !== undefined) throw unavailableError(broken);
          try {
            return await client.query(text, values);
          } catch (error) {
            const translated = fromPostgres(error);
            // What was under way may still be: nothing more is asked of the connection, not even a rollback.
            if (isUnavailable(translated) && isBroken(error)) broken = error;
            throw translated;
          }
        },
        release: () => {
          client.off('error', breaks);
          client.release(broken as Error | undefined);
        },
      } as unknown as PostgresPoolClient;
    },
  } as PostgresPool;
  const { Kysely, PostgresDialect } = kysely();
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool: translating }) });
}

/** PostgreSQL rolls back and goes on after most errors; after these the connection is of no use. */
const isBroken = (error: unknown): boolean => !/^(40|53|57014)/.test((error as { code?: string }).code ?? '');

/** Host and database for people, without user and password. */
function placeOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `postgres://${host}${pathname}`;
}
