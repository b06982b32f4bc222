/**
 * An authorization request that waits for a person, step by step. Which step is open is told by `steps.ts`; what a page
 * may do is decided here, for every page. An interaction is used up before its code is made.
 */
import { loadOrganizationFacts } from '../../domain/access/organization-facts.ts';
import { redirectUriMatches } from '../../domain/clients/sign-in-rules.ts';
import { addConsent, type Consent, findConsent } from '../../domain/consents/consents.ts';
import {
  chooseInteractionOrganization,
  confirmInteractionAccount,
  endInteraction,
  findInteraction,
  type InteractionRow,
  usePushedRequest,
} from '../../domain/interactions/interactions.ts';
import { organizationItself } from '../../domain/resource-servers/system.ts';
import type { Session } from '../../domain/sessions/sessions.ts';
import type { User } from '../../domain/users/user.ts';
import { type ClientFacts, loadClientFacts } from '../client-facts.ts';
import type { ProtocolContext } from '../context.ts';
import { type IssuerProfile, profileNamed } from '../profile.ts';
import { Refusal } from '../refusal.ts';
import { sessionOf } from '../sign-in/sessions.ts';
import { isIdentityScope } from '../tokens/identity-scopes.ts';
import { loadPerson } from '../tokens/person.ts';
import {
  audiencesAsked,
  type NamedOrganization,
  type NamedScope,
  organizationsOf,
  type RequestedAudience,
  requestedScopes,
} from './choices.ts';
import { issueCode } from './issue-code.ts';
import type { AuthorizationRequest, AuthorizationResponse, Browser } from './request.ts';
import { refusedTo } from './respond.ts';
import { asksForOrganizations, openStep, type StepName } from './steps.ts';

/** What every page shows of the request. */
export interface InteractionView {
  readonly id: string;
  readonly client: {
    readonly id: string;
    readonly name: string;
    readonly firstParty: boolean;
    readonly logoUri?: string | undefined;
    readonly clientUri?: string | undefined;
    readonly policyUri?: string | undefined;
    readonly tosUri?: string | undefined;
  };
  readonly uiLocales: readonly string[];
  /** Where the browser goes at the end. */
  readonly redirectUri: string;
}

/** The page that is open, or the end. */
export type Step =
  | {
      readonly kind: 'sign_in';
      readonly interaction: InteractionView;
      readonly loginHint: string | undefined;
      /** Who is signed in and has to prove it again. */
      readonly reauthenticates: User | undefined;
    }
  | { readonly kind: 'account'; readonly interaction: InteractionView; readonly user: User }
  | {
      readonly kind: 'organization';
      readonly interaction: InteractionView;
      readonly user: User;
      readonly organizations: readonly NamedOrganization[];
    }
  | {
      readonly kind: 'consent';
      readonly interaction: InteractionView;
      readonly user: User;
      readonly scopes: readonly NamedScope[];
      readonly audiences: readonly RequestedAudience[];
      /** To choose from; undefined where none is asked for. */
      readonly organizations: readonly NamedOrganization[] | undefined;
      /** The one that was asked for. */
      readonly organization: NamedOrganization | undefined;
    }
  | { readonly kind: 'done'; readonly response: AuthorizationResponse };

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
    now: ctx.services.clock.now(),
    askedAt,
    accountSessionId,
    organizationId,
    consent: await consentOf(ctx, client, session),
    agreedNow,
  });
}

const consentOf = async (
  ctx: ProtocolContext,
  client: ClientFacts,
  session: Session | undefined,
): Promise<Consent | undefined> =>
  client.firstParty || session === undefined
    ? undefined
    : findConsent(ctx.services, ctx.site.tenantId, { userId: session.userId, clientId: client.id });

async function advance(ctx: ProtocolContext, underWay: UnderWay, browser: Browser, agreedNow = false): Promise<Step> {
  const session = await sessionOf(ctx, browser.sessionSecret);
  const step = await openStepOf(ctx, underWay, session, agreedNow);
  const interaction = viewOf(underWay);
  const { request } = underWay;
  if (step === 'sign_in' || session === undefined) {
    const known = session === undefined ? undefined : await loadPerson(ctx, session.userId);
    // Somebody else was asked for: the one who is signed in is not offered.
    const fits = request.hintedUserId === null || request.hintedUserId === known?.id;
    return {
      kind: 'sign_in',
      interaction,
      loginHint: request.loginHint ?? undefined,
      reauthenticates: fits && !request.prompts.includes('select_account') ? known : undefined,
    };
  }
  const user = (await loadPerson(ctx, session.userId)) as User;
  if (step === 'account') return { kind: 'account', interaction, user };
  if (step === 'organization') {
    return { kind: 'organization', interaction, user, organizations: await organizationsOf(ctx, user.id) };
  }
  const stranger = await strangerTo(ctx, underWay, session);
  if (stranger !== undefined) {
    await useUp(ctx, underWay);
    return { kind: 'done', response: await refusedTo(ctx, underWay.profile, request, stranger) };
  }
  if (step === 'consent') return consentPage(ctx, underWay, interaction, user);
  return { kind: 'done', response: await finish(ctx, underWay, session) };
}

async function consentPage(
  ctx: ProtocolContext,
  { request, organizationId }: UnderWay,
  interaction: InteractionView,
  user: User,
): Promise<Step> {
  const [asked, own] = await Promise.all([
    requestedScopes(ctx, { ...request, organizationId }),
    organizationsOf(ctx, user.id),
  ]);
  return {
    kind: 'consent',
    interaction,
    user,
    ...asked,
    organization: own.find(({ id }) => id === organizationId),
    organizations: asksForOrganizations({ request, organizationId }) && organizationId === null ? own : undefined,
  };
}

/** Why the person can't come in for the organization; undefined when it can, or none is asked for. */
export async function strangerTo(
  ctx: ProtocolContext,
  { client, organizationId }: Pick<UnderWay, 'client' | 'organizationId'>,
  session: Pick<Session, 'userId'>,
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
  return facts.suspended ? new Refusal('organization_suspended', about) : undefined;
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
async function useUp(ctx: ProtocolContext, { row, client, pushedRequestHash }: UnderWay): Promise<void> {
  const { tenantId } = ctx.site;
  if (row !== undefined && !(await endInteraction(ctx.services, tenantId, row.id))) {
    throw new Refusal('interaction_unknown');
  }
  if (pushedRequestHash !== null && !(await usePushedRequest(ctx.services, tenantId, pushedRequestHash))) {
    throw new Refusal('pushed_request_invalid', { clientId: client.id });
  }
}

const viewOf = ({ row, client, request }: UnderWay): InteractionView => ({
  id: row?.id ?? '',
  client: {
    id: client.id,
    name: client.name,
    firstParty: client.firstParty,
    logoUri: client.signIn.logoUri,
    clientUri: client.signIn.clientUri,
    policyUri: client.signIn.policyUri,
    tosUri: client.signIn.tosUri,
  },
  uiLocales: request.uiLocales,
  redirectUri: request.redirectUri,
});
