import type { Resource, ResourceScope } from '@sekisho/contract';
import type { Context } from '../../../domain/context.ts';
import type { StoredScope } from '../../../domain/resource-servers/one-scope.ts';
import type { ResourceServer } from '../../../domain/resource-servers/resource-server.ts';
import { DomainError } from '../../../kernel/errors.ts';
import { nativeManagementApi } from '../system-api.ts';

type Site = Pick<Context, 'site'>;

/** What the native management API is called in Logto's paths, whatever its stored id. */
const managementApiId = 'management-api';

const isNativeManagement = (api: Pick<ResourceServer, 'systemKind'>): boolean =>
  api.systemKind === nativeManagementApi.kind;

/** The id of a resource server in paths and bodies, and back to what the domain finds it by. */
export const resourceIdOf = (api: Pick<ResourceServer, 'id' | 'systemKind'>): string =>
  isNativeManagement(api) ? managementApiId : api.id;
export const storedIdOf = ({ site }: Site, id: string): string =>
  id === managementApiId ? `${site.origin}${nativeManagementApi.path}` : id;

/** A resource server in Logto's words. `aliases`: only of the native management API. */
export const resourceBody = (
  { site }: Site,
  api: Omit<ResourceServer, 'scopes'>,
  more: { isDefault: boolean; aliases?: readonly string[] | undefined; scopes?: readonly StoredScope[] | undefined },
): Resource => ({
  tenantId: site.tenantId,
  id: resourceIdOf(api),
  name: api.name,
  indicator: api.identifier,
  isDefault: more.isDefault,
  accessTokenTtl: api.tokenLifetimeSeconds,
  ...(more.aliases === undefined ? {} : { aliases: [...more.aliases] }),
  ...(more.scopes === undefined
    ? {}
    : { scopes: more.scopes.map((scope) => resourceScopeBody({ site }, scope, resourceIdOf(api))) }),
});

/** A scope; `resourceId` is that of its resource server in bodies. */
export const resourceScopeBody = ({ site }: Site, scope: StoredScope, resourceId: string): ResourceScope => ({
  tenantId: site.tenantId,
  id: scope.id,
  resourceId,
  name: scope.value,
  description: scope.description,
});

const words: Record<string, string> = { identifier: 'indicator', tokenLifetimeSeconds: 'accessTokenTtl' };

/** Runs a verb; its errors name fields as this dialect does. */
export async function inOurWords<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof DomainError) || error.path === undefined || words[error.path] === undefined) throw error;
    throw new DomainError(error.code, error.message, {
      path: words[error.path] as string,
      data: error.data,
      cause: error.cause,
    });
  }
}
