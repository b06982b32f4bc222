/** The sessions of one user, as administrators see and end them. A delegated caller: of users that its subtree owns. */
import { notFound } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';
import { loadOwnUser } from '../users/read-users.ts';
import { endEverythingOfUser, endSession } from './end.ts';

/** A session as it is shown; never its secret. */
export interface ListedSession {
  readonly id: string;
  readonly userId: string;
  readonly ip: string | null;
  readonly userAgent: string | null;
  /** The application that holds it; null: a browser. */
  readonly clientId: string | null;
  /** What an app calls itself. */
  readonly device: string | null;
  /** The policy it was begun by. */
  readonly authPolicyId: string;
  /** Milliseconds. */
  readonly authenticatedAt: number;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** What ends with it, by client. */
  readonly authorizations: readonly { readonly id: string; readonly clientId: string }[];
}

/** Most sessions of one user that are listed, the latest first. */
const mostListed = 1000;

/** The sessions that are not over. Throws `entity.not_found` (the user). */
export async function listSessionsOfUser(ctx: Context, userId: string): Promise<ListedSession[]> {
  const { tenantId } = ctx.site;
  const now = ctx.clock.now();
  await loadOwnUser(ctx, ctx.db.read, userId);
  const rows = await ctx.db.read
    .selectFrom('sessions')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', userId)
    .where('expires_at', '>', now)
    .orderBy('authenticated_at', 'desc')
    .orderBy('id')
    .limit(mostListed)
    .execute();
  const resting = await ctx.db.read
    .selectFrom('authorizations')
    .select(['id', 'client_id', 'session_id'])
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', userId)
    .where('session_id', 'is not', null)
    .where('expires_at', '>', now)
    .execute();
  const bySession = Map.groupBy(resting, ({ session_id }) => session_id);
  return rows.map((row) => ({
    id: row.id,
    userId,
    ip: row.ip,
    userAgent: row.user_agent,
    clientId: row.client_id,
    device: row.device,
    authPolicyId: row.auth_policy_id,
    authenticatedAt: row.authenticated_at,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    authorizations: (bySession.get(row.id) ?? []).map(({ id, client_id }) => ({ id, clientId: client_id })),
  }));
}

/** Ends one session with what rests on it. Throws `entity.not_found` (the user, or it has no such session). */
export async function endSessionOfUser(ctx: Context, userId: string, sessionId: string): Promise<void> {
  await ctx.db.transact(async (trx) => {
    await loadOwnUser(ctx, trx, userId);
    const row = await trx
      .selectFrom('sessions')
      .select('id')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('user_id', '=', userId)
      .where('id', '=', sessionId)
      .where('expires_at', '>', ctx.clock.now())
      .executeTakeFirst();
    if (row === undefined) throw notFound('session');
    await endSession(ctx, trx, { id: sessionId, userId });
  });
}

/** Signs a user out everywhere. Throws `entity.not_found`. */
export async function endSessionsOfUser(ctx: Context, userId: string): Promise<void> {
  await ctx.db.transact(async (trx) => {
    await loadOwnUser(ctx, trx, userId);
    await endEverythingOfUser(ctx, trx, userId);
  });
}
