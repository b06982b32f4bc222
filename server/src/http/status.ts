import type { ErrorKind } from '../kernel/errors.ts';

/** The HTTP status of each kind of error, the same in every dialect. */
export const statusOf: Record<ErrorKind, number> = {
  invalid: 400,
  missing: 404,
  conflict: 409,
  unprocessable: 422,
  stale: 412,
  unauthenticated: 401,
  forbidden: 403,
  limited: 429,
  unavailable: 503,
};
