/** Who proved who it is comes in, or is told why not: nobody else learns that. */
import { type Admission, admitIdentity, type NotAdmitted, policyNow } from '../../domain/auth-policies/admit.ts';
import type { AuthPolicy } from '../../domain/auth-policies/policy.ts';
import { applyRoleMappings } from '../../domain/auth-policies/role-mappings.ts';
import { inOneTransaction } from '../../domain/one-transaction.ts';
import type { AppOfSession, BegunSession } from '../../domain/sessions/begin.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { UpstreamIdentity } from '../../upstream/identity.ts';
import type { ProtocolContext } from '../context.ts';
import { Refusal, type RefusalReason } from '../refusal.ts';
import { logFailure, type SignInFailure } from './attempts.ts';
import { contextOf, openSession } from './open-session.ts';

/** Who signed in by an upstream. */
export interface Entered extends BegunSession {
  readonly userId: string;
  readonly identity: UpstreamIdentity;
}

/** Who is to hold the session. */
interface Held {
  /** What the browser's cookie held. */
  readonly presented?: string | undefined;
  readonly app?: AppOfSession | undefined;
}

/**
 * Signs somebody in whom an upstream vouches for: one transaction finds or makes the user, gives the roles of its groups
 * and begins the session. Throws `policy_user_unknown`, `policy_user_not_approved`, `user_inactive`, logged.
 */
export async function enterByIdentity(
  ctx: ProtocolContext,
  policy: AuthPolicy,
  identity: UpstreamIdentity,
  held: Held,
): Promise<Entered> {
  const outcome = await againIfRaced(() => attempt(ctx, policy, identity, held));
  if (!outcome.admitted) throw await notAdmitted(ctx, policy.id, outcome, identity);
  return { ...outcome.begun, userId: outcome.userId, identity };
}

/** Of two first sign-ins of somebody at once one makes the user; the other one finds it. */
async function againIfRaced<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DomainError && error.code === 'entity.exists') return work();
    throw error;
  }
}

const attempt = (ctx: ProtocolContext, proved: AuthPolicy, identity: UpstreamIdentity, held: Held) =>
  inOneTransaction(contextOf(ctx), (joined) =>
    joined.db.transact(async (trx) => {
      const policy = await policyNow(joined, trx, proved);
      if (policy === undefined) throw policyChanged();
      const admission = await admitIdentity(joined, trx, policy, identity);
      if (!admission.admitted) return admission;
      const { userId } = admission;
      await applyRoleMappings(joined, trx, policy, userId, identity.groups);
      const opening = { amr: identity.amr, authPolicyId: policy.id, by: policy.type, ...held };
      return { admitted: true as const, userId, begun: await openSession(ctx, trx, userId, opening) };
    }),
  );

/** What was proved counts no more. */
export const policyChanged = (): Refusal =>
  new Refusal('policy_unknown', { detail: 'the policy was changed, or switched off, meanwhile' });

const failures: Readonly<Record<NotAdmitted, readonly [SignInFailure, RefusalReason]>> = {
  user_unknown: ['user_unknown', 'policy_user_unknown'],
  user_is_administrator: ['user_is_administrator', 'policy_user_unknown'],
  not_approved: ['user_not_approved', 'policy_user_not_approved'],
  awaiting_approval: ['user_awaiting_approval', 'policy_user_not_approved'],
  blocked: ['user_blocked', 'user_inactive'],
};

/** Logs why, and returns what the person is told. */
export async function notAdmitted(
  ctx: ProtocolContext,
  policyId: string | undefined,
  { why, userId }: Exclude<Admission, { admitted: true }>,
  identity?: UpstreamIdentity,
): Promise<Refusal> {
  const [failure, reason] = failures[why];
  await logFailure(ctx, failure, { userId, policyId, identity });
  // Without a policy there is nothing to be approved for: the account itself waits.
  return new Refusal(policyId === undefined ? 'user_inactive' : reason, { detail: failure, userId });
}
