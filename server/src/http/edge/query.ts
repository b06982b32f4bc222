import { DomainError } from '../../kernel/errors.ts';
import { parseQuery } from './form.ts';

/** A query that could not be read, and why. */
class UnreadableQuery {
  readonly error: DomainError;
  constructor(error: DomainError) {
    this.error = error;
  }
}

/**
 * `parseQuery` for the router, which calls it outside of everything that handles errors: what it throws there ends the
 * process. So the error is kept for `urlProblem`.
 */
export function readQuery(text: string): Record<string, string | string[]> | UnreadableQuery {
  try {
    return parseQuery(text);
  } catch (error) {
    if (error instanceof DomainError) return new UnreadableQuery(error);
    throw error;
  }
}

/**
 * What is wrong with a request's URL, if anything: a query that could not be read, or a NUL in a path parameter (no two
 * databases store it alike). Given to `done` by the first hook of every request, so that the surface's own error handler
 * answers. `data.part` says which part of the request is meant.
 */
export function urlProblem(query: unknown, params: unknown): DomainError | undefined {
  if (query instanceof UnreadableQuery) {
    const { message, path } = query.error;
    return unreadable('querystring', message, path);
  }
  const withNul = Object.entries(params ?? {}).find(([, value]) => String(value).includes('\0'));
  if (withNul === undefined) return undefined;
  return unreadable('params', `The path parameter "${withNul[0]}" holds a NUL character.`, withNul[0]);
}

const unreadable = (part: string, message: string, path: string | undefined): DomainError =>
  new DomainError('input.malformed', message, { ...(path === undefined ? {} : { path }), data: { part } });
