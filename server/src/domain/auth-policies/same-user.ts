/** Who of ours somebody is whom an upstream knows by a name. */
import type { Tx } from '../../storage/database.ts';
import type { UpstreamIdentity } from '../../upstream/identity.ts';
import type { Context } from '../context.ts';
import { tenantSignIn } from '../tenants/sign-in.ts';
import { emailKeyOf, foldCase } from '../users/identity.ts';
import type { AuthPolicy } from './policy.ts';

/**
 * Who of ours it is, as far as the policy lets names tell. An address or name that nobody vouched for proves nothing:
 * whoever took it first could be waiting for its owner. So both ends of an e-mail address must be verified, and where
 * people choose usernames themselves these do not count.
 */
export async function sameUser(
  ctx: Context,
  trx: Tx,
  policy: AuthPolicy,
  { email, emailVerified, username }: UpstreamIdentity,
): Promise<string | undefined> {
  if (policy.linksByEmail && email !== null && emailVerified) {
    const found = await byVerifiedEmail(ctx, trx, email);
    if (found !== undefined) return found;
  }
  if (!policy.linksByUsername || username === null || !provesUsername(policy, username)) return undefined;
  if (username.includes('@')) return byVerifiedEmail(ctx, trx, username);
  const { signUp } = await tenantSignIn(ctx, ctx.site.tenantId);
  if (signUp) return undefined;
  const found = await userWith(ctx, trx, 'username_key', foldCase(username.trim()));
  return isSameName(found?.username, username) ? found?.id : undefined;
}

/**
 * Whether the name is one that a person can't choose. A directory's is, where people bind by it; a provider's is not. What
 * a search went by may be any attribute: an address among them, which people often may change, has to be vouched for.
 */
const provesUsername = (policy: AuthPolicy, username: string): boolean =>
  policy.type === 'ldap' && (policy.configuration.search === null || !username.includes('@'));

async function byVerifiedEmail(ctx: Context, trx: Tx, email: string): Promise<string | undefined> {
  const found = await userWith(ctx, trx, 'email_key', emailKeyOf(email));
  const isTheirs = found?.email_verified === 1 && isSameAddress(found.email, email);
  return isTheirs ? found.id : undefined;
}

/** Whether an address as it is kept here is the very mailbox that an upstream named. */
export const isSameAddress = (ours: string | null, theirs: string): boolean =>
  isSameName(mailboxOf(ours), mailboxOf(theirs));

/** What stands before the host; that is compared by its key, in which it is ASCII. */
const mailboxOf = (email: string | null): string | null => email?.slice(0, email.lastIndexOf('@')) ?? null;

/**
 * Whether a name is the same but for the case of A to Z. Here `ı` and `i`, or `ſ` and `s`, are one name, so that nobody
 * takes one that reads like another's; upstream they can be two people's, and neither is to become the other.
 */
export const isSameName = (ours: string | null | undefined, theirs: string | null): boolean =>
  ours != null && theirs !== null && plain(ours) === plain(theirs);

const plain = (text: string): string => text.trim().replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** The user with this canonical e-mail address or username, whoever that is. */
export const userWith = (ctx: Context, trx: Tx, column: 'email_key' | 'username_key', key: string) =>
  trx
    .selectFrom('users')
    .select(['id', 'email', 'email_verified', 'username'])
    .where('tenant_id', '=', ctx.site.tenantId)
    .where(column, '=', key.replaceAll('\0', ''))
    .executeTakeFirst();
