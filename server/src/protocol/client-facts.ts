import { clientColumns, type TokenFactsRow } from '../domain/access/facts.ts';
import { policiesOfClient } from '../domain/auth-policies/offer-lists.ts';
import { type ClientType, isPublicClient } from '../domain/clients/client.ts';
import { type ClientSignIn, signInOf } from '../domain/clients/sign-in.ts';
import type { AssertionAlgorithm } from '../kernel/jwa.ts';
import { defineStatement } from '../storage/statement.ts';
import type { ProtocolContext } from './context.ts';
import { Refusal } from './refusal.ts';

export interface CredentialFacts {
  id: string;
  kind: 'secret' | 'key' | 'certificate';
  secretHash: string | null;
  publicJwk: string | null;
  alg: AssertionAlgorithm | null;
  kid: string | null;
  /** Canonical subject, or SHA-256, of a client's certificate. */
  certificateSubject: string | null;
  certificateThumbprint: string | null;
  expiresAt: number | null;
}

export interface ClientFacts {
  id: string;
  name: string;
  status: 'active' | 'disabled';
  authMethod: string | null;
  type: ClientType | null;
  firstParty: boolean;
  grantTypes: readonly string[];
  isPublic: boolean;
  signIn: ClientSignIn;
  /** The auth policies that people sign in to it by: its own, else the tenant's; undefined: every one. */
  offeredPolicyIds: readonly string[] | undefined;
  credentials: CredentialFacts[];
}

/** What the statements tell of a client and one of its credentials. */
type ClientRow = Pick<
  TokenFactsRow,
  | 'client_id'
  | 'client_name'
  | 'client_status'
  | 'client_type'
  | 'client_auth_method'
  | 'client_first_party'
  | 'client_grant_types'
  | 'client_sign_in'
  | 'tenant_sign_in'
  | 'credential_id'
  | 'credential_kind'
  | 'secret_hash'
  | 'key_public_jwk'
  | 'key_alg'
  | 'key_kid'
  | 'certificate_subject'
  | 'certificate_thumbprint'
  | 'credential_expires_at'
>;

export const clientFacts = defineStatement<
  { tenantId: string; clientId: string },
  ClientRow & Pick<TokenFactsRow, 'tenant_status' | 'default_audience'>
>(
  'client_facts',
  `select t.status as tenant_status, t.default_audience as default_audience, c.id as client_id, c.name as client_name,
    c.status as client_status, c.type as client_type, c.first_party as client_first_party,
    c.auth_method as client_auth_method, ${clientColumns}
  from tenants t
  left join clients c on c.tenant_id = t.id and c.id = :clientId
  left join credentials k on k.tenant_id = t.id and k.client_id = c.id and k.enabled = 1
  where t.id = :tenantId`,
);

/** A client that a request names, and what its tenant has for requests that name no API. */
export interface NamedClient {
  readonly client: ClientFacts | undefined;
  readonly defaultAudience: string | null;
}

/** Reads a client by itself, where what is asked for is known later. Throws `tenant_unknown`, `tenant_suspended`. */
export async function loadClientFacts(ctx: ProtocolContext, clientId: string): Promise<NamedClient> {
  const rows = await ctx.services.db.run(clientFacts, { tenantId: ctx.site.tenantId, clientId });
  const [row] = rows;
  if (row === undefined) throw new Refusal('tenant_unknown');
  if (row.tenant_status !== 'active') throw new Refusal('tenant_suspended');
  return { client: clientFactsOf(rows), defaultAudience: row.default_audience };
}

/** Maps the rows of a client and its credentials; undefined when there is no such client. */
export function clientFactsOf(rows: readonly ClientRow[]): ClientFacts | undefined {
  const [row] = rows;
  if (row === undefined || row.client_id === null) return undefined;
  const signIn = signInOf(row.client_sign_in ?? '{}');
  return {
    id: row.client_id,
    name: row.client_name as string,
    status: row.client_status as 'active' | 'disabled',
    authMethod: row.client_auth_method,
    type: row.client_type as ClientType | null,
    firstParty: row.client_first_party === 1,
    grantTypes: JSON.parse(row.client_grant_types as string) as string[],
    signIn,
    // Asked where people sign in; a client's own token need not read the tenant's settings for it.
    get offeredPolicyIds() {
      return policiesOfClient(signIn, row.tenant_sign_in);
    },
    isPublic: isPublicClient({ authMethod: row.client_auth_method, type: row.client_type }),
    credentials: rows
      .filter(({ credential_id }) => credential_id !== null)
      .map((entry) => ({
        id: entry.credential_id as string,
        kind: entry.credential_kind as CredentialFacts['kind'],
        secretHash: entry.secret_hash,
        publicJwk: entry.key_public_jwk,
        alg: entry.key_alg as AssertionAlgorithm | null,
        kid: entry.key_kid,
        certificateSubject: entry.certificate_subject,
        certificateThumbprint: entry.certificate_thumbprint,
        expiresAt: entry.credential_expires_at,
      })),
  };
}
