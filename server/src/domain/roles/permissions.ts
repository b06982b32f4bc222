/** What tenant-wide roles give at APIs, named by API and scope: of one role, or of all roles of a user. */
import { sql } from 'kysely';
import { DomainError, invalid } from '../../kernel/errors.ts';
import type { Queryable } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import { mapPage, type OffsetPage, type OffsetRange, offsetPage } from '../paging.ts';
import { findRow } from '../resource-servers/read-resource-servers.ts';
import type { SystemApi } from '../resource-servers/system.ts';
import { systemIdentifiers } from '../tenants/sites.ts';

/** A scope of an API as a request names it. */
export interface PermissionName {
  /** Identifier of the API. */
  readonly audience: string;
  readonly scope: string;
}

/** A scope that a role gives, with its API. */
export interface Permission extends PermissionName {
  readonly scopeId: string;
  readonly description: string | null;
  readonly resourceServerName: string;
}

/**
 * A page of what one role gives, API by API, by identifier: an export is the same after an import. Whether the role is
 * there is not asked here.
 */
export const listPermissionsOfRole = (
  ctx: Context,
  roleId: string,
  range: OffsetRange,
): Promise<OffsetPage<Permission>> =>
  pageOf(ctx, range, rolesScopes(ctx, ctx.db.reports).where('role_id', '=', roleId));

/** A page of what the roles of a user give, each once, in the same order. */
export const listPermissionsOfUser = (
  ctx: Context,
  userId: string,
  range: OffsetRange,
): Promise<OffsetPage<Permission>> =>
  pageOf(ctx, range, rolesScopes(ctx, ctx.db.reports).where('role_id', 'in', rolesOf(ctx, ctx.db.reports, userId)));

/** By which of a user's roles it has each of these scopes, by scope id. */
export async function sourcesOf(
  ctx: Context,
  userId: string,
  scopeIds: readonly string[],
): Promise<Map<string, { id: string; name: string }[]>> {
  if (scopeIds.length === 0) return new Map();
  const rows = await ctx.db.read
    .selectFrom('role_scopes as rs')
    .innerJoin('roles as r', (join) => join.onRef('r.tenant_id', '=', 'rs.tenant_id').onRef('r.id', '=', 'rs.role_id'))
    .select(['rs.scope_id', 'r.id', 'r.name'])
    .where('rs.tenant_id', '=', ctx.site.tenantId)
    .where('rs.scope_id', 'in', scopeIds)
    .where('rs.role_id', 'in', rolesOf(ctx, ctx.db.read, userId))
    .orderBy('r.created_at')
    .orderBy('r.id')
    .execute();
  const grouped = Map.groupBy(rows, ({ scope_id }) => scope_id);
  return new Map([...grouped].map(([id, roles]) => [id, roles.map(({ id, name }) => ({ id, name }))]));
}

/**
 * The ids of scopes that a request names, in its order. `paths` says where each stands. Throws `entity.not_found` (of
 * thing `resource server`), `input.invalid` (the API has no such scope).
 */
export async function scopeIdsOf(
  ctx: Context,
  db: Queryable,
  names: readonly PermissionName[],
  pathOf: (index: number) => { audience: string; scope: string },
): Promise<string[]> {
  const scopes = await namedScopes(ctx, db, names);
  return names.map(({ audience, scope }, index) => {
    const ofApi = scopes.get(audience);
    if (ofApi === undefined) {
      throw new DomainError('entity.reference_not_found', 'The resource server does not exist.', {
        path: pathOf(index).audience,
        data: { thing: 'resource server' },
      });
    }
    const id = ofApi.get(scope);
    if (id === undefined) throw invalid(pathOf(index).scope, `The API has no scope "${scope}".`);
    return id;
  });
}

/** The same, without those that are nowhere. */
export async function knownScopeIdsOf(
  ctx: Context,
  db: Queryable,
  names: readonly PermissionName[],
): Promise<string[]> {
  const scopes = await namedScopes(ctx, db, names);
  return names.flatMap(({ audience, scope }) => scopes.get(audience)?.get(scope) ?? []);
}

/** Scope ids by audience as it was named, then by value. */
async function namedScopes(ctx: Context, db: Queryable, names: readonly PermissionName[]) {
  const found = new Map<string, Map<string, string>>();
  for (const [audience, named] of Map.groupBy(names, (name) => name.audience)) {
    const api = await findRow(ctx, db, audience);
    if (api === undefined || api.id === audience) continue;
    const rows = await db
      .selectFrom('scopes')
      .select(['id', 'value'])
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('resource_server_id', '=', api.id)
      .where('value', 'in', [...new Set(named.map(({ scope }) => scope))])
      .execute();
    found.set(audience, new Map(rows.map(({ id, value }) => [value, id])));
  }
  return found;
}

const rolesScopes = (ctx: Context, db: Queryable) =>
  db.selectFrom('role_scopes').select('scope_id').where('tenant_id', '=', ctx.site.tenantId);

const rolesOf = (ctx: Context, db: Queryable, userId: string) =>
  db
    .selectFrom('role_assignments')
    .select('role_id')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('subject_id', '=', userId)
    .where('subject_kind', '=', 'user');

interface PermissionRow {
  id: string;
  value: string;
  description: string | null;
  identifier: string;
  api_name: string;
  system_kind: string | null;
}

async function pageOf(
  ctx: Context,
  range: OffsetRange,
  given: ReturnType<typeof rolesScopes>,
): Promise<OffsetPage<Permission>> {
  const query = ctx.db.reports
    .selectFrom('scopes as x')
    .innerJoin('resource_servers as r', (join) =>
      join.onRef('r.tenant_id', '=', 'x.tenant_id').onRef('r.id', '=', 'x.resource_server_id'),
    )
    .select(['x.id', 'x.value', 'x.description', 'r.identifier', 'r.name as api_name', 'r.system_kind'])
    .where('x.tenant_id', '=', ctx.site.tenantId)
    .where('x.id', 'in', given);
  const page = await offsetPage<PermissionRow>(query, range, (unordered) =>
    unordered.orderBy(sql`r.identifier`).orderBy(sql`x.position`).orderBy(sql`x.id`),
  );
  return mapPage(
    page,
    page.items.map((row) => permissionOf(ctx, row)),
  );
}

function permissionOf(ctx: Context, row: PermissionRow): Permission {
  const api: SystemApi | undefined = ctx.systemApis.find(({ kind }) => kind === row.system_kind);
  return {
    scopeId: row.id,
    scope: row.value,
    description: row.description,
    audience: api === undefined ? row.identifier : (systemIdentifiers(ctx.site, api)[0] as string),
    resourceServerName: row.api_name,
  };
}
