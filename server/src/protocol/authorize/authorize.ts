/**
 * The authorization endpoint (RFC 6749 §3.1), read top to bottom.
 *
 *   client and redirect URI → the other parameters → who is signed in, and what is open?
 *     nothing:  code → back to the client
 *     a page:   an interaction waits for the person (`interaction.ts`, `page.ts`)
 *     no page may be shown (`prompt=none`): back to the client, with the reason
 */
import { redirectUriMatches } from '../../domain/clients/sign-in-rules.ts';
import { findPushedRequest, insertInteraction, interactionLifetimeMs } from '../../domain/interactions/interactions.ts';
import { randomBase64Url } from '../../kernel/random.ts';
import { hashSecret } from '../../kernel/secrets.ts';
import { loadClientFacts } from '../client-facts.ts';
import type { ProtocolContext } from '../context.ts';
import type { IssuerProfile } from '../profile.ts';
import { Refusal, type RefusalReason } from '../refusal.ts';
import { loggingRefusal } from '../refused.ts';
import { sessionOf } from '../sign-in/sessions.ts';
import { checkRequest, type Destination, destinationOf } from './check-request.ts';
import type { AuthorizationParameters, AuthorizationRequest, AuthorizationResponse, Browser } from './request.ts';
import { refusedTo } from './respond.ts';
import type { StepName } from './steps.ts';
import { finish, openStepOf, strangerTo, type UnderWay } from './under-way.ts';

/** Back to the client at once, or a page for the person. */
export type AuthorizationOutcome =
  | { readonly kind: 'respond'; readonly response: AuthorizationResponse }
  | {
      readonly kind: 'interact';
      readonly interactionId: string;
      /** What the browser's cookie must hold from now on. */
      readonly browserSecret: string;
    };

/** Begins an authorization. Throws a `Refusal` that must be shown here and never be sent anywhere. */
export async function startAuthorization(
  ctx: ProtocolContext,
  profile: IssuerProfile,
  parameters: AuthorizationParameters,
  browser: Browser,
): Promise<AuthorizationOutcome> {
  const underWay = await loggingRefusal(ctx, 'authorization.refused', () => beginning(ctx, profile, parameters));
  return 'refusal' in underWay ? respond(underWay.response) : proceed(ctx, underWay, browser);
}

const respond = (response: AuthorizationResponse): AuthorizationOutcome => ({ kind: 'respond', response });

type Refused = { readonly refusal: true; readonly response: AuthorizationResponse };

async function beginning(
  ctx: ProtocolContext,
  profile: IssuerProfile,
  parameters: AuthorizationParameters,
): Promise<UnderWay | Refused> {
  if (parameters.requestUri !== undefined) return pushed(ctx, profile, parameters, parameters.requestUri);
  const destination = await destinationOf(ctx, parameters);
  try {
    if (destination.client.signIn.requiresPushedRequests === true) {
      throw new Refusal('pushed_request_required', { clientId: destination.client.id });
    }
    const request = await checkRequest(ctx, profile, parameters, destination);
    return underWayOf(ctx, profile, destination.client, request, null);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { refusal: true, response: await refusedTo(ctx, profile, destination, error) };
  }
}

/** RFC 9126 §4: the request is the one that was pushed; nothing beside it counts but the client's name. */
async function pushed(
  ctx: ProtocolContext,
  profile: IssuerProfile,
  { clientId }: AuthorizationParameters,
  requestUri: string,
): Promise<UnderWay> {
  if (clientId === undefined) throw new Refusal('client_id_missing');
  const row = await findPushedRequest(ctx.services, ctx.site.tenantId, requestUri);
  if (row?.client_id !== clientId || row.issuer !== profile.name) {
    throw new Refusal('pushed_request_invalid', { clientId });
  }
  const { client } = await loadClientFacts(ctx, clientId);
  if (client?.status !== 'active') throw new Refusal('client_disabled', { clientId });
  const request = JSON.parse(row.request) as AuthorizationRequest;
  // It may have been taken off the client since.
  if (!redirectUriMatches(client, request.redirectUri)) throw new Refusal('redirect_uri_unregistered', { clientId });
  return underWayOf(ctx, profile, client, request, row.uri_hash);
}

const underWayOf = (
  ctx: ProtocolContext,
  profile: IssuerProfile,
  client: Destination['client'],
  request: AuthorizationRequest,
  pushedRequestHash: string | null,
): UnderWay => ({
  profile,
  client,
  request,
  askedAt: ctx.services.clock.now(),
  accountSessionId: null,
  organizationId: request.organizationId,
  pushedRequestHash,
  row: undefined,
});

/** What a client is told when a page is open and none may be shown (OpenID Connect Core §3.1.2.6). */
const withoutPage: Record<Exclude<StepName, 'none'>, RefusalReason> = {
  sign_in: 'login_required',
  account: 'interaction_required',
  organization: 'interaction_required',
  consent: 'consent_required',
};

async function proceed(ctx: ProtocolContext, underWay: UnderWay, browser: Browser): Promise<AuthorizationOutcome> {
  const { profile, client, request } = underWay;
  const session = await sessionOf(ctx, browser.sessionSecret);
  const step = await openStepOf(ctx, underWay, session, false);
  if (step !== 'none' && request.prompts.includes('none')) {
    const refusal = new Refusal(withoutPage[step], { clientId: client.id, userId: session?.userId });
    return respond(await refusedTo(ctx, profile, request, refusal));
  }
  if (step === 'none' && session !== undefined) {
    const stranger = await strangerTo(ctx, underWay, session);
    if (stranger !== undefined) return respond(await refusedTo(ctx, profile, request, stranger));
    return respond(await loggingRefusal(ctx, 'authorization.refused', () => finish(ctx, underWay, session)));
  }
  return interact(ctx, underWay, browser.browserSecret);
}

async function interact(
  ctx: ProtocolContext,
  { profile, client, request, askedAt, pushedRequestHash }: UnderWay,
  known: string | undefined,
): Promise<AuthorizationOutcome> {
  const { random } = ctx.services;
  countBegun(ctx);
  const browserSecret = known ?? randomBase64Url(random, 32);
  const interactionId = randomBase64Url(random, 16);
  await insertInteraction(ctx.services, {
    tenant_id: ctx.site.tenantId,
    id: interactionId,
    browser_hash: hashSecret(browserSecret),
    issuer: profile.name,
    client_id: client.id,
    request: JSON.stringify(request),
    organization_id: null,
    account_session_id: null,
    pushed_request_hash: pushedRequestHash,
    created_at: askedAt,
    expires_at: askedAt + interactionLifetimeMs,
  });
  return { kind: 'interact', interactionId, browserSecret };
}

/** Anybody may begin a request, and it is kept: so many of one address and no more. Throws `rate_limited`. */
function countBegun({ services: { limits }, site: { tenantId }, origin: { ip = '' } }: ProtocolContext): void {
  try {
    limits.signIn.countBegun(tenantId, ip);
  } catch (error) {
    limits.countRefused(tenantId, undefined, ip);
    throw error;
  }
}
