import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import type { Kysely, SqliteDatabase } from 'kysely';
import { Mutex } from '../kernel/mutex.ts';
import type { Database } from './database.ts';
import { asUnavailable, fromSqlite } from './errors.ts';
import { GroupCommit } from './group-commit.ts';
import { kysely, lazily } from './kysely.ts';
import { insertLogEvent } from './log-events.ts';
import { isMigrated, migrateToLatest } from './migrate.ts';
import { FileTaken } from './problem.ts';
import type { Schema } from './schema.ts';
import { busyTimeoutMs, lockWaitMs, whenUnlocked } from './sqlite-lock.ts';
import { openReports } from './sqlite-reports.ts';
import { type CompiledStatement, compileForSqlite, type Statement } from './statement.ts';

export interface SqliteOptions {
  /** Path of the database file, or `:memory:`. */
  file: string;
  /** `full`: a commit survives a power cut; `normal`: it survives a crash of the process. */
  synchronous: 'full' | 'normal';
}

/**
 * The embedded engine, over Node's own `node:sqlite`. One connection writes and one reads (in WAL mode a reader never
 * waits for the writer); counts and searches have a third one, in a process of its own. In memory there is one connection
 * for all.
 */
export function openSqlite(options: SqliteOptions): Database {
  const inMemory = options.file === ':memory:';
  const lock = inMemory ? undefined : lockFile(options.file);
  let writer: DatabaseSync;
  let reader: DatabaseSync;
  try {
    writer = openConnection(options.file, options.synchronous);
    reader = inMemory ? writer : openConnection(options.file, options.synchronous);
  } catch (error) {
    lock?.close();
    throw error;
  }
  if (!inMemory) reader.exec('pragma query_only = on');

  const writeMutex = new Mutex();
  const writing = lazily(() => kyselyOver(writer));
  const reading = inMemory ? writing : lazily(() => kyselyOver(reader));
  const reports = inMemory ? undefined : lazily(() => openReports(options.file));
  let reportsOpen = false;
  const groupCommit = new GroupCommit(writer, writeMutex);
  const known = new Map<string, Prepared>();

  // A statement either reads or writes, so its name says which connection it is prepared on.
  const prepare = (statement: Statement<never, unknown>, connection: DatabaseSync): Prepared => {
    let entry = known.get(statement.name);
    if (entry === undefined) {
      const compiled = compileForSqlite(statement);
      const prepared = connection.prepare(compiled.sql);
      // Rows as arrays: the engine would make a new string of every column's name for every row.
      prepared.setReturnArrays(true);
      entry = { ...compiled, statement: prepared, columns: prepared.columns().map(({ name }) => name) };
      known.set(statement.name, entry);
    }
    return entry;
  };
  const write = (statement: Statement<never, unknown>, args: object): Promise<number> => {
    try {
      const entry = prepare(statement, writer);
      return groupCommit.write(entry.statement, entry.bind(args) as SQLInputValue[]);
    } catch (error) {
      return Promise.reject(fromSqlite(error));
    }
  };

  return {
    location: inMemory ? 'memory' : options.file,
    get read() {
      return reading();
    },
    get reports() {
      reportsOpen = true;
      return reports?.().db ?? writing();
    },
    transact(work) {
      const until = performance.now() + lockWaitMs;
      const run = (begun: () => void) =>
        writing()
          .transaction()
          .execute((trx) => {
            begun();
            return work(trx);
          });
      return writeMutex.run(() => whenUnlocked(until, run));
    },
    async run(statement, args) {
      // In memory there is one connection: what a transaction has not committed must not be seen.
      const read = () => {
        try {
          const entry = prepare(statement as Statement<never, unknown>, reader);
          const rows = entry.statement.all(...(entry.bind(args) as SQLInputValue[])) as unknown as unknown[][];
          return rows.map((row) => rowOf(entry.columns, row)) as never;
        } catch (error) {
          throw fromSqlite(error);
        }
      };
      return inMemory && !writeMutex.free ? writeMutex.run(async () => read()) : read();
    },
    async runWithin(trx, statement, args) {
      const { sql, bind } = compileForSqlite(statement as Statement<never, unknown>);
      return (await trx.executeQuery(kysely().CompiledQuery.raw(sql, bind(args)))).rows as never;
    },
    write: (statement, args) => write(statement as Statement<never, unknown>, args),
    async appendLogEvent(row) {
      try {
        await write(insertLogEvent as unknown as Statement<never, unknown>, row);
      } catch (error) {
        throw asUnavailable(error);
      }
    },
    async migrate() {
      if (!(await isMigrated(this))) await writeMutex.run(() => migrateToLatest(writing()));
    },
    async ping() {
      try {
        reader.prepare('select 1').get();
      } catch (error) {
        throw fromSqlite(error);
      }
    },
    async close() {
      await groupCommit.drain();
      await writeMutex.run(async () => {});
      if (reportsOpen) await reports?.().close();
      if (!inMemory) reader.close();
      writer.close();
      lock?.close();
    },
  };
}

interface Prepared extends CompiledStatement {
  readonly statement: StatementSync;
  readonly columns: readonly string[];
}

function rowOf(columns: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (let index = 0; index < columns.length; index += 1) row[columns[index] as string] = values[index];
  return row;
}

function openConnection(file: string, synchronous: 'full' | 'normal'): DatabaseSync {
  // The busy timeout is set before the first pragma touches the file.
  const connection = new DatabaseSync(file, { timeout: 5000, enableForeignKeyConstraints: true });
  connection.exec(`pragma journal_mode = wal; pragma synchronous = ${synchronous}; pragma cache_size = -16000`);
  connection.exec(`pragma busy_timeout = ${busyTimeoutMs}`);
  return connection;
}

/** One server process per file: the lock is the operating system's, so it ends with the process, however that ends. */
function lockFile(file: string): DatabaseSync {
  const lock = new DatabaseSync(`${file}.lock`, { timeout: 0 });
  try {
    lock.exec('pragma locking_mode = exclusive; begin exclusive');
    return lock;
  } catch (error) {
    lock.close();
    const busy = ((error as { errcode?: number }).errcode ?? 0) % 256 === 5;
    throw busy ? new FileTaken(`another server process has open (${file})`, { cause: error }) : error;
  }
}

/** Statements kept by their text: building one again costs more than running it. */
const keptStatements = 500;

function kyselyOver(connection: DatabaseSync): Kysely<Schema> {
  const kept = new Map<string, ReturnType<SqliteDatabase['prepare']>>();
  const database: SqliteDatabase = {
    close() {},
    prepare(sql) {
      // A writing transaction takes the write lock at once: upgrading a read lock later could fail half-way.
      const text = sql === 'begin' ? 'begin immediate' : sql;
      // A full disk has SQLite roll back by itself; Kysely's own rollback would fail and hide why.
      if (text === 'rollback' && !connection.isTransaction) return nothing;
      const known = kept.get(text);
      if (known !== undefined) return known;
      try {
        const statement = adapt(connection.prepare(text));
        if (kept.size >= keptStatements) kept.delete(kept.keys().next().value as string);
        kept.set(text, statement);
        return statement;
      } catch (error) {
        throw fromSqlite(error);
      }
    },
  };
  const { Kysely, SqliteDialect } = kysely();
  return new Kysely<Schema>({ dialect: new SqliteDialect({ database }) });
}

/** A statement that does nothing. */
const nothing: ReturnType<SqliteDatabase['prepare']> = {
  reader: false,
  all: () => [],
  run: () => ({ changes: 0, lastInsertRowid: 0 }),
  iterate: () => [].values(),
};

/** What Kysely wants of a statement, from what `node:sqlite` gives. */
function adapt(statement: StatementSync): ReturnType<SqliteDatabase['prepare']> {
  const translated = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw fromSqlite(error);
    }
  };
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => translated(() => statement.all(...(parameters as SQLInputValue[]))),
    run: (parameters) => translated(() => statement.run(...(parameters as SQLInputValue[]))),
    iterate: (parameters) => translated(() => statement.iterate(...(parameters as SQLInputValue[]))),
  };
}
