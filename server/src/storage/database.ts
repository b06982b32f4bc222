import type { Kysely, Transaction } from 'kysely';
import type { LogEventTable, Schema } from './schema.ts';
import type { Statement } from './statement.ts';

/**
 * The database as the floors above see it: Kysely is the abstraction over the engines, this names its four ways in.
 * Nothing but `storage/` knows which engine runs.
 */
export interface Database {
  /** Short indexed reads. Never for counts, searches or offset pages. */
  readonly read: Kysely<Schema>;
  /**
   * Counts, searches and offset pages: apart from the tokens' connection and under a deadline
   * (throws `storage.deadline`), so that no list stalls a token.
   */
  readonly reports: Kysely<Schema>;
  /**
   * Runs `work` in one serializable writing transaction and commits it, or rolls back when it throws. On PostgreSQL it
   * is tried again (at most 5 times) when the engine asks for it, so `work` has no effect outside the database and
   * awaits SQL only. Inside it only its own handle is used.
   */
  transact<T>(work: (trx: Transaction<Schema>) => Promise<T>): Promise<T>;
  /** Runs a statement of the hot path: compiled once, prepared once per connection. */
  run<Args extends object, Row>(statement: Statement<Args, Row>, args: Args): Promise<Row[]>;
  /** Runs a statement of the hot path on another handle, such as a transaction that must see its own changes. */
  runWithin<Args extends object, Row>(db: Queryable, statement: Statement<Args, Row>, args: Args): Promise<Row[]>;
  /**
   * Runs a small autocommitted write of the hot path and resolves once it is durable; concurrent ones share a commit.
   * Resolves to the number of rows it changed.
   */
  write<Args extends object>(statement: Statement<Args, unknown>, args: Args): Promise<number>;
  /** Adds a log event; resolves once it is durable. Events of concurrent requests share a commit. */
  appendLogEvent(row: LogEventTable): Promise<void>;
  /** Applies outstanding migrations, once, under a lock. */
  migrate(): Promise<void>;
  /** Resolves when the database answers; throws `storage.unavailable` otherwise. */
  ping(): Promise<void>;
  close(): Promise<void>;
  /** For people: the file's path, `memory`, or the PostgreSQL host and database without credentials. */
  readonly location: string;
}

/** Longest time a count, a search or an offset page may take, in milliseconds. */
export const reportDeadlineMs = 5000;

export type { Schema } from './schema.ts';
export type Tx = Transaction<Schema>;
/** Either a transaction or the reading side; what a query helper takes. */
export type Queryable = Kysely<Schema>;
