/** Reads authorization requests, of a query or a form, into what the protocol takes (RFC 6749 §4.1.1). */
import type { FastifyRequest } from 'fastify';
import { invalid } from '../../kernel/errors.ts';
import { splitScopes } from '../../kernel/text.ts';
import type { PushRequest } from '../../protocol/authorize/pushed.ts';
import type { AuthorizationParameters } from '../../protocol/authorize/request.ts';
import { presentedBinding } from '../edge/presented-binding.ts';
import { readCredentials } from './credentials.ts';
import { readAuthorizationParameters } from './parameters.ts';
import { readOrganization } from './requests.ts';

/** OpenID Connect Core §3.1.2.1: GET and POST alike. Throws `input.malformed`, `input.invalid`. */
export function readAuthorization(from: unknown): AuthorizationParameters {
  const { parameter, audiences } = readAuthorizationParameters(from);
  const words = (name: string) => (parameter(name) ?? '').split(' ').filter((word) => word !== '');
  return {
    clientId: parameter('client_id'),
    redirectUri: parameter('redirect_uri'),
    responseType: parameter('response_type'),
    responseMode: parameter('response_mode'),
    scopes: splitScopes(parameter('scope') ?? ''),
    state: parameter('state'),
    nonce: parameter('nonce'),
    codeChallenge: parameter('code_challenge'),
    codeChallengeMethod: parameter('code_challenge_method'),
    prompts: words('prompt'),
    maxAge: parameter('max_age'),
    loginHint: parameter('login_hint'),
    uiLocales: words('ui_locales'),
    idTokenHint: parameter('id_token_hint'),
    audiences,
    organization: readOrganization(parameter),
    requestUri: parameter('request_uri'),
    requestObject: parameter('request'),
    dpopThumbprint: parameter('dpop_jkt'),
  };
}

/** RFC 9126 §2.1: the parameters of an authorization request, with the client's credentials beside them. */
export function readPushRequest(request: FastifyRequest): PushRequest {
  if (request.body === undefined || request.body === null) throw invalid('', 'The request has no parameters.');
  const { parameter } = readAuthorizationParameters(request.body);
  return {
    credentials: readCredentials(request.headers.authorization, parameter, request.clientCertificate),
    parameters: readAuthorization(request.body),
    binding: presentedBinding(request),
  };
}
