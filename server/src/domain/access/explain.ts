/**
 * Why a subject may, or may not, have scopes at an audience: the decision of `decide.ts` over today's facts, step by
 * step, and what each scope comes from.
 */
import { sql } from 'kysely';
import { loadClient } from '../clients/read-clients.ts';
import type { Context } from '../context.ts';
import { assertWholeTenant, isDelegated, reachesPath } from '../organizations/reach.ts';
import { loadRow } from '../organizations/read-organizations.ts';
import { aliasedIdentifier } from '../resource-servers/aliased-identifier.ts';
import { organizationItself } from '../resource-servers/system.ts';
import { storedIdentifierOf } from '../tenants/sites.ts';
import { getUser } from '../users/read-users.ts';
import {
  type AccessDecision,
  type DecisionStep,
  decideClientAccess,
  decideUserAccess,
  explainClientAccess,
  explainUserAccess,
} from './decide.ts';
import type { OrganizationFacts, UserAccessFacts } from './decision-facts.ts';
import { accessFactsFrom, presentedTokenFacts, resourceServerFactsOf } from './facts.ts';
import { type LoadedOrganization, loadOrganizationFacts } from './organization-facts.ts';
import { anyPolicy, userFacts } from './user-facts.ts';

/** The question. Without an audience it is about the organization itself. */
export interface Ask {
  readonly subject: { readonly kind: 'client' | 'user'; readonly id: string };
  readonly audience: string | undefined;
  readonly organizationId: string | undefined;
  /** Scopes wanted; empty: whatever there is. */
  readonly scopes: readonly string[];
}

/** Where scopes come from. */
export interface ScopeSource {
  readonly source: 'client_grant' | 'tenant_role' | 'organization_role';
  readonly id: string;
  readonly name: string | null;
  /** Where an organization role is held; null when that lies above what the caller may see. */
  readonly organizationId: string | null;
  /** Held above the organization that was asked about. */
  readonly inherited: boolean;
  readonly scopes: readonly string[];
}

/** The answer. */
export interface Explanation {
  readonly allowed: boolean;
  /** All that the subject may have. */
  readonly scopes: readonly string[];
  readonly steps: readonly (Omit<DecisionStep, 'reason'> & { readonly reason?: string })[];
  readonly sources: readonly ScopeSource[];
  /** Wanted and not to be had. */
  readonly missingScopes: readonly string[];
}

/**
 * Answers the question as the token endpoint would decide it now. A delegated caller asks about its own clients and
 * people, in organizations of its subtree; of members that are not its own it is told what organizations give. Throws
 * `entity.not_found` (subject, organization), `auth.organization_token`.
 */
export async function explainAccess(ctx: Context, ask: Ask): Promise<Explanation> {
  if (ask.organizationId === undefined) assertWholeTenant(ctx, 'ask about the whole tenant');
  else if (isDelegated(ctx)) await loadRow(ctx, ctx.db.read, ask.organizationId);
  const isGuest = await assertSubject(ctx, ask.subject);
  const identifier = await identifierOf(ctx, ask.audience);
  const organization = await organizationOf(ctx, ask, identifier);
  const found =
    ask.subject.kind === 'client'
      ? await ofClient(ctx, ask.subject.id, identifier, organization?.facts)
      : await ofUser(ctx, ask.subject.id, identifier, organization?.facts, isGuest);
  const sources = [...found.sources, ...organizationSources(ctx, organization, identifier)];
  return explanationOf(found.decision, found.steps, sources, ask.scopes);
}

/** Tells whether it is a member that a delegated caller does not own: which tenant-wide roles it has is not told then. */
async function assertSubject(ctx: Context, { kind, id }: Ask['subject']): Promise<boolean> {
  if (kind === 'user') return (await getUser(ctx, id)).ownerOrganizationId === null && isDelegated(ctx);
  await loadClient(ctx, ctx.db.read, id);
  return false;
}

function explanationOf(
  decision: AccessDecision,
  steps: readonly DecisionStep[],
  sources: readonly ScopeSource[],
  wanted: readonly string[],
): Explanation {
  const scopes = decision.allowed ? decision.scopes : [];
  const missingScopes = wanted.filter((scope) => !scopes.includes(scope));
  const last = !decision.allowed
    ? { step: 'scopes_held', outcome: 'not_reached' as const }
    : missingScopes.length === 0
      ? { step: 'scopes_held', outcome: 'passed' as const }
      : { step: 'scopes_held', outcome: 'failed' as const, reason: 'scope_not_granted' };
  return {
    allowed: decision.allowed && missingScopes.length === 0,
    scopes,
    steps: [...steps, last],
    sources,
    missingScopes,
  };
}

async function identifierOf(ctx: Context, audience: string | undefined): Promise<string> {
  if (audience === undefined) return organizationItself;
  const stored = storedIdentifierOf(ctx, audience);
  return (await aliasedIdentifier(ctx.db, ctx.site.tenantId, audience)) ?? stored;
}

const organizationOf = async (
  ctx: Context,
  { organizationId, subject }: Ask,
  identifier: string,
): Promise<LoadedOrganization | undefined> =>
  organizationId === undefined
    ? undefined
    : loadOrganizationFacts(ctx.db, { tenantId: ctx.site.tenantId, organizationId, subjectId: subject.id, identifier });

async function ofClient(
  ctx: Context,
  clientId: string,
  identifier: string,
  organization: OrganizationFacts | undefined,
) {
  const { tenantId } = ctx.site;
  const [row] = await ctx.db.run(presentedTokenFacts, { tenantId, clientId, identifier, kid: '', jti: '' });
  if (row === undefined) throw new Error('the tenant went away');
  const read = await accessFactsFrom(ctx.db, tenantId, row);
  const facts = identifier === organizationItself ? { ...read, resourceServer: 'organization' as const } : read;
  const sources: ScopeSource[] = [];
  const { grant } = facts;
  if (grant !== undefined) {
    sources.push({
      source: 'client_grant',
      id: grant.id,
      name: null,
      organizationId: null,
      inherited: false,
      scopes: grant.scopes,
    });
  }
  // With an organization tenant-wide machine roles count for nothing (decision 1).
  if (organization === undefined) sources.push(...(await tenantRoleSources(ctx, clientId, identifier)));
  return {
    decision: decideClientAccess(facts, organization),
    steps: explainClientAccess(facts, organization),
    sources,
  };
}

async function ofUser(
  ctx: Context,
  userId: string,
  identifier: string,
  organization: OrganizationFacts | undefined,
  isGuest: boolean,
) {
  const [row] = await ctx.db.run(userFacts, { tenantId: ctx.site.tenantId, userId, identifier, signedInBy: anyPolicy });
  if (row === undefined) throw new Error('the user went away');
  const split = (scopes: string | null) => (scopes === null ? [] : scopes.split(' '));
  const facts: UserAccessFacts = {
    userStatus: row.user_status,
    resourceServer: identifier === organizationItself ? 'organization' : resourceServerFactsOf(row),
    tenantRoleScopes: isGuest ? [] : split(row.role_scopes),
    anyOrganizationScopes: split(row.organization_role_scopes),
  };
  return {
    decision: decideUserAccess(facts, organization),
    steps: explainUserAccess(facts, organization),
    sources: isGuest ? [] : await tenantRoleSources(ctx, userId, identifier),
  };
}

async function tenantRoleSources(ctx: Context, subjectId: string, identifier: string): Promise<ScopeSource[]> {
  const rows = await ctx.db.read
    .selectFrom('role_assignments as a')
    .innerJoin('roles as r', (join) => join.onRef('r.tenant_id', '=', 'a.tenant_id').onRef('r.id', '=', 'a.role_id'))
    .innerJoin('role_scopes as rs', (join) =>
      join.onRef('rs.tenant_id', '=', 'a.tenant_id').onRef('rs.role_id', '=', 'a.role_id'),
    )
    .innerJoin('scopes as x', (join) => join.onRef('x.tenant_id', '=', 'a.tenant_id').onRef('x.id', '=', 'rs.scope_id'))
    .innerJoin('resource_servers as api', (join) =>
      join.onRef('api.tenant_id', '=', 'a.tenant_id').onRef('api.id', '=', 'x.resource_server_id'),
    )
    .select(['r.id', 'r.name', sql<string>`string_agg(x.value, ' ' order by x.position)`.as('scopes')])
    .where('a.tenant_id', '=', ctx.site.tenantId)
    .where('a.subject_id', '=', subjectId)
    .where('api.identifier', '=', identifier)
    .groupBy(['r.id', 'r.name'])
    .orderBy('r.id')
    .execute();
  return rows.map(({ id, name, scopes }) => ({
    source: 'tenant_role',
    id,
    name,
    organizationId: null,
    inherited: false,
    scopes: scopes.split(' '),
  }));
}

/** The roles held in the organization and above it; where, as far as the caller may see. */
function organizationSources(
  ctx: Context,
  organization: LoadedOrganization | undefined,
  identifier: string,
): ScopeSource[] {
  return (organization?.rows ?? []).flatMap((row) => {
    const scopes = identifier === organizationItself ? row.organization_scopes : row.api_scopes;
    if (row.role_id === null || scopes === null) return [];
    return {
      source: 'organization_role' as const,
      id: row.role_id,
      name: row.role_name,
      organizationId: reachesPath(ctx, row.path) ? row.organization_id : null,
      inherited: row.distance > 0,
      scopes: scopes.split(' '),
    };
  });
}
