import type { Schema } from '../../storage/schema.ts';
import { defineStatement } from '../../storage/statement.ts';
import { type AccessRow, tenantRoleScopes } from './facts.ts';

/** What the statement answers: one row, or none. */
export interface UserFactsRow
  extends Pick<AccessRow, 'resource_server_id' | 'system_kind' | 'client_policy' | 'user_policy' | 'role_scopes'> {
  user_status: Schema['users']['status'];
  /** Space-joined scopes at the API by the roles in every organization that is not suspended, nor below one that is. */
  organization_role_scopes: string | null;
}

/**
 * What a user is at an API without an organization; none when there is no such user. Cross joins, since SQLite keeps
 * their order: from the user's own memberships.
 */
export const userFacts = defineStatement<{ tenantId: string; userId: string; identifier: string }, UserFactsRow>(
  'user_facts',
  `select u.status as user_status, r.id as resource_server_id, r.system_kind as system_kind,
    r.client_policy as client_policy, r.user_policy as user_policy, ${tenantRoleScopes('u.id')} as role_scopes,
    (select string_agg(held.value, ' ') from (select distinct x.value
      from memberships m cross join organizations o cross join membership_roles mr cross join role_scopes rs
        cross join scopes x
      where m.tenant_id = t.id and m.subject_id = u.id and o.tenant_id = t.id and o.id = m.organization_id
        and mr.tenant_id = t.id and mr.membership_id = m.id and rs.tenant_id = t.id and rs.role_id = mr.role_id
        and x.tenant_id = t.id and x.id = rs.scope_id and x.resource_server_id = r.id
        and not exists (select 1 from organizations a where a.tenant_id = t.id and a.status = 'suspended'
          and a.path <= o.path and substr(o.path, 1, length(a.path)) = a.path)) held) as organization_role_scopes
  from tenants t
  join users u on u.tenant_id = t.id and u.id = :userId
  left join resource_servers r on r.tenant_id = t.id and r.identifier = :identifier
  where t.id = :tenantId`,
);
