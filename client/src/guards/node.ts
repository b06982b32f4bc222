/**
 * Guards for a plain `node:http` server; each wraps a handler:
 *
 *   createServer(guard.requireScopes('read:orders')((request, response) => …))
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Verifier, VerifierOptions } from '../verifier/verifier.ts';
import { buildGuard, type Guard, type GuardOptions } from './guard.ts';
import { authorizationOf, sentBy } from './node-headers.ts';

export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => unknown;
export type NodeMiddleware = (handler: NodeHandler) => (request: IncomingMessage, response: ServerResponse) => void;

/** There are no path parameters here: `requireOrganization` takes a function (`organizationId`) instead. */
export type NodeGuard = Guard<IncomingMessage, NodeMiddleware>;

/** Takes a verifier or its options. Throws a `ConfigurationError`. */
export const createGuard = (verifier: Verifier | VerifierOptions, options?: GuardOptions): NodeGuard =>
  buildGuard<IncomingMessage, NodeMiddleware>(
    {
      authorization: authorizationOf,
      sent: (request) => sentBy(request),
      parameter: () => undefined,
      middleware: (check) => (handler) => (request, response) => {
        check(request).then(
          ({ refusal }) => {
            if (refusal === undefined) {
              handler(request, response);
            } else {
              response.writeHead(refusal.status, { ...refusal.headers });
              response.end(refusal.body);
            }
          },
          () => {
            // A mistake in the guard's own use: nobody gets in by it.
            response.writeHead(500, { 'content-type': 'application/json; charset=utf-8' });
            response.end('{"error":"server_error"}');
          },
        );
      },
    },
    verifier,
    options,
  );

export type { GuardOptions, OrganizationOptions } from './guard.ts';
export type { Refusal } from './refusal.ts';
