/** `/api/organizations/:id/jit/…`: what makes people members just in time. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { jitEmailDomainRoutes } from './email-domains.ts';
import { jitRoleRoutes } from './roles.ts';
import { jitSsoConnectorRoutes } from './sso-connectors.ts';

export const organizationJitRoutes: FastifyPluginAsyncTypebox = async (server) => {
  await server.register(jitEmailDomainRoutes);
  await server.register(jitRoleRoutes);
  await server.register(jitSsoConnectorRoutes);
};
