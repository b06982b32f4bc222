import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { AccountsPaging, ApplicationUser, ApplicationUserPage, CreateApplicationUser } from '@sekisho/contract';
import { createUserOfClient, listUsersOfClient } from '../../domain/users/users-of-client.ts';
import { pageBody, rangeOf } from './envelope.ts';
import { applicationUserBody } from './mapping.ts';
import { failuresOfChange, failuresOfOne, applicationParams as params } from './schema.ts';

/** `/api/applications/:application_id/users`. One user is `/api/users/:id`, the native API's. */
export const applicationUserRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '',
    {
      config: { scopes: ['read:users'] },
      schema: {
        summary: 'List the users of an application',
        params,
        querystring: AccountsPaging,
        response: { 200: ApplicationUserPage, ...failuresOfOne },
      },
    },
    async ({ context, params: { application_id }, query }) => {
      const users = await listUsersOfClient(context, application_id, rangeOf(query));
      return pageBody(users, (user) => applicationUserBody(application_id, user));
    },
  );

  server.post(
    '',
    {
      config: { scopes: ['create:users'] },
      schema: {
        summary: 'Create a user of an application',
        params,
        body: CreateApplicationUser,
        response: { 201: ApplicationUser, ...failuresOfChange },
      },
    },
    async ({ context, params: { application_id }, body }, reply) => {
      const user = await createUserOfClient(context, application_id, body);
      reply.code(201);
      return applicationUserBody(application_id, user);
    },
  );
};
