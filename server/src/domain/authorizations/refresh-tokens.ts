/**
 * Refresh tokens. Each successor is derived from the token before it under a key of the server, so that a client whose
 * answer got lost can ask again and gets the same successor: there is one line of tokens, never two.
 */
import { createHmac } from 'node:crypto';
import { hashSecret } from '../../kernel/secrets.ts';
import type { Schema } from '../../storage/schema.ts';
import { defineStatement } from '../../storage/statement.ts';
import type { Services } from '../context.ts';
import { type Authorization, type AuthorizationRow, authorizationOf, restingOn } from './authorization.ts';

/** How long after its exchange a refresh token is still answered, in milliseconds: a lost answer, not a theft. */
export const refreshGraceMs = 30_000;

type Row = Schema['refresh_tokens'];

export interface RefreshToken {
  readonly hash: string;
  readonly clientId: string;
  readonly dpopThumbprint: string | null;
  readonly certificateThumbprint: string | null;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly usedAt: number | null;
  readonly authorization: Authorization;
}

export const refreshTokenByHash = defineStatement<
  { tenantId: string; hash: string },
  Omit<AuthorizationRow, 'dpop_thumbprint'> & {
    token_client_id: string;
    token_dpop: string | null;
    token_certificate: string | null;
    token_created_at: number;
    token_expires_at: number;
    used_at: number | null;
  }
>(
  'refresh_token_by_hash',
  `select r.client_id as token_client_id, r.dpop_thumbprint as token_dpop,
    r.certificate_thumbprint as token_certificate, r.created_at as token_created_at, r.expires_at as token_expires_at,
    r.used_at as used_at, a.id as id, a.issuer as issuer, a.user_id as user_id, a.client_id as client_id,
    a.scopes as scopes, a.audiences as audiences, a.amr as amr, a.auth_policy_id as auth_policy_id, a.session_id as session_id,
    a.organization_id as organization_id, a.actor as actor, a.authenticated_at as authenticated_at,
    a.created_at as created_at, a.expires_at as expires_at
  from refresh_tokens r join authorizations a on a.tenant_id = r.tenant_id and a.id = r.authorization_id
  where r.tenant_id = :tenantId and r.token_hash = :hash`,
);

/** A refresh token, used or not, with what it rests on. */
export async function findRefreshToken(
  { db }: Pick<Services, 'db'>,
  tenantId: string,
  token: string,
): Promise<RefreshToken | undefined> {
  const hash = hashSecret(token);
  const [row] = await db.run(refreshTokenByHash, { tenantId, hash });
  if (row === undefined) return undefined;
  return {
    hash,
    clientId: row.token_client_id,
    dpopThumbprint: row.token_dpop,
    certificateThumbprint: row.token_certificate,
    createdAt: row.token_created_at,
    expiresAt: row.token_expires_at,
    usedAt: row.used_at,
    authorization: authorizationOf(row as unknown as AuthorizationRow),
  };
}

const insert = defineStatement<Omit<Row, 'tenant_id' | 'used_at'> & { tenant_id: string }>(
  'refresh_token_insert',
  `insert into refresh_tokens (tenant_id, token_hash, authorization_id, client_id, dpop_thumbprint,
    certificate_thumbprint, created_at, expires_at)
  select tenant_id, :token_hash, id, :client_id, :dpop_thumbprint, :certificate_thumbprint, :created_at, :expires_at
  from authorizations where tenant_id = :tenant_id and id = :authorization_id
  on conflict do nothing`,
);

/** Keeps a refresh token; nothing when its authorization is over, or when it is kept already. */
export async function insertRefreshToken(
  { db }: Pick<Services, 'db'>,
  tenantId: string,
  token: string,
  values: {
    authorizationId: string;
    clientId: string;
    dpopThumbprint: string | null;
    certificateThumbprint: string | null;
    createdAt: number;
    expiresAt: number;
  },
): Promise<void> {
  const row = {
    tenant_id: tenantId,
    token_hash: hashSecret(token),
    authorization_id: values.authorizationId,
    client_id: values.clientId,
    dpop_thumbprint: values.dpopThumbprint,
    certificate_thumbprint: values.certificateThumbprint,
    created_at: values.createdAt,
    expires_at: values.expiresAt,
  };
  await restingOn(db.write(insert, row));
}

const use = defineStatement<{ tenantId: string; hash: string; now: number }>(
  'refresh_token_use',
  `update refresh_tokens set used_at = :now where tenant_id = :tenantId and token_hash = :hash and used_at is null`,
);

/** Uses a refresh token up; false when it was used before, or is gone. */
export const useRefreshToken = async (
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  tenantId: string,
  hash: string,
): Promise<boolean> => (await db.write(use, { tenantId, hash, now: clock.now() })) === 1;

/** The token that follows `token`: 256 bits that nobody can compute without the server's key. */
export const successorOf = ({ cipher }: Pick<Services, 'cipher'>, token: string): string =>
  createHmac('sha256', cipher.deriveKey('refresh tokens')).update(token).digest('base64url');
