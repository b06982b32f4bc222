/**
 * What a person may answer on the pages of an authorization request, decided here for every page. Which page is open is
 * told by `steps.ts`; an interaction is used up before its code is made.
 */
import { redirectUriMatches } from '../../domain/clients/sign-in-rules.ts';
import { addConsent } from '../../domain/consents/consents.ts';
import {
  chooseInteractionOrganization,
  confirmInteractionAccount,
  findInteraction,
} from '../../domain/interactions/interactions.ts';
import { loadClientFacts } from '../client-facts.ts';
import type { ProtocolContext } from '../context.ts';
import { profileNamed } from '../profile.ts';
import { Refusal } from '../refusal.ts';
import { sessionOf } from '../sign-in/sessions.ts';
import { isIdentityScope } from '../tokens/identity-scopes.ts';
import { audiencesAsked, organizationsOf } from './choices.ts';
import { advance, type Step } from './page.ts';
import type { AuthorizationRequest, Browser } from './request.ts';
import { refusedTo } from './respond.ts';
import { openStepOf, type UnderWay, useUp } from './under-way.ts';

/** The page of this browser that is open. Throws the refusal `interaction_unknown`. */
export async function stepOf(ctx: ProtocolContext, id: string, browser: Browser): Promise<Step> {
  return advance(ctx, await load(ctx, id, browser), browser);
}

/** The person goes on with the account that is signed in. */
export async function confirmAccount(ctx: ProtocolContext, id: string, browser: Browser): Promise<Step> {
  const underWay = await load(ctx, id, browser);
  const session = await sessionOf(ctx, browser.sessionSecret);
  if (session === undefined) return advance(ctx, underWay, browser);
  await confirmInteractionAccount(ctx.services, ctx.site.tenantId, id, session.id);
  return advance(ctx, { ...underWay, accountSessionId: session.id }, browser);
}

/** The person signed in on the page of this request: only there an upstream was told what the request asks of a sign-in. */
export const noteSignedIn = (ctx: ProtocolContext, id: string, sessionId: string): Promise<number> =>
  confirmInteractionAccount(ctx.services, ctx.site.tenantId, id, sessionId);

/** The person chooses an organization of its own; anything else shows the page again. */
export async function chooseOrganization(
  ctx: ProtocolContext,
  id: string,
  browser: Browser,
  organizationId: string,
): Promise<Step> {
  const underWay = await load(ctx, id, browser);
  const session = await sessionOf(ctx, browser.sessionSecret);
  const isOwn =
    session !== undefined && (await organizationsOf(ctx, session.userId)).some((one) => one.id === organizationId);
  if (!isOwn || underWay.request.organizationId !== null) return advance(ctx, underWay, browser);
  await chooseInteractionOrganization(ctx.services, ctx.site.tenantId, id, organizationId);
  return advance(ctx, { ...underWay, organizationId }, browser);
}

/** The person agrees, or not; organizations that are not its own do not count. */
export async function answerConsent(
  ctx: ProtocolContext,
  id: string,
  browser: Browser,
  /** `userId`: whom the page was shown to; consent of another person shows the page again. */
  answer: { allow: boolean; organizationIds: readonly string[]; userId: string },
): Promise<Step> {
  const underWay = await load(ctx, id, browser);
  if (!answer.allow) return refuse(ctx, underWay);
  const { client, request, organizationId } = underWay;
  const session = await sessionOf(ctx, browser.sessionSecret);
  const isOpen = session !== undefined && (await openStepOf(ctx, underWay, session, false)) === 'consent';
  if (!isOpen || session.userId !== answer.userId) return advance(ctx, underWay, browser);
  const own = await organizationsOf(ctx, session.userId);
  const chosen = answer.organizationIds.filter((chosenId) => own.some((one) => one.id === chosenId));
  await addConsent(
    ctx.services,
    ctx.site.tenantId,
    { userId: session.userId, clientId: client.id },
    {
      scopes: request.scopes,
      audiences: audiencesAsked({ ...request, organizationId }),
      organizationIds: organizationId === null ? chosen : [...chosen, organizationId],
    },
    isIdentityScope,
  );
  return advance(ctx, underWay, browser, true);
}

/** The person goes back to the client without anything. */
export async function cancelInteraction(ctx: ProtocolContext, id: string, browser: Browser): Promise<Step> {
  return refuse(ctx, await load(ctx, id, browser));
}

async function refuse(ctx: ProtocolContext, underWay: UnderWay): Promise<Step> {
  await useUp(ctx, underWay);
  const { profile, client, request } = underWay;
  const refusal = new Refusal('person_refused', { clientId: client.id });
  return { kind: 'done', response: await refusedTo(ctx, profile, request, refusal) };
}

async function load(ctx: ProtocolContext, id: string, browser: Browser): Promise<UnderWay> {
  const row = await findInteraction(ctx.services, ctx.site.tenantId, id, browser.browserSecret);
  if (row === undefined) throw new Refusal('interaction_unknown');
  const request = JSON.parse(row.request) as AuthorizationRequest;
  const { client } = await loadClientFacts(ctx, row.client_id);
  // What was true when the page was opened may have changed since.
  if (client?.status !== 'active') throw new Refusal('client_disabled', { clientId: row.client_id });
  if (!redirectUriMatches(client, request.redirectUri)) {
    throw new Refusal('redirect_uri_unregistered', { clientId: client.id });
  }
  return {
    profile: profileNamed(row.issuer),
    client,
    request,
    askedAt: row.created_at,
    accountSessionId: row.account_session_id,
    organizationId: request.organizationId ?? row.organization_id,
    pushedRequestHash: row.pushed_request_hash,
    row,
  };
}
