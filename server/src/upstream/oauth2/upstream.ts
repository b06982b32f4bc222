/**
 * OAuth 2 as a way to sign in (RFC 6749 §4.1): code and PKCE, then the provider's user info says who it is.
 *
 *   begin   → browser to the authorization endpoint
 *   finish  → state, iss → code for a token → token for the user info → identity
 *
 * OAuth 2 itself says nothing about when and how a person proved who it is, so a new proof can't be had.
 */
import { type AuthorizationServer, processAuthorizationCodeResponse } from 'oauth4webapi';
import { randomBase64Url } from '../../kernel/random.ts';
import { UpstreamError, type UpstreamIdentity } from '../identity.ts';
import type { RedirectUpstream, UpstreamServices } from '../redirect.ts';
import { browserTarget, codeChallenge, locationOf } from './authorization-request.ts';
import { type Exchange, exchangeCode, exchangeWith, testTokenEndpoint } from './client.ts';
import { issuerOf, type OAuth2Configuration, type OAuth2Secrets } from './configuration.ts';
import { inProtocol, refusal } from './failures.ts';
import { assertSupported, discover } from './metadata.ts';
import { claimsOf, subjectAndPersonOf } from './person.ts';
import { assertAnswered, type JsonObject, jsonObject, parseObject, type Send, sender } from './requests.ts';

export const oauth2Upstream: RedirectUpstream<OAuth2Configuration, OAuth2Secrets> = {
  begin: (services, configuration, _secrets, request) =>
    inProtocol(async () => {
      if (request.reauthenticates === true) {
        throw new UpstreamError('denied', 'With OAuth 2 nobody can be asked to prove again who it is.');
      }
      const provider = await providerOf(sender(services), configuration);
      const codeVerifier = randomBase64Url(services.random, 32);
      const location = locationOf(services.guard, provider.authorization_endpoint, {
        response_type: 'code',
        client_id: configuration.clientId,
        redirect_uri: request.redirectUri,
        scope: configuration.scopes.length === 0 ? undefined : configuration.scopes.join(' '),
        state: request.state,
        code_challenge: codeChallenge(codeVerifier),
        code_challenge_method: 'S256',
      });
      return { location, kept: { codeVerifier } };
    }),

  finish: (services, configuration, secrets, back) =>
    inProtocol(async () => {
      const send = sender(services);
      const exchange = await exchangeOf(services, configuration, secrets, send);
      const parameters =
        configuration.issuer === null ? ofSameOrigin(exchange.provider, back.parameters) : back.parameters;
      const accessToken = await accessTokenOf(exchange, await exchangeCode(exchange, back, parameters));
      const url = userInfoUrl(configuration, exchange.provider);
      return identityOf(configuration, await userInfo(send, url, accessToken));
    }),

  test: (services, configuration, secrets) =>
    inProtocol(async () => {
      const send = sender(services);
      const exchange = await exchangeOf(services, configuration, secrets, send);
      browserTarget(services.guard, exchange.provider.authorization_endpoint);
      assertSupported(exchange.provider, { ...configuration, responseMode: 'query' });
      await testTokenEndpoint(exchange);
      const answer = await send({ method: 'GET', url: userInfoUrl(configuration, exchange.provider), headers: asJson });
      assertAnswered(answer);
      if (answer.status === 404) throw new UpstreamError('misconfigured', 'There is nothing at the user info URL.');
    }),
};

/**
 * Without an issuer there is nothing to compare `iss` with (RFC 9207 §2.4), but that it is of the place people were sent to:
 * policies may share a callback, and then one provider must not be brought the codes of another.
 */
function ofSameOrigin({ authorization_endpoint }: AuthorizationServer, given: URLSearchParams): URLSearchParams {
  const parameters = new URLSearchParams(given);
  const own = URL.parse(authorization_endpoint ?? '')?.origin;
  if (given.getAll('iss').some((issuer) => URL.parse(issuer)?.origin !== own)) {
    throw new UpstreamError('answer_invalid', 'The answer is of another provider (iss).');
  }
  parameters.delete('iss');
  return parameters;
}

const exchangeOf = async (
  services: UpstreamServices,
  configuration: OAuth2Configuration,
  secrets: OAuth2Secrets,
  send: Send,
): Promise<Exchange> => exchangeWith(await providerOf(send, configuration), services, configuration, secrets, send);

/** What the issuer says of itself, or what the policy says of it. */
async function providerOf(send: Send, configuration: OAuth2Configuration): Promise<AuthorizationServer> {
  const { issuer, authorizationUrl, tokenUrl } = configuration;
  // Some issuers have their metadata only at OpenID Connect's place, which RFC 8414 §5 knows of.
  if (issuer !== null) return discover(send, issuer, ['oauth2', 'oidc']);
  if (authorizationUrl === null || tokenUrl === null) {
    throw new UpstreamError('misconfigured', 'The URLs of the provider are missing.');
  }
  return { issuer: new URL(tokenUrl).origin, authorization_endpoint: authorizationUrl, token_endpoint: tokenUrl };
}

function userInfoUrl(configuration: OAuth2Configuration, provider: AuthorizationServer): string {
  const url = configuration.userInfoUrl ?? provider.userinfo_endpoint;
  if (typeof url !== 'string' || !URL.canParse(url)) {
    throw new UpstreamError('misconfigured', 'The provider has no user info URL.');
  }
  return url;
}

async function accessTokenOf({ provider, client }: Exchange, response: Response): Promise<string> {
  const answer = await processAuthorizationCodeResponse(provider, client, await essentialsOf(response));
  if (answer.token_type !== 'bearer') {
    throw new UpstreamError('answer_invalid', 'The token is not of the type Bearer.');
  }
  return answer.access_token;
}

/**
 * Of a successful answer the two members that are used. An ID token beside them is not what this protocol goes by; some
 * providers send one that can only be checked with our own secret.
 */
async function essentialsOf(response: Response): Promise<Response> {
  const answer = response.status === 200 ? parseObject(await response.clone().text()) : null;
  if (answer === null) return response;
  const { access_token, token_type, error } = answer;
  // GitHub answers errors with status 200.
  if (typeof error === 'string' && access_token === undefined) throw refusal(error);
  return Response.json({ access_token, token_type });
}

const asJson = { accept: 'application/json' };

async function userInfo(send: Send, url: string, accessToken: string): Promise<JsonObject> {
  const headers = { ...asJson, authorization: `Bearer ${accessToken}` };
  const answer = await send({ method: 'GET', url, headers });
  assertAnswered(answer);
  if (answer.status === 401 || answer.status === 403) {
    throw new UpstreamError('misconfigured', `The user info URL answered ${answer.status}.`);
  }
  return jsonObject(answer);
}

function identityOf(configuration: OAuth2Configuration, answer: JsonObject): UpstreamIdentity {
  return {
    issuer: issuerOf(configuration),
    ...subjectAndPersonOf(configuration, answer),
    amr: [],
    claims: claimsOf([answer]),
  };
}
