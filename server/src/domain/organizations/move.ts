import { sql } from 'kysely';
import { DomainError } from '../../kernel/errors.ts';
import type { Tx } from '../../storage/database.ts';
import { assertMayGiveRoles } from '../access/give-roles.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import { type Organization, type OrganizationRow, organizationOf } from './organization.ts';
import { assertNotOwn, tooDeep } from './organizations.ts';
import { assertWholeTenant } from './reach.ts';
import { loadRow } from './read-organizations.ts';
import { depthOf, idsOfPath, isWithin, maximumDepth, pathBelow, withinSubtree } from './tree.ts';

/**
 * Moves an organization with its whole subtree below another one, or makes it a root (`parentId` null), in one
 * transaction. What it inherited from above is gone with the next request; who is a member above its new place reaches
 * it, so the caller must be allowed to give their roles. Throws `entity.not_found`, `organization.cycle`,
 * `organization.too_deep`, `auth.exceeds_own`, `auth.organization_token` (a delegated caller moves its own organization,
 * or makes a root).
 */
export async function moveOrganization(ctx: Context, id: string, parentId: string | null): Promise<Organization> {
  if (parentId === null) assertWholeTenant(ctx, 'make a root');
  return ctx.db.transact(async (trx) => {
    const row = await loadRow(ctx, trx, id);
    assertNotOwn(ctx, id, 'move its own organization');
    const parent = parentId === null ? undefined : await loadRow(ctx, trx, parentId, 'parentId');
    if (parent !== undefined && isWithin(parent.path, row.path)) {
      throw new DomainError('organization.cycle', 'An organization can not be moved below itself.', {
        path: 'parentId',
      });
    }
    if (parent !== undefined) await assertMayGiveRoles(ctx, trx, await rolesCountingFrom(ctx, trx, parent, row));
    const path = pathBelow(parent?.path, id);
    const after = { ...row, parent_id: parent?.id ?? null, path, updated_at: ctx.clock.now() };
    await assertFits(ctx, trx, row, path);
    if (path !== row.path) {
      await trx
        .updateTable('organizations')
        .set({ path: sql<string>`${path} || substr(path, ${sql.lit(row.path.length + 1)})` })
        .where('tenant_id', '=', ctx.site.tenantId)
        .where(withinSubtree('path', row.path))
        .execute();
    }
    await trx
      .updateTable('organizations')
      .set({ parent_id: after.parent_id, updated_at: after.updated_at })
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', '=', id)
      .execute();
    await recordChange(ctx, trx, 'organization.moved', id, {
      details: { parent: after.parent_id, before: row.parent_id },
    });
    return organizationOf(ctx, after);
  });
}

/** Whether the deepest of the subtree is within the limit where it goes. Throws `organization.too_deep`. */
async function assertFits(ctx: Context, trx: Tx, row: OrganizationRow, path: string): Promise<void> {
  const { longest } = await trx
    .selectFrom('organizations')
    .select(sql<number>`max(length(path))`.as('longest'))
    .where('tenant_id', '=', ctx.site.tenantId)
    .where(withinSubtree('path', row.path))
    .executeTakeFirstOrThrow();
  if (depthOf(path.padEnd(Number(longest) - row.path.length + path.length)) > maximumDepth) throw tooDeep();
}

/** The roles that will count in an organization below `parent` and do not count there where it is. */
async function rolesCountingFrom(
  ctx: Context,
  trx: Tx,
  parent: OrganizationRow,
  moved: OrganizationRow,
): Promise<string[]> {
  const before = new Set(idsOfPath(moved.path));
  const gained = idsOfPath(parent.path).filter((id) => !before.has(id));
  if (gained.length === 0) return [];
  // A cross join, since SQLite keeps its order: from the members above, where it would begin with those of the tenant.
  const rows = await trx
    .selectFrom('memberships as m')
    .crossJoin('membership_roles as mr')
    .select('mr.role_id')
    .distinct()
    .whereRef('mr.tenant_id', '=', 'm.tenant_id')
    .whereRef('mr.membership_id', '=', 'm.id')
    .where('m.tenant_id', '=', ctx.site.tenantId)
    .where('m.organization_id', 'in', gained)
    .where('m.this_organization_only', '=', 0)
    .execute();
  return rows.map(({ role_id }) => role_id);
}
