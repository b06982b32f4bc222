import type { FastifyInstance } from 'fastify';
import { failure } from './errors.ts';

const methods = ['GET', 'PUT', 'PATCH', 'DELETE', 'POST'] as const;

/** Whoever asks in another way is told how (RFC 9110 §15.5.6), before anything else is looked at. */
export function refuseOtherMethods(server: FastifyInstance, url: string, allowed: readonly string[]): void {
  const allow = allowed.join(', ');
  server.route({
    method: methods.filter((method) => !allowed.includes(method)),
    url,
    config: { open: true },
    handler: async (_request, reply) =>
      reply
        .code(405)
        .header('allow', allow)
        .send(failure(`Use ${allow}`)),
  });
}
