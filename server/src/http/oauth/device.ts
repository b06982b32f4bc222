/** The device authorization endpoint of an issuer (RFC 8628 §3). The page people go to is in `http/pages`. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { splitScopes } from '../../kernel/text.ts';
import type { DeviceAsk } from '../../protocol/device/start.ts';
import { presentedBinding } from '../edge/presented-binding.ts';
import { type HttpServices, protocolContext } from '../request.ts';
import { readCredentials } from './credentials.ts';
import type { Issuer } from './issuer.ts';
import { readAuthorizationParameters } from './parameters.ts';
import { readOrganization } from './requests.ts';

/** Adds it to the issuer's plugin. */
export function addDeviceEndpoint(server: FastifyInstance, services: HttpServices, { paths, profile }: Issuer): void {
  server.post(paths.deviceAuthorization, async (request) => {
    const { startDevice } = await import('../../protocol/device/start.ts');
    const answer = await startDevice(protocolContext(services, request), profile, readDeviceAsk(request));
    return {
      device_code: answer.deviceCode,
      user_code: answer.userCode,
      verification_uri: answer.verificationUri,
      verification_uri_complete: answer.verificationUriComplete,
      expires_in: answer.expiresInSeconds,
      interval: answer.intervalSeconds,
    };
  });
}

/** Throws `input.invalid` naming the parameter. `resource` may be repeated, as in an authorization request. */
function readDeviceAsk(request: FastifyRequest): DeviceAsk {
  const { parameter, audiences } = readAuthorizationParameters(request.body);
  return {
    credentials: readCredentials(request.headers.authorization, parameter, request.clientCertificate),
    scopes: splitScopes(parameter('scope') ?? ''),
    audiences,
    organization: readOrganization(parameter),
    binding: presentedBinding(request),
  };
}
