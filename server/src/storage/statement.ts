import { type Compilable, CompiledQuery, type InferResult, type Kysely } from 'kysely';
import type { Schema } from './schema.ts';

/**
 * A query of the hot path. Kysely builds it once per engine (building costs some 90 µs a call, a prepared statement
 * 5 µs); its arguments are placeholders that each run fills in.
 */
export interface Statement<Args, Row> {
  /** Names it on PostgreSQL, where a prepared statement has a name. */
  readonly name: string;
  compile(builder: Kysely<Schema>): CompiledStatement<Args>;
  /** Never set; carries the row's type. */
  readonly row?: Row;
}

export interface CompiledStatement<Args> {
  readonly sql: string;
  bind(args: Args): unknown[];
}

class Placeholder {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** Gives the placeholder of one argument, typed as the argument's value. */
export type ArgumentOf<Args> = <K extends keyof Args & string>(name: K) => Args[K];

/**
 * Declares a statement over arguments `Args`: `build` gets the query builder and, for each argument, its placeholder.
 * Two calls, because the arguments are named and the row is inferred.
 */
export const defineStatement =
  <Args extends object>() =>
  <Query extends Compilable>(
    name: string,
    build: (q: Kysely<Schema>, arg: ArgumentOf<Args>) => Query,
  ): Statement<Args, InferResult<Query> extends readonly (infer Row)[] ? Row : never> => ({
    name,
    compile(builder) {
      const placeholder = (argument: string): unknown => new Placeholder(argument);
      const compiled: CompiledQuery = build(builder, placeholder as ArgumentOf<Args>).compile();
      return {
        sql: compiled.sql,
        bind: (args) =>
          compiled.parameters.map((parameter) =>
            parameter instanceof Placeholder ? args[parameter.name as keyof Args] : parameter,
          ),
      };
    },
  });

/** Runs a hot statement on a given handle, such as a transaction's, where it must see what was written before. */
export async function runOn<Args extends object, Row>(
  db: Kysely<Schema>,
  statement: Statement<Args, Row>,
  args: Args,
): Promise<Row[]> {
  const compiled = statement.compile(db);
  const { rows } = await db.executeQuery(CompiledQuery.raw(compiled.sql, compiled.bind(args)));
  return rows as Row[];
}
