/** Tries to sign in: counted while they are under way, logged when they fail, whatever somebody tries with. */
import type { LogEvent } from '../../domain/logs/journal.ts';
import { logText } from '../../kernel/text.ts';
import type { UpstreamIdentity } from '../../upstream/identity.ts';
import type { ProtocolContext } from '../context.ts';
import { Refusal } from '../refusal.ts';
import type { Attempt, CountedBy } from './limits.ts';

/** Why a sign-in failed; for the log only. */
export type SignInFailure =
  | 'user_unknown'
  | 'user_is_administrator'
  | 'user_not_approved'
  | 'user_blocked'
  | 'user_awaiting_approval'
  | 'user_changed'
  | 'password_none'
  | 'password_wrong'
  | 'input_unreadable'
  | 'policy_unknown'
  | 'policy_not_offered'
  | `upstream_${string}`;

/** Begins a try at an account; `deviceId`: the browser signed in to it before. Throws the refusal `rate_limited`. */
export function beginAttempt(ctx: ProtocolContext, account: string, deviceId: string | undefined): Attempt {
  const { limits } = ctx.services;
  const { tenantId } = ctx.site;
  const address = ctx.origin.ip ?? '';
  try {
    return limits.signIn.begin({ tenantId, account, address, deviceId });
  } catch (error) {
    limits.countRefused(tenantId, undefined, address);
    throw error;
  }
}

/** Whom and what a failure is about, as far as it is known. */
export interface FailureAbout {
  readonly userId?: string | undefined;
  readonly policyId?: string | undefined;
  /** Who it is upstream: what an administrator links somebody by. */
  readonly identity?: Pick<UpstreamIdentity, 'issuer' | 'subject'> | undefined;
  /** What happened, for administrators; nothing that somebody typed. */
  readonly detail?: string | undefined;
}

/** Counts and logs that somebody could not prove who it is; returns what the person is told. */
export async function failedAttempt(
  ctx: ProtocolContext,
  attempt: Attempt,
  failure: SignInFailure,
  about: FailureAbout = {},
): Promise<Refusal> {
  const usedUp = attempt.failed();
  await Promise.all([logFailure(ctx, failure, about), ...usedUp.map((by) => logUsedUp(ctx, about, by))]);
  return new Refusal('sign_in_failed', { detail: failure, userId: about.userId });
}

/** What was typed is not kept: people type their password into the wrong field. */
export const logFailure = (
  ctx: ProtocolContext,
  failure: SignInFailure,
  { userId, policyId, identity, detail }: FailureAbout = {},
): Promise<void> =>
  ctx.services.journal.append({
    tenantId: ctx.site.tenantId,
    kind: 'user.sign_in_failed',
    userId,
    reason: failure,
    description: detail ?? failure.replaceAll('_', ' '),
    ...detailsOf(policyId, identity),
    ...ctx.origin,
  });

/** Logs what nobody had to prove anything for: of too many of one address one row counts them. */
export async function logUnproven(ctx: ProtocolContext, failure: SignInFailure, about: FailureAbout): Promise<void> {
  if (!ctx.services.limits.refusalHasRow(ctx.site.tenantId, undefined, ctx.origin.ip ?? '')) return;
  await logFailure(ctx, failure, about);
}

const detailsOf = (policyId: string | undefined, identity: FailureAbout['identity']): Pick<LogEvent, 'details'> => {
  const { issuer, subject } = identity ?? {};
  const named = identity === undefined ? {} : { issuer: logText(issuer), subject: logText(subject) };
  return policyId === undefined ? {} : { details: { authPolicy: policyId, ...named } };
};

const logUsedUp = (ctx: ProtocolContext, { userId }: FailureAbout, by: CountedBy): Promise<void> =>
  ctx.services.journal.append({
    tenantId: ctx.site.tenantId,
    kind: 'user.sign_in_limited',
    userId,
    reason: 'rate_limited',
    description: `too many failures, by ${by.replaceAll('_', ' ')}`,
    details: { by },
    ...ctx.origin,
  });

/** What nobody can have typed: counted for the address, and refused like any other failure. */
export async function refuseUnreadable(ctx: ProtocolContext): Promise<never> {
  ctx.services.limits.signIn.countFailure(ctx.site.tenantId, ctx.origin.ip ?? '');
  await logFailure(ctx, 'input_unreadable');
  throw new Refusal('sign_in_failed', { detail: 'input_unreadable' });
}
