/** A request on its way: what is still open of it for whoever is signed in, and its end. */
import { acceptsPolicy } from '../../domain/access/decide.ts';
import { loadOrganizationFacts } from '../../domain/access/organization-facts.ts';
import { isOffered } from '../../domain/auth-policies/offer-lists.ts';
import { offerListsOf, type SignInTarget } from '../../domain/auth-policies/offers.ts';
import { type Consent, findConsent } from '../../domain/consents/consents.ts';
import { endInteraction, type InteractionRow, usePushedRequest } from '../../domain/interactions/interactions.ts';
import { organizationItself } from '../../domain/resource-servers/system.ts';
import type { Session } from '../../domain/sessions/sessions.ts';
import type { ClientFacts } from '../client-facts.ts';
import type { ProtocolContext } from '../context.ts';
import type { IssuerProfile } from '../profile.ts';
import { Refusal } from '../refusal.ts';
import { issueCode } from './issue-code.ts';
import type { AuthorizationRequest, AuthorizationResponse } from './request.ts';
import { openStep, type StepName } from './steps.ts';

/** A request on its way: of a page, or at its first moment. */
export interface UnderWay {
  readonly profile: IssuerProfile;
  readonly client: ClientFacts;
  readonly request: AuthorizationRequest;
  readonly askedAt: number;
  readonly accountSessionId: string | null;
  readonly organizationId: string | null;
  readonly pushedRequestHash: string | null;
  /** The interaction; none at the first moment. */
  readonly row: InteractionRow | undefined;
}

/** What is open of a request for whoever is signed in. */
export async function openStepOf(
  ctx: ProtocolContext,
  { client, request, askedAt, accountSessionId, organizationId }: UnderWay,
  session: Session | undefined,
  agreedNow: boolean,
): Promise<StepName> {
  return openStep({
    request,
    client: { firstParty: client.firstParty, organizationUsage: client.signIn.organizationUsage ?? 'allow' },
    session,
    takesPolicy: await takesPolicyOf(ctx, { client, organizationId }, session),
    now: ctx.services.clock.now(),
    askedAt,
    accountSessionId,
    organizationId,
    consent: await consentOf(ctx, client, session),
    agreedNow,
  });
}

/** Whoever signed in by a policy that is not offered here signs in again by one that is. */
export const takesPolicyOf = async (
  ctx: ProtocolContext,
  target: SignInTarget,
  session: Session | undefined,
): Promise<boolean> =>
  session !== undefined && isOffered(await offerListsOf(ctx.services, ctx.site.tenantId, target), session.authPolicyId);

const consentOf = async (
  ctx: ProtocolContext,
  client: ClientFacts,
  session: Session | undefined,
): Promise<Consent | undefined> =>
  client.firstParty || session === undefined
    ? undefined
    : findConsent(ctx.services, ctx.site.tenantId, { userId: session.userId, clientId: client.id });

/** Why the person can't come in for the organization; undefined when it can, or none is asked for. */
export async function strangerTo(
  ctx: ProtocolContext,
  { client, organizationId }: Pick<UnderWay, 'client' | 'organizationId'>,
  session: { readonly userId: string; readonly authPolicyId: string | null },
): Promise<Refusal | undefined> {
  if (organizationId === null) return undefined;
  const { facts } = await loadOrganizationFacts(ctx.services.db, {
    tenantId: ctx.site.tenantId,
    organizationId,
    subjectId: session.userId,
    identifier: organizationItself,
  });
  const about = { clientId: client.id, userId: session.userId, ofPerson: true };
  if (!facts.exists) return new Refusal('organization_unknown', about);
  if (!facts.isMember) return new Refusal('organization_not_member', about);
  if (facts.suspended) return new Refusal('organization_suspended', about);
  return acceptsPolicy(facts, session.authPolicyId ?? undefined)
    ? undefined
    : new Refusal('organization_other_policy', about);
}

/** Uses up the interaction and the pushed request it came from, then makes the code. */
export async function finish(
  ctx: ProtocolContext,
  underWay: UnderWay,
  session: Session,
): Promise<AuthorizationResponse> {
  await useUp(ctx, underWay);
  const { profile, client, request, organizationId } = underWay;
  return issueCode(ctx, profile, client, request, { session, organizationId });
}

/** Of two at once one goes on. Throws the refusals `interaction_unknown`, `pushed_request_invalid`. */
export async function useUp(ctx: ProtocolContext, { row, client, pushedRequestHash }: UnderWay): Promise<void> {
  const { tenantId } = ctx.site;
  if (row !== undefined && !(await endInteraction(ctx.services, tenantId, row.id))) {
    throw new Refusal('interaction_unknown');
  }
  if (pushedRequestHash !== null && !(await usePushedRequest(ctx.services, tenantId, pushedRequestHash))) {
    throw new Refusal('pushed_request_invalid', { clientId: client.id });
  }
}
