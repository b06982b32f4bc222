/**
 * The HTTP server: one Fastify instance, its edge (hosts, bodies, limits), and the surfaces on it. Nothing under this
 * floor knows HTTP.
 */
import type { IncomingMessage } from 'node:http';
import type { SecureContext } from 'node:tls';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { TSchema } from 'typebox';
import { auth0Dialect } from './auth0/routes.ts';
import { parseForm, parseQuery } from './edge/form.ts';
import { parseJson } from './edge/json.ts';
import type { RequestPart } from './edge/schema-problem.ts';
import { lazyValidator } from './edge/validate.ts';
import { nativeApi } from './native/routes.ts';
import { oauthSurface } from './oauth/routes.ts';
import { opsSurface, type Readiness } from './ops/routes.ts';
import { type HttpServices, originOf } from './request.ts';

/** Largest request body, in bytes. */
const bodyLimit = 1024 * 1024;

export interface TlsOptions {
  key: string;
  cert: string;
  SNICallback?: (name: string, done: (error: Error | null, context?: SecureContext) => void) => void;
}

/** Builds the server; `listen` is the caller's. */
export function createServer(
  services: HttpServices,
  readiness: Readiness,
  tls: TlsOptions | undefined,
): FastifyInstance {
  const server = fastify({
    logger: false,
    bodyLimit,
    // Paths are data: an encoded identifier may be long, and upper and lower case differ.
    routerOptions: {
      maxParamLength: 2000,
      caseSensitive: true,
      ignoreDuplicateSlashes: false,
      querystringParser: parseQuery,
    },
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    requestTimeout: 30_000,
    connectionTimeout: 60_000,
    keepAliveTimeout: 72_000,
    ...(tls === undefined ? {} : { https: { ...tls, minVersion: 'TLSv1.2' as const } }),
    frameworkErrors: (_error: unknown, _request: FastifyRequest, reply: FastifyReply) => {
      void reply.code(400).send({ error: 'invalid_request', error_description: 'The request line can not be read.' });
    },
  } as Parameters<typeof fastify>[0]) as unknown as FastifyInstance;

  // Validation is compiled at a route's first request, answers are written as they are: starting stays fast.
  server.setValidatorCompiler<TSchema>(({ schema, httpPart }) => lazyValidator(schema, httpPart as RequestPart));
  server.setSerializerCompiler(() => JSON.stringify);
  addBodyParsers(server);
  addHosts(server, services);

  server.register(opsSurface(services, readiness));
  server.register(oauthSurface(services));
  server.register(nativeApi(services), { prefix: '/api' });
  server.register(auth0Dialect(services), { prefix: '/api/v2' });
  server.setNotFoundHandler((_request, reply) => {
    void reply.code(404).send({ error: 'not_found', error_description: 'There is nothing here.' });
  });
  return server;
}

function addBodyParsers(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  const parser = (type: string, parse: (body: Buffer) => unknown) => {
    server.addContentTypeParser(type, { parseAs: 'buffer' }, (_request, body, done) => {
      try {
        done(null, parse(body as Buffer));
      } catch (error) {
        done(error as Error);
      }
    });
  };
  parser('application/json', (body) => (body.length === 0 ? undefined : parseJson(body)));
  parser('application/x-www-form-urlencoded', (body) => parseForm(body));
}

/** The routes that answer on any host: they tell of the process, not of a tenant. */
const hostless: ReadonlySet<string> = new Set(['/healthz', '/readyz']);

function addHosts(server: FastifyInstance, services: HttpServices): void {
  server.decorateRequest('site', null as never);
  server.decorateRequest('origin', null as never);
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('x-content-type-options', 'nosniff');
    reply.header('cache-control', 'no-store');
    if (hostless.has(request.url)) return done();
    const site = siteOf(request, services);
    if (site === undefined) return unknownHost(services, request, reply);
    request.site = site;
    request.origin = originOf(request, services.trustedProxies);
    done();
  });
}

/** The tenant of the Host header; none when the header is repeated or the TLS handshake named another host. */
function siteOf(request: FastifyRequest, services: HttpServices) {
  const { host } = request.headers;
  if (host === undefined || hasTwoHosts(request.raw)) return undefined;
  const { servername } = request.socket as { servername?: string | false };
  const site = services.sites.ofHost(host);
  if (typeof servername === 'string' && services.sites.ofHost(hostLike(servername, host)) !== site) return undefined;
  return site;
}

/** The SNI name with the port of the Host header, so that the two compare as sites. */
const hostLike = (servername: string, host: string): string => `${servername}${/:\d+$/.exec(host)?.[0] ?? ''}`;

/** Node keeps the first of two Host headers; what a proxy before us kept is not known, so neither counts. */
function hasTwoHosts(message: IncomingMessage): boolean {
  let hosts = 0;
  const headers = message.rawHeaders;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts > 1;
}

function unknownHost(services: HttpServices, request: FastifyRequest, reply: FastifyReply): void {
  services.logger.debug({ host: request.headers.host }, 'request for an unknown host');
  void reply.code(421).send({
    error: 'invalid_request',
    error_description: 'This host is not served here. Check SEKISHO_URL and SEKISHO_EXTRA_HOSTS.',
  });
}
