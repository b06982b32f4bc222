/** `/api/organizations/:id/applications`: machine clients in an organization, as Logto has it. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  AllApplicationIds,
  Application,
  ApplicationIds,
  ApplicationsAndRoles,
  HiddenMember,
  MemberApplicationsQuery,
  MembershipOfListed,
} from '@sekisho/contract';
import { Type } from 'typebox';
import { addRolesToMembers } from '../../../../domain/memberships/member-roles.ts';
import { addMembers, removeMember, replaceMembers } from '../../../../domain/memberships/memberships.ts';
import { failuresOfOne } from '../../failures.ts';
import { assertScope } from '../../held-scopes.ts';
import { applicationMemberBody, sendMembers } from './mapping.ts';
import {
  creating,
  deleting,
  failuresOfChange,
  ofApplication,
  ofOrganization,
  reading,
  removingScope,
  replacing,
  updating,
} from './schemas.ts';

const params = Type.Object(ofOrganization);

export const applicationMemberRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/organizations/:id/applications',
    {
      config: reading,
      schema: {
        summary: 'List the machine clients of an organization',
        params,
        querystring: MemberApplicationsQuery,
        response: {
          200: Type.Array(Type.Union([Type.Intersect([Application, MembershipOfListed]), HiddenMember])),
          ...failuresOfOne,
        },
      },
    },
    (request, reply) =>
      sendMembers(request, reply, request.params.id, 'client', applicationMemberBody(request.context, request.query)),
  );

  server.post(
    '/organizations/:id/applications',
    {
      config: creating,
      schema: {
        summary: 'Add machine clients to an organization',
        description: 'Those that are members already stay as they are.',
        params,
        body: ApplicationIds,
        response: { 201: ApplicationIds, ...failuresOfChange },
      },
    },
    async (request, reply) => {
      const { applicationIds } = request.body;
      await addMembers(request.context, request.params.id, 'client', applicationIds, 'applicationIds');
      reply.code(201);
      return { applicationIds };
    },
  );

  server.put(
    '/organizations/:id/applications',
    {
      config: replacing,
      schema: {
        summary: 'Replace the machine clients of an organization',
        description:
          'Exactly these are members afterwards; what stays keeps its roles. Needs the scope to remove members too.',
        params,
        body: AllApplicationIds,
        response: { 204: Type.Null(), ...failuresOfChange },
      },
    },
    async (request, reply) => {
      const { applicationIds } = request.body;
      assertScope(request.context, removingScope);
      await replaceMembers(request.context, request.params.id, 'client', applicationIds, 'applicationIds');
      reply.code(204);
      return null;
    },
  );

  server.delete(
    '/organizations/:id/applications/:applicationId',
    {
      config: deleting,
      schema: {
        summary: 'Remove a machine client from an organization',
        params: Type.Object(ofApplication),
        response: { 204: Type.Null(), ...failuresOfChange },
      },
    },
    async (request, reply) => {
      const { id, applicationId } = request.params;
      await removeMember(request.context, id, { subjectId: applicationId, kind: 'client' });
      reply.code(204);
      return null;
    },
  );

  server.post(
    '/organizations/:id/applications/roles',
    {
      config: updating,
      schema: {
        summary: 'Give roles to machine clients of an organization',
        description: 'Each of the roles to each of the clients: all or none.',
        params,
        body: ApplicationsAndRoles,
        response: { 201: ApplicationsAndRoles, ...failuresOfChange },
      },
    },
    async (request, reply) => {
      const { applicationIds, organizationRoleIds } = request.body;
      await addRolesToMembers(request.context, request.params.id, 'client', applicationIds, organizationRoleIds);
      reply.code(201);
      return { applicationIds, organizationRoleIds };
    },
  );
};
