import type { FastifyRequest } from 'fastify';
import type { SystemApi } from '../../domain/resource-servers/system.ts';
import { authorizeManagement } from '../../protocol/management.ts';
import { type HttpServices, presentedToken, protocolContext } from '../request.ts';

/** This dialect has no audience of its own: its tokens are those of the native API. */
export function accountsAudience({ systemApis }: Pick<HttpServices, 'systemApis'>): SystemApi {
  const api = systemApis.find(({ kind }) => kind === 'api');
  if (api === undefined) throw new Error('There is no native management API.');
  return api;
}

/** Every route names its scopes; one that names none can be called by nobody. */
export async function authorize(services: HttpServices, request: FastifyRequest): Promise<void> {
  if (request.is404) return;
  const ctx = protocolContext(services, request);
  const { scopes = [], delegated = false } = request.routeOptions.config;
  const actor = await authorizeManagement(ctx, accountsAudience(services), presentedToken(request), scopes, {
    delegated,
  });
  const [path] = request.url.split('?', 1);
  const origin = { ...request.origin, request: `${request.method} ${path}` };
  request.context = { ...services, site: request.site, origin, actor };
}
