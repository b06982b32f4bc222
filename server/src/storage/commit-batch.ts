import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';

/** One small write: its SQL and the values of its placeholders. */
export interface Write {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** What became of a write: the rows it changed, or the engine's error, as far as it can cross a thread. */
export type Outcome = { readonly changes: number } | { readonly failure: { message: string; errcode?: number } };

/** Statements by their text, prepared once. */
export type Prepare = (sql: string) => StatementSync;

export function preparing(connection: DatabaseSync): Prepare {
  const prepared = new Map<string, StatementSync>();
  return (sql) => {
    let statement = prepared.get(sql);
    if (statement === undefined) {
      statement = connection.prepare(sql);
      prepared.set(sql, statement);
    }
    return statement;
  };
}

/** Result codes that mean the database can't write now, whoever asks: trying write by write would only wait again. */
const failsForAll = new Set([5, 6, 8, 10, 11, 13, 14, 26]);

/**
 * Runs all writes in one transaction. When one of them fails the others are stored all the same, each by itself, so
 * that only the guilty one fails.
 */
export function commitBatch(connection: DatabaseSync, prepare: Prepare, batch: readonly Write[]): Outcome[] {
  try {
    connection.exec('begin immediate');
    const outcomes = batch.map((write) => ({ changes: run(prepare, write) }));
    connection.exec('commit');
    return outcomes;
  } catch (error) {
    if (connection.isTransaction) connection.exec('rollback');
    const failure = failureOf(error);
    if (batch.length === 1 || failsForAll.has((failure.errcode ?? 0) & 0xff)) return batch.map(() => ({ failure }));
    return batch.map((write) => commitAlone(prepare, write));
  }
}

function commitAlone(prepare: Prepare, write: Write): Outcome {
  try {
    return { changes: run(prepare, write) };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}

const run = (prepare: Prepare, { sql, parameters }: Write): number =>
  Number(prepare(sql).run(...(parameters as SQLInputValue[])).changes);

function failureOf(error: unknown): { message: string; errcode?: number } {
  const { message, errcode } = error as { message: string; errcode?: number };
  return errcode === undefined ? { message } : { message, errcode };
}
