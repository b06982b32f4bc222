import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  AccountMember,
  AccountMemberPage,
  AccountsPaging,
  AddAccountMember,
  ChangeAccountMember,
  SearchAccountMembers,
} from '@sekisho/contract';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { addMemberByRole, changeMemberRole } from '../../domain/memberships/by-role.ts';
import { withSubjects } from '../../domain/memberships/member-subjects.ts';
import type { Membership } from '../../domain/memberships/membership.ts';
import { removeMember } from '../../domain/memberships/memberships.ts';
import { getMember, listMembersByKey, type MemberFilter } from '../../domain/memberships/read-memberships.ts';
import { invalid, notFound } from '../../kernel/errors.ts';
import { pageBody, rangeOf } from './envelope.ts';
import { memberBody } from './mapping.ts';
import { accountParams, failuresOfChange, failuresOfOne, memberParams } from './schema.ts';

const reads = { scopes: ['read:organization_members'], delegated: true };

/** `/api/accounts/:account_id/members`: its own, and those of the accounts above that count here. */
export const memberRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/:account_id/members',
    {
      config: reads,
      schema: {
        summary: 'List the members of an account',
        description: 'Its own members first, then those of the accounts above, from the nearest up.',
        params: accountParams,
        querystring: AccountsPaging,
        response: { 200: AccountMemberPage, ...failuresOfOne },
      },
    },
    ({ context, params, query }) => page(context, params.account_id, {}, query),
  );

  server.post(
    '/:account_id/members',
    {
      config: { scopes: ['create:organization_members'], delegated: true },
      schema: {
        summary: 'Add a member with a role',
        description:
          'The roles owner, member and viewer are made at first use. A token for one account adds machine clients only.',
        params: accountParams,
        body: AddAccountMember,
        response: { 201: AccountMember, ...failuresOfChange },
      },
    },
    async ({ context, params, body }, reply) => {
      const subject = subjectOf(body);
      const paths = { subject: `${subject.kind}_id`, roles: 'role' };
      const member = await addMemberByRole(context, params.account_id, { ...subject, role: body.role }, paths);
      reply.code(201);
      return bodyOf(context, params.account_id, member);
    },
  );

  server.post(
    '/:account_id/members/search',
    {
      config: reads,
      schema: {
        summary: 'Find members by what they are known by',
        params: accountParams,
        body: SearchAccountMembers,
        response: { 200: AccountMemberPage, ...failuresOfOne },
      },
    },
    ({ context, params, body }) => page(context, params.account_id, { contains: body.query }, body),
  );

  server.get(
    '/:account_id/members/:member_id',
    {
      config: reads,
      schema: {
        summary: 'Read a member',
        params: memberParams,
        response: { 200: AccountMember, ...failuresOfOne },
      },
    },
    ({ context, params }) => readMember(context, params),
  );

  server.patch(
    '/:account_id/members/:member_id',
    {
      config: { scopes: ['update:organization_members'], delegated: true, current },
      schema: {
        summary: 'Change the role of a member',
        description: 'The role replaces all roles the member has.',
        params: memberParams,
        body: ChangeAccountMember,
        response: { 200: AccountMember, ...failuresOfChange },
      },
    },
    async ({ context, params, body }) => {
      const { account_id, member_id } = params;
      return bodyOf(context, account_id, await changeMemberRole(context, account_id, member_id, body.role));
    },
  );

  server.delete(
    '/:account_id/members/:member_id',
    {
      config: { scopes: ['delete:organization_members'], delegated: true },
      schema: {
        summary: 'Remove a member',
        params: memberParams,
        response: { 204: Type.Null(), ...failuresOfChange },
      },
    },
    async ({ context, params }, reply) => {
      await removeMember(context, params.account_id, { membershipId: params.member_id });
      reply.code(204);
      return null;
    },
  );
};

type Context = FastifyRequest['context'];

async function page(ctx: Context, accountId: string, filter: MemberFilter, paging: AccountsPaging) {
  const { items, next } = await listMembersByKey(ctx, accountId, { ...filter, inherited: true }, rangeOf(paging));
  const found = { items: await withSubjects(ctx, items), ...(next === undefined ? {} : { next }) };
  return pageBody(found, (member) => memberBody(accountId, member));
}

async function bodyOf(ctx: Context, accountId: string, membership: Membership): Promise<AccountMember> {
  const [member] = await withSubjects(ctx, [membership]);
  // Its user was deleted meanwhile.
  if (member === undefined) throw notFound('member');
  return memberBody(accountId, member);
}

const readMember = async (ctx: Context, { account_id, member_id }: { account_id: string; member_id: string }) =>
  bodyOf(ctx, account_id, await getMember(ctx, account_id, { membershipId: member_id }));

/** What a PATCH with `If-Match` is compared with. */
function current({ context, params }: FastifyRequest): Promise<AccountMember> {
  return readMember(context, params as { account_id: string; member_id: string });
}

/** The user or the client to add. */
function subjectOf({ user_id, client_id }: AddAccountMember) {
  if ((user_id === undefined) === (client_id === undefined)) {
    throw invalid('user_id', 'Name one: a user_id or a client_id.');
  }
  return user_id === undefined
    ? ({ kind: 'client', subjectId: client_id as string } as const)
    : ({ kind: 'user', subjectId: user_id } as const);
}
