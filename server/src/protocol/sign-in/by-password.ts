/**
 * A person proves who it is by a password that is kept here. Whoever is unknown, has no password, or gives a wrong one
 * gets one and the same answer after the same work; only who has the right password learns that the account is blocked,
 * or not approved for the policy.
 *
 *   identifier → account? → limits → password (always one hash) → approved? → active? → session, log event → notes
 */
import { type Admission, admitUser, policyNow } from '../../domain/auth-policies/admit.ts';
import { type AuthPolicy, builtInPasswordId } from '../../domain/auth-policies/policy.ts';
import type { AppOfSession, BegunSession } from '../../domain/sessions/begin.ts';
import { type Account, findAccount, typedIdentifier } from '../../domain/users/accounts.ts';
import {
  hashPassword,
  isOfOtherCost,
  noPasswordHash,
  passwordIsTooLong,
  passwordMatches,
} from '../../domain/users/passwords.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { ProtocolContext } from '../context.ts';
import { Refusal } from '../refusal.ts';
import { notAdmitted, policyChanged } from './admission.ts';
import { beginAttempt, failedAttempt, refuseUnreadable, type SignInFailure } from './attempts.ts';
import { deviceIdOf, notesAfter } from './known-device.ts';
import { contextOf, type Opening, openSession } from './open-session.ts';

/** What was typed. */
export interface PasswordSignIn {
  /** E-mail address, username or phone number, as typed. */
  readonly identifier: string;
  readonly password: string;
  /** What the browser's cookies hold. */
  readonly knownDevice?: string | undefined;
  readonly sessionSecret?: string | undefined;
  /** The app that is to hold the session, instead of a browser. */
  readonly app?: AppOfSession | undefined;
}

/** Who signed in, and what the browser's cookies are to hold. */
export interface SignedIn extends BegunSession {
  readonly userId: string;
  readonly knownDevice: string;
}

/** How a person that gave a password proved who it is (RFC 8176). */
const amr = ['pwd'] as const;

/**
 * Signs a person in by a password; with a policy, under its rules. Throws `sign_in_failed`, `rate_limited`, and of who
 * gave the right password `user_inactive`, `policy_user_not_approved`.
 */
export async function signInWithPassword(
  ctx: ProtocolContext,
  input: PasswordSignIn,
  policy?: AuthPolicy,
): Promise<SignedIn> {
  const typed = typedIdentifier(input.identifier);
  if (typed === undefined || passwordIsTooLong(input.password)) return refuseUnreadable(ctx);
  const account = await findAccount(ctx.services, ctx.site.tenantId, typed);
  const attempt = beginAttempt(ctx, typed.canonical, deviceOf(ctx, account, input.knownDevice));
  try {
    const hash = account?.passwordHash ?? null;
    const matches = await compare(input.password, hash);
    if (account === undefined || hash === null || !matches) {
      throw await failedAttempt(ctx, attempt, failureOf(account), { userId: account?.id, policyId: policy?.id });
    }
    const upgraded = isOfOtherCost(hash) ? await hashPassword(ctx.services.random, input.password) : undefined;
    const change = { from: hash, to: upgraded ?? hash };
    const opened = await open(ctx, account, change, openingOf(input, policy), policy);
    if (opened === undefined) {
      throw await failedAttempt(ctx, attempt, 'user_changed', { userId: account.id, policyId: policy?.id });
    }
    if ('admitted' in opened) throw await notAdmitted(ctx, policy?.id, opened);
    const knownDevice = notesAfter(ctx, { id: account.id, passwordHash: change.to }, input.knownDevice);
    return { ...opened, userId: account.id, knownDevice };
  } finally {
    attempt.end();
  }
}

const failureOf = (account: Account | undefined): SignInFailure => {
  if (account === undefined) return 'user_unknown';
  return account.passwordHash === null ? 'password_none' : 'password_wrong';
};

function deviceOf(ctx: ProtocolContext, account: Account | undefined, notes: string | undefined): string | undefined {
  const hash = account?.passwordHash ?? null;
  return account === undefined || hash === null
    ? undefined
    : deviceIdOf(ctx, { id: account.id, passwordHash: hash }, notes);
}

const openingOf = ({ sessionSecret, app }: PasswordSignIn, policy: AuthPolicy | undefined): Opening => ({
  amr,
  authPolicyId: policy?.id ?? builtInPasswordId,
  by: 'password',
  presented: sessionSecret,
  app,
});

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

type Refused = Exclude<Admission, { admitted: true }>;

/**
 * Opens the session, or tells why the account does not get in; nothing when it was blocked, or its password changed,
 * since it was read: the check is the write.
 */
function open(
  ctx: ProtocolContext,
  account: Account,
  hash: { from: string; to: string },
  opening: Opening,
  policy: AuthPolicy | undefined,
): Promise<BegunSession | Refused | undefined> {
  return ctx.services.db.transact(async (trx) => {
    if (policy !== undefined) {
      const now = await policyNow(contextOf(ctx), trx, policy);
      if (now === undefined) throw policyChanged();
      const admission = await admitUser(contextOf(ctx), trx, now, account.id);
      if (!admission.admitted) return admission;
    } else if (account.status !== 'active') {
      return { admitted: false, why: account.status, userId: account.id };
    }
    const { numUpdatedRows } = await trx
      .updateTable('users')
      .set({ password_hash: hash.to })
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', '=', account.id)
      .where('status', '=', 'active')
      .where('password_hash', '=', hash.from)
      .executeTakeFirst();
    return numUpdatedRows === 0n ? undefined : openSession(ctx, trx, account.id, opening);
  });
}
