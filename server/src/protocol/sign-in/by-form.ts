/**
 * A person gives a name and a password to us: which policy they are for is said by the form, and whether that policy may
 * be used for what the person signs in to is decided here, whatever the form says.
 */
import { isOffered } from '../../domain/auth-policies/offer-lists.ts';
import { offerListsOf, type SignInTarget } from '../../domain/auth-policies/offers.ts';
import { authPolicyOf, builtInPasswordId, secretsOf } from '../../domain/auth-policies/policy.ts';
import { findPolicyRow } from '../../domain/auth-policies/read-policies.ts';
import type { AppOfSession } from '../../domain/sessions/begin.ts';
import type { UpstreamIdentity } from '../../upstream/identity.ts';
import type { ProtocolContext } from '../context.ts';
import { Refusal } from '../refusal.ts';
import { logUnproven } from './attempts.ts';
import { signInByDirectory } from './by-directory.ts';
import { type SignedIn, signInWithPassword } from './by-password.ts';
import type { PolicyWithSecrets } from './upstreams.ts';

export interface FormSignIn {
  /** A policy of type `password` or `ldap`, or the built-in one. */
  readonly policyId: string;
  /** What the person signs in to. */
  readonly target: SignInTarget;
  readonly identifier: string;
  readonly password: string;
  /** What the browser's cookies hold. */
  readonly knownDevice?: string | undefined;
  readonly sessionSecret?: string | undefined;
  /** The app that is to hold the session, instead of a browser. */
  readonly app?: AppOfSession | undefined;
}

/** `identity`: where an upstream vouched for the person. */
export type SignedInByForm = SignedIn & { readonly identity?: UpstreamIdentity };

/** Throws `policy_unknown`, `policy_not_offered`, and what signing in by the policy throws. */
export async function signInByForm(ctx: ProtocolContext, input: FormSignIn): Promise<SignedInByForm> {
  await assertOffered(ctx, input.target, input.policyId);
  if (input.policyId === builtInPasswordId) return signInWithPassword(ctx, input);
  const { policy, secrets } = await loadPolicy(ctx, input.policyId);
  switch (policy.type) {
    case 'password':
      return signInWithPassword(ctx, input, policy);
    case 'ldap':
      return signInByDirectory(ctx, { policy, secrets }, input);
    default:
      throw new Refusal('policy_unknown', { detail: 'it takes no password here' });
  }
}

/** Throws the refusal `policy_not_offered`, logged. */
export async function assertOffered(ctx: ProtocolContext, target: SignInTarget, policyId: string): Promise<void> {
  if (isOffered(await offerListsOf(ctx.services, ctx.site.tenantId, target), policyId)) return;
  await logUnproven(ctx, 'policy_not_offered', { policyId });
  throw new Refusal('policy_not_offered', { detail: policyId });
}

/** A policy that is on. Throws the refusal `policy_unknown`. */
export async function loadPolicy(ctx: ProtocolContext, policyId: string): Promise<PolicyWithSecrets> {
  const row = await findPolicyRow(ctx.services, ctx.site.tenantId, policyId);
  if (row === undefined || row.enabled !== 1) throw new Refusal('policy_unknown', { detail: 'no such policy is on' });
  return { policy: authPolicyOf(row), secrets: secretsOf(ctx.services, row) };
}
