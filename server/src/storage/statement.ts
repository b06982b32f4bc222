/**
 * A statement of the hot path: SQL both engines read alike, with `:name` for each argument. It is text because what runs
 * at every token must neither be built anew (Kysely: 90 µs a call) nor wait for a query builder to load at start, and
 * because constants must stay constants: SQLite prepares a statement again at each run when a partial index depends on
 * a bound value.
 */
export interface Statement<Args, Row> {
  /** Names it on PostgreSQL, where a prepared statement has a name. */
  readonly name: string;
  readonly sql: string;
  /** Never set; they carry the types. */
  readonly args?: Args;
  readonly row?: Row;
}

/** Declares a statement over arguments `Args` that gives rows of `Row`. */
export const defineStatement = <Args extends object, Row = never>(name: string, sql: string): Statement<Args, Row> => ({
  name,
  sql,
});

/** A statement as one engine takes it. */
export interface CompiledStatement {
  readonly sql: string;
  bind(args: object): unknown[];
}

const placeholder = /(?<![:\w]):([a-zA-Z_]+)/g;

/** With `?` for each argument, in order (SQLite). */
export function compileForSqlite({ sql }: Statement<never, unknown>): CompiledStatement {
  const names: string[] = [];
  const text = sql.replace(placeholder, (_, name: string) => {
    names.push(name);
    return '?';
  });
  return { sql: text, bind: binder(names) };
}

/** With `$n` for each argument, a repeated one once (PostgreSQL). */
export function compileForPostgres({ sql }: Statement<never, unknown>): CompiledStatement {
  const names: string[] = [];
  const text = sql.replace(placeholder, (_, name: string) => {
    if (!names.includes(name)) names.push(name);
    return `$${names.indexOf(name) + 1}`;
  });
  return { sql: text, bind: binder(names) };
}

const binder =
  (names: readonly string[]) =>
  (args: object): unknown[] =>
    names.map((name) => (args as Record<string, unknown>)[name]);
