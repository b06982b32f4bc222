/** Reads requests of the protocol endpoints into what the protocol takes. */
import type { FastifyRequest } from 'fastify';
import { invalid } from '../../kernel/errors.ts';
import { splitScopes } from '../../kernel/text.ts';
import type { TokenOperation } from '../../protocol/introspect.ts';
import type { TokenRequest } from '../../protocol/token/request.ts';
import { presentedBinding } from '../edge/presented-binding.ts';
import { readCredentials } from './credentials.ts';
import { type Parameters, readParameters } from './parameters.ts';

/** Throws `input.invalid` naming the parameter. */
export function readTokenRequest(request: FastifyRequest): TokenRequest {
  const parameter = readParameters(request.body);
  const scope = parameter('scope');
  return {
    credentials: readCredentials(request.headers.authorization, parameter, request.clientCertificate),
    grantType: parameter('grant_type'),
    ...readAudience(parameter),
    scopes: scope === undefined ? undefined : splitScopes(scope),
    organization: readOrganization(parameter),
    given: {
      code: parameter('code'),
      redirectUri: parameter('redirect_uri'),
      codeVerifier: parameter('code_verifier'),
      refreshToken: parameter('refresh_token'),
      deviceCode: parameter('device_code'),
      subjectToken: parameter('subject_token'),
      subjectTokenType: parameter('subject_token_type'),
      actorToken: parameter('actor_token'),
      actorTokenType: parameter('actor_token_type'),
      requestedTokenType: parameter('requested_token_type'),
    },
    binding: presentedBinding(request),
  };
}

/** `organization` is Auth0's name for it, `organization_id` Logto's; two different ones are two things. */
export function readOrganization(parameter: Parameters): string | undefined {
  const [organization, id] = [parameter('organization'), parameter('organization_id')];
  if (organization !== undefined && id !== undefined && organization !== id) {
    throw invalid('organization_id', 'organization and organization_id name different organizations.');
  }
  return organization ?? id;
}

/** `audience` and RFC 8707's `resource` are one thing under two names; two different ones are two things. */
function readAudience(parameter: Parameters): Pick<TokenRequest, 'audience' | 'targetIsInvalid'> {
  const audience = parameter('audience');
  const resource = parameter('resource');
  if (resource === undefined) return { audience, targetIsInvalid: false };
  const isTarget = URL.canParse(resource) && !resource.includes('#');
  return { audience: resource, targetIsInvalid: !isTarget || (audience !== undefined && audience !== resource) };
}

/** Throws `input.invalid` naming the parameter. */
export function readTokenOperation(request: FastifyRequest): TokenOperation {
  const parameter = readParameters(request.body);
  return {
    credentials: readCredentials(request.headers.authorization, parameter, request.clientCertificate),
    token: parameter('token'),
  };
}
