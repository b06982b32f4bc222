/** Sessions end, with what rests on them; always inside the transaction of the change that ends them. */
import type { Tx } from '../../storage/database.ts';
import { chunksOf } from '../chunks.ts';
import type { Context } from '../context.ts';
import { leaveNoticesOfPolicy, leaveNoticesOfSession, leaveNoticesOfUser } from '../logout-notices/leave.ts';
import { recordChange } from '../logs/record-change.ts';

/** Ends one session, with the authorizations that were to end with it; its clients are to be told. */
export async function endSession(ctx: Context, trx: Tx, session: { id: string; userId: string }): Promise<void> {
  const { tenantId } = ctx.site;
  await leaveNoticesOfSession(ctx, trx, session);
  await trx
    .deleteFrom('authorizations')
    .where('tenant_id', '=', tenantId)
    .where('session_id', '=', session.id)
    .execute();
  await trx.deleteFrom('sessions').where('tenant_id', '=', tenantId).where('id', '=', session.id).execute();
  await recordChange(ctx, trx, 'session.ended', session.id, { userId: session.userId });
}

/**
 * Signs a user out everywhere: ends every session, whatever clients were let do for the user (codes, refresh tokens and
 * access tokens rest on it), and what would let a client or program act as the user; the clients are to be told. Leaves a log event
 * when there was any of it.
 */
export async function endEverythingOfUser(ctx: Context, trx: Tx, userId: string): Promise<void> {
  await leaveNoticesOfUser(ctx, trx, userId);
  const counts: Record<string, number> = {};
  for (const table of ['authorizations', 'sessions', 'subject_tokens', 'api_keys'] as const) {
    const { numDeletedRows } = await trx
      .deleteFrom(table)
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('user_id', '=', userId)
      .executeTakeFirst();
    if (numDeletedRows > 0n) counts[table] = Number(numDeletedRows);
  }
  if (Object.keys(counts).length === 0) return;
  await recordChange(ctx, trx, 'user.signed_out_everywhere', userId, { userId, details: { ended: counts } });
}

/**
 * Ends every session and authorization that was begun by an auth policy, of one user or of all; the clients are to be
 * told. Leaves a log event when there was any.
 */
export async function endEverythingOfPolicy(ctx: Context, trx: Tx, policyId: string, userId?: string): Promise<void> {
  await leaveNoticesOfPolicy(ctx, trx, policyId, userId);
  const { tenantId } = ctx.site;
  const begun = (table: 'authorizations' | 'sessions') => {
    const rows = trx.deleteFrom(table).where('tenant_id', '=', tenantId).where('auth_policy_id', '=', policyId);
    return userId === undefined ? rows : rows.where('user_id', '=', userId);
  };
  const sessionIds = (await begun('sessions').returning('id').execute()).map(({ id }) => id);
  const counts: Record<string, number> = {};
  let authorizations = (await begun('authorizations').executeTakeFirstOrThrow()).numDeletedRows;
  for (const part of chunksOf(sessionIds)) {
    const { numDeletedRows } = await trx
      .deleteFrom('authorizations')
      .where('tenant_id', '=', tenantId)
      .where('session_id', 'in', part)
      .executeTakeFirstOrThrow();
    authorizations += numDeletedRows;
  }
  if (authorizations > 0n) counts.authorizations = Number(authorizations);
  if (sessionIds.length > 0) counts.sessions = sessionIds.length;
  if (Object.keys(counts).length === 0) return;
  await recordChange(ctx, trx, 'auth_policy.ended_sessions', policyId, { userId, details: { ended: counts } });
}
