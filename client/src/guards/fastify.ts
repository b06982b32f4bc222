/**
 * Guards for Fastify. They are `onRequest` hooks, so a refused request's body is not even read:
 *
 *   app.post('/orders', { onRequest: guard.requireScopes('write:orders') }, handler)
 */
import type { Verifier, VerifierOptions } from '../verifier/verifier.ts';
import { buildGuard, type Guard, type GuardOptions } from './guard.ts';
import { authorizationOf, type NodeHeaders, sentBy } from './node-headers.ts';

/** What is used of Fastify's request. */
export interface FastifyRequest {
  readonly raw: NodeHeaders;
  readonly params: unknown;
}

/** What is used of Fastify's reply. */
export interface FastifyReply {
  code(status: number): unknown;
  headers(values: Record<string, string>): unknown;
  send(body: string): unknown;
}

export type FastifyGuard = Guard<FastifyRequest, FastifyHook>;
export type FastifyHook = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

/** Takes a verifier or its options. Throws a `ConfigurationError`. */
export const createGuard = (verifier: Verifier | VerifierOptions, options?: GuardOptions): FastifyGuard =>
  buildGuard<FastifyRequest, FastifyHook>(
    {
      authorization: ({ raw }) => authorizationOf(raw),
      sent: ({ raw }) => sentBy(raw),
      parameter: ({ params }, name) => (params as Record<string, unknown> | undefined)?.[name],
      middleware: (check) => async (request, reply) => {
        const { refusal } = await check(request);
        if (refusal === undefined) return undefined;
        reply.code(refusal.status);
        reply.headers({ ...refusal.headers });
        reply.send(refusal.body);
        return reply;
      },
    },
    verifier,
    options,
  );

export type { GuardOptions, OrganizationOptions } from './guard.ts';
export type { Refusal } from './refusal.ts';
