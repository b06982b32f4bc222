import type { Context } from '../../../domain/context.ts';
import { type KeysetRange, mapPage, type OffsetRange } from '../../../domain/paging.ts';
import { listScopes, listScopesByKey, type StoredScope } from '../../../domain/resource-servers/one-scope.ts';
import { resourceServersById } from '../../../domain/resource-servers/read-resource-servers.ts';
import type { ResourceServer } from '../../../domain/resource-servers/resource-server.ts';

/** A scope with the API it belongs to. */
export interface ScopeWithApi {
  scope: StoredScope;
  api: Omit<ResourceServer, 'scopes'>;
}

/** The scopes of API resources that a role gives, as a list to page through. */
export function scopesOfRole(ctx: Context, roleId: string) {
  return {
    byKey: async (range: KeysetRange) => withApis(ctx, await listScopesByKey(ctx, { roleId }, range)),
    byOffset: async (range: OffsetRange) => withApis(ctx, await listScopes(ctx, { roleId }, range)),
  };
}

async function withApis<P extends { items: StoredScope[] }>(ctx: Context, page: P) {
  const ids = page.items.map(({ resourceServerId }) => resourceServerId);
  const apis = await resourceServersById(ctx, ids);
  const items = page.items.flatMap((scope): ScopeWithApi[] => {
    const api = apis.get(scope.resourceServerId);
    // Deleted meanwhile, with its scopes.
    return api === undefined ? [] : [{ scope, api }];
  });
  return mapPage(page, items);
}
