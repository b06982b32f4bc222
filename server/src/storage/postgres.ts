import type { Kysely, PostgresPool, PostgresPoolClient } from 'kysely';
import pg from 'pg';
import { type Database, reportDeadlineMs } from './database.ts';
import { fromPostgres, SerializationFailure, UniqueViolation } from './errors.ts';
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

/** The shared engine: many server processes over one PostgreSQL. */
export function openPostgres(options: PostgresOptions): Database {
  const base: pg.PoolConfig = {
    connectionString: options.url,
    connectionTimeoutMillis: 3000,
    keepAlive: true,
    application_name: 'sekisho',
    types: numericTypes,
  };
  const pool = quiet(new pg.Pool({ ...base, max: options.connections ?? 10, statement_timeout: 10_000 }));
  const reportPool = quiet(new pg.Pool({ ...base, max: 4, statement_timeout: reportDeadlineMs }));
  const read = lazily(() => kyselyOver(pool));
  const reports = lazily(() => kyselyOver(reportPool));
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
    async transact(work) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await read().transaction().setIsolationLevel('serializable').execute(work);
        } catch (error) {
          // After a unique violation the next run's own look finds the row and names the field.
          const again = error instanceof SerializationFailure || (error instanceof UniqueViolation && attempt === 1);
          if (!again || attempt === transactionTries) throw error;
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 10 * attempt));
        }
      }
    },
    run: (statement, args) => run(statement as Statement<never, unknown>, args) as never,
    write: async (statement, args) => (await query(statement as Statement<never, unknown>, args)).rowCount ?? 0,
    appendLogEvent: (row) => batcher.append(row),
    async runWithin(trx, statement, args) {
      const { sql, bind } = compileForPostgres(statement as Statement<never, unknown>);
      return (await trx.executeQuery(kysely().CompiledQuery.raw(sql, bind(args)))).rows as never;
    },
    async migrate() {
      if (!(await isMigrated(this))) await migrateToLatest(read());
    },
    async ping() {
      try {
        await pool.query('select 1');
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
      let broken: Error | undefined;
      return {
        query: async (text: string, values: unknown[]) => {
          try {
            return await client.query(text, values);
          } catch (error) {
            const translated = fromPostgres(error);
            // A connection that failed is not given back to the pool.
            if ((error as { code?: string }).code === undefined) broken = error as Error;
            throw translated;
          }
        },
        release: () => client.release(broken),
      } as unknown as PostgresPoolClient;
    },
  } as PostgresPool;
  const { Kysely, PostgresDialect } = kysely();
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool: translating }) });
}

/** Host and database for people, without user and password. */
function placeOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `postgres://${host}${pathname}`;
}
