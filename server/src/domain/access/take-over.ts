/** Who changes how somebody authenticates could afterwards act as that somebody, so must be able to do all of it anyway. */
import { sql } from 'kysely';
import { DomainError } from '../../kernel/errors.ts';
import type { Queryable } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import { isDelegated } from '../organizations/reach.ts';
import type { SystemApi } from '../resource-servers/system.ts';
import { assertMayGiveRoles, ownersAmong } from './give-roles.ts';
import { assertHolds, exceedsOwn } from './management-scopes.ts';
import { managementScopesOfRoles, rolesOfSubject, scopesOfRoles } from './role-scopes.ts';

/**
 * The caller must hold, at both management audiences, all that a client or user could ever use there: grants,
 * tenant-wide roles and roles in every organization, whether or not they can be used today: a disabled or public client
 * is only one change away from using them. A delegated caller must also be allowed to give every role held in its own
 * subtree, and must not take over who can do anything in an organization outside, not even its own client: the token
 * stays inside. Throws `auth.exceeds_own`.
 */
export async function assertHoldsAllOf(ctx: Context, db: Queryable, subjectId: string): Promise<void> {
  if (ctx.actor.kind === 'server') return;
  const delegated = isDelegated(ctx);
  // A client is what it holds; a person is more than what it may do through the application that acts for it.
  if (ctx.actor.userId === undefined && ctx.actor.clientId === subjectId && !delegated) return;
  const roles = await rolesOfSubject(ctx, db, subjectId);
  const idsOf = (some: typeof roles) => some.map(({ roleId }) => roleId);
  const given = await managementScopesOfRoles(ctx, db, idsOf(roles));
  const outside = await managementScopesOfRoles(ctx, db, idsOf(roles.filter(({ inReach }) => !inReach)));
  for (const api of ctx.systemApis) {
    const byGrant = await grantedScopes(ctx, db, api, subjectId);
    const beyond = [...(outside.get(api.kind) ?? []), ...byGrant];
    if (delegated && beyond.length > 0) throw exceedsOwn(beyond);
    await assertHolds(ctx, db, api, new Set([...byGrant, ...(given.get(api.kind) ?? [])]));
  }
  if (!delegated) return;
  await assertMayGiveRoles(ctx, db, idsOf(roles.filter(({ inReach }) => inReach)));
  await assertGiveNothing(ctx, db, idsOf(roles.filter(({ inReach, tenantWide }) => !inReach && !tenantWide)));
}

/** What somebody can do elsewhere is not the caller's to use, nor to be told. */
async function assertGiveNothing(ctx: Context, db: Queryable, roleIds: readonly string[]): Promise<void> {
  const scopes = await scopesOfRoles(ctx, db, roleIds);
  if (scopes.length === 0 && (await ownersAmong(ctx, db, roleIds)).length === 0) return;
  throw new DomainError('auth.exceeds_own', 'You can not take over who has roles in other organizations.', {
    data: { scopes: [] },
  });
}

/**
 * What the client's grants for a management audience say: for itself, and for the people who use it, whose codes and
 * tokens go where the client is.
 */
async function grantedScopes(ctx: Context, db: Queryable, api: SystemApi, clientId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('client_grants as g')
    .innerJoin('resource_servers as r', (join) =>
      join.onRef('r.tenant_id', '=', 'g.tenant_id').onRef('r.id', '=', 'g.resource_server_id'),
    )
    .innerJoin('scopes as x', (join) =>
      join.onRef('x.tenant_id', '=', 'r.tenant_id').onRef('x.resource_server_id', '=', 'r.id'),
    )
    .select('x.value')
    .distinct()
    .where('g.tenant_id', '=', ctx.site.tenantId)
    .where('g.client_id', '=', clientId)
    .where('r.system_kind', '=', api.kind)
    .where(
      sql<boolean>`(g.all_scopes = 1 or exists (select 1 from client_grant_scopes y
        where y.tenant_id = g.tenant_id and y.client_grant_id = g.id and y.scope_id = x.id))`,
    )
    .execute();
  return rows.map(({ value }) => value);
}
