/** Authorizations and their codes: made by one write, a code used up by one conditional write. */
import { hashSecret } from '../../kernel/secrets.ts';
import { ReferenceGone } from '../../storage/errors.ts';
import { defineStatement } from '../../storage/statement.ts';
import type { Services } from '../context.ts';
import { type Authorization, type AuthorizationRow, authorizationOf } from './authorization.ts';

/** Lifetime of an authorization code, in milliseconds (RFC 6749 §4.1.2: short). */
export const codeLifetimeMs = 60_000;
/** How long an authorization lasts at most, in milliseconds. */
export const authorizationLifetimeMs = 180 * 86_400_000;

const columns = `id, issuer, user_id, client_id, scopes, audiences, amr, auth_policy_id, session_id, granted_in_session_id,
    parent_id, organization_id, actor, code_hash, redirect_uri, code_challenge, nonce, dpop_thumbprint, code_used_at,
    authenticated_at, created_at, expires_at`;

const insert = defineStatement<Record<keyof AuthorizationRow, string | number | null>>(
  'authorization_insert',
  `insert into authorizations (tenant_id, ${columns})
  values (:tenant_id, :id, :issuer, :user_id, :client_id, :scopes, :audiences, :amr, :auth_policy_id, :session_id,
    :granted_in_session_id, :parent_id, :organization_id, :actor, :code_hash, :redirect_uri, :code_challenge, :nonce,
    :dpop_thumbprint, :code_used_at, :authenticated_at, :created_at, :expires_at)`,
);

/** What a code is bound to. */
export interface CodeBinding {
  readonly code: string;
  readonly redirectUri: string;
  readonly codeChallenge: string | null;
  readonly nonce: string | null;
  readonly dpopThumbprint: string | null;
}

/** The row of an authorization, with its code where it has one; `parentId`: what it came from by token exchange. */
export const authorizationRowOf = (
  tenantId: string,
  authorization: Authorization,
  { code, parentId }: { code?: CodeBinding | undefined; parentId?: string | undefined } = {},
): AuthorizationRow => ({
  tenant_id: tenantId,
  id: authorization.id,
  issuer: authorization.issuer,
  user_id: authorization.userId,
  client_id: authorization.clientId,
  scopes: JSON.stringify(authorization.scopes),
  audiences: JSON.stringify(authorization.audiences),
  amr: JSON.stringify(authorization.amr),
  auth_policy_id: authorization.authPolicyId,
  session_id: authorization.sessionId,
  granted_in_session_id: authorization.grantedInSessionId ?? authorization.sessionId,
  parent_id: parentId ?? null,
  organization_id: authorization.organizationId,
  actor: authorization.actor === null ? null : JSON.stringify(authorization.actor),
  code_hash: code === undefined ? null : hashSecret(code.code),
  redirect_uri: code?.redirectUri ?? null,
  code_challenge: code?.codeChallenge ?? null,
  nonce: code?.nonce ?? null,
  dpop_thumbprint: code?.dpopThumbprint ?? null,
  code_used_at: null,
  authenticated_at: authorization.authenticatedAt,
  created_at: authorization.createdAt,
  expires_at: authorization.expiresAt,
});

/** Makes an authorization, with its code where it has one. */
export async function insertAuthorization(
  { db }: Pick<Services, 'db'>,
  tenantId: string,
  authorization: Authorization,
  code?: CodeBinding,
): Promise<void> {
  await db.write(insert, authorizationRowOf(tenantId, authorization, { code }));
}

/** Makes an authorization by token exchange: with a parent it ends with that one. False when the parent is gone. */
export async function insertExchanged(
  { db }: Pick<Services, 'db'>,
  tenantId: string,
  authorization: Authorization,
  parentId: string | undefined,
): Promise<boolean> {
  try {
    await db.write(insert, authorizationRowOf(tenantId, authorization, { parentId }));
    return true;
  } catch (error) {
    if (error instanceof ReferenceGone) return false;
    throw error;
  }
}

export const authorizationByCode = defineStatement<{ tenantId: string; codeHash: string }, AuthorizationRow>(
  'authorization_by_code',
  `select tenant_id, ${columns} from authorizations where tenant_id = :tenantId and code_hash = :codeHash`,
);

/** An authorization as its code finds it. */
export interface FoundByCode extends Authorization {
  readonly redirectUri: string | null;
  readonly codeChallenge: string | null;
  readonly nonce: string | null;
  readonly dpopThumbprint: string | null;
  readonly codeUsedAt: number | null;
}

/** The authorization of a code, used or not; undefined when there is none. */
export async function findByCode(
  { db }: Pick<Services, 'db'>,
  tenantId: string,
  code: string,
): Promise<FoundByCode | undefined> {
  const [row] = await db.run(authorizationByCode, { tenantId, codeHash: hashSecret(code) });
  if (row === undefined) return undefined;
  return {
    ...authorizationOf(row),
    redirectUri: row.redirect_uri,
    codeChallenge: row.code_challenge,
    nonce: row.nonce,
    dpopThumbprint: row.dpop_thumbprint,
    codeUsedAt: row.code_used_at,
  };
}

/** The end of its session, where it ends with one. */
const orOfSession = `case when session_id is null then :expiresAt else (select s.expires_at from sessions s
    where s.tenant_id = :tenantId and s.id = authorizations.session_id) end`;

/** Who signs somebody out a moment before the authorization is kept would not find it: so it is asked once more here. */
const stillSignedIn = `(granted_in_session_id is null or exists (select 1 from sessions s
    where s.tenant_id = :tenantId and s.id = authorizations.granted_in_session_id and s.expires_at > :now))`;

const useCodeStatement = defineStatement<{ tenantId: string; id: string; now: number; expiresAt: number }>(
  'authorization_use_code',
  `update authorizations set code_used_at = :now, expires_at = ${orOfSession}
  where tenant_id = :tenantId and id = :id and code_used_at is null and expires_at > :now
    and ${stillSignedIn}`,
);

/**
 * Uses the code up; false when it was used before, is over, or the session it was granted in is: a code that was made
 * while its person signed out everywhere is worth nothing. The authorization lasts from now on.
 */
export async function useCode(services: Pick<Services, 'db' | 'clock'>, tenantId: string, id: string) {
  const now = services.clock.now();
  const args = { tenantId, id, now, expiresAt: now + authorizationLifetimeMs };
  return (await services.db.write(useCodeStatement, args)) === 1;
}

const prolong = defineStatement<{ tenantId: string; id: string; now: number; expiresAt: number }>(
  'authorization_prolong',
  `update authorizations set expires_at = ${orOfSession}
  where tenant_id = :tenantId and id = :id and expires_at > :now and ${stillSignedIn}`,
);

/** A device has fetched its tokens: its authorization lasts from now on. False when it is over. */
export async function prolongAuthorization(services: Pick<Services, 'db' | 'clock'>, tenantId: string, id: string) {
  const now = services.clock.now();
  const args = { tenantId, id, now, expiresAt: now + authorizationLifetimeMs };
  return (await services.db.write(prolong, args)) === 1;
}

const end = defineStatement<{ tenantId: string; id: string }>(
  'authorization_end',
  'delete from authorizations where tenant_id = :tenantId and id = :id',
);

/** Ends an authorization with every token that rests on it; false when it was over already. */
export const endAuthorization = async ({ db }: Pick<Services, 'db'>, tenantId: string, id: string): Promise<boolean> =>
  (await db.write(end, { tenantId, id })) === 1;

export const authorizationAlive = defineStatement<{ tenantId: string; id: string; now: number }, AuthorizationRow>(
  'authorization_alive',
  `select tenant_id, ${columns} from authorizations where tenant_id = :tenantId and id = :id and expires_at > :now`,
);

/** The authorization, unless it is over. */
export async function findAuthorization(
  services: Pick<Services, 'db' | 'clock'>,
  tenantId: string,
  id: string,
): Promise<Authorization | undefined> {
  const [row] = await services.db.run(authorizationAlive, { tenantId, id, now: services.clock.now() });
  return row === undefined ? undefined : authorizationOf(row);
}
