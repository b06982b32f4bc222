/**
 * Which pages may read the answers of the protocol's endpoints (Fetch Standard, "CORS protocol"). What is published is for
 * everybody. Tokens and claims are for the server's own pages and for origins that a client of the tenant names, by a
 * redirect URI or beside. Which client asks is not known when a browser asks beforehand, so it counts for no more than
 * that: who may have a token is decided where it always is. No cookie counts at these endpoints, so none is let through.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isClientOrigin } from '../../domain/clients/origins.ts';
import type { HttpServices } from '../request.ts';
import type { Issuer } from './issuer.ts';

/** How long a browser keeps the answer to what it asked beforehand, in seconds. */
const maxAgeSeconds = 600;

/** Endpoints that everybody's pages may read. */
const openPaths = ({ paths }: Issuer): string[] => [...paths.metadata, paths.jwks];

/** Endpoints that pages of the tenant's clients call; introspection is for servers. */
const clientPaths = ({ paths }: Issuer): string[] => [
  ...paths.token,
  paths.revocation,
  paths.userinfo,
  paths.pushedAuthorization,
  paths.deviceAuthorization,
];

/** Lets pages call the endpoints of an issuer. */
export function allowPages(server: FastifyInstance, services: HttpServices, issuer: Issuer): void {
  const open = new Set(openPaths(issuer));
  const ofClients = new Set(clientPaths(issuer));
  server.addHook('onRequest', (request, reply, done) => {
    const path = request.routeOptions.url ?? '';
    if (open.has(path)) reply.header('access-control-allow-origin', '*');
    // Only browsers say an origin: nobody else waits for this.
    if (request.headers.origin === undefined || !ofClients.has(path)) return done();
    allowOrigin(services, request, reply).then(() => done(), done);
  });
  for (const path of [...open, ...ofClients]) server.options(path, answerBeforehand);
}

async function allowOrigin(services: HttpServices, { site, headers }: FastifyRequest, reply: FastifyReply) {
  reply.header('vary', 'Origin');
  const { origin = '' } = headers;
  if (origin !== site.origin && !(await isClientOrigin(services, site.tenantId, origin))) return;
  reply.header('access-control-allow-origin', origin);
  reply.header('access-control-expose-headers', 'WWW-Authenticate, DPoP-Nonce');
}

/** Without an allowed origin a browser reads this as a refusal. */
const answerBeforehand = (_request: FastifyRequest, reply: FastifyReply) => {
  if (reply.hasHeader('access-control-allow-origin')) {
    reply.header('access-control-allow-methods', 'GET, POST');
    reply.header('access-control-allow-headers', 'authorization, content-type, dpop');
    reply.header('access-control-max-age', String(maxAgeSeconds));
  }
  return reply.code(204).send();
};
