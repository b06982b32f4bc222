/**
 * Fills a database with clients in no time: one client was registered the proper way, and SQL copies its rows, so that
 * the copies have whatever columns the tables have by now. The server must not be running.
 */
import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import { numberDigits } from './requests.ts';

/** A client copied `n` times has the id `<n>` + this, 32 characters, and the secret this + `<n>`, 64 characters. */
const idSuffix = 'copyOfTheBenchmarkClient';
const secretPrefix = 'copyOfTheSecretOfTheBenchmarkClient0123456789ABCDEFGHIJK';

/** The form of a token request of client `{n}`, for a request source with a count. */
export const numberedForm = (audience: string): string =>
  `grant_type=client_credentials&client_id={n}${idSuffix}&client_secret=${secretPrefix}{n}` +
  `&audience=${encodeURIComponent(audience)}`;

/** The connection that fills a database of ours, while no server runs on it. */
export const openFiller = async (database: { file: string } | { url: string }): Promise<Filler> =>
  'file' in database ? fillerOfSqlite(database.file) : fillerOfPostgres(database.url);

/** The id and the secret of copy `n`. */
export const numberedClient = (n: number | '{n}') => {
  const digits = n === '{n}' ? n : String(n).padStart(numberDigits, '0');
  return { clientId: `${digits}${idSuffix}`, clientSecret: `${secretPrefix}${digits}` };
};

/** What differs between the engines. */
export interface Filler {
  columns(table: string): Promise<string[]>;
  run(sql: string, parameters: (string | number)[]): Promise<number>;
  /** A table expression with one column `i`, from 1 to parameter 1. */
  numbers: string;
  /** SQL for `i` in eight digits. */
  digits: string;
  /** SQL for any whole number in eight digits. */
  digitsOf(sql: string): string;
  /** SQL for the SHA-256 of a text, in hexadecimal. */
  sha256(text: string): string;
  finish(): Promise<void>;
}

/** Copies the client `template` with its secret, its grants and their scopes `count` times. */
export async function fill(database: { file: string } | { url: string }, template: string, count: number) {
  const filler = await openFiller(database);
  const id = `${filler.digits} || '${idSuffix}'`;
  const grantId = (table: string, column: string) => `'cgr_' || ${filler.digits} || substr(${table}.${column}, 5, 8)`;
  const copies: Copy[] = [
    { table: 'clients', of: 'id = $2', values: { id, name: `'Client ' || ${filler.digits}` } },
    {
      table: 'credentials',
      of: 'client_id = $2',
      values: {
        client_id: id,
        secret_hash: filler.sha256(`'${secretPrefix}' || ${filler.digits}`),
        secret_prefix: `'${secretPrefix.slice(0, 6)}'`,
      },
    },
    { table: 'client_grants', of: 'client_id = $2', values: { client_id: id, id: grantId('client_grants', 'id') } },
    {
      table: 'client_grant_scopes',
      of: 'client_grant_id in (select id from client_grants where client_id = $2)',
      values: { client_grant_id: grantId('client_grant_scopes', 'client_grant_id') },
    },
  ];
  for (const copy of copies) await copyRows(filler, copy, template, count);
  await filler.finish();
}

interface Copy {
  table: string;
  /** Which rows are the template's; parameter 2 is its client id. */
  of: string;
  /** SQL of the columns that must differ. */
  values: Readonly<Record<string, string>>;
}

async function copyRows(filler: Filler, copy: Copy, template: string, count: number): Promise<void> {
  const { table, of, values } = copy;
  const columns = await filler.columns(table);
  const selected = columns.map((column) => values[column] ?? `${table}.${column}`);
  const rows = await filler.run(
    `insert into ${table} (${columns.join(', ')})
     select ${selected.join(', ')} from ${filler.numbers} cross join ${table} where ${of}`,
    [count, template],
  );
  if (rows < count || rows % count !== 0) throw new Error(`Filled ${rows} rows into ${table}; ${count} were wanted.`);
}

const digitsOfSqlite = (sql: string): string => `substr('${'0'.repeat(numberDigits)}' || (${sql}), -${numberDigits})`;
const digitsOfPostgres = (sql: string): string => `lpad((${sql})::text, ${numberDigits}, '0')`;

function fillerOfSqlite(file: string): Filler {
  const db = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  db.exec('pragma synchronous = off; pragma cache_size = -200000; pragma temp_store = memory; begin immediate');
  db.function('sha256_hex', { deterministic: true }, (text) => createHash('sha256').update(String(text)).digest('hex'));
  return {
    async columns(table) {
      return db
        .prepare(`select name from pragma_table_info('${table}')`)
        .all()
        .map((row) => String(row.name));
    },
    async run(sql, parameters) {
      return Number(db.prepare(sql.replaceAll(/\$(\d)/g, '?$1')).run(...parameters).changes);
    },
    numbers: '(with recursive n(i) as (select 1 union all select i + 1 from n where i < $1) select i from n)',
    digits: digitsOfSqlite('i'),
    digitsOf: digitsOfSqlite,
    sha256: (text) => `sha256_hex(${text})`,
    async finish() {
      db.exec('commit');
      db.exec('pragma wal_checkpoint(truncate)');
      db.close();
    },
  };
}

async function fillerOfPostgres(url: string): Promise<Filler> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  // The rows are copies of sound ones: their references need no check.
  await client.query("set session_replication_role = replica; set synchronous_commit = off; set work_mem = '256MB'");
  return {
    async columns(table) {
      const sql =
        'select column_name from information_schema.columns where table_schema = current_schema() and table_name = $1';
      return (await client.query(sql, [table])).rows.map((row) => String(row.column_name));
    },
    async run(sql, parameters) {
      return (await client.query(sql, parameters)).rowCount ?? 0;
    },
    numbers: 'generate_series(1, $1::integer) as n(i)',
    digits: digitsOfPostgres('i'),
    digitsOf: digitsOfPostgres,
    sha256: (text) => `encode(sha256((${text})::bytea), 'hex')`,
    async finish() {
      // What autovacuum and the checkpointer would do within minutes, before the measurement instead of during it.
      await client.query('vacuum analyze');
      await client.query('checkpoint');
      await client.end();
    },
  };
}
