/** The native API, `/api`. It owns the not-found and error handlers of everything under `/api` but other dialects'. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Context } from '../../domain/context.ts';
import { authorizeManagement } from '../../protocol/management.ts';
import { addConventions } from '../changes/changes.ts';
import { type HttpServices, presentedToken, protocolContext } from '../request.ts';
import { apiKeyRoutes } from './api-keys/routes.ts';
import { applicationRoutes } from './applications/routes.ts';
import { authPolicyRoutes } from './auth-policies/routes.ts';
import { dashboardRoutes } from './dashboard/routes.ts';
import { nativeErrorHandler, problemOf } from './errors.ts';
import { explainRoutes } from './explain/routes.ts';
import { hookRoutes } from './hooks/routes.ts';
import { logRoutes } from './logs/routes.ts';
import { openApiRoutes } from './openapi/routes.ts';
import { organizationInvitationRoutes } from './organization-invitations/routes.ts';
import { organizationTemplateRoutes } from './organization-template/routes.ts';
import { organizationBatchRoutes } from './organizations/batch-routes.ts';
import { organizationMemberRoutes } from './organizations/members/routes.ts';
import { organizationRoutes } from './organizations/routes.ts';
import { registrationRoutes } from './registration/routes.ts';
import { resourceRoutes } from './resources/routes.ts';
import { roleRoutes } from './roles/routes.ts';
import { signInExperienceRoutes } from './sign-in-experience/routes.ts';
import { statusRoutes } from './status/routes.ts';
import { subjectTokenRoutes } from './subject-tokens/routes.ts';
import { nativeManagementApi } from './system-api.ts';
import { tenantRoutes } from './tenants.ts';
import { userRoutes } from './users/routes.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The context of an authorized management request. */
    context: Context;
  }
  interface FastifyContextConfig {
    /** Any one of these scopes lets a token call the route. */
    scopes?: readonly string[];
    /** A token for an organization may call it too: it filters by the organization's subtree. */
    delegated?: boolean;
    /** Called without a token. */
    open?: boolean;
    /** It changes nothing but waits for another server, so it does not run in a transaction. */
    asksOthers?: boolean;
    /** Of a PATCH: what its GET answers, for `If-Match`. */
    current?: (request: FastifyRequest) => Promise<unknown>;
  }
}

/** Every thing this dialect manages. */
const things = [
  apiKeyRoutes,
  applicationRoutes,
  authPolicyRoutes,
  explainRoutes,
  organizationBatchRoutes,
  organizationInvitationRoutes,
  organizationRoutes,
  organizationMemberRoutes,
  organizationTemplateRoutes,
  registrationRoutes,
  resourceRoutes,
  roleRoutes,
  signInExperienceRoutes,
  subjectTokenRoutes,
  tenantRoutes,
  userRoutes,
  logRoutes,
  dashboardRoutes,
  hookRoutes,
  statusRoutes,
  openApiRoutes,
];

export function nativeApi(services: HttpServices) {
  return async (server: FastifyInstance): Promise<void> => {
    server.setErrorHandler(nativeErrorHandler(services));
    server.setNotFoundHandler((_request, reply) => {
      void reply
        .code(404)
        .header('content-type', 'application/problem+json; charset=utf-8')
        .send(problemOf({ status: 404, code: 'entity.not_found', message: 'There is nothing here.' }));
    });
    if (!server.hasRequestDecorator('context')) server.decorateRequest('context', null as never);
    server.addHook('onRequest', (request) => authorize(services, request));
    addConventions(server);
    for (const routes of things) await server.register(routes);
  };
}

/** Every route names its scopes; one that names none can be called by nobody. */
async function authorize(services: HttpServices, request: FastifyRequest): Promise<void> {
  if (request.is404) return;
  const { scopes = [], delegated = false, open = false } = request.routeOptions.config;
  if (open) return;
  const ctx = protocolContext(services, request);
  const actor = await authorizeManagement(ctx, nativeManagementApi, presentedToken(request), scopes, { delegated });
  request.context = { ...services, site: request.site, origin: request.origin, actor };
}
