import type { Resource, ResourceScope } from '@sekisho/contract';
import type { Context } from '../../../domain/context.ts';
import type { StoredScope } from '../../../domain/resource-servers/one-scope.ts';
import type { ResourceServer } from '../../../domain/resource-servers/resource-server.ts';

/** What the native management API is called in Logto's paths, whatever its stored id. */
export const managementApiId = 'management-api';

const isNativeManagement = (api: Pick<ResourceServer, 'systemKind'>): boolean => api.systemKind === 'api';

/** A resource server in Logto's words. `aliases`: only of the native management API. */
export const resourceBody = (
  { site }: Pick<Context, 'site'>,
  api: Omit<ResourceServer, 'scopes'>,
  more: { isDefault: boolean; aliases?: readonly string[] | undefined; scopes?: readonly StoredScope[] | undefined },
): Resource => ({
  tenantId: site.tenantId,
  id: isNativeManagement(api) ? managementApiId : api.id,
  name: api.name,
  indicator: api.identifier,
  isDefault: more.isDefault,
  accessTokenTtl: api.tokenLifetimeSeconds,
  ...(more.aliases === undefined ? {} : { aliases: [...more.aliases] }),
  ...(more.scopes === undefined
    ? {}
    : { scopes: more.scopes.map((scope) => resourceScopeBody({ site }, scope, isNativeManagement(api))) }),
});

export const resourceScopeBody = (
  { site }: Pick<Context, 'site'>,
  scope: StoredScope,
  ofManagement = false,
): ResourceScope => ({
  tenantId: site.tenantId,
  id: scope.id,
  resourceId: ofManagement ? managementApiId : scope.resourceServerId,
  name: scope.value,
  description: scope.description,
});
