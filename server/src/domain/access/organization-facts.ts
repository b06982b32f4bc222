/** What a subject is in one organization, in one query: the way up to the root, its memberships there and their roles. */
import type { Database } from '../../storage/database.ts';
import type { Schema } from '../../storage/schema.ts';
import { defineStatement } from '../../storage/statement.ts';
import { organizationItself } from '../resource-servers/system.ts';
import type { OrganizationFacts } from './decision-facts.ts';

/** One row for each organization on the way up and each role the subject has in it, the organization itself first. */
export interface OrganizationFactsRow {
  organization_id: string;
  path: string;
  status: Schema['organizations']['status'];
  /** JSON array: the policies people come in by; null: any. */
  auth_policy_ids: string | null;
  /** 0: the organization itself. */
  distance: number;
  membership_id: string | null;
  role_id: string | null;
  role_name: string | null;
  /** Space-joined scopes of the role at the API, in its order. */
  api_scopes: string | null;
  /** Space-joined organization scopes of the role. */
  organization_scopes: string | null;
  grant_listed: number | null;
}

/**
 * A membership counts where it is, and below unless it says otherwise. The walk up costs one look-up by primary key a
 * level, whatever the size of the tree.
 */
export const organizationFactsStatement = defineStatement<
  { tenantId: string; organizationId: string; subjectId: string; identifier: string },
  OrganizationFactsRow
>(
  'organization_facts',
  `with recursive up(id, parent_id, path, status, auth_policy_ids, distance) as (
    select id, parent_id, path, status, auth_policy_ids, 0 from organizations where tenant_id = :tenantId and id = :organizationId
    union all
    select o.id, o.parent_id, o.path, o.status, o.auth_policy_ids, up.distance + 1
    from up join organizations o on o.tenant_id = :tenantId and o.id = up.parent_id
  )
  select up.id as organization_id, up.path as path, up.status as status,
    up.auth_policy_ids as auth_policy_ids, up.distance as distance,
    m.id as membership_id, mr.role_id as role_id, role.name as role_name,
    (select string_agg(x.value, ' ' order by x.position) from role_scopes rs
      join resource_servers r on r.tenant_id = :tenantId and r.identifier = :identifier
      join scopes x on x.tenant_id = :tenantId and x.id = rs.scope_id and x.resource_server_id = r.id
      where rs.tenant_id = :tenantId and rs.role_id = mr.role_id) as api_scopes,
    (select string_agg(s.name, ' ' order by s.name) from role_organization_scopes ros
      join organization_scopes s on s.tenant_id = :tenantId and s.id = ros.organization_scope_id
      where ros.tenant_id = :tenantId and ros.role_id = mr.role_id) as organization_scopes,
    case when up.distance = 0 then (select 1 from resource_servers r
      join client_grants g on g.tenant_id = :tenantId and g.resource_server_id = r.id and g.client_id = :subjectId
        and g.subject_type = 'client'
      join organization_client_grants og on og.tenant_id = :tenantId and og.organization_id = :organizationId
        and og.client_grant_id = g.id
      where r.tenant_id = :tenantId and r.identifier = :identifier) end as grant_listed
  from up
  left join memberships m on m.tenant_id = :tenantId and m.organization_id = up.id and m.subject_id = :subjectId
    and (up.distance = 0 or m.this_organization_only = 0)
  left join membership_roles mr on mr.tenant_id = :tenantId and mr.membership_id = m.id
  left join roles role on role.tenant_id = :tenantId and role.id = mr.role_id
  order by up.distance, mr.role_id`,
);

/** What the rows say, and the organization's path. */
export interface LoadedOrganization {
  readonly facts: OrganizationFacts;
  /** Empty when there is no such organization. */
  readonly path: string;
  readonly rows: readonly OrganizationFactsRow[];
}

/** Reads them for a subject. `identifier` is the API's stored one, or `organizationItself`. */
export async function loadOrganizationFacts(
  db: Pick<Database, 'run'>,
  ask: { tenantId: string; organizationId: string; subjectId: string; identifier: string },
): Promise<LoadedOrganization> {
  const rows = await db.run(organizationFactsStatement, ask);
  return {
    facts: organizationFactsOf(ask.organizationId, rows, ask.identifier === organizationItself),
    path: rows[0]?.path ?? '',
    rows,
  };
}

/** Maps the rows to what the decision takes. */
function organizationFactsOf(
  id: string,
  rows: readonly OrganizationFactsRow[],
  ofOrganization: boolean,
): OrganizationFacts {
  const scopes = rows.flatMap((row) => {
    const listed = ofOrganization ? row.organization_scopes : row.api_scopes;
    return listed === null ? [] : listed.split(' ');
  });
  return {
    id,
    exists: rows.length > 0,
    suspended: rows.some(({ status }) => status !== 'active'),
    isMember: rows.some(({ membership_id }) => membership_id !== null),
    roleScopes: [...new Set(scopes)],
    grantListed: rows.some(({ grant_listed }) => grant_listed !== null),
    authPolicyIds: policiesInAll(rows),
  };
}

/** What every list on the way up names; null: there is none. */
function policiesInAll(rows: readonly Pick<OrganizationFactsRow, 'auth_policy_ids'>[]): readonly string[] | null {
  const texts = new Set(rows.flatMap(({ auth_policy_ids: text }) => (text === null ? [] : [text])));
  const lists = [...texts].map((text) => JSON.parse(text) as string[]);
  const [first, ...others] = lists;
  return first?.filter((id) => others.every((list) => list.includes(id))) ?? null;
}
