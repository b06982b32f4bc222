/** Members as the native API shows them: beside the user or application, or on their own. */
import type {
  HiddenMember,
  Member as MemberBody,
  MembershipOfListed,
  MemberUsersQuery,
  OrganizationRole,
  OrganizationRoleChoice,
  PagingQuery,
} from '@sekisho/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from '../../../../domain/context.ts';
import { type Member, nameOf, withSubjects } from '../../../../domain/memberships/member-subjects.ts';
import type { Membership } from '../../../../domain/memberships/membership.ts';
import { listMemberRoles, listMemberRolesByKey } from '../../../../domain/memberships/read-member-roles.ts';
import { listMembers, listMembersByKey } from '../../../../domain/memberships/read-memberships.ts';
import { notFound } from '../../../../kernel/errors.ts';
import { applicationBody } from '../../applications/mapping.ts';
import { organizationRoleBody } from '../../organization-template/mapping.ts';
import { sendOptionalPage, sendPage } from '../../paging.ts';
import { userBody } from '../../users/mapping.ts';

type ListQuery = PagingQuery & Pick<MemberUsersQuery, 'q' | 'organizationRoleId' | 'inherited'>;

/** Answers a page of members, users and clients or those of one kind, each in the body that is asked for. */
export async function sendMembers<Body>(
  request: FastifyRequest<{ Querystring: ListQuery }>,
  reply: FastifyReply,
  organizationId: string,
  kind: Membership['kind'] | undefined,
  body: (member: Member) => Body,
): Promise<Body[]> {
  const ctx = request.context;
  const { q, organizationRoleId: roleId, inherited } = request.query;
  const filter = { kind, roleId, inherited, contains: q === '' ? undefined : q };
  const withMembers = async <Page extends { items: Membership[] }>(page: Page) => ({
    ...page,
    items: await withSubjects(ctx, page.items),
  });
  const list = {
    byKey: async (range: Parameters<typeof listMembersByKey>[3]) =>
      withMembers(await listMembersByKey(ctx, organizationId, filter, range)),
    byOffset: async (range: Parameters<typeof listMembers>[3]) =>
      withMembers(await listMembers(ctx, organizationId, filter, range)),
  };
  return sendPage(request, reply, list, body);
}

/** Answers the roles of one direct member. */
export function sendMemberRoles(
  request: FastifyRequest<{ Querystring: PagingQuery }>,
  reply: FastifyReply,
  organizationId: string,
  key: { subjectId: string; kind: Membership['kind'] },
): Promise<OrganizationRole[]> {
  const ctx = request.context;
  const list = {
    byKey: (range: Parameters<typeof listMemberRolesByKey>[3]) => listMemberRolesByKey(ctx, organizationId, key, range),
    byOffset: (range: Parameters<typeof listMemberRoles>[3]) => listMemberRoles(ctx, organizationId, key, range),
  };
  return sendOptionalPage(request, reply, list, (role) => organizationRoleBody(ctx, role));
}

export const choiceOf = ({ organizationRoleIds, organizationRoleNames }: OrganizationRoleChoice) => ({
  ids: organizationRoleIds,
  names: organizationRoleNames,
});

const heldRoles = ({ roles }: Membership) => roles.map(({ id, name }) => ({ id, name }));

/** What a listed user or application has beside its own fields. */
const besides = (membership: Membership, inheritedToo: boolean | undefined): MembershipOfListed => ({
  organizationRoles: heldRoles(membership),
  ...(inheritedToo === true
    ? { membershipId: membership.id, inherited: membership.inherited, inheritedFrom: membership.inheritedFrom }
    : {}),
});

const hidden = (membership: Membership, name: string | null): HiddenMember => ({
  id: null,
  name,
  organizationRoles: heldRoles(membership),
  membershipId: membership.id,
  inherited: true,
  inheritedFrom: null,
});

export const userMemberBody =
  ({ inherited }: ListQuery) =>
  ({ membership, subject }: Member) => {
    if (subject.kind === 'user') return { ...userBody(subject.user), ...besides(membership, inherited) };
    return hidden(membership, subject.kind === 'hidden' ? subject.name : null);
  };

export const applicationMemberBody =
  (ctx: Context, { inherited }: ListQuery) =>
  ({ membership, subject }: Member) => {
    if (subject.kind === 'client')
      return { ...applicationBody(ctx, subject.client), ...besides(membership, inherited) };
    return hidden(membership, subject.kind === 'hidden' ? subject.name : null);
  };

export function memberBody(ctx: Context, { membership, subject }: Member): MemberBody {
  const isHidden = subject.kind === 'hidden';
  return {
    tenantId: ctx.site.tenantId,
    id: membership.id,
    organizationId: membership.organizationId,
    kind: membership.kind,
    userId: subject.kind === 'user' ? subject.user.id : null,
    applicationId: subject.kind === 'client' ? subject.client.id : null,
    name: nameOf(subject),
    primaryEmail: subject.kind === 'user' ? subject.user.email : null,
    organizationRoles: heldRoles(membership),
    thisOrganizationOnly: membership.thisOrganizationOnly,
    inherited: membership.inherited,
    inheritedFrom: membership.inheritedFrom,
    createdAt: isHidden ? null : membership.createdAt,
    updatedAt: isHidden ? null : membership.updatedAt,
  };
}

/** Of one membership. Throws `entity.not_found` when its subject was deleted meanwhile. */
export async function memberBodyOf(ctx: Context, membership: Membership): Promise<MemberBody> {
  const [member] = await withSubjects(ctx, [membership]);
  if (member === undefined) throw notFound('member');
  return memberBody(ctx, member);
}
