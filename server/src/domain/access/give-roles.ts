import type { Queryable } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import { isDelegated, ownOrganization } from '../organizations/reach.ts';
import { organizationItself } from '../resource-servers/system.ts';
import { assertHolds, callerScopesAt, exceedsOwn, subjectOf } from './management-scopes.ts';
import { organizationFactsStatement } from './organization-facts.ts';
import { scopesOfRoles } from './role-scopes.ts';

/**
 * Whether the caller may give these roles to somebody, tenant-wide or in an organization, or make roles of such scopes.
 * What they give at a management audience the caller must hold. A delegated caller must hold in its own organization
 * all that they give, and be an owner to make one. Throws `auth.exceeds_own`.
 */
export async function assertMayGiveRoles(ctx: Context, db: Queryable, roleIds: readonly string[]): Promise<void> {
  if (ctx.actor.kind === 'server' || roleIds.length === 0) return;
  const scopes = await scopesOfRoles(ctx, db, roleIds);
  for (const api of ctx.systemApis) {
    await assertHolds(
      ctx,
      db,
      api,
      scopes.filter(({ systemKind }) => systemKind === api.kind).map(({ value }) => value),
    );
  }
  if (!isDelegated(ctx)) return;
  for (const identifier of new Set(
    scopes.filter((scope) => scope.systemKind === null).map((scope) => scope.identifier),
  )) {
    const held = await callerScopesAt(ctx, db, ctx.actor, identifier);
    const exceeding = scopes.filter((scope) => scope.identifier === identifier && !held.includes(scope.value));
    if (exceeding.length > 0) throw exceedsOwn(exceeding.map(({ value }) => value));
  }
  await assertOwnerMayMakeOwners(ctx, db, roleIds);
}

async function assertOwnerMayMakeOwners(ctx: Context, db: Queryable, roleIds: readonly string[]): Promise<void> {
  if (ctx.actor.kind === 'server') return;
  const [given] = await ownersAmong(ctx, db, roleIds);
  if (given === undefined) return;
  if ((await ownersAmong(ctx, db, await ownRoleIds(ctx, db, subjectOf(ctx.actor)))).length === 0) {
    throw exceedsOwn([given]);
  }
}

/** The names of those among the roles that are an owner's. */
export async function ownersAmong(ctx: Context, db: Queryable, roleIds: readonly string[]): Promise<string[]> {
  if (roleIds.length === 0) return [];
  const rows = await db
    .selectFrom('roles')
    .select('name')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', 'in', roleIds)
    .where('is_owner', '=', 1)
    .execute();
  return rows.map(({ name }) => name);
}

/** The roles a delegated caller has in its own organization, inherited ones included; one held below does not count. */
async function ownRoleIds(ctx: Context, db: Queryable, subjectId: string): Promise<string[]> {
  const organization = ownOrganization(ctx);
  if (organization === undefined) return [];
  const { tenantId } = ctx.site;
  const rows = await ctx.db.runWithin(db, organizationFactsStatement, {
    tenantId,
    organizationId: organization.id,
    subjectId,
    identifier: organizationItself,
  });
  return rows.flatMap(({ role_id }) => role_id ?? []);
}
