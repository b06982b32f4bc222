/**
 * Who proved who it is upstream, or by a password here: is that a user, approved, and active? In this order, asked only of
 * who proved it.
 *
 *   linked? → who has the same verified e-mail address, or username? → made now? ──► user ──► approved? ──► active?
 */
import { isDeepStrictEqual } from 'node:util';
import type { Tx } from '../../storage/database.ts';
import type { UpstreamIdentity } from '../../upstream/identity.ts';
import { managementScopesOfRoles, rolesOfSubject } from '../access/role-scopes.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import { emailIdentity, type Identity, usernameIdentity } from '../users/identity.ts';
import type { UserStatus } from '../users/user.ts';
import { createUser } from '../users/users.ts';
import { findIdentity, linkIdentity, noteIdentityUse } from './identities.ts';
import { type AuthPolicy, authPolicyOf } from './policy.ts';
import { isSameAddress, isSameName, sameUser, userWith } from './same-user.ts';

/** Why somebody who proved who it is does not get in. */
export type NotAdmitted = 'user_unknown' | 'user_is_administrator' | 'not_approved' | 'blocked' | 'awaiting_approval';

/** What came of it. Also where nobody gets in something may have been written: a new user, a request for approval. */
export type Admission =
  | { readonly admitted: true; readonly userId: string }
  | { readonly admitted: false; readonly why: NotAdmitted; readonly userId?: string };

/**
 * The policy as it is now: whoever proved it did so by what was read before, and that may have taken its time. Undefined
 * when it is gone or off, or has people prove themselves elsewhere by now.
 */
export async function policyNow(ctx: Context, trx: Tx, proved: AuthPolicy): Promise<AuthPolicy | undefined> {
  const row = await trx
    .selectFrom('auth_policies')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', '=', proved.id)
    .where('enabled', '=', 1)
    .executeTakeFirst();
  const now = row && authPolicyOf(row);
  const isSame = now?.type === proved.type && isDeepStrictEqual(now.configuration, proved.configuration);
  return isSame ? now : undefined;
}

/** Admits somebody an upstream knows; `ctx` joins the transaction `trx` (`inOneTransaction`). */
export async function admitIdentity(
  ctx: Context,
  trx: Tx,
  policy: AuthPolicy,
  identity: UpstreamIdentity,
): Promise<Admission> {
  const key = { policyId: policy.id, issuer: identity.issuer, subject: identity.subject };
  const linked = await findIdentity(ctx, trx, key);
  if (linked !== undefined) {
    // Somebody may have become one since: an upstream's word still does not make it an administrator's.
    if (linked.linkedBy === 'name' && (await isAdministrator(ctx, trx, linked.userId))) {
      return { admitted: false, why: 'user_is_administrator', userId: linked.userId };
    }
    await noteIdentityUse(ctx, trx, key, identity);
    return admitUser(ctx, trx, policy, linked.userId);
  }
  const found = await sameUser(ctx, trx, policy, identity);
  if (found !== undefined && (await isAdministrator(ctx, trx, found))) {
    return { admitted: false, why: 'user_is_administrator', userId: found };
  }
  if (found === undefined && policy.checkUserExists) return { admitted: false, why: 'user_unknown' };
  const userId = found ?? (await newUser(ctx, trx, policy, identity));
  const linkedBy = found === undefined ? 'first_sign_in' : 'name';
  await linkIdentity(ctx, trx, key, { userId, linkedBy }, identity);
  return admitUser(ctx, trx, policy, userId);
}

/** Admits a user of ours; who waits for an approval is put where administrators see it. */
export async function admitUser(ctx: Context, trx: Tx, policy: AuthPolicy, userId: string): Promise<Admission> {
  const user = await trx
    .selectFrom('users')
    .select('status')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', '=', userId)
    .executeTakeFirst();
  if (user === undefined) return { admitted: false, why: 'user_unknown' };
  const refused = (why: NotAdmitted): Admission => ({ admitted: false, why, userId });
  if (policy.checkUserApproved && !(await isApproved(ctx, trx, policy, userId))) {
    // Who is blocked does not come into the queue again and again.
    if (user.status !== 'blocked') await requestApproval(ctx, trx, policy, userId);
    return refused('not_approved');
  }
  if (user.status === 'active') return { admitted: true, userId };
  if (user.status === 'awaiting_approval') await requestApproval(ctx, trx, policy, userId);
  return refused(whyOf[user.status]);
}

const whyOf: Readonly<Record<Exclude<UserStatus, 'active'>, NotAdmitted>> = {
  blocked: 'blocked',
  awaiting_approval: 'awaiting_approval',
};

const entryOf = (ctx: Context, trx: Tx, policy: AuthPolicy, userId: string) =>
  trx
    .selectFrom('auth_policy_users')
    .select('status')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('policy_id', '=', policy.id)
    .where('user_id', '=', userId)
    .executeTakeFirst();

const isApproved = async (ctx: Context, trx: Tx, policy: AuthPolicy, userId: string): Promise<boolean> =>
  (await entryOf(ctx, trx, policy, userId))?.status === 'approved';

async function requestApproval(ctx: Context, trx: Tx, policy: AuthPolicy, userId: string): Promise<void> {
  if ((await entryOf(ctx, trx, policy, userId)) !== undefined) return;
  const now = ctx.clock.now();
  await trx
    .insertInto('auth_policy_users')
    .values({
      tenant_id: ctx.site.tenantId,
      policy_id: policy.id,
      user_id: userId,
      status: 'requested',
      created_at: now,
      updated_at: now,
    })
    .execute();
  await recordChange(ctx, trx, 'auth_policy_user.requested', policy.id, { userId });
}

/** Whoever could do anything at a management API is linked by an administrator, never by what an upstream says. */
async function isAdministrator(ctx: Context, trx: Tx, userId: string): Promise<boolean> {
  const roles = await rolesOfSubject(ctx, trx, userId);
  const given = await managementScopesOfRoles(
    ctx,
    trx,
    roles.map(({ roleId }) => roleId),
  );
  return [...given.values()].some((scopes) => scopes.length > 0);
}

/** The first sign-in makes the user, with what the upstream vouches for and nobody here has. */
async function newUser(ctx: Context, trx: Tx, policy: AuthPolicy, identity: UpstreamIdentity): Promise<string> {
  const [email, username] = [ownEmail(identity), policy.type === 'ldap' ? ownUsername(identity) : undefined];
  const { id } = await createUser(ctx, {
    ...(email !== undefined && (await isFree(ctx, trx, 'email_key', email.key))
      ? { email: email.shown, emailVerified: true }
      : {}),
    ...(username !== undefined && (await isFree(ctx, trx, 'username_key', username.key))
      ? { username: username.shown }
      : {}),
    name: shown(identity.name),
    givenName: shown(identity.givenName),
    familyName: shown(identity.familyName),
    picture: pictureOf(identity.picture),
    status: policy.newUserStatus,
  });
  return id;
}

const isFree = async (ctx: Context, trx: Tx, column: 'email_key' | 'username_key', key: string): Promise<boolean> =>
  (await userWith(ctx, trx, column, key)) === undefined;

/**
 * The address as it is kept here. What is none here, or would be kept as another mailbox (`ｍ` is kept as `m`), is left:
 * the upstream vouched for its own spelling, and that other one may be somebody else's.
 */
function ownEmail({ email, emailVerified }: UpstreamIdentity): Identity | undefined {
  const kept = email !== null && emailVerified ? readOr(() => emailIdentity(email)) : undefined;
  return kept !== undefined && isSameAddress(kept.shown, email as string) ? kept : undefined;
}

/** The same of a name. */
function ownUsername({ username }: UpstreamIdentity): Identity | undefined {
  const kept = username === null ? undefined : readOr(() => usernameIdentity(username));
  return kept !== undefined && isSameName(kept.shown, username) ? kept : undefined;
}

function readOr(read: () => Identity): Identity | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

const longestName = 300;

/** A name as it can be kept; an upstream may write anything. */
const shown = (text: string | null): string | null =>
  text
    ?.replace(/[\p{C}]/gu, '')
    .trim()
    .slice(0, longestName)
    .toWellFormed() || null;

const pictureOf = (url: string | null): string | null =>
  url !== null && url.length <= 2048 && URL.parse(url)?.protocol === 'https:' ? url : null;
