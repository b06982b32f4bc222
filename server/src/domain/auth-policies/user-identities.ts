/** Who a user is upstream, as administrators see it, say it and end it. */
import { invalid, referenceNotFound } from '../../kernel/errors.ts';
import { assertHoldsAllOf } from '../access/take-over.ts';
import type { Context } from '../context.ts';
import { assertWholeTenant } from '../organizations/reach.ts';
import { endEverythingOfPolicy } from '../sessions/end.ts';
import { loadOwnUser } from '../users/read-users.ts';
import {
  confirmIdentity,
  findIdentity,
  type Identity,
  type IdentityKey,
  linkIdentity,
  listIdentitiesOfUser,
  unlinkIdentity,
} from './identities.ts';

/** Longest issuer or subject, in bytes of UTF-8: together they are a key, whose length an engine bounds. */
const longestPart = 1000;

/** In order of the policies. A delegated caller: of users that its subtree owns. Throws `entity.not_found`. */
export async function readIdentities(ctx: Context, userId: string): Promise<Identity[]> {
  await loadOwnUser(ctx, ctx.db.read, userId);
  return listIdentitiesOfUser(ctx, ctx.db.read, userId);
}

/**
 * Says who a user is upstream, or stands for a link that was made otherwise. Whoever is that there can then act as the
 * user, so the caller must hold what the user could do at the management APIs. Throws `entity.not_found` (the user), `entity.reference_not_found` (naming
 * `authPolicyId`), `entity.exists` (of thing `identity`), `input.invalid`, `auth.exceeds_own`, `auth.organization_token`.
 */
export async function linkUser(ctx: Context, userId: string, key: IdentityKey): Promise<Identity> {
  assertWholeTenant(ctx, 'link users');
  for (const part of ['issuer', 'subject'] as const) assertPart(key[part], part);
  return ctx.db.transact(async (trx) => {
    await loadOwnUser(ctx, trx, userId);
    const policy = await trx
      .selectFrom('auth_policies')
      .select('type')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', '=', key.policyId)
      .executeTakeFirst();
    if (policy === undefined) throw referenceNotFound('auth policy', 'authPolicyId');
    if (policy.type === 'password') throw invalid('authPolicyId', 'With a password people are nobody but themselves.');
    await assertHoldsAllOf(ctx, trx, userId);
    const made = await findIdentity(ctx, trx, key);
    if (made?.userId === userId && made.linkedBy !== 'administrator') await confirmIdentity(ctx, trx, key, userId);
    else await linkIdentity(ctx, trx, key, { userId, linkedBy: 'administrator' });
    return (await findIdentity(ctx, trx, key)) as Identity;
  });
}

function assertPart(text: string, part: 'issuer' | 'subject'): void {
  const bytes = Buffer.byteLength(text);
  if (bytes > 0 && bytes <= longestPart && text.isWellFormed()) return;
  throw invalid(part, `It has 1 to ${longestPart} bytes of UTF-8.`);
}

/**
 * A user is not that upstream any more; what the user began by the policy ends. A delegated caller: of users that its
 * subtree owns. Throws `entity.not_found`.
 */
export async function unlinkUser(ctx: Context, userId: string, key: IdentityKey): Promise<void> {
  await ctx.db.transact(async (trx) => {
    await loadOwnUser(ctx, trx, userId);
    await unlinkIdentity(ctx, trx, key, userId);
    await endEverythingOfPolicy(ctx, trx, key.policyId, userId);
  });
}
