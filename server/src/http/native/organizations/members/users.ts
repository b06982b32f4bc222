/** `/api/organizations/:id/users`: people in an organization, as Logto has it. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  AllUserIds,
  HiddenMember,
  MembershipOfListed,
  MemberUsersQuery,
  User,
  UserIds,
  UsersAndRoles,
} from '@sekisho/contract';
import { Type } from 'typebox';
import { addRolesToMembers } from '../../../../domain/memberships/member-roles.ts';
import { addMembers, removeMember, replaceMembers } from '../../../../domain/memberships/memberships.ts';
import { failuresOfOne } from '../../failures.ts';
import { assertScope } from '../../held-scopes.ts';
import { sendMembers, userMemberBody } from './mapping.ts';
import {
  creating,
  deleting,
  failuresOfChange,
  ofOrganization,
  ofUser,
  reading,
  removingScope,
  replacing,
  updating,
} from './schemas.ts';

const params = Type.Object(ofOrganization);

export const userMemberRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/organizations/:id/users',
    {
      config: reading,
      schema: {
        summary: 'List the users of an organization',
        params,
        querystring: MemberUsersQuery,
        response: {
          200: Type.Array(Type.Union([Type.Intersect([User, MembershipOfListed]), HiddenMember])),
          ...failuresOfOne,
        },
      },
    },
    (request, reply) => sendMembers(request, reply, request.params.id, 'user', userMemberBody(request.query)),
  );

  server.post(
    '/organizations/:id/users',
    {
      config: creating,
      schema: {
        summary: 'Add users to an organization',
        description: 'Those who are members already stay as they are.',
        params,
        body: UserIds,
        response: { 201: UserIds, ...failuresOfChange },
      },
    },
    async (request, reply) => {
      const { userIds } = request.body;
      await addMembers(request.context, request.params.id, 'user', userIds, 'userIds');
      reply.code(201);
      return { userIds };
    },
  );

  server.put(
    '/organizations/:id/users',
    {
      config: replacing,
      schema: {
        summary: 'Replace the users of an organization',
        description:
          'Exactly these are members afterwards; who stays keeps the roles. Needs the scope to remove members too.',
        params,
        body: AllUserIds,
        response: { 204: Type.Null(), ...failuresOfChange },
      },
    },
    async (request, reply) => {
      assertScope(request.context, removingScope);
      await replaceMembers(request.context, request.params.id, 'user', request.body.userIds, 'userIds');
      reply.code(204);
      return null;
    },
  );

  server.delete(
    '/organizations/:id/users/:userId',
    {
      config: deleting,
      schema: {
        summary: 'Remove a user from an organization',
        params: Type.Object(ofUser),
        response: { 204: Type.Null(), ...failuresOfChange },
      },
    },
    async (request, reply) => {
      const { id, userId } = request.params;
      await removeMember(request.context, id, { subjectId: userId, kind: 'user' });
      reply.code(204);
      return null;
    },
  );

  server.post(
    '/organizations/:id/users/roles',
    {
      config: updating,
      schema: {
        summary: 'Give roles to users of an organization',
        description: 'Each of the roles to each of the users: all or none.',
        params,
        body: UsersAndRoles,
        response: { 201: UsersAndRoles, ...failuresOfChange },
      },
    },
    async (request, reply) => {
      const { userIds, organizationRoleIds } = request.body;
      await addRolesToMembers(request.context, request.params.id, 'user', userIds, organizationRoleIds);
      reply.code(201);
      return { userIds, organizationRoleIds };
    },
  );
};
