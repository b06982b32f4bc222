/** The rows behind a membership: written here and nowhere else. */
import { randomAlphanumeric } from '../../kernel/random.ts';
import type { Queryable, Tx } from '../../storage/database.ts';
import type { SubjectKind } from '../../storage/schema.ts';
import { assertMayGiveRoles } from '../access/give-roles.ts';
import { chunksOf } from '../chunks.ts';
import type { Context } from '../context.ts';
import { recordChanges } from '../logs/record-change.ts';
import type { MembershipRow } from './membership.ts';

/** Writes memberships without roles, each with its event. */
export async function insertMemberships(
  ctx: Context,
  trx: Tx,
  organizationId: string,
  kind: SubjectKind,
  subjectIds: readonly string[],
  thisOrganizationOnly: boolean,
): Promise<MembershipRow[]> {
  const now = ctx.clock.now();
  const rows = subjectIds.map((subjectId) =>
    newMembershipRow(ctx, { organizationId, kind, subjectId, thisOrganizationOnly, now }),
  );
  await insertMembershipRows(ctx, trx, rows);
  return rows;
}

/** The row of a new membership; nothing is written. `now`: milliseconds. */
export const newMembershipRow = (
  ctx: Context,
  of: { organizationId: string; kind: SubjectKind; subjectId: string; thisOrganizationOnly: boolean; now: number },
): MembershipRow => ({
  tenant_id: ctx.site.tenantId,
  id: `mem_${randomAlphanumeric(ctx.random, 16)}`,
  organization_id: of.organizationId,
  subject_id: of.subjectId,
  subject_kind: of.kind,
  this_organization_only: of.thisOrganizationOnly ? 1 : 0,
  created_at: of.now,
  updated_at: of.now,
});

/** The same for rows of several organizations. */
export async function insertMembershipRows(ctx: Context, trx: Tx, rows: readonly MembershipRow[]): Promise<void> {
  for (const part of chunksOf(rows)) await trx.insertInto('memberships').values(part).execute();
  await recordMembers(ctx, trx, 'added', rows);
}

/**
 * Gives roles to memberships, those each lacks; the caller must be allowed to give them, unless the person was invited
 * with them. Returns the memberships that gained any. Throws `auth.exceeds_own`.
 */
export async function giveRoles(
  ctx: Context,
  trx: Tx,
  memberships: readonly MembershipRow[],
  roleIds: readonly string[],
  { invited = false }: { invited?: boolean } = {},
): Promise<Set<string>> {
  const held = await heldRoleIds(
    ctx,
    trx,
    memberships.map(({ id }) => id),
  );
  const missing = memberships.flatMap(({ id }) =>
    roleIds
      .filter((roleId) => held.get(id)?.has(roleId) !== true)
      .map((roleId) => ({ tenant_id: ctx.site.tenantId, membership_id: id, role_id: roleId })),
  );
  // Who invites somebody is asked when the invitation is made.
  if (!invited) await assertMayGiveRoles(ctx, trx, [...new Set(missing.map(({ role_id }) => role_id))]);
  for (const part of chunksOf(missing)) await trx.insertInto('membership_roles').values(part).execute();
  return new Set(missing.map(({ membership_id }) => membership_id));
}

/** The roles of each membership, by id. */
export async function heldRoleIds(
  ctx: Context,
  db: Queryable,
  membershipIds: readonly string[],
): Promise<Map<string, Set<string>>> {
  const held = new Map<string, Set<string>>();
  for (const part of chunksOf(membershipIds)) {
    const rows = await db
      .selectFrom('membership_roles')
      .select(['membership_id', 'role_id'])
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('membership_id', 'in', part)
      .execute();
    for (const row of rows) {
      const roles = held.get(row.membership_id) ?? new Set();
      held.set(row.membership_id, roles.add(row.role_id));
    }
  }
  return held;
}

/** Notes the time of a change, with its event; returns the rows as they are now. */
export async function touchMemberships(
  ctx: Context,
  trx: Tx,
  rows: readonly MembershipRow[],
  set: { this_organization_only?: 0 | 1 } = {},
): Promise<MembershipRow[]> {
  const ids = rows.map(({ id }) => id);
  const change = { ...set, updated_at: ctx.clock.now() };
  for (const part of chunksOf(ids)) {
    await trx
      .updateTable('memberships')
      .set(change)
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', 'in', part)
      .execute();
  }
  await recordMembers(ctx, trx, 'updated', rows);
  return rows.map((row) => ({ ...row, ...change }));
}

/** Ends memberships with their roles, each with its event. */
export async function deleteMemberships(ctx: Context, trx: Tx, rows: readonly MembershipRow[]): Promise<void> {
  const ids = rows.map(({ id }) => id);
  for (const part of chunksOf(ids)) {
    await trx.deleteFrom('memberships').where('tenant_id', '=', ctx.site.tenantId).where('id', 'in', part).execute();
  }
  await recordMembers(ctx, trx, 'removed', rows);
}

const recordMembers = (
  ctx: Context,
  trx: Tx,
  what: 'added' | 'updated' | 'removed',
  rows: readonly MembershipRow[],
): Promise<void> =>
  recordChanges(
    ctx,
    trx,
    rows.map((row) => ({
      kind: `organization_member.${what}` as const,
      target: row.id,
      ...(row.subject_kind === 'user' ? { userId: row.subject_id } : {}),
      details: { organization: row.organization_id, subject: row.subject_id, kind: row.subject_kind },
    })),
  );
