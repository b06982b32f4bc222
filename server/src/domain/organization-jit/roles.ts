/** The organization roles that who becomes a member just in time is given. */
import { notFound } from '../../kernel/errors.ts';
import type { Queryable, Tx } from '../../storage/database.ts';
import { assertMayGiveRoles } from '../access/give-roles.ts';
import type { Context } from '../context.ts';
import { assertWholeTenant } from '../organizations/reach.ts';
import { loadRow } from '../organizations/read-organizations.ts';
import {
  type KeysetPage,
  type KeysetRange,
  keysetPage,
  mapPage,
  type OffsetPage,
  type OffsetRange,
  offsetPage,
} from '../paging.ts';
import { loadRoles } from '../roles/read-roles.ts';
import { type Role, type RoleRow, roleOf } from '../roles/role.ts';
import { recordJit } from './email-domains.ts';

const rolesOf = (ctx: Context, db: Queryable, organizationId: string) =>
  db
    .selectFrom('roles')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('organization_jit_roles')
        .select('role_id')
        .where('tenant_id', '=', ctx.site.tenantId)
        .where('organization_id', '=', organizationId),
    );

/** In order of creation. Throws `entity.not_found`. */
export async function listJitRoles(
  ctx: Context,
  organizationId: string,
  range: OffsetRange,
): Promise<OffsetPage<Role>> {
  const { id } = await loadRow(ctx, ctx.db.read, organizationId);
  const page = await offsetPage<RoleRow>(rolesOf(ctx, ctx.db.reports, id), range);
  return mapPage(page, page.items.map(roleOf));
}

/** The same by key. Throws `entity.not_found`, `input.cursor_invalid`. */
export async function listJitRolesByKey(
  ctx: Context,
  organizationId: string,
  range: KeysetRange,
): Promise<KeysetPage<Role>> {
  const { id } = await loadRow(ctx, ctx.db.read, organizationId);
  const page = await keysetPage<RoleRow>(ctx, `jit roles ${id}`, rolesOf(ctx, ctx.db.read, id), range);
  return mapPage(page, page.items.map(roleOf));
}

/**
 * Adds roles, or with `replace` makes exactly these the roles. Throws `entity.not_found`, `entity.reference_not_found`,
 * `role.wrong_subject` (only roles for users), `auth.exceeds_own`, `auth.organization_token`.
 */
export async function setJitRoles(
  ctx: Context,
  organizationId: string,
  roleIds: readonly string[],
  { replace }: { replace: boolean },
): Promise<void> {
  assertWholeTenant(ctx, 'change what makes people members');
  await ctx.db.transact(async (trx) => {
    await loadRow(ctx, trx, organizationId);
    const wanted = { level: 'organization', subjectKind: 'user' } as const;
    const roles = await loadRoles(ctx, trx, roleIds, wanted, 'organizationRoleIds');
    await assertMayGiveRoles(
      ctx,
      trx,
      roles.map(({ id }) => id),
    );
    if (replace) await deleteRoles(ctx, trx, organizationId);
    for (const { id } of roles) {
      await trx
        .insertInto('organization_jit_roles')
        .values({ tenant_id: ctx.site.tenantId, organization_id: organizationId, role_id: id })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    }
    await recordJit(ctx, trx, organizationId, { roles: roles.map(({ id }) => id), replaced: replace });
  });
}

/** Throws `entity.not_found`, `auth.organization_token`. */
export async function removeJitRole(ctx: Context, organizationId: string, roleId: string): Promise<void> {
  assertWholeTenant(ctx, 'change what makes people members');
  await ctx.db.transact(async (trx) => {
    await loadRow(ctx, trx, organizationId);
    if ((await deleteRoles(ctx, trx, organizationId, roleId)) === 0n) throw notFound('organization role');
    await recordJit(ctx, trx, organizationId, { removedRole: roleId });
  });
}

async function deleteRoles(ctx: Context, trx: Tx, organizationId: string, roleId?: string): Promise<bigint> {
  let query = trx
    .deleteFrom('organization_jit_roles')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('organization_id', '=', organizationId);
  if (roleId !== undefined) query = query.where('role_id', '=', roleId);
  return (await query.executeTakeFirstOrThrow()).numDeletedRows;
}
