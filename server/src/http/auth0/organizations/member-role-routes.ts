import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Context } from '../../../domain/context.ts';
import { addMemberRoles, removeMemberRole } from '../../../domain/memberships/member-roles.ts';
import { listMemberRoles } from '../../../domain/memberships/read-member-roles.ts';
import { inOneTransaction } from '../../../domain/one-transaction.ts';
import { deleteIdempotently, whenThere } from '../delete.ts';
import { offsetBody, offsetRange } from '../envelope.ts';
import { bodyOf } from '../roles/mapping.ts';
import { pageQuery, rolesBody } from '../roles/schema.ts';
import { storedUserId } from '../users/ids.ts';
import { memberParams } from './schema.ts';

/** `/organizations/{id}/members/{user_id}/roles`: what a direct member is in an organization, and below it. */
export const organizationMemberRoleRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/organizations/:id/members/:user_id/roles',
    {
      config: { scopes: ['read:organization_member_roles'] },
      schema: { summary: 'List the roles of a member', params: memberParams, querystring: pageQuery },
    },
    async ({ params, query, context }) => {
      const page = await listMemberRoles(context, params.id, memberOf(params.user_id), offsetRange(query));
      return offsetBody('roles', query, page, page.items.map(bodyOf));
    },
  );

  server.post(
    '/organizations/:id/members/:user_id/roles',
    {
      config: { scopes: ['create:organization_member_roles'] },
      schema: { summary: 'Give roles to a member', params: memberParams, body: rolesBody },
    },
    async ({ params, body, context }, reply) => {
      await addMemberRoles(context, params.id, memberOf(params.user_id), { ids: body.roles });
      return reply.code(204).send();
    },
  );

  server.delete(
    '/organizations/:id/members/:user_id/roles',
    {
      config: { scopes: ['delete:organization_member_roles'] },
      schema: { summary: 'Take roles from a member', params: memberParams, body: rolesBody },
    },
    ({ params, body, context }, reply) =>
      deleteIdempotently(reply, takeRoles(context, params.id, params.user_id, body.roles)),
  );
};

const memberOf = (userId: string) => ({ kind: 'user', subjectId: storedUserId(userId) }) as const;

/** All or none; a role that the member does not have does not matter. */
const takeRoles = (ctx: Context, organizationId: string, userId: string, roleIds: readonly string[]) =>
  inOneTransaction(ctx, async (joined) => {
    for (const roleId of new Set(roleIds)) {
      await whenThere(removeMemberRole(joined, organizationId, memberOf(userId), roleId));
    }
  });
