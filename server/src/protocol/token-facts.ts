import type { ClientAccessFacts, OrganizationFacts } from '../domain/access/decision-facts.ts';
import { accessFactsFrom, tokenFacts } from '../domain/access/facts.ts';
import { loadOrganizationFacts } from '../domain/access/organization-facts.ts';
import { aliasedIdentifier } from '../domain/resource-servers/aliased-identifier.ts';
import type { TokenDialect } from '../domain/resource-servers/resource-server.ts';
import { organizationItself } from '../domain/resource-servers/system.ts';
import { storedIdentifierOf } from '../domain/tenants/sites.ts';
import type { SigningAlgorithm } from '../kernel/jwa.ts';
import { defineStatement } from '../storage/statement.ts';
import { type ClientFacts, clientFactsOf } from './client-facts.ts';
import type { ProtocolContext } from './context.ts';
import { Refusal } from './refusal.ts';

export interface AudienceFacts {
  /** Null where the audience is an organization itself. */
  resourceServerId: string | null;
  /** As stored; of a system resource server, not what clients call it. */
  identifier: string;
  signingAlg: SigningAlgorithm;
  /** Encrypted; HS256 only. */
  signingSecret: string | null;
  signingKid: string | null;
  tokenLifetimeSeconds: number;
  dialect: TokenDialect;
}

/** All that a token request is decided on, read for this request. */
export interface TokenFacts {
  client: ClientFacts | undefined;
  audience: AudienceFacts | undefined;
  access: ClientAccessFacts;
  /** Of the organization that was asked for. */
  organization: OrganizationFacts | undefined;
  /** The tenant's audience for requests that name none. */
  defaultAudience: string | null;
}

/** What a token is asked for: an API (undefined: the tenant's default one), or an organization itself. */
export type Target = { readonly audience: string | undefined } | 'organization';

/**
 * Reads the facts of a token request: one query, and for an organization a second one beside it. Throws the refusals
 * `tenant_unknown` and `tenant_suspended`.
 */
export async function loadTokenFacts(
  ctx: ProtocolContext,
  clientId: string,
  target: Target,
  organizationId?: string,
): Promise<TokenFacts> {
  const { db } = ctx.services;
  const { tenantId } = ctx.site;
  const asked = askedIdentifier(ctx, target);
  const organizationAt = (identifier: string) =>
    organizationId === undefined
      ? undefined
      : loadOrganizationFacts(db, { tenantId, organizationId, subjectId: clientId, identifier });
  const atOnce = asked === null ? undefined : organizationAt(asked);
  let rows = await db.run(tokenFacts, { tenantId, clientId, identifier: asked });
  let loaded = await atOnce;
  const alias = await aliasOf(ctx, target, rows[0]);
  if (alias !== undefined) {
    rows = await db.run(tokenFacts, { tenantId, clientId, identifier: alias });
    loaded = await organizationAt(alias);
  }
  const [row] = rows;
  if (row === undefined) throw new Refusal('tenant_unknown');
  if (row.tenant_status !== 'active') throw new Refusal('tenant_suspended');
  // Which API the default one is, is known only now.
  if (asked === null) loaded = await organizationAt(row.resource_server_identifier ?? '');
  const access = await accessFactsFrom(db, tenantId, row);
  const ofOrganization = target === 'organization';
  return {
    defaultAudience: row.default_audience,
    access: ofOrganization ? { ...access, resourceServer: 'organization' } : access,
    client: clientFactsOf(rows),
    organization: loaded?.facts,
    audience: ofOrganization ? await organizationAudience(ctx) : audienceFactsOf(row),
  };
}

/** Null: the default audience. */
function askedIdentifier(ctx: ProtocolContext, target: Target): string | null {
  if (target === 'organization') return organizationItself;
  if (target.audience === undefined) return null;
  return storedIdentifierOf({ site: ctx.site, systemApis: ctx.services.systemApis }, target.audience);
}

/** An audience that nothing is stored under may be an alias; looked for only then. */
const aliasOf = async (ctx: ProtocolContext, target: Target, row: Row | undefined): Promise<string | undefined> =>
  row === undefined || row.resource_server_id !== null || target === 'organization' || target.audience === undefined
    ? undefined
    : aliasedIdentifier(ctx.services.db, ctx.site.tenantId, target.audience);

export const audienceFactsOf = (row: AudienceRow): AudienceFacts | undefined =>
  row.resource_server_id === null
    ? undefined
    : {
        resourceServerId: row.resource_server_id,
        identifier: row.resource_server_identifier as string,
        signingAlg: row.signing_alg as SigningAlgorithm,
        signingSecret: row.signing_secret,
        signingKid: row.signing_kid,
        tokenLifetimeSeconds: row.token_lifetime_seconds as number,
        dialect: row.token_dialect as TokenDialect,
      };

/** Lifetime of a token whose audience is an organization, in seconds. */
const organizationTokenLifetimeSeconds = 3600;
const organizationTokenAlgorithm = 'RS256';

/** The key that the tenant signs with by an algorithm today. */
export const currentKey = defineStatement<{ tenantId: string; alg: string }, { kid: string }>(
  'current_key',
  `select kid from signing_keys where tenant_id = :tenantId and alg = :alg and state = 'current'`,
);

/** The facts of an audience that is an organization itself; the same for each. */
export async function organizationAudience(ctx: ProtocolContext): Promise<AudienceFacts> {
  const args = { tenantId: ctx.site.tenantId, alg: organizationTokenAlgorithm };
  const [key] = await ctx.services.db.run(currentKey, args);
  return {
    resourceServerId: null,
    identifier: organizationItself,
    signingAlg: organizationTokenAlgorithm,
    signingSecret: null,
    signingKid: key?.kid ?? null,
    tokenLifetimeSeconds: organizationTokenLifetimeSeconds,
    dialect: 'rfc9068_profile',
  };
}

type Row = NonNullable<(typeof tokenFacts)['row']>;
type AudienceRow = Pick<
  Row,
  | 'resource_server_id'
  | 'resource_server_identifier'
  | 'signing_alg'
  | 'signing_secret'
  | 'signing_kid'
  | 'token_lifetime_seconds'
  | 'token_dialect'
>;
