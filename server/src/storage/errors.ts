import { DomainError } from '../kernel/errors.ts';

/** A unique index refused a row. Verbs look first and name the field; this is what remains of a race. */
export class UniqueViolation extends DomainError {
  constructor(cause: unknown) {
    super('entity.exists', 'A thing with the same unique value exists already.', { cause });
    this.name = 'UniqueViolation';
  }
}

/** The row that another one was to refer to went at the same moment: as if it had not been there before. */
export class ReferenceGone extends DomainError {
  constructor(cause: unknown) {
    super('entity.reference_not_found', 'A thing the request refers to does not exist any more.', {
      cause,
      data: { thing: 'thing' },
    });
    this.name = 'ReferenceGone';
  }
}

/** The engine asks to run the transaction again (PostgreSQL 40001, 40P01); who has tried often enough says: try later. */
export class SerializationFailure extends DomainError {
  constructor(cause: unknown) {
    super('storage.unavailable', 'The database is too busy with the same data.', { cause });
    this.name = 'SerializationFailure';
  }
}

const unavailable = (cause: unknown): DomainError =>
  new DomainError('storage.unavailable', 'The database is not available.', { cause });

/** True for errors of the database as a whole: trying the parts one by one would fail alike. */
export const isUnavailable = (error: unknown): boolean => error instanceof DomainError && error.kind === 'unavailable';

/** A log event that can not be stored, for whatever reason, is nobody's request being wrong. */
export const asUnavailable = (error: unknown): unknown => (isUnavailable(error) ? error : unavailable(error));

const deadline = (cause: unknown): DomainError =>
  new DomainError('storage.deadline', 'The query took longer than its deadline.', { cause });

/** SQLite result codes, extended ones masked to their primary code: busy, locked, no memory, read-only, I/O, full, … */
const sqliteUnavailable = new Set([5, 6, 7, 8, 10, 11, 13, 14, 26]);

/** Another process has the write lock. Takes an error of `node:sqlite`, translated or not. */
export function isLocked(error: unknown): boolean {
  const { errcode, cause } = error as { errcode?: number; cause?: unknown };
  return errcode === undefined ? cause !== undefined && isLocked(cause) : (errcode & 0xff) === 5;
}

/** Translates an error of `node:sqlite`; others pass as they are. */
export function fromSqlite(error: unknown): unknown {
  const code = (error as { errcode?: number }).errcode;
  if (code === undefined) return (error as Error).message === 'database is not open' ? unavailable(error) : error;
  if (code === 2067 || code === 1555) return new UniqueViolation(error);
  if (code === 787) return new ReferenceGone(error);
  return sqliteUnavailable.has(code & 0xff) ? unavailable(error) : error;
}

/** Network failures and the SQLSTATE classes that mean "the server can't now". */
const networkCodes = /^(ECONN|EPIPE|ENOTFOUND|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN)/;
const stateUnavailable = /^(08|25006|25P03|28|3D|53|57P|58|XX00[12])/;
/** What `pg` says without a code. */
const saysUnavailable =
  /connection terminated|timeout exceeded when trying to connect|timeout expired|query read timeout|client has encountered|client was closed|cannot use a pool/i;

/** Translates an error of `pg`; others pass as they are. */
export function fromPostgres(error: unknown): unknown {
  const { code, message = '' } = error as { code?: string; message?: string };
  if (code === '23505') return new UniqueViolation(error);
  if (code === '23503') return new ReferenceGone(error);
  if (code === '40001' || code === '40P01') return new SerializationFailure(error);
  if (code === '57014') return deadline(error);
  if (code !== undefined && (networkCodes.test(code) || stateUnavailable.test(code))) return unavailable(error);
  return saysUnavailable.test(message) ? unavailable(error) : error;
}

export { deadline as deadlineError, unavailable as unavailableError };
