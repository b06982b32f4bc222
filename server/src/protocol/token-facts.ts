import type { ClientAccessFacts } from '../domain/access/decide.ts';
import { accessFactsFrom, tokenFacts } from '../domain/access/facts.ts';
import type { TokenDialect } from '../domain/resource-servers/resource-server.ts';
import { storedIdentifierOf } from '../domain/tenants/sites.ts';
import type { AssertionAlgorithm, SigningAlgorithm } from '../kernel/jwa.ts';
import type { ProtocolContext } from './context.ts';
import { Refusal } from './refusal.ts';

export interface CredentialFacts {
  id: string;
  kind: 'secret' | 'key';
  secretHash: string | null;
  publicJwk: string | null;
  alg: AssertionAlgorithm | null;
  kid: string | null;
  expiresAt: number | null;
}

export interface ClientFacts {
  id: string;
  name: string;
  status: 'active' | 'disabled';
  authMethod: string | null;
  grantTypes: readonly string[];
  isPublic: boolean;
  credentials: CredentialFacts[];
}

export interface AudienceFacts {
  resourceServerId: string;
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
  /** The tenant's audience for requests that name none. */
  defaultAudience: string | null;
}

/**
 * Reads the facts of a token request in one query. `audience` undefined: the tenant's default audience.
 * Throws the refusals `tenant_unknown` and `tenant_suspended`.
 */
export async function loadTokenFacts(
  ctx: ProtocolContext,
  clientId: string,
  audience: string | undefined,
): Promise<TokenFacts> {
  const { db, systemApis } = ctx.services;
  const identifier = audience === undefined ? null : storedIdentifierOf({ site: ctx.site, systemApis }, audience);
  const rows = await db.run(tokenFacts, { tenantId: ctx.site.tenantId, clientId, identifier });
  const [row] = rows;
  if (row === undefined) throw new Refusal('tenant_unknown');
  if (row.tenant_status !== 'active') throw new Refusal('tenant_suspended');
  const access = await accessFactsFrom(db, ctx.site.tenantId, row);
  return {
    defaultAudience: row.default_audience,
    access,
    client: row.client_id === null ? undefined : clientFactsOf(rows, access.clientIsPublic),
    audience:
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
          },
  };
}

type Row = NonNullable<(typeof tokenFacts)['row']>;

function clientFactsOf(rows: readonly Row[], isPublic: boolean): ClientFacts {
  const row = rows[0] as Row;
  return {
    id: row.client_id as string,
    name: row.client_name as string,
    status: row.client_status as 'active' | 'disabled',
    authMethod: row.client_auth_method,
    grantTypes: JSON.parse(row.client_grant_types as string) as string[],
    isPublic,
    credentials: rows
      .filter(({ credential_id }) => credential_id !== null)
      .map((entry) => ({
        id: entry.credential_id as string,
        kind: entry.credential_kind as 'secret' | 'key',
        secretHash: entry.secret_hash,
        publicJwk: entry.key_public_jwk,
        alg: entry.key_alg as AssertionAlgorithm | null,
        kid: entry.key_kid,
        expiresAt: entry.credential_expires_at,
      })),
  };
}
