/**
 * OpenID Connect as a way to sign in (Core §3.1): discovery, code and PKCE, a signed ID token says who it is.
 *
 *   begin   → metadata → browser to the authorization endpoint, with state and nonce
 *   finish  → metadata → state, iss → code for an ID token → all its checks → user info where it says too little
 *
 * http issuers only where the guard allows them; metadata and keys are asked anew in each step.
 */
import { processUserInfoResponse, userInfoRequest, validateApplicationLevelSignature } from 'oauth4webapi';
import { randomBase64Url } from '../../kernel/random.ts';
import { UpstreamError } from '../identity.ts';
import { browserTarget, codeChallenge, keptValue, locationOf } from '../oauth2/authorization-request.ts';
import {
  clockToleranceSeconds,
  type Exchange,
  exchangeCode,
  exchangeWith,
  testTokenEndpoint,
} from '../oauth2/client.ts';
import type { OAuth2Secrets, OidcConfiguration } from '../oauth2/configuration.ts';
import { inProtocol } from '../oauth2/failures.ts';
import { assertSupported } from '../oauth2/metadata.ts';
import { claimsOf, personOf, subjectOf, valueAt } from '../oauth2/person.ts';
import { type JsonObject, type Send, sender } from '../oauth2/requests.ts';
import type { RedirectRequest, RedirectReturn, RedirectUpstream, UpstreamServices } from '../redirect.ts';
import { type IdToken, readIdToken } from './id-token.ts';
import { assertKeys, discoverProvider } from './provider.ts';

export const oidcUpstream: RedirectUpstream<OidcConfiguration, OAuth2Secrets> = {
  begin: (services, configuration, _secrets, request) =>
    inProtocol(async () => {
      const provider = await discoverProvider(sender(services), configuration.issuer);
      const kept = {
        codeVerifier: randomBase64Url(services.random, 32),
        nonce: randomBase64Url(services.random, 32),
        ...(request.reauthenticates === true ? { since: String(Math.floor(services.clock.now() / 1000)) } : {}),
      };
      const parameters = authenticationRequest(configuration, request, kept);
      return { location: locationOf(services.guard, provider.authorization_endpoint, parameters), kept };
    }),

  finish: (services, configuration, secrets, back) =>
    inProtocol(async () => {
      const exchange = await exchangeOf(services, configuration, secrets, sender(services));
      const answer = await exchangeCode(exchange, back, back.parameters);
      const { accessToken, claims } = await readIdToken(exchange, answer, keptValue(back, 'nonce'));
      assertAuthenticatedSince(back, claims);
      const answers = [claims, ...(await userInfo(configuration, exchange, accessToken, claims))];
      return {
        issuer: configuration.issuer,
        subject: subjectOf(claims.sub),
        ...personOf(configuration, answers),
        amr: amrOf(claims.amr),
        claims: claimsOf(answers.map(aboutThePerson)),
      };
    }),

  test: (services, configuration, secrets) =>
    inProtocol(async () => {
      const send = sender(services);
      const exchange = await exchangeOf(services, configuration, secrets, send);
      browserTarget(services.guard, exchange.provider.authorization_endpoint);
      assertSupported(exchange.provider, configuration);
      await assertKeys(send, exchange.provider);
      await testTokenEndpoint(exchange);
    }),
};

const exchangeOf = async (
  services: UpstreamServices,
  configuration: OidcConfiguration,
  secrets: OAuth2Secrets,
  send: Send,
): Promise<Exchange> =>
  exchangeWith(await discoverProvider(send, configuration.issuer), services, configuration, secrets, send);

/** OpenID Connect Core §3.1.2.1. */
const authenticationRequest = (
  { clientId, scopes, responseMode }: OidcConfiguration,
  { redirectUri, state, loginHint, uiLocales, reauthenticates }: RedirectRequest,
  { codeVerifier, nonce }: { codeVerifier: string; nonce: string },
) => ({
  response_type: 'code',
  response_mode: responseMode === 'form_post' ? responseMode : undefined,
  client_id: clientId,
  redirect_uri: redirectUri,
  scope: [...new Set(['openid', ...scopes])].join(' '),
  state,
  nonce,
  code_challenge: codeChallenge(codeVerifier),
  code_challenge_method: 'S256',
  login_hint: loginHint,
  ui_locales: uiLocales?.join(' ') || undefined,
  ...(reauthenticates === true ? { prompt: 'login', max_age: '0' } : {}),
});

/** Asked for a new proof, the provider has to say when it had one (Core §3.1.2.1, `max_age`). */
function assertAuthenticatedSince(back: RedirectReturn, claims: IdToken): void {
  if (!Object.hasOwn(back.kept, 'since')) return;
  const since = Number(keptValue(back, 'since'));
  if (typeof claims.auth_time !== 'number' || !(claims.auth_time >= since - clockToleranceSeconds)) {
    throw new UpstreamError('answer_invalid', 'The provider did not ask the person to prove again who it is.');
  }
}

/** Asked only for what the ID token does not say; the same person or nothing (Core §5.3.2). */
async function userInfo(
  { fields }: OidcConfiguration,
  { provider, client, options }: Exchange,
  accessToken: string,
  claims: IdToken,
): Promise<JsonObject[]> {
  const { id: _, ...named } = fields;
  const wanted = [
    fields.email ?? 'email',
    fields.name ?? 'name',
    ...Object.values(named).filter((path) => path !== null),
  ];
  if (provider.userinfo_endpoint === undefined) return [];
  if (wanted.every((path) => valueAt(claims, path) !== undefined)) return [];
  const response = await userInfoRequest(provider, client, accessToken, options);
  const answer = await processUserInfoResponse(provider, client, claims.sub, response);
  if (response.headers.get('content-type') === 'application/jwt') {
    await validateApplicationLevelSignature(provider, response, options);
  }
  return [answer];
}

const amrOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((method) => typeof method === 'string' && /^[\w-]{1,32}$/.test(method)) : [];

/** Without what belongs to the token and not to the person. */
const aboutThePerson = (claims: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => !ofTheToken.has(name)));

const ofTheToken = new Set(
  'iss aud azp exp iat nbf jti nonce at_hash c_hash s_hash auth_time sid nonce_supported'.split(' '),
);
