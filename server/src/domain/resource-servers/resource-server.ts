import type { SigningAlgorithm } from '../../kernel/jwa.ts';
import type { Schema } from '../../storage/schema.ts';
import type { Extras } from '../clients/client.ts';
import type { Context } from '../context.ts';
import { systemIdentifiers } from '../tenants/sites.ts';
import type { SystemApi } from './system.ts';

/**
 * The claims profile of an API's access tokens: Auth0's classic one or RFC 9068's, each without or with the list of
 * permissions.
 */
export const tokenDialects = [
  'access_token',
  'access_token_authz',
  'rfc9068_profile',
  'rfc9068_profile_authz',
] as const;
export type TokenDialect = (typeof tokenDialects)[number];

export interface Scope {
  value: string;
  description: string | null;
}

/** A protected API, named by its identifier (the audience of its tokens). */
export interface ResourceServer {
  id: string;
  identifier: string;
  systemKind: SystemApi['kind'] | null;
  name: string;
  scopes: Scope[];
  signingAlg: SigningAlgorithm;
  /** HS256: only in the answer that made or changed it. */
  signingSecret?: string;
  tokenLifetimeSeconds: number;
  tokenDialect: TokenDialect;
  clientPolicy: 'require_client_grant' | 'deny_all';
  userPolicy: 'allow_all' | 'require_client_grant' | 'deny_all';
  extras: Extras;
  createdAt: number;
  updatedAt: number;
}

export type ResourceServerRow = Schema['resource_servers'];

/** Maps a row; a system resource server shows the identifier computed from the tenant's host. */
export function resourceServerOf(ctx: Context, row: ResourceServerRow, scopes: Scope[]): ResourceServer {
  const api = ctx.systemApis.find((candidate) => candidate.kind === row.system_kind);
  return {
    id: row.id,
    identifier: api === undefined ? row.identifier : (systemIdentifiers(ctx.site, api)[0] as string),
    systemKind: api?.kind ?? null,
    name: row.name,
    scopes,
    signingAlg: row.signing_alg as SigningAlgorithm,
    tokenLifetimeSeconds: row.token_lifetime_seconds,
    tokenDialect: row.token_dialect as TokenDialect,
    clientPolicy: row.client_policy,
    userPolicy: row.user_policy,
    extras: JSON.parse(row.extras) as Extras,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** The encrypted signing secret is bound to its row. */
export const signingSecretContext = (tenantId: string, id: string): string => `resource_server ${tenantId} ${id}`;
