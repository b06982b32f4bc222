/** What one user let clients do, as administrators see and end it. A delegated caller: of users that its subtree owns. */
import { notFound } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import { loadOwnUser } from '../users/read-users.ts';

/** An authorization with the client it is for. */
export interface ListedAuthorization {
  readonly id: string;
  readonly userId: string;
  readonly clientId: string;
  readonly clientName: string;
  /** Milliseconds. */
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** Most authorizations of one user that are listed, the latest first. */
const mostListed = 1000;

/** The authorizations that are not over, of clients of one's own or of others' if told. Throws `entity.not_found`. */
export async function listAuthorizationsOfUser(
  ctx: Context,
  userId: string,
  filter: { firstParty?: boolean | undefined } = {},
): Promise<ListedAuthorization[]> {
  await loadOwnUser(ctx, ctx.db.read, userId);
  let query = ctx.db.read
    .selectFrom('authorizations as a')
    .innerJoin('clients as c', (join) =>
      join.onRef('c.tenant_id', '=', 'a.tenant_id').onRef('c.id', '=', 'a.client_id'),
    )
    .select(['a.id', 'a.client_id', 'c.name', 'a.created_at', 'a.expires_at'])
    .where('a.tenant_id', '=', ctx.site.tenantId)
    .where('a.user_id', '=', userId)
    .where('a.expires_at', '>', ctx.clock.now())
    // What came of one by token exchange goes with it.
    .where('a.parent_id', 'is', null);
  if (filter.firstParty !== undefined) query = query.where('c.first_party', '=', filter.firstParty ? 1 : 0);
  const rows = await query.orderBy('a.created_at', 'desc').orderBy('a.id').limit(mostListed).execute();
  return rows.map((row) => ({
    id: row.id,
    userId,
    clientId: row.client_id,
    clientName: row.name,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }));
}

/**
 * Ends one, with every token that rests on it. Of a client of others, what the person agreed to ends with it, and so all
 * that the client has of the person. Throws `entity.not_found` (the user, or it has no such thing).
 */
export async function endAuthorizationOfUser(ctx: Context, userId: string, id: string): Promise<void> {
  const { tenantId } = ctx.site;
  await ctx.db.transact(async (trx) => {
    await loadOwnUser(ctx, trx, userId);
    const found = await trx
      .selectFrom('authorizations')
      .select('client_id')
      .where('tenant_id', '=', tenantId)
      .where('user_id', '=', userId)
      .where('id', '=', id)
      .executeTakeFirst();
    if (found === undefined) throw notFound('grant');
    const { numDeletedRows: withdrawn } = await trx
      .deleteFrom('consents')
      .where('tenant_id', '=', tenantId)
      .where('user_id', '=', userId)
      .where('client_id', '=', found.client_id)
      .executeTakeFirst();
    const all = trx.deleteFrom('authorizations').where('tenant_id', '=', tenantId).where('user_id', '=', userId);
    const ending = withdrawn > 0n ? all.where('client_id', '=', found.client_id) : all.where('id', '=', id);
    const { numDeletedRows: ended } = await ending.executeTakeFirst();
    const details = { client: found.client_id, ended: Number(ended), consentWithdrawn: withdrawn > 0n };
    await recordChange(ctx, trx, 'authorization.ended', id, { userId, details });
  });
}
