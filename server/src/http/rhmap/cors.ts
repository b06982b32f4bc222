/**
 * Which pages may call what apps call: those of an origin that a client of the tenant names, as at the protocol's
 * endpoints, and pages without an origin. Those are Cordova's: an app's files say `null` or `file://`. It opens nothing:
 * no cookie counts here, who calls brings the password or the session itself; and fh-js-sdk, refused, would try again by
 * JSONP with the password in a URL.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isClientOrigin } from '../../domain/clients/origins.ts';
import type { HttpServices } from '../request.ts';

/** How long a browser keeps the answer to what it asked beforehand, in seconds. */
const maxAgeSeconds = 600;

const ofFiles: ReadonlySet<string> = new Set(['null', 'file://']);

/** Lets pages read the answers of every route of `server`. */
export function allowPages(server: FastifyInstance, services: HttpServices): void {
  server.addHook('onRequest', async (request, reply) => {
    reply.header('vary', 'Origin, Access-Control-Request-Headers');
    const { origin } = request.headers;
    if (origin === undefined || !(await isAllowed(services, request, origin))) return;
    reply.header('access-control-allow-origin', origin);
    reply.header('access-control-expose-headers', 'Retry-After');
  });
}

const isAllowed = async (services: HttpServices, { site }: FastifyRequest, origin: string): Promise<boolean> =>
  ofFiles.has(origin) || origin === site.origin || (await isClientOrigin(services, site.tenantId, origin));

/** Names of headers (RFC 9110 §5.6.2), as a browser lists them. */
const headerNames = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+(?: *, *[A-Za-z0-9!#$%&'*+.^_`|~-]+)*$/;

/** The SDK sends a header for each thing it knows, so whatever a page asks to send it may. */
export function answerBeforehand({ headers }: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (reply.hasHeader('access-control-allow-origin')) {
    const asked = headers['access-control-request-headers'];
    reply.header('access-control-allow-methods', 'POST');
    if (asked !== undefined && asked.length <= 2048 && headerNames.test(asked)) {
      reply.header('access-control-allow-headers', asked);
    }
    reply.header('access-control-max-age', String(maxAgeSeconds));
  }
  return reply.code(204).send();
}
