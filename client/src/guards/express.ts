/**
 * Guards for Express 4 and 5, as middleware:
 *
 *   app.post('/orders', guard.requireScopes('write:orders'), handler)
 */
import type { Verifier, VerifierOptions } from '../verifier/verifier.ts';
import { buildGuard, type Guard, type GuardOptions } from './guard.ts';
import { authorizationOf, type NodeHeaders, sentBy } from './node-headers.ts';

/** What is used of Express's request. */
export interface ExpressRequest extends NodeHeaders {
  readonly params?: unknown;
  readonly originalUrl?: string;
}

/** What is used of Express's response. */
export interface ExpressResponse {
  writeHead(status: number, headers: Record<string, string>): unknown;
  end(body: string): unknown;
}

export type ExpressGuard = Guard<ExpressRequest, ExpressMiddleware>;
export type ExpressMiddleware = (
  request: ExpressRequest,
  response: ExpressResponse,
  next: (error?: unknown) => void,
) => void;

/** Takes a verifier or its options. Throws a `ConfigurationError`. */
export const createGuard = (verifier: Verifier | VerifierOptions, options?: GuardOptions): ExpressGuard =>
  buildGuard<ExpressRequest, ExpressMiddleware>(
    {
      authorization: authorizationOf,
      // A router below a path takes that path off `url`.
      sent: (request) => sentBy(request, request.originalUrl),
      parameter: ({ params }, name) => (params as Record<string, unknown> | undefined)?.[name],
      middleware: (check) => (request, response, next) => {
        check(request).then(({ refusal }) => {
          if (refusal === undefined) return next();
          response.writeHead(refusal.status, { ...refusal.headers });
          response.end(refusal.body);
        }, next);
      },
    },
    verifier,
    options,
  );

export type { GuardOptions, OrganizationOptions } from './guard.ts';
export type { Refusal } from './refusal.ts';
