import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { assignRoleToMany } from '../../../domain/roles/assignments.ts';
import { listSubjectsOfRole, listSubjectsOfRoleByKey } from '../../../domain/roles/read-assignments.ts';
import { usersOfPage } from '../../../domain/roles/role-subjects.ts';
import { checkpointBody, keysetRange, offsetBody, offsetRange, wantsCheckpoint } from '../envelope.ts';
import { idParams } from '../schema.ts';
import { storedUserId } from '../users/ids.ts';
import { personOf, tenantRole } from './mapping.ts';
import { anyPageQuery, usersBody } from './schema.ts';

/** `/roles/{id}/users`: who has a role in the tenant as a whole. */
export const roleUserRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/roles/:id/users',
    {
      config: { scopes: ['read:role_members', 'read:users'] },
      schema: { summary: 'List the users of a role', params: idParams, querystring: anyPageQuery },
    },
    async ({ params, query, context }) => {
      const { id } = await tenantRole(context, params.id);
      if (wantsCheckpoint(query)) {
        const holders = await listSubjectsOfRoleByKey(context, id, 'user', {}, keysetRange(query));
        const page = await usersOfPage(context, holders);
        return checkpointBody('users', page, page.items.map(personOf));
      }
      const holders = await listSubjectsOfRole(context, id, 'user', {}, offsetRange(query));
      const page = await usersOfPage(context, holders);
      return offsetBody('users', query, page, page.items.map(personOf));
    },
  );

  server.post(
    '/roles/:id/users',
    {
      config: { scopes: ['create:role_members'] },
      schema: { summary: 'Give a role to users', params: idParams, body: usersBody },
    },
    async ({ params, body, context }) => {
      const { id } = await tenantRole(context, params.id);
      await assignRoleToMany(context, id, 'user', body.users.map(storedUserId), { path: 'users' });
      return {};
    },
  );
};
