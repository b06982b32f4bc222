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
  /**
   * The same question for many at once, where the engine gains by it: the arguments that are the columns of a table `q`
   * instead, whose rows are numbered by `q.asked`.
   */
  readonly sqlForMany?: string;
  /** Never set; they carry the types. */
  readonly args?: Args;
  readonly row?: Row;
}

/** Declares a statement over arguments `Args` that gives rows of `Row`. */
export const defineStatement = <Args extends object, Row = never>(name: string, sql: string): Statement<Args, Row> => ({
  name,
  sql,
});

/**
 * Declares a statement that can be asked for many requests at once. `build` writes it over an expression for each
 * argument and the table to begin from: nothing, or the table of the requests.
 */
export function defineStatementForMany<Args extends object, Row>(
  name: string,
  argumentNames: readonly (keyof Args & string)[],
  build: (from: { argument(name: keyof Args & string): string; selection: string; source: string }) => string,
): Statement<Args, Row> {
  const arrays = argumentNames.map((argument) => `:${argument}::text[]`).join(', ');
  const columns = argumentNames.map(columnOf).join(', ');
  return {
    name,
    sql: build({ argument: (argument) => `:${argument}`, selection: '', source: '' }),
    sqlForMany: build({
      argument: (argument) => `q.${columnOf(argument)}`,
      selection: 'q.asked::int as asked, ',
      source: `unnest(${arrays}) with ordinality as q(${columns}, asked) cross join `,
    }),
  };
}

const columnOf = (argument: string): string => argument.toLowerCase();

/** A statement for many, as PostgreSQL takes it; `names` are its arguments, an array of values each. */
export interface ManyStatement {
  readonly name: string;
  readonly sql: string;
  readonly names: readonly string[];
}

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
  const { text, names } = numbered(sql);
  return { sql: text, bind: binder(names) };
}

/** The form for many requests at once (PostgreSQL); undefined where a statement has none. */
export function compileForMany({ name, sqlForMany }: Statement<never, unknown>): ManyStatement | undefined {
  if (sqlForMany === undefined) return undefined;
  const { text, names } = numbered(sqlForMany);
  return { name: `${name}_many`, sql: text, names };
}

function numbered(sql: string): { text: string; names: string[] } {
  const names: string[] = [];
  const text = sql.replace(placeholder, (_, name: string) => {
    if (!names.includes(name)) names.push(name);
    return `$${names.indexOf(name) + 1}`;
  });
  return { text, names };
}

const binder =
  (names: readonly string[]) =>
  (args: object): unknown[] =>
    names.map((name) => (args as Record<string, unknown>)[name]);
