import type { Resource } from '@sekisho/contract';
import type { Context } from '../../../domain/context.ts';
import { mapPage } from '../../../domain/paging.ts';
import { listAliases } from '../../../domain/resource-servers/aliases.ts';
import { storedScopesOf } from '../../../domain/resource-servers/one-scope.ts';
import type { ResourceServer } from '../../../domain/resource-servers/resource-server.ts';
import { defaultAudienceOf } from '../../../domain/tenants/default-audience.ts';
import { systemIdentifiers } from '../../../domain/tenants/sites.ts';
import { nativeManagementApi } from '../system-api.ts';
import { resourceBody } from './mapping.ts';

/** A page of resource servers as bodies; `withScopes`: each with its scopes. */
export async function bodiesOf<P extends { items: Omit<ResourceServer, 'scopes'>[] }>(
  ctx: Context,
  page: P,
  { withScopes = false }: { withScopes?: boolean },
) {
  const ids = page.items.map(({ id }) => id);
  const scopes = withScopes ? await storedScopesOf(ctx, ctx.db.read, ids) : undefined;
  const defaultAudience = await defaultAudienceOf(ctx);
  const bodies: Resource[] = [];
  for (const api of page.items) {
    bodies.push(
      resourceBody(ctx, api, {
        isDefault: api.systemKind === null && api.identifier === defaultAudience,
        aliases: api.systemKind === nativeManagementApi.kind ? await aliasesOf(ctx, api.id) : undefined,
        scopes: scopes?.get(api.id),
      }),
    );
  }
  return mapPage(page, bodies);
}

/** What is registered, and what the management API is called anyway. */
const aliasesOf = async (ctx: Context, id: string): Promise<string[]> => [
  ...systemIdentifiers(ctx.site, nativeManagementApi).slice(1),
  ...(await listAliases(ctx, ctx.db.read, id)),
];
