/**
 * The Auth0 dialect, `/api/v2`: paths, shapes and errors that Auth0's own clients know, over the domain. Its words live
 * in this folder and nowhere else.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RateLimiter } from '../../kernel/rate-limiter.ts';
import { authorizeManagement } from '../../protocol/management.ts';
import { type HttpServices, presentedToken, protocolContext } from '../request.ts';
import { clientGrantRoutes } from './client-grants/routes.ts';
import { clientRoutes } from './clients/routes.ts';
import { connectionRoutes } from './connections/routes.ts';
import { auth0ErrorHandler, errorBody, insufficientScope } from './errors.ts';
import { signingKeyRoutes } from './keys/routes.ts';
import { scopeOfKnownRoute } from './known-routes.ts';
import { logRoutes } from './logs/routes.ts';
import { organizationRoutes } from './organizations/routes.ts';
import { resourceServerRoutes } from './resource-servers/routes.ts';
import { roleRoutes } from './roles/routes.ts';
import { statsRoutes } from './stats/routes.ts';
import { auth0ManagementApi } from './system-api.ts';
import { tenantSettingsRoutes } from './tenant-settings/routes.ts';
import { userRoleRoutes } from './users/role-routes.ts';
import { userRoutes } from './users/routes.ts';

/** Every thing this dialect manages. */
const things = [
  clientRoutes,
  clientGrantRoutes,
  resourceServerRoutes,
  tenantSettingsRoutes,
  signingKeyRoutes,
  userRoutes,
  userRoleRoutes,
  roleRoutes,
  organizationRoutes,
  logRoutes,
  statsRoutes,
  connectionRoutes,
];

/** What `x-ratelimit-limit` says when requests are not limited. */
const unlimited = 1_000_000;

export function auth0Dialect(services: HttpServices) {
  return async (server: FastifyInstance): Promise<void> => {
    server.setErrorHandler(auth0ErrorHandler(services));
    server.setNotFoundHandler((request, reply) => {
      const scope = scopeOfKnownRoute(request.method, request.url);
      void reply
        .code(scope === undefined ? 404 : 403)
        .send(scope === undefined ? errorBody(404, 'Not Found') : insufficientScope([scope]));
    });
    if (!server.hasRequestDecorator('context')) server.decorateRequest('context', null as never);
    server.addHook('onRequest', (request, reply) => authorize(services, request, reply));
    for (const routes of things) await server.register(routes);
  };
}

/** Every route names its scopes; one that names none can be called by nobody. */
async function authorize(services: HttpServices, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const ctx = protocolContext(services, request);
  rateLimitHeaders(reply, services.limits.requests, '');
  if (request.is404) return;
  const scopes = request.routeOptions.config.scopes ?? [];
  const actor = await authorizeManagement(ctx, auth0ManagementApi, presentedToken(request), scopes);
  rateLimitHeaders(reply, services.limits.requests, `${request.site.tenantId} ${actor.clientId}`);
  request.context = { ...services, site: request.site, origin: request.origin, actor };
}

function rateLimitHeaders(reply: FastifyReply, limiter: RateLimiter, key: string): void {
  const state = limiter.peek(key);
  const remaining = Number.isFinite(state.remaining) ? state.remaining : unlimited;
  reply.header('x-ratelimit-limit', String(limiter.limit || unlimited));
  reply.header('x-ratelimit-remaining', String(remaining));
  reply.header('x-ratelimit-reset', String(Math.ceil(state.resetAtMs / 1000)));
}
