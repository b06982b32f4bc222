/** What every surface stands on: a Fastify instance with our body parsers and the tenant of the Host header. */
import type { IncomingMessage, Server } from 'node:http';
import {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifySchemaCompiler,
  fastify,
} from 'fastify';
import { clientCertificateOf } from './edge/client-certificate.ts';
import { parseForm } from './edge/form.ts';
import { parseJson } from './edge/json.ts';
import { readQuery, urlProblem } from './edge/query.ts';
import { type HttpServices, originOf } from './request.ts';
import { collectRoutes } from './route-list.ts';

const noSchemas: FastifySchemaCompiler<unknown> = () => {
  throw new Error('Routes of this app have no schemas.');
};

/** Largest request body, in bytes. */
const bodyLimit = 1024 * 1024;

export interface AppOptions {
  /** The server that hands over the requests. */
  serverFactory(handler: (request: IncomingMessage, response: never) => void): Server;
  /** Makes the validator of a route's schema; without one, no route may have a schema. */
  validator?: FastifySchemaCompiler<unknown>;
  /** Body of the answer to a request line that the router can't read. */
  unreadable(request: FastifyRequest): unknown;
}

export function createApp(services: HttpServices, options: AppOptions): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit,
    // Paths are data: an encoded identifier may be long, and upper and lower case differ.
    routerOptions: {
      maxParamLength: 2000,
      caseSensitive: true,
      ignoreDuplicateSlashes: false,
      querystringParser: readQuery,
    },
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    serverFactory: options.serverFactory,
    clientErrorHandler: answerClientError,
    // Fastify's own compilers are not even loaded: schemas are compiled at a route's first request, answers are written
    // as they are.
    schemaController: {
      compilersFactory: {
        buildValidator: () => options.validator ?? noSchemas,
        buildSerializer: () => () => JSON.stringify,
      },
    },
    frameworkErrors: (_error: unknown, request: FastifyRequest, reply: FastifyReply) => {
      void reply.code(400).send(options.unreadable(request));
    },
  } as Parameters<typeof fastify>[0]) as unknown as FastifyInstance;
  addBodyParsers(app);
  addHosts(app, services);
  collectRoutes(app);
  return app;
}

const clientErrors: Record<string, string> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** What is not HTTP has no surface yet: a short answer, and the connection ends. */
function answerClientError(error: Error & { code?: string }, socket: import('node:net').Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const body = '{"error":"invalid_request","error_description":"The request can not be read."}';
  const status = clientErrors[error.code ?? ''] ?? '400 Bad Request';
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
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
  server.decorateRequest('clientCertificate', null as never);
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('x-content-type-options', 'nosniff');
    reply.header('cache-control', 'no-store');
    if (hostless.has(request.routeOptions.url ?? '')) return done();
    const site = siteOf(request, services);
    if (site === undefined) return unknownHost(services, request, reply);
    request.site = site;
    request.origin = originOf(request, services.trustedProxies);
    request.clientCertificate = clientCertificateOf(request.raw, services.certificateSource, services.trustedProxies);
    done(urlProblem(request.query, request.params));
  });
}

/** The tenant of the Host header; none when the header is repeated or the TLS handshake named another host. */
function siteOf(request: FastifyRequest, services: HttpServices) {
  const { host } = request.headers;
  if (host === undefined || hasTwoHosts(request.raw)) return undefined;
  const { servername } = request.socket as { servername?: string | false };
  const site = services.sites.ofHost(host);
  if (typeof servername === 'string' && servername !== '') {
    const named = services.sites.ofHost(hostLike(servername, host));
    if (named?.tenantId !== site?.tenantId) return undefined;
  }
  return namesOtherHost(request.raw.url, host) ? undefined : site;
}

/** RFC 9112 §3.2.2: the host of an absolute request target comes before the header; one that differs counts for none. */
function namesOtherHost(target = '', host: string): boolean {
  if (target.startsWith('/') || target === '*') return false;
  return !URL.canParse(target) || new URL(target).host !== host.toLowerCase();
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
