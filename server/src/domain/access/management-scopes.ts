/**
 * Nobody may grant, or take over, more than they hold at the management audiences. What a client holds there, or a person
 * through the client that acts for it, is told by the decision functions the token endpoint uses, from facts of this very
 * transaction.
 */
import { DomainError } from '../../kernel/errors.ts';
import type { Queryable } from '../../storage/database.ts';
import type { Actor, Context } from '../context.ts';
import { ownOrganization } from '../organizations/reach.ts';
import { expandScopes, organizationItself, type SystemApi, storedIdentifier } from '../resource-servers/system.ts';
import { type AccessDecision, decideClientAccess, decideUserAccess } from './decide.ts';
import type { OrganizationFacts } from './decision-facts.ts';
import { accessFactsOf, presentedTokenFacts } from './facts.ts';
import { loadOrganizationFacts } from './organization-facts.ts';
import { anyPolicy, userAccessFactsOf, userTokenFacts } from './user-facts.ts';

/** What a client may do today at one management audience, alone or in an organization. */
export async function managementScopesOf(
  ctx: Context,
  db: Queryable,
  api: SystemApi,
  clientId: string,
  organizationId?: string,
): Promise<ReadonlySet<string>> {
  return expandScopes(api, await scopesAt(ctx, db, { clientId }, storedIdentifier(api.kind), organizationId));
}

/** Who holds something: a client, or a person through one. */
type Holder = Pick<Actor & { kind: 'client' }, 'clientId' | 'userId'>;

/** What the holder may do today at an API by its stored identifier; or (`organizationItself`) in its organization. */
async function scopesAt(
  ctx: Context,
  db: Queryable,
  holder: Holder,
  identifier: string,
  organizationId: string | undefined,
): Promise<readonly string[]> {
  const decide = holder.userId === undefined ? decisionOfClient : decisionOfUser;
  const organization = await organizationOf(ctx, db, subjectOf(holder), identifier, organizationId);
  const decision = await decide(ctx, db, holder, identifier, organization);
  return decision?.allowed === true ? decision.scopes : [];
}

/** Whose roles count. */
export const subjectOf = ({ clientId, userId }: Holder): string => userId ?? clientId;

async function organizationOf(
  ctx: Context,
  db: Queryable,
  subjectId: string,
  identifier: string,
  organizationId: string | undefined,
): Promise<OrganizationFacts | undefined> {
  if (organizationId === undefined) return undefined;
  const within = { run: (statement: never, args: never) => ctx.db.runWithin(db, statement, args) };
  const ask = { tenantId: ctx.site.tenantId, organizationId, subjectId, identifier };
  return (await loadOrganizationFacts(within as never, ask)).facts;
}

type Decide = (
  ctx: Context,
  db: Queryable,
  holder: Holder,
  identifier: string,
  organization: OrganizationFacts | undefined,
) => Promise<AccessDecision | undefined>;

const decisionOfClient: Decide = async (ctx, db, { clientId }, identifier, organization) => {
  const ask = { tenantId: ctx.site.tenantId, clientId, identifier, kid: '', jti: '' };
  const [row] = await ctx.db.runWithin(db, presentedTokenFacts, ask);
  if (row === undefined) return undefined;
  const facts = accessFactsOf(row);
  return decideClientAccess(
    identifier === organizationItself ? { ...facts, resourceServer: 'organization' } : facts,
    organization,
  );
};

const decisionOfUser: Decide = async (ctx, db, { clientId, userId = '' }, identifier, organization) => {
  const ask = { tenantId: ctx.site.tenantId, userId, clientId, identifier, signedInBy: anyPolicy };
  const [row] = await ctx.db.runWithin(db, userTokenFacts, ask);
  if (row === undefined) return undefined;
  return decideUserAccess(userAccessFactsOf(row, identifier === organizationItself), organization);
};

/** What the caller holds at an API: of a delegated caller, in its own organization. */
export const callerScopesAt = (ctx: Context, db: Queryable, caller: Holder, identifier: string) =>
  scopesAt(ctx, db, caller, identifier, ownOrganization(ctx)?.id);

/** The caller must hold each of `scopes` at the management audience `api`. Throws `auth.exceeds_own`. */
export async function assertHolds(
  ctx: Context,
  db: Queryable,
  api: SystemApi,
  scopes: Iterable<string>,
): Promise<void> {
  const wanted = [...scopes];
  if (ctx.actor.kind === 'server' || wanted.length === 0) return;
  const own = expandScopes(api, await callerScopesAt(ctx, db, ctx.actor, storedIdentifier(api.kind)));
  const exceeding = [...expandScopes(api, wanted)].filter((scope) => !own.has(scope) || !mayUse(ctx.actor, api, scope));
  if (exceeding.length > 0) throw exceedsOwn(exceeding);
}

/** Of what its maker holds a key may use what it carries, and that is of the native API. */
const mayUse = (actor: Actor, api: SystemApi, scope: string): boolean =>
  actor.kind === 'server' || actor.byApiKey !== true || (api.kind === 'api' && actor.scopes.has(scope));

/** The error for who would give, or take over, scopes it does not hold. */
export const exceedsOwn = (scopes: readonly string[]): DomainError =>
  new DomainError('auth.exceeds_own', `You can not grant or take over scopes you do not hold: ${scopes[0]}.`, {
    data: { scopes },
  });

/**
 * Some client must remain that is able to manage clients; called after a change, inside its transaction.
 * Throws `client.last_administrator`.
 */
export async function assertAdministratorRemains(ctx: Context, db: Queryable): Promise<void> {
  for (const { client_id, system_kind } of await administratorCandidates(ctx, db)) {
    const api = ctx.systemApis.find(({ kind }) => kind === system_kind);
    if (api === undefined || client_id === null) continue;
    if ((await managementScopesOf(ctx, db, api, client_id)).has(api.administratorScope)) return;
  }
  throw new DomainError(
    'client.last_administrator',
    'No client would be left that is able to manage clients; give another one the scopes first.',
  );
}

/** Clients with a grant for, or a tenant-wide role at, a management audience; the oldest first. */
async function administratorCandidates(ctx: Context, db: Queryable) {
  const byGrant = await db
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
  const byRole = await db
    .selectFrom('resource_servers as r')
    .innerJoin('scopes as x', (join) =>
      join.onRef('x.tenant_id', '=', 'r.tenant_id').onRef('x.resource_server_id', '=', 'r.id'),
    )
    .innerJoin('role_scopes as rs', (join) =>
      join.onRef('rs.tenant_id', '=', 'r.tenant_id').onRef('rs.scope_id', '=', 'x.id'),
    )
    .innerJoin('role_assignments as a', (join) =>
      join.onRef('a.tenant_id', '=', 'r.tenant_id').onRef('a.role_id', '=', 'rs.role_id'),
    )
    .innerJoin('clients as c', (join) =>
      join.onRef('c.tenant_id', '=', 'a.tenant_id').onRef('c.id', '=', 'a.subject_id'),
    )
    .select(['a.subject_id as client_id', 'r.system_kind'])
    .distinct()
    .where('r.tenant_id', '=', ctx.site.tenantId)
    .where('r.system_kind', 'is not', null)
    .where('a.subject_kind', '=', 'client')
    .where('c.grant_types', 'like', '%"client_credentials"%')
    .execute();
  return [...byGrant, ...byRole];
}
