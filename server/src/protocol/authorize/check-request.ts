/**
 * The checks of an authorization request, in order. Until the redirect URI is known to be the client's, a refusal is
 * shown here; from then on it goes back to the client.
 */
import { redirectUriMatches } from '../../domain/clients/sign-in-rules.ts';
import { isScopeToken } from '../../kernel/text.ts';
import { type ClientFacts, loadClientFacts } from '../client-facts.ts';
import type { ProtocolContext } from '../context.ts';
import type { IssuerProfile } from '../profile.ts';
import { Refusal } from '../refusal.ts';
import { organizationsResource } from '../tokens/identity-scopes.ts';
import { audienceExists } from './audiences.ts';
import { personOfHint } from './id-token-hint.ts';
import { type AuthorizationParameters, type AuthorizationRequest, type Prompt, prompts } from './request.ts';

/** Where refusals can be sent: the client and its redirect URI are known. */
export interface Destination {
  readonly client: ClientFacts;
  readonly redirectUri: string;
  readonly responseMode: 'query' | 'form_post';
  readonly state: string | undefined;
  /** Of a request that names no API. */
  readonly defaultAudience: string | null;
}

/** Finds the client and checks the redirect URI; whatever is refused here is never sent anywhere. Throws a `Refusal`. */
export async function destinationOf(ctx: ProtocolContext, parameters: AuthorizationParameters): Promise<Destination> {
  const { clientId, redirectUri, responseMode = 'query', state } = parameters;
  if (clientId === undefined) throw new Refusal('client_id_missing');
  const { client, defaultAudience } = await loadClientFacts(ctx, clientId);
  if (client === undefined) throw new Refusal('client_unknown', { clientId });
  if (client.status !== 'active') throw new Refusal('client_disabled', { clientId });
  if (redirectUri === undefined) throw new Refusal('redirect_uri_missing', { clientId, parameter: 'redirect_uri' });
  if (!redirectUriMatches(client, redirectUri)) {
    throw new Refusal('redirect_uri_unregistered', { clientId, parameter: 'redirect_uri' });
  }
  if (responseMode !== 'query' && responseMode !== 'form_post') {
    throw new Refusal('parameter_invalid', { clientId, parameter: 'response_mode' });
  }
  return { client, redirectUri, responseMode, state, defaultAudience };
}

/** Checks the rest; throws a `Refusal` that goes back to the client. */
export async function checkRequest(
  ctx: ProtocolContext,
  profile: IssuerProfile,
  parameters: AuthorizationParameters,
  { client, redirectUri, responseMode, state, defaultAudience }: Destination,
): Promise<AuthorizationRequest> {
  const wrong = (parameter: string) => new Refusal('parameter_invalid', { clientId: client.id, parameter });
  if (parameters.requestObject !== undefined) {
    throw new Refusal('request_object_unsupported', { clientId: client.id, parameter: 'request' });
  }
  if (parameters.responseType === undefined) throw wrong('response_type');
  if (parameters.responseType !== 'code') throw new Refusal('response_type_unsupported', { clientId: client.id });
  if (!client.grantTypes.includes('authorization_code')) {
    throw new Refusal('grant_type_not_allowed', { clientId: client.id, grantType: 'authorization_code' });
  }
  const codeChallenge = challengeOf(parameters, client);
  if (!parameters.scopes.every(isScopeToken)) throw wrong('scope');
  const kept = {
    state,
    nonce: parameters.nonce,
    login_hint: parameters.loginHint,
    scope: parameters.scopes.join(' '),
    ui_locales: parameters.uiLocales.join(' '),
    organization: parameters.organization,
  };
  for (const [name, value] of Object.entries(kept)) {
    if (value !== undefined && value.length > maximumLength) throw wrong(name);
  }
  const prompt = promptsOf(parameters, wrong);
  const { dpopThumbprint } = parameters;
  if (dpopThumbprint !== undefined && !/^[\w-]{43}$/.test(dpopThumbprint)) throw wrong('dpop_jkt');
  const organizationId = organizationOf(parameters, client, wrong);
  return {
    clientId: client.id,
    redirectUri,
    responseMode,
    scopes: scopesOf(profile, parameters, prompt),
    state: state ?? null,
    nonce: parameters.nonce ?? null,
    codeChallenge,
    prompts: prompt,
    maxAgeSeconds: maxAgeOf(parameters, wrong),
    loginHint: parameters.loginHint ?? null,
    uiLocales: parameters.uiLocales.slice(0, 10),
    hintedUserId: await personOfHint(ctx, profile, client, parameters.idTokenHint),
    audiences: await audiencesOf(ctx, profile, parameters, client, defaultAudience),
    organizationId,
    dpopThumbprint: dpopThumbprint ?? null,
  };
}

/** Longest value that is kept, in characters: anybody may begin a request. */
export const maximumLength = 4096;
/** Most APIs of one request. */
const maximumAudiences = 20;

/** RFC 7636 §4.3, RFC 9700 §2.1.1: S256 only; a client that can't prove who it is must. */
function challengeOf({ codeChallenge, codeChallengeMethod }: AuthorizationParameters, client: ClientFacts) {
  const refused = () => new Refusal('pkce_required', { clientId: client.id, parameter: 'code_challenge' });
  if (codeChallenge === undefined) {
    if (client.isPublic || codeChallengeMethod !== undefined) throw refused();
    return null;
  }
  // A SHA-256 in base64url has 43 characters.
  if (codeChallengeMethod !== 'S256' || !/^[A-Za-z0-9_-]{43}$/.test(codeChallenge)) throw refused();
  return codeChallenge;
}

function promptsOf({ prompts: given }: AuthorizationParameters, wrong: (name: string) => Refusal): Prompt[] {
  const known = given.filter((prompt): prompt is Prompt => (prompts as readonly string[]).includes(prompt));
  if (known.length < given.length || (known.includes('none') && known.length > 1)) throw wrong('prompt');
  return known;
}

function maxAgeOf({ maxAge }: AuthorizationParameters, wrong: (name: string) => Refusal): number | null {
  if (maxAge === undefined) return null;
  if (!/^\d{1,9}$/.test(maxAge)) throw wrong('max_age');
  return Number(maxAge);
}

/** OpenID Connect Core §11: offline access is given where it was asked for, as the issuer's profile says. */
function scopesOf(profile: IssuerProfile, { scopes }: AuthorizationParameters, asked: readonly Prompt[]): string[] {
  const isOffered = profile.offlineAccess === 'asked' || asked.includes('consent');
  return scopes.filter((scope) => scope !== 'offline_access' || isOffered);
}

function organizationOf(
  { organization }: AuthorizationParameters,
  { signIn }: ClientFacts,
  wrong: (name: string) => Refusal,
): string | null {
  if (organization !== undefined && signIn.organizationUsage === 'deny') throw wrong('organization');
  return organization ?? null;
}

/** RFC 8707 §2: each must be an API here; the tenant's default one stands in where none is named. */
export async function audiencesOf(
  ctx: ProtocolContext,
  profile: IssuerProfile,
  { audiences }: Pick<AuthorizationParameters, 'audiences'>,
  client: Pick<ClientFacts, 'id'>,
  defaultAudience: string | null,
): Promise<readonly string[]> {
  const invalidTarget = (audience: string) => new Refusal('target_invalid', { clientId: client.id, audience });
  const named = [...new Set(audiences)];
  if (named.length > maximumAudiences) throw invalidTarget(named[0] as string);
  for (const audience of named) {
    const isUri = URL.canParse(audience) && !audience.includes('#');
    const isKnown = audience === organizationsResource || (isUri && (await audienceExists(ctx, audience)));
    if (!isKnown) throw invalidTarget(audience);
  }
  const byDefault = profile.personAlone === 'authorized_audience' && defaultAudience !== null ? [defaultAudience] : [];
  return named.length === 0 ? byDefault : named;
}
