/**
 * A person proves who it is elsewhere: the browser goes to the upstream and comes back, once, to where it began.
 *
 *   begin: offered? → ask the upstream where to go → keep state, verifier and nonce, bound to this browser ──► upstream
 *   finish: take the state (once, this browser) → still offered? → what does the upstream say? → admitted? ──► session
 */
import type { SignInTarget } from '../../domain/auth-policies/offers.ts';
import { isForm } from '../../domain/auth-policies/policy.ts';
import { keepUpstreamRequest, takeUpstreamRequest } from '../../domain/auth-policies/upstream-requests.ts';
import { randomBase64Url } from '../../kernel/random.ts';
import { loadClientFacts } from '../client-facts.ts';
import type { ProtocolContext } from '../context.ts';
import { Refusal } from '../refusal.ts';
import { type Entered, enterByIdentity } from './admission.ts';
import { assertOffered, loadPolicy } from './by-form.ts';
import { asking, type PolicyWithSecrets, type RedirectingPolicy, upstreamOf, upstreamServices } from './upstreams.ts';

/** What somebody signs in for: where it began, and where it goes on. Every one names the client. */
export type UpstreamPurpose =
  | {
      readonly kind: 'interaction';
      readonly clientId: string;
      readonly organizationId: string | null;
      readonly id: string;
    }
  | {
      readonly kind: 'device';
      readonly clientId: string;
      readonly organizationId: string | null;
      readonly userCode: string;
      readonly note: string;
    }
  | {
      readonly kind: 'app';
      readonly clientId: string;
      readonly organizationId: null;
      readonly end: AppEnd | null;
      readonly device: string | null;
    };

/** Where an app's browser ends. */
export interface AppEnd {
  readonly url: string;
  /** The redirect URI of the client that it is, without what the app's dialect adds to it. */
  readonly registeredAs: string;
}

export interface RedirectSignIn {
  readonly policyId: string;
  readonly target: SignInTarget;
  readonly purpose: UpstreamPurpose;
  readonly browserSecret: string;
  /** Where the upstream sends the browser back to. */
  readonly redirectUri: string;
  readonly loginHint?: string | undefined;
  readonly uiLocales?: readonly string[];
  /** The person has to prove it again. */
  readonly reauthenticates?: boolean;
}

/**
 * Begins; answers with where the browser goes. Throws `rate_limited`, `policy_unknown`, `policy_not_offered`,
 * `upstream_unavailable`.
 */
export async function beginRedirect(ctx: ProtocolContext, input: RedirectSignIn): Promise<{ location: string }> {
  ctx.services.limits.signIn.countBegun(ctx.site.tenantId, ctx.origin.ip ?? '');
  await assertOffered(ctx, input.target, input.policyId);
  const { policy, secrets } = await redirectingPolicy(ctx, input.policyId);
  const state = randomBase64Url(ctx.services.random, 32);
  const { redirectUri, loginHint, uiLocales = [], reauthenticates = false } = input;
  const { location, kept } = await asking(ctx, policy.id, async () => {
    const upstream = await upstreamOf(policy.type);
    const request = { redirectUri, state, loginHint, uiLocales, reauthenticates };
    return upstream.begin(upstreamServices(ctx), policy.configuration, secrets, request);
  });
  const request = { policyId: policy.id, purpose: input.purpose, kept: { ...kept, [redirectUriKey]: redirectUri } };
  await keepUpstreamRequest(ctx.services, ctx.site.tenantId, state, request, input.browserSecret);
  return { location };
}

/** Our own among what is kept; no upstream's client has a name with a space. */
const redirectUriKey = 'redirect uri';

export interface RedirectBack {
  /** The query, or form, that the browser brought back. */
  readonly parameters: URLSearchParams;
  readonly browserSecret: string | undefined;
  /** Where it came back to: it must be where it was sent to. */
  readonly redirectUri: string;
  readonly sessionSecret?: string | undefined;
}

/** How it ended, and for what it was: also a refusal goes back to where it began. */
export interface RedirectOutcome {
  readonly purpose: UpstreamPurpose;
  readonly entered?: Entered;
  readonly refusal?: Refusal;
}

/** Finishes. Throws `upstream_state_unknown`: then nobody knows where it began. */
export async function finishRedirect(ctx: ProtocolContext, back: RedirectBack): Promise<RedirectOutcome> {
  const state = back.parameters.get('state') ?? '';
  const unknown = (detail: string) => new Refusal('upstream_state_unknown', { detail });
  if (state === '' || back.browserSecret === undefined) throw unknown('no state, or no cookie');
  const taken = await takeUpstreamRequest(ctx.services, ctx.site.tenantId, state, back.browserSecret);
  if (taken === undefined) throw unknown('unknown, over, used, or of another browser');
  if (back.redirectUri !== taken.kept[redirectUriKey]) throw unknown('sent to another address');
  const purpose = taken.purpose as UpstreamPurpose;
  try {
    return { purpose, entered: await enter(ctx, { ...taken, purpose }, state, back) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { purpose, refusal: error };
  }
}

async function enter(
  ctx: ProtocolContext,
  taken: { policyId: string; purpose: UpstreamPurpose; kept: Readonly<Record<string, string>> },
  state: string,
  { parameters, sessionSecret }: RedirectBack,
): Promise<Entered> {
  const { purpose } = taken;
  const { client } = await loadClientFacts(ctx, purpose.clientId);
  if (client?.status !== 'active') throw new Refusal('client_disabled', { clientId: purpose.clientId });
  await assertOffered(ctx, { client, organizationId: purpose.organizationId }, taken.policyId);
  const { policy, secrets } = await redirectingPolicy(ctx, taken.policyId);
  const { [redirectUriKey]: redirectUri = '', ...kept } = taken.kept;
  const identity = await asking(ctx, policy.id, async () => {
    const upstream = await upstreamOf(policy.type);
    return upstream.finish(upstreamServices(ctx), policy.configuration, secrets, {
      redirectUri,
      state,
      kept,
      parameters,
    });
  });
  if (purpose.kind !== 'app') return enterByIdentity(ctx, policy, identity, { presented: sessionSecret });
  const app = { clientId: purpose.clientId, device: purpose.device };
  return enterByIdentity(ctx, policy, identity, { app });
}

async function redirectingPolicy(ctx: ProtocolContext, id: string): Promise<PolicyWithSecrets<RedirectingPolicy>> {
  const { policy, secrets } = await loadPolicy(ctx, id);
  if (isForm(policy.type)) throw new Refusal('policy_unknown', { detail: 'it sends nobody away' });
  return { policy: policy as RedirectingPolicy, secrets };
}

/** What an app is told to open: good once, for whichever browser opens it first. */
export async function ticketForApp(
  ctx: ProtocolContext,
  policyId: string,
  purpose: UpstreamPurpose & { kind: 'app' },
): Promise<string> {
  ctx.services.limits.signIn.countBegun(ctx.site.tenantId, ctx.origin.ip ?? '');
  const ticket = randomBase64Url(ctx.services.random, 32);
  await keepUpstreamRequest(ctx.services, ctx.site.tenantId, ticket, { policyId, purpose, kept: {} }, undefined);
  return ticket;
}

/** Takes the ticket for a browser. Throws `upstream_state_unknown`. */
export async function takeTicket(
  ctx: ProtocolContext,
  ticket: string,
): Promise<{ policyId: string; purpose: UpstreamPurpose & { kind: 'app' } }> {
  const taken = await takeUpstreamRequest(ctx.services, ctx.site.tenantId, ticket, undefined);
  const purpose = taken?.purpose as UpstreamPurpose | undefined;
  if (taken === undefined || purpose?.kind !== 'app') {
    throw new Refusal('upstream_state_unknown', { detail: 'the ticket is unknown, over, or was used' });
  }
  return { policyId: taken.policyId, purpose };
}
