/** The roles of members: added, replaced, taken; and how far a membership reaches. */
import { notFound, referenceNotFound } from '../../kernel/errors.ts';
import type { Tx } from '../../storage/database.ts';
import type { SubjectKind } from '../../storage/schema.ts';
import { assertMayGiveRoles } from '../access/give-roles.ts';
import { chunksOf } from '../chunks.ts';
import type { Context } from '../context.ts';
import { watchOwners } from '../organizations/owners.ts';
import { loadRow } from '../organizations/read-organizations.ts';
import { loadRoles, rolesByName } from '../roles/read-roles.ts';
import { giveRoles, heldRoleIds, touchMemberships } from './give.ts';
import { loadMembership, loadMembershipsOf, type MemberKey, notAMember } from './load-memberships.ts';
import { type Membership, type MembershipRow, membershipsOf } from './membership.ts';

/** Organization roles as a request names them. */
export interface RoleChoice {
  readonly ids?: readonly string[] | undefined;
  readonly names?: readonly string[] | undefined;
}

const paths = { ids: 'organizationRoleIds', names: 'organizationRoleNames' };

/** Throws `entity.reference_not_found`, `role.wrong_subject`. */
async function chosenRoleIds(ctx: Context, trx: Tx, choice: RoleChoice, subjectKind: SubjectKind): Promise<string[]> {
  const names = choice.names ?? [];
  const named = await rolesByName(ctx, trx, names, 'organization');
  if (names.some((name) => !named.has(name))) throw referenceNotFound('organization role', paths.names);
  const ids = [...(choice.ids ?? []), ...[...named.values()].map(({ id }) => id)];
  const roles = await loadRoles(ctx, trx, ids, { level: 'organization', subjectKind }, paths.ids);
  return roles.map(({ id }) => id);
}

const keyedBy = (key: MemberKey) => () => ('kind' in key ? notAMember(key.kind) : notFound('member'));

/**
 * Gives roles to a member beside those it has; returns all that were named. Throws `organization.not_a_member` (or
 * `entity.not_found`, of a membership named by its id), `organization.member_inherited`, `entity.reference_not_found`,
 * `role.wrong_subject`, `auth.exceeds_own`.
 */
export async function addMemberRoles(
  ctx: Context,
  organizationId: string,
  key: MemberKey,
  choice: RoleChoice,
): Promise<string[]> {
  return ctx.db.transact(async (trx) => {
    const row = await loadMembership(ctx, trx, organizationId, key, keyedBy(key));
    const roleIds = await chosenRoleIds(ctx, trx, choice, row.subject_kind);
    const gained = await giveRoles(ctx, trx, [row], roleIds);
    if (gained.size > 0) await touchMemberships(ctx, trx, [row]);
    return roleIds;
  });
}

/** Gives each of these roles to each of these members; all or none. Throws as `addMemberRoles`. */
export async function addRolesToMembers(
  ctx: Context,
  organizationId: string,
  kind: SubjectKind,
  subjectIds: readonly string[],
  roleIds: readonly string[],
): Promise<void> {
  await ctx.db.transact(async (trx) => {
    const organization = await loadRow(ctx, trx, organizationId);
    const path = kind === 'user' ? 'userIds' : 'applicationIds';
    const rows = await loadMembershipsOf(ctx, trx, organization, kind, subjectIds, path);
    const ids = await chosenRoleIds(ctx, trx, { ids: roleIds }, kind);
    const gained = await giveRoles(ctx, trx, rows, ids);
    await touchMemberships(
      ctx,
      trx,
      rows.filter(({ id }) => gained.has(id)),
    );
  });
}

/** Makes these the roles of a member. Throws as `addMemberRoles`, and `organization.last_owner`. */
export async function replaceMemberRoles(
  ctx: Context,
  organizationId: string,
  key: MemberKey,
  choice: RoleChoice,
): Promise<void> {
  await updateMember(ctx, organizationId, key, { roles: choice });
}

/**
 * Changes a membership; what is absent stays. To let it count below is to give its roles there. Throws as
 * `replaceMemberRoles`.
 */
export async function updateMember(
  ctx: Context,
  organizationId: string,
  key: MemberKey,
  change: { roles?: RoleChoice | undefined; thisOrganizationOnly?: boolean | undefined },
): Promise<Membership> {
  return ctx.db.transact(async (trx) => {
    const row = await loadMembership(ctx, trx, organizationId, key, keyedBy(key));
    const assertOwnersRemain = await watchOwners(ctx, trx, { membershipId: row.id });
    const only = change.thisOrganizationOnly === undefined ? row.this_organization_only : flag(change);
    if (change.roles !== undefined) {
      await setRoles(ctx, trx, row, await chosenRoleIds(ctx, trx, change.roles, row.subject_kind));
    }
    if (only < row.this_organization_only) {
      const held = await heldRoleIds(ctx, trx, [row.id]);
      await assertMayGiveRoles(ctx, trx, [...(held.get(row.id) ?? [])]);
    }
    const after = await touchMemberships(ctx, trx, [row], { this_organization_only: only });
    await assertOwnersRemain();
    const [membership] = await membershipsOf(ctx, trx, after);
    return membership as Membership;
  });
}

const flag = ({ thisOrganizationOnly }: { thisOrganizationOnly?: boolean | undefined }): 0 | 1 =>
  thisOrganizationOnly === true ? 1 : 0;

async function setRoles(ctx: Context, trx: Tx, row: MembershipRow, roleIds: readonly string[]): Promise<void> {
  const held = [...((await heldRoleIds(ctx, trx, [row.id])).get(row.id) ?? [])];
  await giveRoles(ctx, trx, [row], roleIds);
  await takeRoles(
    ctx,
    trx,
    row,
    held.filter((id) => !roleIds.includes(id)),
  );
}

/**
 * Takes one role from a member. Throws `entity.not_found` (the member has no such role), `organization.not_a_member`,
 * `organization.member_inherited`, `organization.last_owner`.
 */
export async function removeMemberRole(
  ctx: Context,
  organizationId: string,
  key: MemberKey,
  roleId: string,
): Promise<void> {
  await ctx.db.transact(async (trx) => {
    const row = await loadMembership(ctx, trx, organizationId, key, keyedBy(key));
    const held = (await heldRoleIds(ctx, trx, [row.id])).get(row.id);
    if (held?.has(roleId) !== true) throw notFound('organization role');
    const assertOwnersRemain = await watchOwners(ctx, trx, { membershipId: row.id });
    await takeRoles(ctx, trx, row, [roleId]);
    await touchMemberships(ctx, trx, [row]);
    await assertOwnersRemain();
  });
}

/** Takes roles from a membership; asks nobody, and notes nothing. */
export async function takeRoles(ctx: Context, trx: Tx, row: MembershipRow, roleIds: readonly string[]): Promise<void> {
  for (const part of chunksOf(roleIds)) {
    await trx
      .deleteFrom('membership_roles')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('membership_id', '=', row.id)
      .where('role_id', 'in', part)
      .execute();
  }
}
