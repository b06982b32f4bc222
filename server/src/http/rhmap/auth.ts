import type { FastifyRequest } from 'fastify';
import type { SystemApi } from '../../domain/resource-servers/system.ts';
import { authorizeApiKey } from '../../protocol/api-key.ts';
import { authorizeManagement } from '../../protocol/management.ts';
import { type HttpServices, presentedToken, protocolContext } from '../request.ts';
import { headerOf } from './body.ts';

/** This dialect has no audience of its own: its keys and tokens are those of the native API. */
function managementApi({ systemApis }: Pick<HttpServices, 'systemApis'>): SystemApi {
  const api = systemApis.find(({ kind }) => kind === 'api');
  if (api === undefined) throw new Error('There is no native management API.');
  return api;
}

/**
 * Who may call: an API key in RHMAP's header, or an access token. Every route names its scopes; one that names none can
 * be called by nobody, but for those that are open.
 */
export async function authorize(services: HttpServices, request: FastifyRequest): Promise<void> {
  if (request.is404) return;
  const { scopes = [], open = false } = request.routeOptions.config;
  if (open) return;
  const ctx = protocolContext(services, request);
  const api = managementApi(services);
  const key = headerOf(request, 'x-fh-auth-user');
  const token = presentedToken(request);
  const actor =
    key === undefined && token !== undefined
      ? await authorizeManagement(ctx, api, token, scopes)
      : await authorizeApiKey(ctx, api, key, scopes);
  request.context = { ...services, site: request.site, origin: request.origin, actor };
}
