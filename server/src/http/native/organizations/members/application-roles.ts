/** `/api/organizations/:id/applications/:applicationId/roles`: the roles of one machine client in an organization. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { AllOrganizationRoleIds, MemberRoles, OrganizationRoleIds, PagingQuery } from '@sekisho/contract';
import { Type } from 'typebox';
import { addMemberRoles, removeMemberRole, replaceMemberRoles } from '../../../../domain/memberships/member-roles.ts';
import { sendMemberRoles } from './mapping.ts';
import { failuresOfChange, ofApplication, ofRole, reading, updating } from './schemas.ts';

const params = Type.Object(ofApplication);
const keyOf = (applicationId: string) => ({ subjectId: applicationId, kind: 'client' as const });

export const applicationMemberRoleRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/organizations/:id/applications/:applicationId/roles',
    {
      config: reading,
      schema: {
        summary: 'List the roles of a machine client in an organization',
        description: 'Of a direct member; what it inherits is in the lists with `inherited=true`.',
        params,
        querystring: PagingQuery,
        response: { 200: MemberRoles, ...failuresOfChange },
      },
    },
    (request, reply) => sendMemberRoles(request, reply, request.params.id, keyOf(request.params.applicationId)),
  );

  server.post(
    '/organizations/:id/applications/:applicationId/roles',
    {
      config: updating,
      schema: {
        summary: 'Give roles to a machine client in an organization',
        params,
        body: OrganizationRoleIds,
        response: { 201: OrganizationRoleIds, ...failuresOfChange },
      },
    },
    async (request, reply) => {
      const { id, applicationId } = request.params;
      const { organizationRoleIds: ids } = request.body;
      const organizationRoleIds = await addMemberRoles(request.context, id, keyOf(applicationId), { ids });
      reply.code(201);
      return { organizationRoleIds };
    },
  );

  server.put(
    '/organizations/:id/applications/:applicationId/roles',
    {
      config: updating,
      schema: {
        summary: 'Replace the roles of a machine client in an organization',
        params,
        body: AllOrganizationRoleIds,
        response: { 204: Type.Null(), ...failuresOfChange },
      },
    },
    async (request, reply) => {
      const { id, applicationId } = request.params;
      const { organizationRoleIds: ids } = request.body;
      await replaceMemberRoles(request.context, id, keyOf(applicationId), { ids });
      reply.code(204);
      return null;
    },
  );

  server.delete(
    '/organizations/:id/applications/:applicationId/roles/:organizationRoleId',
    {
      config: updating,
      schema: {
        summary: 'Take a role from a machine client in an organization',
        params: Type.Object({ ...ofApplication, ...ofRole }),
        response: { 204: Type.Null(), ...failuresOfChange },
      },
    },
    async (request, reply) => {
      const { id, applicationId, organizationRoleId } = request.params;
      await removeMemberRole(request.context, id, keyOf(applicationId), organizationRoleId);
      reply.code(204);
      return null;
    },
  );
};
