/**
 * Initial access tokens (RFC 7591 §1.2): who has one may register clients, so many times and so long. Without one nobody
 * may, so that registration is off until somebody makes one.
 */
import { invalid, notFound } from '../../kernel/errors.ts';
import { randomAlphanumeric, randomBase64Url } from '../../kernel/random.ts';
import { hashSecret } from '../../kernel/secrets.ts';
import type { Tx } from '../../storage/database.ts';
import type { Schema } from '../../storage/schema.ts';
import { defineStatement } from '../../storage/statement.ts';
import type { Context, Services } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';

export interface InitialAccessToken {
  readonly id: string;
  readonly name: string;
  /** How many clients may still be registered with it. */
  readonly usesLeft: number;
  /** Milliseconds. */
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** Most that a tenant has at once, so that all are listed. */
const mostTokens = 100;
/** Longest life, in milliseconds: a year. */
const longestLifeMs = 366 * 86_400_000;

/** Makes one; its value is told once. Throws `input.invalid`. */
export async function createInitialAccessToken(
  ctx: Context,
  { name, uses, expiresAt }: { name: string; uses: number; expiresAt: number },
): Promise<{ token: InitialAccessToken; value: string }> {
  const now = ctx.clock.now();
  if (expiresAt <= now || expiresAt > now + longestLifeMs) {
    throw invalid('expiresAt', 'The time must be in the future, and within a year.');
  }
  const value = randomBase64Url(ctx.random, 32);
  const row: Schema['initial_access_tokens'] = {
    tenant_id: ctx.site.tenantId,
    id: `iat_${randomAlphanumeric(ctx.random, 22)}`,
    token_hash: hashSecret(value),
    name,
    uses_left: uses,
    created_at: now,
    expires_at: expiresAt,
  };
  await ctx.db.transact(async (trx) => {
    const existing = await trx
      .selectFrom('initial_access_tokens')
      .select('id')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('expires_at', '>', now)
      .execute();
    if (existing.length >= mostTokens) throw invalid('name', `There are at most ${mostTokens}; remove one first.`);
    await trx.insertInto('initial_access_tokens').values(row).execute();
    await recordChange(ctx, trx, 'initial_access_token.created', row.id, { details: { name, uses, expiresAt } });
  });
  return { token: tokenOf(row), value };
}

/** Those that are not over, the latest first. */
export async function listInitialAccessTokens(ctx: Context): Promise<InitialAccessToken[]> {
  const rows = await ctx.db.read
    .selectFrom('initial_access_tokens')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('expires_at', '>', ctx.clock.now())
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(mostTokens)
    .execute();
  return rows.map(tokenOf);
}

/** Ends one at once; clients that were registered with it stay. Throws `entity.not_found`. */
export async function deleteInitialAccessToken(ctx: Context, id: string): Promise<void> {
  await ctx.db.transact(async (trx) => {
    const { numDeletedRows } = await trx
      .deleteFrom('initial_access_tokens')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', '=', id)
      .executeTakeFirst();
    if (numDeletedRows === 0n) throw notFound('initial access token');
    await recordChange(ctx, trx, 'initial_access_token.deleted', id);
  });
}

/** Uses it once more; undefined when it is unknown, over or used up. The write is the check: of two at once one is last. */
export async function useInitialAccessToken(
  ctx: Context,
  trx: Tx,
  value: string,
): Promise<InitialAccessToken | undefined> {
  const row = await trx
    .updateTable('initial_access_tokens')
    .set((eb) => ({ uses_left: eb('uses_left', '-', 1) }))
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('token_hash', '=', hashSecret(value))
    .where('uses_left', '>', 0)
    .where('expires_at', '>', ctx.clock.now())
    .returningAll()
    .executeTakeFirst();
  return row === undefined ? undefined : tokenOf(row);
}

const good = defineStatement<{ tenantId: string; now: number }, { id: string }>(
  'initial_access_token_good',
  `select id from initial_access_tokens where tenant_id = :tenantId and uses_left > 0 and expires_at > :now limit 1`,
);

/** Whether anybody can register a client just now. */
export const isRegistrationOpen = async (
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  tenantId: string,
): Promise<boolean> => (await db.run(good, { tenantId, now: clock.now() })).length > 0;

const tokenOf = (row: Schema['initial_access_tokens']): InitialAccessToken => ({
  id: row.id,
  name: row.name,
  usesLeft: row.uses_left,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
});
