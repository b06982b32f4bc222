/**
 * Members of organizations: added, replaced, removed. Their roles are `member-roles.ts`, lists `read-memberships.ts`.
 * Every change asks whether the caller may give what it gives, and leaves each root organization its last owner.
 */
import { DomainError } from '../../kernel/errors.ts';
import type { Tx } from '../../storage/database.ts';
import type { SubjectKind } from '../../storage/schema.ts';
import type { Context } from '../context.ts';
import type { OrganizationRow } from '../organizations/organization.ts';
import { watchOwners } from '../organizations/owners.ts';
import { loadRow } from '../organizations/read-organizations.ts';
import { loadRoles } from '../roles/read-roles.ts';
import { deleteMemberships, giveRoles, insertMemberships } from './give.ts';
import { assertNotInherited, loadMembership, type MemberKey, membersAmong } from './load-memberships.ts';
import { type Membership, membershipsOf } from './membership.ts';
import { assertMayJoin, assertSubjects } from './subjects.ts';

/** A user or client to be made a member. */
export interface NewMember {
  readonly subjectId: string;
  readonly kind: SubjectKind;
  readonly roleIds?: readonly string[];
  readonly thisOrganizationOnly?: boolean;
  /** The person was invited: a delegated caller may add it too. */
  readonly invited?: boolean;
}

/** Field names of a dialect's body, for errors. */
export interface MemberPaths {
  readonly subject: string;
  readonly roles: string;
}

const nativePaths = (kind: SubjectKind): MemberPaths => ({
  subject: kind === 'user' ? 'userId' : 'applicationId',
  roles: 'organizationRoleIds',
});

/**
 * Adds one member inside a transaction, to an organization loaded there. Throws `entity.exists` (of thing `member`),
 * `entity.reference_not_found`, `organization.not_a_machine`, `role.wrong_subject`, `auth.exceeds_own`,
 * `auth.organization_token` (a delegated caller adds somebody who was not invited).
 */
export async function addMemberWithin(
  ctx: Context,
  trx: Tx,
  organization: OrganizationRow,
  { subjectId, kind, roleIds = [], thisOrganizationOnly = false, invited = false }: NewMember,
  paths: MemberPaths = nativePaths(kind),
): Promise<Membership> {
  await (invited ? assertSubjects : assertMayJoin)(ctx, trx, kind, [subjectId], paths.subject);
  const [present] = await membersAmong(ctx, trx, organization.id, kind, [subjectId]);
  if (present !== undefined) {
    throw new DomainError('entity.exists', 'It is a member of the organization already.', {
      path: paths.subject,
      data: { thing: 'member' },
    });
  }
  const roles = await loadRoles(ctx, trx, roleIds, { level: 'organization', subjectKind: kind }, paths.roles);
  const rows = await insertMemberships(ctx, trx, organization.id, kind, [subjectId], thisOrganizationOnly);
  await giveRoles(
    ctx,
    trx,
    rows,
    roles.map(({ id }) => id),
    { invited },
  );
  const [membership] = await membershipsOf(ctx, trx, rows);
  return membership as Membership;
}

/** The same in a transaction of its own; also throws `entity.not_found` (the organization). */
export const addMember = (
  ctx: Context,
  organizationId: string,
  member: NewMember,
  paths?: MemberPaths,
): Promise<Membership> =>
  ctx.db.transact(async (trx) => addMemberWithin(ctx, trx, await loadRow(ctx, trx, organizationId), member, paths));

/**
 * Adds users or clients without roles; those who are members stay as they are. Throws as `addMember`, but for
 * `entity.exists`.
 */
export async function addMembers(
  ctx: Context,
  organizationId: string,
  kind: SubjectKind,
  subjectIds: readonly string[],
  path: string,
): Promise<void> {
  await ctx.db.transact(async (trx) => {
    await loadRow(ctx, trx, organizationId);
    await addMissing(ctx, trx, organizationId, kind, subjectIds, path);
  });
}

async function addMissing(
  ctx: Context,
  trx: Tx,
  organizationId: string,
  kind: SubjectKind,
  subjectIds: readonly string[],
  path: string,
): Promise<void> {
  const ids = [...new Set(subjectIds)];
  const present = new Set(
    (await membersAmong(ctx, trx, organizationId, kind, ids)).map(({ subject_id }) => subject_id),
  );
  const missing = ids.filter((id) => !present.has(id));
  await assertMayJoin(ctx, trx, kind, missing, path);
  await insertMemberships(ctx, trx, organizationId, kind, missing, false);
}

/**
 * Makes exactly these users (or clients) the members of their kind; those who stay keep their roles. Throws as
 * `addMembers`, and `organization.last_owner`.
 */
export async function replaceMembers(
  ctx: Context,
  organizationId: string,
  kind: SubjectKind,
  subjectIds: readonly string[],
  path: string,
): Promise<void> {
  await ctx.db.transact(async (trx) => {
    await loadRow(ctx, trx, organizationId);
    const assertOwnersRemain = await watchOwners(ctx, trx, { organizationId });
    const before = await trx
      .selectFrom('memberships')
      .selectAll()
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('organization_id', '=', organizationId)
      .where('subject_kind', '=', kind)
      .execute();
    const wanted = new Set(subjectIds);
    await deleteMemberships(
      ctx,
      trx,
      before.filter(({ subject_id }) => !wanted.has(subject_id)),
    );
    await addMissing(ctx, trx, organizationId, kind, subjectIds, path);
    await assertOwnersRemain();
  });
}

/**
 * Removes a member with its roles. Throws `entity.not_found`, `organization.member_inherited`,
 * `organization.last_owner`.
 */
export async function removeMember(ctx: Context, organizationId: string, key: MemberKey): Promise<void> {
  await ctx.db.transact(async (trx) => {
    const row = await loadMembership(ctx, trx, organizationId, key);
    const assertOwnersRemain = await watchOwners(ctx, trx, { membershipId: row.id });
    await deleteMemberships(ctx, trx, [row]);
    await assertOwnersRemain();
  });
}

/**
 * Removes users or clients with their roles; those who are no members do not matter. Throws `entity.not_found` (the
 * organization), `organization.member_inherited`, `organization.last_owner`.
 */
export async function removeMembers(
  ctx: Context,
  organizationId: string,
  kind: SubjectKind,
  subjectIds: readonly string[],
): Promise<void> {
  await ctx.db.transact(async (trx) => {
    const organization = await loadRow(ctx, trx, organizationId);
    const ids = [...new Set(subjectIds)];
    const rows = await membersAmong(ctx, trx, organizationId, kind, ids);
    const direct = new Set(rows.map(({ subject_id }) => subject_id));
    await assertNotInherited(
      ctx,
      trx,
      organization,
      kind,
      ids.filter((id) => !direct.has(id)),
    );
    const assertOwnersRemain = await watchOwners(ctx, trx, { organizationId });
    await deleteMemberships(ctx, trx, rows);
    await assertOwnersRemain();
  });
}

/**
 * Ends every membership and tenant-wide role of a user or client that is deleted, and what is remembered of its calls,
 * in the transaction of its deletion. Throws `organization.last_owner`.
 */
export async function removeSubject(ctx: Context, trx: Tx, subjectId: string): Promise<void> {
  const assertOwnersRemain = await watchOwners(ctx, trx, { subjectId });
  for (const table of ['memberships', 'role_assignments'] as const) {
    await trx
      .deleteFrom(table)
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('subject_id', '=', subjectId)
      .execute();
  }
  await trx
    .deleteFrom('idempotency_keys')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('client_id', '=', subjectId)
    .execute();
  await assertOwnersRemain();
}
