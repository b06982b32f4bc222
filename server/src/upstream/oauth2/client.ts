/** We as a client of a provider: how we prove ourselves, and the exchange of codes (RFC 6749 §4.1.3). */
import {
  type AuthorizationServer,
  allowInsecureRequests,
  authorizationCodeGrantRequest,
  type Client,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  clockSkew,
  clockTolerance,
  customFetch,
  genericTokenEndpointRequest,
  None,
  validateAuthResponse,
} from 'oauth4webapi';
import { UpstreamError } from '../identity.ts';
import type { RedirectReturn, UpstreamServices } from '../redirect.ts';
import { keptValue } from './authorization-request.ts';
import type { OAuth2Configuration, OAuth2Secrets } from './configuration.ts';
import { refusal } from './failures.ts';
import { fetchBy, parseObject, type Send } from './requests.ts';

/** How far a provider's clock may be off, in seconds. */
export const clockToleranceSeconds = 30;

export type ClientSettings = Pick<OAuth2Configuration, 'clientId' | 'clientAuthMethod'>;

/** Everything the library wants to know of one step with one provider. */
export interface Exchange {
  readonly provider: AuthorizationServer;
  readonly client: Client;
  readonly authentication: ClientAuth;
  /** The guard decides about schemes and addresses, so the library need not. */
  readonly options: { [customFetch]: ReturnType<typeof fetchBy>; [allowInsecureRequests]: true };
}

export function exchangeWith(
  provider: AuthorizationServer,
  { clock }: UpstreamServices,
  settings: ClientSettings,
  secrets: OAuth2Secrets,
  send: Send,
): Exchange {
  return {
    provider,
    client: {
      client_id: settings.clientId,
      [clockSkew]: Math.round((clock.now() - Date.now()) / 1000),
      [clockTolerance]: clockToleranceSeconds,
    },
    authentication: authenticationOf(settings, secrets),
    options: requestOptions(send),
  };
}

export const requestOptions = (send: Send): Exchange['options'] => ({
  [customFetch]: fetchBy(send),
  [allowInsecureRequests]: true,
});

function authenticationOf({ clientAuthMethod }: ClientSettings, { clientSecret }: OAuth2Secrets): ClientAuth {
  if (clientAuthMethod === 'none') return None();
  if (!clientSecret) throw new UpstreamError('misconfigured', 'The client secret is missing.');
  return clientAuthMethod === 'client_secret_post' ? ClientSecretPost(clientSecret) : ClientSecretBasic(clientSecret);
}

/** The token endpoint's answer to the code that the browser brought; what the browser brought is checked before. */
export function exchangeCode(exchange: Exchange, back: RedirectReturn, parameters: URLSearchParams): Promise<Response> {
  const { provider, client, authentication, options } = exchange;
  const checked = validateAuthResponse(provider, client, parameters, back.state);
  const verifier = keptValue(back, 'codeVerifier');
  return authorizationCodeGrantRequest(provider, client, authentication, checked, back.redirectUri, verifier, options);
}

/** Asks with a code that is none: an error of RFC 6749 §5.2 about the code is the answer that a good client gets. */
export async function testTokenEndpoint({ provider, client, authentication, options }: Exchange): Promise<void> {
  const parameters = { code: 'none', redirect_uri: 'https://localhost/', code_verifier: 'none'.repeat(11) };
  const response = await genericTokenEndpointRequest(
    provider,
    client,
    authentication,
    'authorization_code',
    parameters,
    options,
  );
  const code = parseObject(await response.text())?.error;
  if (typeof code !== 'string') throw new UpstreamError('answer_invalid', 'The token endpoint answers like none.');
  const failed = /client|scope|grant_type/.test(code) ? refusal(code) : null;
  if (failed !== null) throw failed;
}
