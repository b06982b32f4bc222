/** Who changes how somebody authenticates could afterwards act as that somebody, so must be able to do all of it anyway. */
import { DomainError } from '../../kernel/errors.ts';
import type { Queryable } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import { isDelegated } from '../organizations/reach.ts';
import { type SystemApi, storedIdentifier } from '../resource-servers/system.ts';
import { accessFactsOf, presentedTokenFacts } from './facts.ts';
import { assertMayGiveRoles, ownersAmong } from './give-roles.ts';
import { assertHolds, exceedsOwn, subjectOf } from './management-scopes.ts';
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
  if (subjectOf(ctx.actor) === subjectId && !delegated) return;
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

/** What the client's own grant for a management audience says. */
async function grantedScopes(ctx: Context, db: Queryable, api: SystemApi, clientId: string) {
  const [row] = await ctx.db.runWithin(db, presentedTokenFacts, {
    tenantId: ctx.site.tenantId,
    clientId,
    identifier: storedIdentifier(api.kind),
    kid: '',
    jti: '',
  });
  return row === undefined ? [] : (accessFactsOf(row).grant?.scopes ?? []);
}
