/** Sessions: browsers, or apps, that somebody signed in with. Who holds one has a secret, the row its hash. */
import { hashSecret } from '../../kernel/secrets.ts';
import type { Schema } from '../../storage/schema.ts';
import { defineStatement } from '../../storage/statement.ts';
import type { Services } from '../context.ts';

export interface Session {
  /** Public: the claim `sid`. */
  readonly id: string;
  readonly userId: string;
  /** How the person proved who it is (RFC 8176). */
  readonly amr: readonly string[];
  /** The policy it was begun by. */
  readonly authPolicyId: string;
  /** Milliseconds. */
  readonly authenticatedAt: number;
  readonly expiresAt: number;
}

/** How long a session lasts, in milliseconds. */
export const sessionLifetimeMs = 14 * 86_400_000;

export const sessionBySecret = defineStatement<
  { tenantId: string; secretHash: string; now: number },
  Pick<Schema['sessions'], 'id' | 'user_id' | 'amr' | 'auth_policy_id' | 'authenticated_at' | 'expires_at'>
>(
  'session_by_secret',
  `select s.id as id, s.user_id as user_id, s.amr as amr, s.auth_policy_id as auth_policy_id,
    s.authenticated_at as authenticated_at, s.expires_at as expires_at
  from sessions s join users u on u.tenant_id = s.tenant_id and u.id = s.user_id
  where s.tenant_id = :tenantId and s.secret_hash = :secretHash and s.expires_at > :now and s.client_id is null
    and u.status = 'active'`,
);

/** The session a cookie names; none when it is over, an app's, or its user may not sign in. */
export async function findSession(
  services: Pick<Services, 'db' | 'clock'>,
  tenantId: string,
  secret: string | undefined,
): Promise<Session | undefined> {
  if (secret === undefined) return undefined;
  const args = { tenantId, secretHash: hashSecret(secret), now: services.clock.now() };
  const [row] = await services.db.run(sessionBySecret, args);
  if (row === undefined) return undefined;
  return {
    id: row.id,
    userId: row.user_id,
    amr: JSON.parse(row.amr) as string[],
    authPolicyId: row.auth_policy_id,
    authenticatedAt: row.authenticated_at,
    expiresAt: row.expires_at,
  };
}
