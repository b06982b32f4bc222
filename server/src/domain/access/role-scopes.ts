/** What roles give, and which roles a subject has. */
import { sql } from 'kysely';
import type { Queryable } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import { isDelegated, pathInReach } from '../organizations/reach.ts';
import { organizationItself, type SystemApi } from '../resource-servers/system.ts';

interface RoleOfSubject {
  readonly roleId: string;
  /** Held in an organization that the caller reaches; never so for a tenant-wide role of a delegated caller's client. */
  readonly inReach: boolean;
  readonly tenantWide: boolean;
}

/** Every role of a subject, tenant-wide and in each organization. */
export async function rolesOfSubject(ctx: Context, db: Queryable, subjectId: string): Promise<RoleOfSubject[]> {
  const { tenantId } = ctx.site;
  const tenantWide = await db
    .selectFrom('role_assignments')
    .select('role_id')
    .where('tenant_id', '=', tenantId)
    .where('subject_id', '=', subjectId)
    .execute();
  const inOrganizations = await db
    .selectFrom('memberships as m')
    .innerJoin('membership_roles as mr', (join) =>
      join.onRef('mr.tenant_id', '=', 'm.tenant_id').onRef('mr.membership_id', '=', 'm.id'),
    )
    .innerJoin('organizations as o', (join) =>
      join.onRef('o.tenant_id', '=', 'm.tenant_id').onRef('o.id', '=', 'm.organization_id'),
    )
    .select(['mr.role_id', sql<number>`case when ${pathInReach(ctx, 'o.path')} then 1 else 0 end`.as('in_reach')])
    .where('m.tenant_id', '=', tenantId)
    .where('m.subject_id', '=', subjectId)
    .execute();
  return [
    ...tenantWide.map(({ role_id }) => ({ roleId: role_id, inReach: !isDelegated(ctx), tenantWide: true })),
    ...inOrganizations.map(({ role_id, in_reach }) => ({
      roleId: role_id,
      inReach: Number(in_reach) === 1,
      tenantWide: false,
    })),
  ];
}

interface GivenScope {
  readonly value: string;
  /** Stored identifier of the API, or `organizationItself` for an organization scope. */
  readonly identifier: string;
  readonly systemKind: string | null;
}

/** Every scope that any of the roles gives. */
export async function scopesOfRoles(ctx: Context, db: Queryable, roleIds: readonly string[]): Promise<GivenScope[]> {
  if (roleIds.length === 0) return [];
  const ofApis = await db
    .selectFrom('role_scopes as rs')
    .innerJoin('scopes as x', (join) =>
      join.onRef('x.tenant_id', '=', 'rs.tenant_id').onRef('x.id', '=', 'rs.scope_id'),
    )
    .innerJoin('resource_servers as r', (join) =>
      join.onRef('r.tenant_id', '=', 'x.tenant_id').onRef('r.id', '=', 'x.resource_server_id'),
    )
    .select(['x.value', 'r.identifier', 'r.system_kind as systemKind'])
    .distinct()
    .where('rs.tenant_id', '=', ctx.site.tenantId)
    .where('rs.role_id', 'in', roleIds)
    .execute();
  const ofOrganizations = await db
    .selectFrom('role_organization_scopes as rs')
    .innerJoin('organization_scopes as x', (join) =>
      join.onRef('x.tenant_id', '=', 'rs.tenant_id').onRef('x.id', '=', 'rs.organization_scope_id'),
    )
    .select('x.name')
    .distinct()
    .where('rs.tenant_id', '=', ctx.site.tenantId)
    .where('rs.role_id', 'in', roleIds)
    .execute();
  return [
    ...ofApis,
    ...ofOrganizations.map(({ name }) => ({ value: name, identifier: organizationItself, systemKind: null })),
  ];
}

/** The management scopes among what the roles give, by management audience. */
export async function managementScopesOfRoles(
  ctx: Context,
  db: Queryable,
  roleIds: readonly string[],
): Promise<Map<SystemApi['kind'], string[]>> {
  const given = new Map<SystemApi['kind'], string[]>();
  for (const { value, systemKind } of await scopesOfRoles(ctx, db, roleIds)) {
    if (systemKind === null) continue;
    const kind = systemKind as SystemApi['kind'];
    given.set(kind, [...(given.get(kind) ?? []), value]);
  }
  return given;
}
