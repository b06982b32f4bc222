/** `/api/organizations/:id/users/:userId/roles` and `…/scopes`: what one person has in an organization. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { MemberRoles, MemberScopes, OrganizationRoleChoice, OrganizationRoleIds, PagingQuery } from '@sekisho/contract';
import { Type } from 'typebox';
import { addMemberRoles, removeMemberRole, replaceMemberRoles } from '../../../../domain/memberships/member-roles.ts';
import { listMemberScopes } from '../../../../domain/memberships/member-scopes.ts';
import { failuresOfOne } from '../../failures.ts';
import { organizationScopeBody } from '../../organization-template/mapping.ts';
import { choiceOf, sendMemberRoles } from './mapping.ts';
import { failuresOfChange, ofRole, ofUser, reading, updating } from './schemas.ts';

const params = Type.Object(ofUser);
const keyOf = (userId: string) => ({ subjectId: userId, kind: 'user' as const });

export const userMemberRoleRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/organizations/:id/users/:userId/roles',
    {
      config: reading,
      schema: {
        summary: 'List the roles of a user in an organization',
        description: 'Of a direct member; what it inherits is in the lists with `inherited=true`.',
        params,
        querystring: PagingQuery,
        response: { 200: MemberRoles, ...failuresOfChange },
      },
    },
    (request, reply) => sendMemberRoles(request, reply, request.params.id, keyOf(request.params.userId)),
  );

  server.post(
    '/organizations/:id/users/:userId/roles',
    {
      config: updating,
      schema: {
        summary: 'Give roles to a user in an organization',
        params,
        body: OrganizationRoleChoice,
        response: { 201: OrganizationRoleIds, ...failuresOfChange },
      },
    },
    async (request, reply) => {
      const { id, userId } = request.params;
      const ids = await addMemberRoles(request.context, id, keyOf(userId), choiceOf(request.body));
      reply.code(201);
      return { organizationRoleIds: ids };
    },
  );

  server.put(
    '/organizations/:id/users/:userId/roles',
    {
      config: updating,
      schema: {
        summary: 'Replace the roles of a user in an organization',
        params,
        body: OrganizationRoleChoice,
        response: { 204: Type.Null(), ...failuresOfChange },
      },
    },
    async (request, reply) => {
      const { id, userId } = request.params;
      await replaceMemberRoles(request.context, id, keyOf(userId), choiceOf(request.body));
      reply.code(204);
      return null;
    },
  );

  server.delete(
    '/organizations/:id/users/:userId/roles/:organizationRoleId',
    {
      config: updating,
      schema: {
        summary: 'Take a role from a user in an organization',
        params: Type.Object({ ...ofUser, ...ofRole }),
        response: { 204: Type.Null(), ...failuresOfChange },
      },
    },
    async (request, reply) => {
      const { id, userId, organizationRoleId } = request.params;
      await removeMemberRole(request.context, id, keyOf(userId), organizationRoleId);
      reply.code(204);
      return null;
    },
  );

  server.get(
    '/organizations/:id/users/:userId/scopes',
    {
      config: reading,
      schema: {
        summary: 'List the organization scopes of a user in an organization',
        description: 'What counts now: inherited roles included, none while the organization or the user is suspended.',
        params,
        response: { 200: MemberScopes, ...failuresOfOne, 422: failuresOfChange[422] },
      },
    },
    async (request) => {
      const { id, userId } = request.params;
      const scopes = await listMemberScopes(request.context, id, userId);
      return scopes.map((scope) => organizationScopeBody(request.context, scope));
    },
  );
};
