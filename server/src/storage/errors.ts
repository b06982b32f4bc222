import { DomainError } from '../kernel/errors.ts';

/** A unique index refused a row. Verbs look first and name the field; this is what remains of a race. */
export class UniqueViolation extends DomainError {
  constructor(cause: unknown) {
    super('entity.exists', 'A thing with the same unique value exists already.', { cause });
    this.name = 'UniqueViolation';
  }
}

/** The engine asks to run the transaction again (PostgreSQL 40001, 40P01). */
export class SerializationFailure extends Error {
  constructor(cause: unknown) {
    super('The transaction has to be run again.', { cause });
    this.name = 'SerializationFailure';
  }
}

const unavailable = (cause: unknown): DomainError =>
  new DomainError('storage.unavailable', 'The database is not available.', { cause });

const deadline = (cause: unknown): DomainError =>
  new DomainError('storage.deadline', 'The query took longer than its deadline.', { cause });

/** SQLite result codes, extended ones masked to their primary code: busy, locked, no memory, read-only, I/O, full, … */
const sqliteUnavailable = new Set([5, 6, 7, 8, 10, 11, 13, 14, 26]);

/** Translates an error of `node:sqlite`; others pass as they are. */
export function fromSqlite(error: unknown): unknown {
  const code = (error as { errcode?: number }).errcode;
  if (code === undefined) return (error as Error).message === 'database is not open' ? unavailable(error) : error;
  if (code === 2067 || code === 1555) return new UniqueViolation(error);
  return sqliteUnavailable.has(code & 0xff) ? unavailable(error) : error;
}

/** Network failures and the SQLSTATE classes that mean "the server can't now". */
const networkCodes = /^(ECONN|EPIPE|ENOTFOUND|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN)/;
const stateUnavailable = /^(08|53|57P|58|25006|XX00[12])/;

/** Translates an error of `pg`; others pass as they are. */
export function fromPostgres(error: unknown): unknown {
  const { code, message = '' } = error as { code?: string; message?: string };
  if (code === '23505') return new UniqueViolation(error);
  if (code === '40001' || code === '40P01') return new SerializationFailure(error);
  if (code === '57014') return deadline(error);
  if (code !== undefined && (networkCodes.test(code) || stateUnavailable.test(code))) return unavailable(error);
  if (
    /connection terminated|timeout exceeded when trying to connect|Client has encountered|Cannot use a pool/i.test(
      message,
    )
  ) {
    return unavailable(error);
  }
  return error;
}

export { deadline as deadlineError };
