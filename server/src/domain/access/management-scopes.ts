/**
 * Nobody may grant, or take over, more than they hold at the management audiences. What a client holds there is told by
 * the decision function the token endpoint uses, from facts of this very transaction.
 */
import { DomainError } from '../../kernel/errors.ts';
import type { Queryable } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import { expandScopes, type SystemApi, storedIdentifier } from '../resource-servers/system.ts';
import { type ClientAccessFacts, decideClientAccess } from './decide.ts';
import { accessFactsOf, presentedTokenFacts } from './facts.ts';

/** What a client may do today at one management audience. */
export async function managementScopesOf(
  ctx: Context,
  db: Queryable,
  api: SystemApi,
  clientId: string,
): Promise<ReadonlySet<string>> {
  const facts = await factsOf(ctx, db, api, clientId);
  const decision = facts === undefined ? undefined : decideClientAccess(facts, undefined);
  return decision?.allowed ? expandScopes(api, decision.scopes) : new Set();
}

/**
 * What a client's grant says, whether or not the client can use it today: a disabled or public one is only one change
 * away from using it, and that change must not be open to who holds less.
 */
async function grantedManagementScopesOf(
  ctx: Context,
  db: Queryable,
  api: SystemApi,
  clientId: string,
): Promise<ReadonlySet<string>> {
  const facts = await factsOf(ctx, db, api, clientId);
  return expandScopes(api, facts?.grant?.scopes ?? []);
}

async function factsOf(
  ctx: Context,
  db: Queryable,
  api: SystemApi,
  clientId: string,
): Promise<ClientAccessFacts | undefined> {
  const [row] = await ctx.db.runWithin(db, presentedTokenFacts, {
    tenantId: ctx.site.tenantId,
    clientId,
    identifier: storedIdentifier(api.kind),
    kid: '',
    jti: '',
  });
  return row === undefined ? undefined : accessFactsOf(row);
}

/** The caller must hold each of `scopes` at the management audience `api`. Throws `auth.exceeds_own`. */
export async function assertHolds(
  ctx: Context,
  db: Queryable,
  api: SystemApi,
  scopes: Iterable<string>,
): Promise<void> {
  if (ctx.actor.kind === 'server') return;
  const own = await managementScopesOf(ctx, db, api, ctx.actor.clientId);
  const exceeding = [...expandScopes(api, [...scopes])].filter((scope) => !own.has(scope));
  if (exceeding.length > 0) {
    throw new DomainError(
      'auth.exceeds_own',
      `You can not grant or take over scopes you do not hold: ${exceeding[0]}.`,
      {
        data: { scopes: exceeding },
      },
    );
  }
}

/** The caller must hold, at both management audiences, all that `clientId` was granted. Throws `auth.exceeds_own`. */
export async function assertHoldsAllOf(ctx: Context, db: Queryable, clientId: string): Promise<void> {
  if (ctx.actor.kind === 'server' || ctx.actor.clientId === clientId) return;
  for (const api of ctx.systemApis) {
    await assertHolds(ctx, db, api, await grantedManagementScopesOf(ctx, db, api, clientId));
  }
}

/**
 * Some client must remain that is able to manage clients; called after a change, inside its transaction.
 * Throws `client.last_administrator`.
 */
export async function assertAdministratorRemains(ctx: Context, db: Queryable): Promise<void> {
  const candidates = await db
    .selectFrom('client_grants as g')
    .innerJoin('resource_servers as r', (join) =>
      join.onRef('r.tenant_id', '=', 'g.tenant_id').onRef('r.id', '=', 'g.resource_server_id'),
    )
    .innerJoin('clients as c', (join) =>
      join.onRef('c.tenant_id', '=', 'g.tenant_id').onRef('c.id', '=', 'g.client_id'),
    )
    .select(['g.client_id', 'r.system_kind'])
    .where('g.tenant_id', '=', ctx.site.tenantId)
    .where('r.system_kind', 'is not', null)
    .where('c.grant_types', 'like', '%"client_credentials"%')
    .orderBy('g.created_at')
    .execute();
  for (const { client_id, system_kind } of candidates) {
    const api = ctx.systemApis.find(({ kind }) => kind === system_kind);
    if (api === undefined || client_id === null) continue;
    if ((await managementScopesOf(ctx, db, api, client_id)).has(api.administratorScope)) return;
  }
  throw new DomainError(
    'client.last_administrator',
    'No client would be left that is able to manage clients; give another one the scopes first.',
  );
}
