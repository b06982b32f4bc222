/**
 * The HTTP server and what stands on it. The protocol's endpoints are there at once; the management APIs, with their
 * many schemas, are loaded at their first request or shortly after the start, whichever is sooner: so a restarted server
 * issues tokens before it could have loaded them.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { SecureContext } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import { createApp } from './app.ts';
import { drainOf } from './drain.ts';
import { createServer as createHttpServer } from './node-http.ts';
import { inWordsOfIssuer } from './oauth/authorization-response.ts';
import { oidcIssuer } from './oauth/oidc.ts';
import { rootIssuer } from './oauth/root.ts';
import { oauthSurface } from './oauth/surface.ts';
import { opsSurface, type Readiness } from './ops/routes.ts';
import { pagesSurface } from './pages/routes.ts';
import type { HttpServices } from './request.ts';
import type { RouteEntry } from './route-list.ts';

export interface TlsOptions {
  key: string;
  cert: string;
  /** The handshake asks clients for a certificate, issued by one of `ca` if that is given. */
  requestCert?: boolean;
  rejectUnauthorized?: boolean;
  ca?: string;
  SNICallback?: (name: string, done: (error: Error | null, context?: SecureContext) => void) => void;
}

export interface HttpServer {
  /** The protocol's app; it listens. */
  readonly app: FastifyInstance;
  /** The management APIs' app, loaded when it is first asked for. */
  management(): Promise<FastifyInstance>;
  /** Every route of both apps. */
  routes(): Promise<RouteEntry[]>;
  /** Answers what is under way and stops. */
  close(): Promise<void>;
}

/** How long after the start the management APIs are loaded when nobody asked for them, in milliseconds. */
const loadManagementAfterMs = 1000;

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export async function createServer(
  services: HttpServices,
  readiness: Readiness,
  tls: TlsOptions | undefined,
): Promise<HttpServer> {
  let server!: Server;
  const listener = await listenerFor(tls);
  const app = createApp(services, {
    serverFactory(handler) {
      server = listener((request, response) => {
        if (isManagement(request.url)) toManagement(request, response);
        else handler(request, response as never);
      });
      return server;
    },
    unreadable: (request) => issuerAt(request.raw.url).errorBody(unreadable, request),
  });
  app.register(opsSurface(services, readiness));
  for (const issuer of [rootIssuer, oidcIssuer]) app.register(oauthSurface(services, issuer));
  app.register(pagesSurface({ ...services, inWordsOfIssuer }));
  app.setNotFoundHandler((_request, reply) => {
    void reply.code(404).send({ error: 'not_found', error_description: 'There is nothing here.' });
  });
  await app.ready();
  const drain = drainOf(server);

  let loading: Promise<FastifyInstance> | undefined;
  const management = () => {
    // A failure is not kept: the next request tries again.
    loading ??= import('./management.ts')
      .then((module) => module.createManagement(services, server))
      .catch((error) => {
        loading = undefined;
        throw error;
      });
    return loading;
  };
  const toManagement: Handler = (request, response) => {
    management()
      .then((loaded) => loaded.routing(request, response as never))
      .catch((error) => {
        services.logger.error({ err: error }, 'the management APIs can not be reached');
        if (!response.headersSent) response.writeHead(503, { 'retry-after': '1' });
        response.end();
      });
  };
  const timer = setTimeout(() => void management().catch(() => {}), loadManagementAfterMs);
  timer.unref();

  return {
    app,
    management,
    routes: async () => [...app.routeList, ...(await management()).routeList],
    async close() {
      clearTimeout(timer);
      const stopDraining = drain();
      await app.close();
      stopDraining();
      await (await loading?.catch(() => undefined))?.close();
    },
  };
}

const unreadable = { status: 400, error: 'invalid_request', description: 'The request line can not be read.' };

/** The issuer that answers for a path that no router could read. */
const issuerAt = (url = '') => (url.startsWith(`${oidcIssuer.below}/`) ? oidcIssuer : rootIssuer);

/** Everything under `/api` and `/box`, read from the raw path as the routers read it. */
const isManagement = (url: string | undefined): boolean => /^\/(?:api|box)(?:[/?]|$)/.test(url ?? '');

/** Node's own server, plain or with TLS (loaded only then). */
async function listenerFor(tls: TlsOptions | undefined): Promise<(handler: Handler) => Server> {
  const limits = { requestTimeout: 30_000, keepAliveTimeout: 72_000 };
  const timed = (server: Server): Server => server.setTimeout(60_000);
  if (tls === undefined) return (handler) => timed(createHttpServer(limits, handler));
  const { createServer: createHttpsServer } = await import('node:https');
  return (handler) =>
    timed(createHttpsServer({ ...tls, ...limits, minVersion: 'TLSv1.2' }, handler) as unknown as Server);
}
