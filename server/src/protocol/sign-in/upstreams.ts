/** The upstream of each type, loaded when the first person needs it, and what a failure of one means to people. */
import type {
  AuthPolicy,
  AuthPolicySecrets,
  PolicyOfType,
  RedirectingType,
} from '../../domain/auth-policies/policy.ts';
import { UpstreamError } from '../../upstream/identity.ts';
import type { RedirectUpstream, UpstreamServices } from '../../upstream/redirect.ts';
import type { ProtocolContext } from '../context.ts';
import { Refusal, type RefusalReason } from '../refusal.ts';
import { logUnproven } from './attempts.ts';

export type RedirectingPolicy = PolicyOfType<RedirectingType>;

/** A policy with what it proves itself with. */
export interface PolicyWithSecrets<Policy extends AuthPolicy = AuthPolicy> {
  readonly policy: Policy;
  readonly secrets: AuthPolicySecrets;
}

export const upstreamServices = ({ services }: ProtocolContext): UpstreamServices => ({
  guard: services.outgoing,
  random: services.random,
  clock: services.clock,
});

// biome-ignore lint/suspicious/noExplicitAny: each takes the configuration of its own type, which the policy has
type AnyUpstream = RedirectUpstream<any, AuthPolicySecrets>;

const upstreams: Readonly<Record<RedirectingType, () => Promise<AnyUpstream>>> = {
  oauth1: async () => (await import('../../upstream/oauth1/upstream.ts')).oauth1Upstream,
  oauth2: async () => (await import('../../upstream/oauth2/upstream.ts')).oauth2Upstream,
  openid: async () => (await import('../../upstream/oidc/upstream.ts')).oidcUpstream,
};

export const upstreamOf = (type: RedirectingType): Promise<AnyUpstream> => upstreams[type]();

const reasons: Readonly<Record<UpstreamError['failure'], RefusalReason>> = {
  credentials_refused: 'sign_in_failed',
  denied: 'upstream_refused',
  unavailable: 'upstream_unavailable',
  untrusted: 'upstream_unavailable',
  misconfigured: 'upstream_unavailable',
  forbidden: 'upstream_unavailable',
  answer_invalid: 'upstream_answer_invalid',
};

/** Asks an upstream; its failure is logged with what it says to administrators, and becomes a refusal. */
export async function asking<T>(ctx: ProtocolContext, policyId: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    await logUnproven(ctx, `upstream_${error.failure}`, { policyId, detail: error.message });
    throw new Refusal(reasons[error.failure], { detail: error.failure });
  }
}
