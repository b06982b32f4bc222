/** The organizations a user is a direct member of. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { OrganizationOfSubject, PagingQuery } from '@sekisho/contract';
import { Type } from 'typebox';
import { getUser } from '../../../domain/users/read-users.ts';
import { failuresOfOne } from '../failures.ts';
import { sendOrganizationsOf } from '../organizations-of.ts';

const params = Type.Object({ userId: Type.String({ description: 'Of a user.' }) });

export const userOrganizationRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/users/:userId/organizations',
    {
      config: { scopes: ['read:organization_members'], delegated: true },
      schema: {
        summary: 'List the organizations of a user',
        description: 'Direct memberships, all of them unless a page is asked for.',
        params,
        querystring: PagingQuery,
        response: { 200: Type.Array(OrganizationOfSubject), ...failuresOfOne },
      },
    },
    async (request, reply) => {
      await getUser(request.context, request.params.userId);
      return sendOrganizationsOf(request, reply, request.params.userId);
    },
  );
};
