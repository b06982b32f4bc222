/** Who proved who it is comes in, or is told why not: nobody else learns that. */
import { type Admission, admitIdentity, type NotAdmitted } from '../../domain/auth-policies/admit.ts';
import type { AuthPolicy } from '../../domain/auth-policies/policy.ts';
import { applyRoleMappings } from '../../domain/auth-policies/role-mappings.ts';
import { inOneTransaction } from '../../domain/one-transaction.ts';
import type { AppOfSession, BegunSession } from '../../domain/sessions/begin.ts';
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

/**
 * Signs somebody in whom an upstream vouches for: one transaction finds or makes the user, gives the roles of its groups
 * and begins the session. Throws `policy_user_unknown`, `policy_user_not_approved`, `user_inactive`, logged.
 */
export async function enterByIdentity(
  ctx: ProtocolContext,
  policy: AuthPolicy,
  identity: UpstreamIdentity,
  held: { presented?: string | undefined; app?: AppOfSession | undefined },
): Promise<Entered> {
  const outcome = await inOneTransaction(contextOf(ctx), (joined) =>
    joined.db.transact(async (trx) => {
      const admission = await admitIdentity(joined, trx, policy, identity);
      if (!admission.admitted) return admission;
      const { userId } = admission;
      await applyRoleMappings(joined, trx, policy, userId, identity.groups);
      const opening = { amr: identity.amr, authPolicyId: policy.id, by: policy.type, ...held };
      return { admitted: true as const, userId, begun: await openSession(ctx, trx, userId, opening) };
    }),
  );
  if (!outcome.admitted) throw await notAdmitted(ctx, policy.id, outcome);
  return { ...outcome.begun, userId: outcome.userId, identity };
}

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
): Promise<Refusal> {
  const [failure, reason] = failures[why];
  await logFailure(ctx, failure, { userId, policyId });
  // Without a policy there is nothing to be approved for: the account itself waits.
  return new Refusal(policyId === undefined ? 'user_inactive' : reason, { detail: failure, userId });
}
