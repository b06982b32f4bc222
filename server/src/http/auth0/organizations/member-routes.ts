import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Static } from 'typebox';
import type { Context } from '../../../domain/context.ts';
import { type Member, withSubjects } from '../../../domain/memberships/member-subjects.ts';
import type { Membership } from '../../../domain/memberships/membership.ts';
import { addMembers, removeMembers } from '../../../domain/memberships/memberships.ts';
import { listMembers, listMembersByKey } from '../../../domain/memberships/read-memberships.ts';
import { deleteIdempotently } from '../delete.ts';
import { checkpointBody, keysetRange, offsetBody, offsetRange, selectFields, wantsCheckpoint } from '../envelope.ts';
import { assertScope } from '../held-scopes.ts';
import { personOf } from '../roles/mapping.ts';
import { membersBody } from '../roles/schema.ts';
import { idParams } from '../schema.ts';
import { storedUserId } from '../users/ids.ts';
import { membersQuery } from './schema.ts';

/** `/organizations/{id}/members`: the people who are direct members of an organization. */
export const organizationMemberRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/organizations/:id/members',
    {
      config: { scopes: ['read:organization_members'] },
      schema: { summary: 'List the members of an organization', params: idParams, querystring: membersQuery },
    },
    async ({ params, query, context }) => {
      if (wantsRoles(query)) assertScope(context, 'read:organization_member_roles');
      const people = { kind: 'user' } as const;
      if (wantsCheckpoint(query)) {
        const page = await listMembersByKey(context, params.id, people, keysetRange(query));
        return checkpointBody('members', page, await bodiesOf(context, query, page.items));
      }
      const page = await listMembers(context, params.id, people, offsetRange(query));
      return offsetBody('members', query, page, await bodiesOf(context, query, page.items));
    },
  );

  server.post(
    '/organizations/:id/members',
    {
      config: { scopes: ['create:organization_members'] },
      schema: { summary: 'Add members to an organization', params: idParams, body: membersBody },
    },
    async ({ params, body, context }, reply) => {
      await addMembers(context, params.id, 'user', body.members.map(storedUserId), 'members');
      return reply.code(204).send();
    },
  );

  server.delete(
    '/organizations/:id/members',
    {
      config: { scopes: ['delete:organization_members'] },
      schema: { summary: 'Remove members from an organization', params: idParams, body: membersBody },
    },
    ({ params, body, context }, reply) =>
      deleteIdempotently(reply, removeMembers(context, params.id, 'user', body.members.map(storedUserId))),
  );
};

type MembersQuery = Static<typeof membersQuery>;

/** Roles are shown only when they are asked for by name. */
const wantsRoles = ({ fields = '', include_fields }: MembersQuery): boolean =>
  include_fields !== false && fields.split(',').some((field) => field.trim() === 'roles');

async function bodiesOf(ctx: Context, query: MembersQuery, memberships: readonly Membership[]) {
  const members = await withSubjects(ctx, memberships);
  return members.map((member) => selectFields(query, bodyOf(member, wantsRoles(query))));
}

function bodyOf({ membership, subject }: Member, withRoles: boolean): Record<string, unknown> {
  const person = subject.kind === 'user' ? personOf(subject.user) : {};
  return withRoles ? { ...person, roles: membership.roles.map(({ id, name }) => ({ id, name })) } : person;
}
