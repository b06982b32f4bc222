/** One connection to either engine, set up as the server does it, with as little around the driver as will do. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import pg from 'pg';

export type Value = string | number | null;
export type Row = Record<string, unknown>;

export interface Connection {
  readonly engine: 'sqlite' | 'postgres';
  /** Runs a statement with `$1`, `$2`, … for its arguments. */
  all(sql: string, args?: readonly Value[]): Promise<Row[]>;
  transact<T>(work: () => Promise<T>): Promise<T>;
  /** Bytes of each table and index. */
  sizes(): Promise<Map<string, number>>;
  /** What the engine would do by itself before long: statistics, and everything on the disk. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export function connectSqlite(file: string): Connection {
  const db = new DatabaseSync(file, { enableForeignKeyConstraints: true });
  db.exec('pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -16000');
  const known = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    const statement = known.get(sql) ?? db.prepare(sql.replaceAll(/\$(\d+)/g, '?$1'));
    known.set(sql, statement);
    return statement;
  };
  const all: Connection['all'] = async (sql, args = []) => prepare(sql).all(...(args as SQLInputValue[])) as Row[];
  return {
    engine: 'sqlite',
    all,
    transact: (work) => within((sql) => all(sql), 'begin immediate', work),
    async sizes() {
      const rows = await all('select name, pgsize as bytes from dbstat where aggregate = true');
      return new Map(rows.map(({ name, bytes }) => [String(name), Number(bytes)]));
    },
    async settle() {
      db.exec('pragma wal_checkpoint(truncate)');
    },
    async close() {
      db.close();
    },
  };
}

export async function connectPostgres(connectionString: string): Promise<Connection> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const all: Connection['all'] = async (sql, args = []) => (await client.query(sql, [...args])).rows;
  return {
    engine: 'postgres',
    all,
    transact: (work) => within((sql) => all(sql), 'begin isolation level serializable', work),
    async sizes() {
      const rows = await all(
        `select relname as name, pg_relation_size(oid) as bytes from pg_class
         where relnamespace = current_schema()::regnamespace and relkind in ('r', 'i')`,
      );
      return new Map(rows.map(({ name, bytes }) => [String(name), Number(bytes)]));
    },
    async settle() {
      await client.query('vacuum analyze');
      await client.query('checkpoint');
    },
    close: () => client.end(),
  };
}

async function within<T>(run: (sql: string) => Promise<unknown>, begin: string, work: () => Promise<T>): Promise<T> {
  await run(begin);
  try {
    const result = await work();
    await run('commit');
    return result;
  } catch (error) {
    await run('rollback');
    throw error;
  }
}
