/**
 * Sessions that an app holds instead of a browser: the app has the secret, and shows it to whoever wants to know who is
 * signed in. Nothing of it is cached: whoever is blocked, an application or policy that is switched off, an approval that
 * is taken back count at the very next question.
 */
import { hashSecret } from '../../kernel/secrets.ts';
import { defineStatement } from '../../storage/statement.ts';
import { clientTakes, policiesOfClient } from '../auth-policies/offer-lists.ts';
import type { Authorization } from '../authorizations/authorization.ts';
import { authorizationRowOf } from '../authorizations/authorizations.ts';
import { signInOf } from '../clients/sign-in.ts';
import type { Context, Services } from '../context.ts';
import { endSession } from './end.ts';
import type { Session } from './sessions.ts';

/** A session that counts now, and what its holder may be told of it. */
export interface AppSession extends Session {
  readonly clientId: string;
  readonly policyName: string;
  readonly user: { readonly id: string; readonly email: string | null; readonly username: string | null };
}

interface Row {
  id: string;
  user_id: string;
  client_id: string;
  auth_policy_id: string;
  amr: string;
  authenticated_at: number;
  expires_at: number;
  email: string | null;
  username: string | null;
  policy_name: string;
  client_sign_in: string;
  tenant_sign_in: string;
}

export const appSessionBySecret = defineStatement<{ tenantId: string; secretHash: string; now: number }, Row>(
  'app_session_by_secret',
  `select s.id as id, s.user_id as user_id, s.client_id as client_id, s.auth_policy_id as auth_policy_id, s.amr as amr,
    s.authenticated_at as authenticated_at, s.expires_at as expires_at, u.email as email, u.username as username,
    p.name as policy_name, c.sign_in as client_sign_in, t.sign_in as tenant_sign_in
  from sessions s
  join tenants t on t.id = s.tenant_id and t.status = 'active'
  join users u on u.tenant_id = s.tenant_id and u.id = s.user_id and u.status = 'active'
  join clients c on c.tenant_id = s.tenant_id and c.id = s.client_id and c.status = 'active' and c.first_party = 1
  join auth_policies p on p.tenant_id = s.tenant_id and p.id = s.auth_policy_id and p.enabled = 1
  left join auth_policy_users a on a.tenant_id = s.tenant_id and a.policy_id = s.auth_policy_id
    and a.user_id = s.user_id and a.status = 'approved'
  where s.tenant_id = :tenantId and s.secret_hash = :secretHash and s.expires_at > :now
    and (p.check_user_approved = 0 or a.user_id is not null)`,
);

/** The session of a secret, when it counts; a browser's is none. */
export async function findAppSession(
  services: Pick<Services, 'db' | 'clock'>,
  tenantId: string,
  secret: string,
): Promise<AppSession | undefined> {
  const args = { tenantId, secretHash: hashSecret(secret), now: services.clock.now() };
  const [row] = await services.db.run(appSessionBySecret, args);
  if (row === undefined || !stillOffered(row)) return undefined;
  return {
    id: row.id,
    userId: row.user_id,
    clientId: row.client_id,
    amr: JSON.parse(row.amr) as string[],
    authPolicyId: row.auth_policy_id,
    authenticatedAt: row.authenticated_at,
    expiresAt: row.expires_at,
    policyName: row.policy_name,
    user: { id: row.user_id, email: row.email, username: row.username },
  };
}

/** Whether people may still sign in to the application by this policy. */
function stillOffered({ client_sign_in, tenant_sign_in, auth_policy_id }: Row): boolean {
  return clientTakes(policiesOfClient(signInOf(client_sign_in), tenant_sign_in), auth_policy_id);
}

/** Ends the session of a secret with what rests on it; nothing when there is none. */
export async function endAppSession(ctx: Context, secret: string): Promise<void> {
  const secretHash = hashSecret(secret);
  const ofSecret = (db: Pick<Context['db']['read'], 'selectFrom'>) =>
    db
      .selectFrom('sessions')
      .select(['id', 'user_id'])
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('secret_hash', '=', secretHash)
      .where('client_id', 'is not', null)
      .executeTakeFirst();
  // Anybody may ask: only who holds a session is worth a writing transaction.
  if ((await ofSecret(ctx.db.read)) === undefined) return;
  await ctx.db.transact(async (trx) => {
    const row = await ofSecret(trx);
    if (row !== undefined) await endSession(ctx, trx, { id: row.id, userId: row.user_id });
  });
}

/** Makes an authorization that ends with its session; false when that is over. */
export const authorizeInAppSession = (
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  tenantId: string,
  authorization: Authorization,
): Promise<boolean> =>
  db.transact(async (trx) => {
    const session = await trx
      .selectFrom('sessions')
      .select('id')
      .where('tenant_id', '=', tenantId)
      .where('id', '=', authorization.sessionId)
      .where('expires_at', '>', clock.now())
      .executeTakeFirst();
    if (session === undefined) return false;
    await trx.insertInto('authorizations').values(authorizationRowOf(tenantId, authorization)).execute();
    return true;
  });
