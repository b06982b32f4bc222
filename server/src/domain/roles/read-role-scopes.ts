/** What roles give: scopes of resource servers, and organization scopes. */
import type { Queryable } from '../../storage/database.ts';
import { inChunks } from '../chunks.ts';
import type { Context } from '../context.ts';
import { type OrganizationScope, organizationScopeOf } from '../organization-scopes/organization-scope.ts';
import type { SystemApi } from '../resource-servers/system.ts';

/** A scope of a resource server, with the API it is of. */
export interface ScopeOfRole {
  id: string;
  value: string;
  description: string | null;
  resourceServer: { id: string; name: string; systemKind: SystemApi['kind'] | null };
}

/** All scopes of one role. */
export interface ScopesOfRole {
  readonly scopes: readonly ScopeOfRole[];
  readonly organizationScopes: readonly OrganizationScope[];
}

/** What each of several roles gives. */
export async function scopesOfEach(
  ctx: Context,
  db: Queryable,
  roleIds: readonly string[],
): Promise<Map<string, ScopesOfRole>> {
  const given = new Map<string, { scopes: ScopeOfRole[]; organizationScopes: OrganizationScope[] }>(
    roleIds.map((id) => [id, { scopes: [], organizationScopes: [] }]),
  );
  const ofApis = await inChunks(roleIds, (chunk) => apiScopes(ctx, db).where('rs.role_id', 'in', chunk).execute());
  for (const row of ofApis) given.get(row.role_id)?.scopes.push(scopeOf(row));
  const ofOrganizations = await inChunks(roleIds, (chunk) =>
    organizationScopes(ctx, db).where('rs.role_id', 'in', chunk).execute(),
  );
  for (const row of ofOrganizations) given.get(row.role_id)?.organizationScopes.push(organizationScopeOf(row));
  return given;
}

const apiScopes = (ctx: Context, db: Queryable) =>
  db
    .selectFrom('role_scopes as rs')
    .innerJoin('scopes as x', (join) =>
      join.onRef('x.tenant_id', '=', 'rs.tenant_id').onRef('x.id', '=', 'rs.scope_id'),
    )
    .innerJoin('resource_servers as r', (join) =>
      join.onRef('r.tenant_id', '=', 'x.tenant_id').onRef('r.id', '=', 'x.resource_server_id'),
    )
    .select(['rs.role_id', 'x.id', 'x.value', 'x.description', 'r.id as api_id', 'r.name as api_name', 'r.system_kind'])
    .where('rs.tenant_id', '=', ctx.site.tenantId)
    .orderBy('r.created_at')
    .orderBy('r.id')
    .orderBy('x.position')
    .orderBy('x.id');

const organizationScopes = (ctx: Context, db: Queryable) =>
  db
    .selectFrom('role_organization_scopes as rs')
    .innerJoin('organization_scopes as x', (join) =>
      join.onRef('x.tenant_id', '=', 'rs.tenant_id').onRef('x.id', '=', 'rs.organization_scope_id'),
    )
    .select(['rs.role_id', 'x.tenant_id', 'x.id', 'x.name', 'x.description', 'x.created_at'])
    .where('rs.tenant_id', '=', ctx.site.tenantId)
    .orderBy('x.created_at')
    .orderBy('x.id');

interface ApiScopeRow {
  id: string;
  value: string;
  description: string | null;
  api_id: string;
  api_name: string;
  system_kind: string | null;
}

const scopeOf = (row: ApiScopeRow): ScopeOfRole => ({
  id: row.id,
  value: row.value,
  description: row.description,
  resourceServer: { id: row.api_id, name: row.api_name, systemKind: row.system_kind as SystemApi['kind'] | null },
});
