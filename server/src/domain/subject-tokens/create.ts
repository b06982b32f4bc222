/** An administrator lets a client act for a user: by a token that is good once and for ten minutes. */
import { DomainError, invalid } from '../../kernel/errors.ts';
import { randomAlphanumeric } from '../../kernel/random.ts';
import { hashSecret } from '../../kernel/secrets.ts';
import { assertHoldsAllOf } from '../access/take-over.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';

/** How long such a token waits to be exchanged, in milliseconds. */
export const subjectTokenLifetimeMs = 600_000;

/** Longest `context`, in characters of JSON. */
const longestContext = 4096;

export interface NewSubjectToken {
  readonly userId: string;
  /** Kept with the token. */
  readonly context: Readonly<Record<string, unknown>>;
}

/**
 * Makes the token; the caller must hold all that the user could do at the management APIs. Throws `input.invalid`,
 * `entity.reference_not_found` (naming `userId`), `auth.exceeds_own`.
 */
export async function createSubjectToken(ctx: Context, { userId, context }: NewSubjectToken): Promise<string> {
  const text = JSON.stringify(context);
  if (text.length > longestContext) throw invalid('context', `It has at most ${longestContext} characters of JSON.`);
  const token = `sub_${randomAlphanumeric(ctx.random, 43)}`;
  await ctx.db.transact(async (trx) => {
    const { tenantId } = ctx.site;
    const user = await trx
      .selectFrom('users')
      .select('id')
      .where('tenant_id', '=', tenantId)
      .where('id', '=', userId)
      .executeTakeFirst();
    if (user === undefined) {
      throw new DomainError('entity.reference_not_found', 'There is no such user.', {
        path: 'userId',
        data: { thing: 'user' },
      });
    }
    await assertHoldsAllOf(ctx, trx, userId);
    const now = ctx.clock.now();
    await trx
      .insertInto('subject_tokens')
      .values({
        tenant_id: tenantId,
        token_hash: hashSecret(token),
        user_id: userId,
        context: text,
        created_at: now,
        expires_at: now + subjectTokenLifetimeMs,
        used_at: null,
      })
      .execute();
    await recordChange(ctx, trx, 'subject_token.created', userId, { userId });
  });
  return token;
}
