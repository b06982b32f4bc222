/** Who a user is upstream, as administrators see it, say it and end it. */
import { invalid, referenceNotFound } from '../../kernel/errors.ts';
import type { Tx } from '../../storage/database.ts';
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
import { issuerOfPolicy } from './issuer.ts';
import { authPolicyOf } from './policy.ts';

/** Longest subject, in bytes of UTF-8: it is part of a key, whose length an engine bounds. */
const longestSubject = 1000;

/** Somebody at the upstream of a policy; without an issuer, that of the policy. */
export type WhoUpstream = Omit<IdentityKey, 'issuer'> & { readonly issuer?: string | undefined };

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
export async function linkUser(ctx: Context, userId: string, who: WhoUpstream): Promise<Identity> {
  assertWholeTenant(ctx, 'link users');
  assertSubject(who.subject);
  return ctx.db.transact(async (trx) => {
    await loadOwnUser(ctx, trx, userId);
    const key = { ...who, issuer: await issuerFor(ctx, trx, who) };
    await assertHoldsAllOf(ctx, trx, userId);
    const made = await findIdentity(ctx, trx, key);
    if (made?.userId === userId && made.linkedBy !== 'administrator') await confirmIdentity(ctx, trx, key, userId);
    else await linkIdentity(ctx, trx, key, { userId, linkedBy: 'administrator' });
    return (await findIdentity(ctx, trx, key)) as Identity;
  });
}

function assertSubject(text: string): void {
  const bytes = Buffer.byteLength(text);
  if (bytes > 0 && bytes <= longestSubject && text.isWellFormed()) return;
  throw invalid('subject', `It has 1 to ${longestSubject} bytes of UTF-8.`);
}

/** The policy's issuer; whoever would be of another one never comes. */
async function issuerFor(ctx: Context, trx: Tx, { policyId, issuer }: WhoUpstream): Promise<string> {
  const policy = await trx
    .selectFrom('auth_policies')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', '=', policyId)
    .executeTakeFirst();
  if (policy === undefined) throw referenceNotFound('auth policy', 'authPolicyId');
  const expected = issuerOfPolicy(authPolicyOf(policy));
  if (expected === undefined) throw invalid('authPolicyId', 'With a password people are nobody but themselves.');
  if (issuer === undefined || issuer === expected) return expected;
  throw invalid('issuer', `Who signs in by this policy is of the issuer ${expected}.`);
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
