/**
 * How a person proves who it is: here by a password. Whoever is unknown, has no password, or gives a wrong one gets one
 * and the same answer after the same work; only who has the right password learns that the account is blocked.
 *
 *   identifier → account? → limits → password (always one hash) → active? → session, login count, log event → notes
 */
import { builtInPasswordId } from '../../domain/auth-policies/policy.ts';
import type { Context } from '../../domain/context.ts';
import { type BegunSession, beginSession } from '../../domain/sessions/begin.ts';
import { type Account, findAccount, type TypedIdentifier, typedIdentifier } from '../../domain/users/accounts.ts';
import {
  hashPassword,
  isOfOtherCost,
  noPasswordHash,
  passwordIsTooLong,
  passwordMatches,
} from '../../domain/users/passwords.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { Tx } from '../../storage/database.ts';
import type { ProtocolContext } from '../context.ts';
import { Refusal } from '../refusal.ts';
import { deviceIdOf, notesAfter } from './known-device.ts';
import type { Attempt, CountedBy } from './limits.ts';

/** What the sign-in page sends. */
export interface PasswordSignIn {
  /** E-mail address, username or phone number, as typed. */
  readonly identifier: string;
  readonly password: string;
  /** What the browser's cookies hold. */
  readonly knownDevice?: string | undefined;
  readonly sessionSecret?: string | undefined;
}

/** Who signed in, and what the browser's cookies are to hold. */
export interface SignedIn extends BegunSession {
  readonly userId: string;
  readonly knownDevice: string;
}

/** Why a sign-in failed; for the log only. */
type Failure = 'user_unknown' | 'password_none' | 'password_wrong' | 'input_unreadable' | 'user_changed';

/** How a person that gave a password proved who it is (RFC 8176). */
const amr = ['pwd'] as const;

/**
 * Signs a person in by a password. Throws `sign_in_failed`, `user_inactive` (the password was right), `rate_limited`.
 */
export async function signInWithPassword(ctx: ProtocolContext, input: PasswordSignIn): Promise<SignedIn> {
  const typed = typedIdentifier(input.identifier);
  if (typed === undefined || passwordIsTooLong(input.password)) return refuseUnreadable(ctx);
  const { tenantId } = ctx.site;
  const account = await findAccount(ctx.services, tenantId, typed);
  const attempt = begin(ctx, typed, account, input.knownDevice);
  try {
    const hash = account?.passwordHash ?? null;
    const matches = await compare(input.password, hash);
    if (account === undefined || hash === null || !matches) {
      throw await failed(ctx, account, failureOf(account), attempt);
    }
    if (account.status !== 'active') throw await inactive(ctx, account);
    const upgraded = isOfOtherCost(hash) ? await hashPassword(ctx.services.random, input.password) : undefined;
    const begun = await open(ctx, account, { from: hash, to: upgraded ?? hash }, input.sessionSecret);
    if (begun === undefined) throw await failed(ctx, account, 'user_changed', attempt);
    const knownDevice = notesAfter(ctx, { id: account.id, passwordHash: upgraded ?? hash }, input.knownDevice);
    return { ...begun, userId: account.id, knownDevice };
  } finally {
    attempt.end();
  }
}

const failureOf = (account: Account | undefined): Failure => {
  if (account === undefined) return 'user_unknown';
  return account.passwordHash === null ? 'password_none' : 'password_wrong';
};

function begin(
  ctx: ProtocolContext,
  { canonical }: TypedIdentifier,
  account: Account | undefined,
  notes: string | undefined,
): Attempt {
  const { limits } = ctx.services;
  const { tenantId } = ctx.site;
  const address = ctx.origin.ip ?? '';
  const hash = account?.passwordHash ?? null;
  const deviceId =
    account === undefined || hash === null ? undefined : deviceIdOf(ctx, { id: account.id, passwordHash: hash }, notes);
  try {
    return limits.signIn.begin({ tenantId, account: canonical, address, deviceId });
  } catch (error) {
    limits.countRefused(tenantId, undefined, address);
    throw error;
  }
}

/** One hash, whether or not there is one to compare with. */
async function compare(password: string, hash: string | null): Promise<boolean> {
  try {
    return await passwordMatches(password, hash ?? noPasswordHash);
  } catch (error) {
    throw asRefusal(error);
  }
}

/** Too many hashes wait: said in the protocol's words. */
export const asRefusal = (error: unknown): unknown =>
  error instanceof DomainError && error.code === 'rate.limited'
    ? new Refusal('rate_limited', { ...error.data, detail: 'too many passwords are being checked' })
    : error;

/** The domain's view of a request that nobody is signed in for yet: the server itself acts. */
export const contextOf = ({ services, site, origin }: ProtocolContext): Context => ({
  ...services,
  site,
  origin,
  actor: { kind: 'server' },
});

/**
 * Opens the session; nothing when the account was blocked, or its password changed, since it was read: the check is the
 * write.
 */
function open(
  ctx: ProtocolContext,
  account: Account,
  hash: { from: string; to: string },
  presented: string | undefined,
): Promise<BegunSession | undefined> {
  return ctx.services.db.transact(async (trx) => {
    const { tenantId } = ctx.site;
    const { numUpdatedRows } = await trx
      .updateTable('users')
      .set({ password_hash: hash.to })
      .where('tenant_id', '=', tenantId)
      .where('id', '=', account.id)
      .where('status', '=', 'active')
      .where('password_hash', '=', hash.from)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return undefined;
    return openSession(ctx, trx, account.id, presented);
  });
}

/** Begins the session of a user who proved who it is and counts the login, in the transaction that found it active. */
export async function openSession(
  ctx: ProtocolContext,
  trx: Tx,
  userId: string,
  presented: string | undefined,
): Promise<BegunSession> {
  await trx
    .updateTable('users')
    .set((eb) => ({
      logins_count: eb('logins_count', '+', 1),
      last_login_at: ctx.services.clock.now(),
      last_ip: ctx.origin.ip ?? null,
    }))
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', '=', userId)
    .execute();
  const begun = await beginSession(contextOf(ctx), trx, userId, { amr, authPolicyId: builtInPasswordId, presented });
  await ctx.services.journal.within(trx, {
    tenantId: ctx.site.tenantId,
    kind: 'user.signed_in',
    userId,
    description: 'signed in by password',
    details: { target: userId, sessionId: begun.sessionId, amr },
    ...ctx.origin,
  });
  return begun;
}

/** Logs a failure with its real reason, and the limits it used up; returns what the person is told. */
async function failed(
  ctx: ProtocolContext,
  account: Account | undefined,
  failure: Failure,
  attempt: Attempt,
): Promise<Refusal> {
  const usedUp = attempt.failed();
  await Promise.all([logFailure(ctx, account, failure), ...usedUp.map((by) => logUsedUp(ctx, account, by))]);
  return new Refusal('sign_in_failed', { detail: failure, userId: account?.id });
}

async function inactive(ctx: ProtocolContext, account: Account): Promise<Refusal> {
  await logFailure(ctx, account, account.status === 'blocked' ? 'user_blocked' : 'user_awaiting_approval');
  return new Refusal('user_inactive', { detail: account.status, userId: account.id });
}

async function refuseUnreadable(ctx: ProtocolContext): Promise<never> {
  ctx.services.limits.signIn.countFailure(ctx.site.tenantId, ctx.origin.ip ?? '');
  await logFailure(ctx, undefined, 'input_unreadable');
  throw new Refusal('sign_in_failed', { detail: 'input_unreadable' });
}

/** What was typed is not kept: people type their password into the wrong field. */
const logFailure = (ctx: ProtocolContext, account: Account | undefined, reason: string): Promise<void> =>
  ctx.services.journal.append({
    tenantId: ctx.site.tenantId,
    kind: 'user.sign_in_failed',
    userId: account?.id,
    reason,
    description: reason.replaceAll('_', ' '),
    ...ctx.origin,
  });

const logUsedUp = (ctx: ProtocolContext, account: Account | undefined, by: CountedBy): Promise<void> =>
  ctx.services.journal.append({
    tenantId: ctx.site.tenantId,
    kind: 'user.sign_in_limited',
    userId: account?.id,
    reason: 'rate_limited',
    description: `too many failures, by ${by.replaceAll('_', ' ')}`,
    details: { by },
    ...ctx.origin,
  });
