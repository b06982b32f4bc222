/** `/api/organizations/:id/members`: users and machine clients alike, by the id of the membership; not in Logto. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { AddMember, Member, MembersQuery, UpdateMember } from '@sekisho/contract';
import { Type } from 'typebox';
import { updateMember } from '../../../../domain/memberships/member-roles.ts';
import { addMember, removeMember } from '../../../../domain/memberships/memberships.ts';
import { getMember } from '../../../../domain/memberships/read-memberships.ts';
import { invalid } from '../../../../kernel/errors.ts';
import { failuresOfOne } from '../../failures.ts';
import { memberBody, memberBodyOf, sendMembers } from './mapping.ts';
import { creating, deleting, failuresOfChange, ofOrganization, reading, updating } from './schemas.ts';

const params = Type.Object(ofOrganization);
const paramsOfOne = Type.Object({
  ...ofOrganization,
  memberId: Type.String({ minLength: 1, maxLength: 128, description: 'Of the membership.' }),
});

export const memberRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/organizations/:id/members',
    {
      config: reading,
      schema: {
        summary: 'List the members of an organization',
        params,
        querystring: MembersQuery,
        response: { 200: Type.Array(Member), ...failuresOfOne },
      },
    },
    (request, reply) =>
      sendMembers(request, reply, request.params.id, request.query.kind, (member) =>
        memberBody(request.context, member),
      ),
  );

  server.post(
    '/organizations/:id/members',
    {
      config: creating,
      schema: {
        summary: 'Add a member to an organization',
        description: 'A user or a machine client, with roles. One that is inherited from above can be added too.',
        params,
        body: AddMember,
        response: { 201: Member, ...failuresOfChange },
      },
    },
    async (request, reply) => {
      const membership = await addMember(request.context, request.params.id, newMemberOf(request.body));
      reply.code(201);
      return memberBodyOf(request.context, membership);
    },
  );

  server.get(
    '/organizations/:id/members/:memberId',
    {
      config: reading,
      schema: {
        summary: 'Read a member of an organization',
        description: 'Also one that is inherited from above.',
        params: paramsOfOne,
        response: { 200: Member, ...failuresOfOne },
      },
    },
    (request) => currentMember(request),
  );

  server.patch(
    '/organizations/:id/members/:memberId',
    {
      config: { ...updating, current: (request) => currentMember(request as MemberRequest) },
      schema: {
        summary: 'Change the roles of a member, or how far they reach',
        description: 'Roles that are given replace all it has.',
        params: paramsOfOne,
        body: UpdateMember,
        response: { 200: Member, ...failuresOfChange },
      },
    },
    async (request) => {
      const { id, memberId: membershipId } = request.params;
      const { organizationRoleIds: ids, thisOrganizationOnly } = request.body;
      const roles = ids === undefined ? undefined : { ids };
      const membership = await updateMember(request.context, id, { membershipId }, { roles, thisOrganizationOnly });
      return memberBodyOf(request.context, membership);
    },
  );

  server.delete(
    '/organizations/:id/members/:memberId',
    {
      config: deleting,
      schema: {
        summary: 'Remove a member from an organization',
        params: paramsOfOne,
        response: { 204: Type.Null(), ...failuresOfChange },
      },
    },
    async (request, reply) => {
      const { id, memberId: membershipId } = request.params;
      await removeMember(request.context, id, { membershipId });
      reply.code(204);
      return null;
    },
  );
};

type MemberRequest = { context: Parameters<typeof getMember>[0]; params: { id: string; memberId: string } };

const currentMember = async ({ context, params: { id, memberId: membershipId } }: MemberRequest): Promise<Member> =>
  memberBodyOf(context, await getMember(context, id, { membershipId }));

function newMemberOf({ userId, applicationId, organizationRoleIds = [], thisOrganizationOnly = false }: AddMember) {
  if ((userId === undefined) === (applicationId === undefined)) {
    throw invalid('userId', 'Name one member: a userId or an applicationId.');
  }
  const subject =
    userId === undefined
      ? { subjectId: applicationId as string, kind: 'client' as const }
      : { subjectId: userId, kind: 'user' as const };
  return { ...subject, roleIds: organizationRoleIds, thisOrganizationOnly };
}
