import type { Queryable } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import { isDelegated } from '../organizations/reach.ts';
import { assertHolds, callerScopesAt, exceedsOwn } from './management-scopes.ts';
import { rolesOfSubject, scopesOfRoles } from './role-scopes.ts';

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
    const held = await callerScopesAt(ctx, db, ctx.actor.clientId, identifier);
    const exceeding = scopes.filter((scope) => scope.identifier === identifier && !held.includes(scope.value));
    if (exceeding.length > 0) throw exceedsOwn(exceeding.map(({ value }) => value));
  }
  await assertOwnerMayMakeOwners(ctx, db, roleIds);
}

async function assertOwnerMayMakeOwners(ctx: Context, db: Queryable, roleIds: readonly string[]): Promise<void> {
  if (ctx.actor.kind === 'server') return;
  const ownerRoles = async (ids: readonly string[]) =>
    ids.length === 0
      ? []
      : await db
          .selectFrom('roles')
          .select('name')
          .where('tenant_id', '=', ctx.site.tenantId)
          .where('id', 'in', ids)
          .where('is_owner', '=', 1)
          .execute();
  const [given] = await ownerRoles(roleIds);
  if (given === undefined) return;
  const own = (await rolesOfSubject(ctx, db, ctx.actor.clientId)).map(({ roleId }) => roleId);
  if ((await ownerRoles(own)).length === 0) throw exceedsOwn([given.name]);
}
