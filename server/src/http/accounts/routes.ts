/**
 * The accounts API: Inbox Manager's words over the domain. It owns `/api/accounts…` and the users of an application; what
 * else is under `/api` is the native API's, the audience and `/api/users/:id` included.
 */
import type { FastifyInstance } from 'fastify';
import { addConventions } from '../changes/changes.ts';
import type { HttpServices } from '../request.ts';
import { accountRoutes } from './account-routes.ts';
import { applicationUserRoutes } from './application-user-routes.ts';
import { authorize } from './auth.ts';
import { accountsErrorHandler, nothingHere } from './errors.ts';
import { memberRoutes } from './member-routes.ts';
import { treeRoutes } from './tree-routes.ts';

export function accountsDialect(services: HttpServices) {
  return async (server: FastifyInstance): Promise<void> => {
    server.setErrorHandler(accountsErrorHandler(services));
    if (!server.hasRequestDecorator('context')) server.decorateRequest('context', null as never);
    server.addHook('onRequest', (request) => authorize(services, request));
    addConventions(server);
    await server.register(
      async (accounts) => {
        accounts.setNotFoundHandler((_request, reply) => {
          void reply.code(404).send(nothingHere);
        });
        for (const routes of [accountRoutes, treeRoutes, memberRoutes]) await accounts.register(routes);
      },
      { prefix: '/accounts' },
    );
    await server.register(applicationUserRoutes, { prefix: '/applications/:application_id/users' });
  };
}
