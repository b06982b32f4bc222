/** What is wrong with a database at start, in words for the operator, with the cure. */
import { DomainError } from '../kernel/errors.ts';

/** True when the query failed because the table is not there: the database is a new one. */
export function isMissingTable(error: unknown): boolean {
  const { code, errcode, message = '' } = error as { code?: string; errcode?: number; message?: string };
  return code === '42P01' || (errcode === 1 && message.startsWith('no such table'));
}

/** Follows "names a database that"; one line, never with the URL, which may hold a password. */
export function databaseProblem(error: unknown): string {
  const cause = error instanceof DomainError && error.cause !== undefined ? error.cause : error;
  const { code = '', errcode, message } = cause as { code?: string; errcode?: number; message: string };
  if (errcode !== undefined) return sqliteProblem(errcode & 0xff, message);
  if (cause instanceof FileTaken) return `${cause.message}: stop it, or choose another database.`;
  if (code === '3D000') return `does not exist on its server (${message}): create it, or correct the name.`;
  if (/^28/.test(code)) return `refuses the user or the password (${message}): correct them.`;
  if (code === '42501')
    return `lets its user not make tables (${message}): grant it the right, or choose another user.`;
  return `does not answer (${code || message}): start it, or correct host and port.`;
}

function sqliteProblem(errcode: number, message: string): string {
  if (errcode === 26 || errcode === 11)
    return `is no whole SQLite file (${message}): restore it, or choose another path.`;
  if (errcode === 13) return `has no room on its disk (${message}): make room.`;
  return `can not be opened (${message}): choose a path you can write to.`;
}

/** Another server process has the file. */
export class FileTaken extends Error {}
