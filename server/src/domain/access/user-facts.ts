import type { Schema } from '../../storage/schema.ts';
import { defineStatement } from '../../storage/statement.ts';
import { policiesOfClient } from '../auth-policies/offer-lists.ts';
import { isPublicClient } from '../clients/client.ts';
import { signInOf } from '../clients/sign-in.ts';
import type { UserAccessFacts } from './decision-facts.ts';
import { type AccessRow, grantScopes, resourceServerFactsOf, tenantRoleScopes } from './facts.ts';

/** What the statement answers: one row, or none. */
export interface UserFactsRow
  extends Pick<AccessRow, 'resource_server_id' | 'system_kind' | 'client_policy' | 'user_policy' | 'role_scopes'> {
  user_status: Schema['users']['status'];
  /**
   * Space-joined scopes at the API by the roles in every organization that is not suspended, nor below one that is, and
   * that takes the policy the person signed in by.
   */
  organization_role_scopes: string | null;
}

/**
 * What a user is at an API without an organization; none when there is no such user. Cross joins, since SQLite keeps
 * their order: from the user's own memberships.
 */
const userColumns = `u.status as user_status, r.id as resource_server_id, r.system_kind as system_kind,
    r.client_policy as client_policy, r.user_policy as user_policy, ${tenantRoleScopes('u.id')} as role_scopes,
    (select string_agg(held.value, ' ') from (select distinct x.value
      from memberships m cross join organizations o cross join membership_roles mr cross join role_scopes rs
        cross join scopes x
      where m.tenant_id = t.id and m.subject_id = u.id and o.tenant_id = t.id and o.id = m.organization_id
        and mr.tenant_id = t.id and mr.membership_id = m.id and rs.tenant_id = t.id and rs.role_id = mr.role_id
        and x.tenant_id = t.id and x.id = rs.scope_id and x.resource_server_id = r.id
        and not exists (select 1 from organizations a where a.tenant_id = t.id and a.status = 'suspended'
          and a.path <= o.path and substr(o.path, 1, length(a.path)) = a.path)
        and not exists (select 1 from organizations a where a.tenant_id = t.id and a.auth_policy_ids is not null
          and :signedInBy <> '' and replace(a.auth_policy_ids, '"' || :signedInBy || '"', '') = a.auth_policy_ids
          and a.path <= o.path and substr(o.path, 1, length(a.path)) = a.path)) held) as organization_role_scopes`;

/** Of the argument `signedInBy`: it is not asked by which policy the person signed in. */
export const anyPolicy = '';

export const userFacts = defineStatement<
  { tenantId: string; userId: string; identifier: string; signedInBy: string },
  UserFactsRow
>(
  'user_facts',
  `select ${userColumns}
  from tenants t
  join users u on u.tenant_id = t.id and u.id = :userId
  left join resource_servers r on r.tenant_id = t.id and r.identifier = :identifier
  where t.id = :tenantId`,
);

/** What a token for a user needs to know, beside what the client's own request tells of the client. */
export interface UserTokenFactsRow extends UserFactsRow {
  tenant_status: Schema['tenants']['status'];
  resource_server_identifier: string | null;
  signing_alg: string | null;
  signing_secret: string | null;
  token_lifetime_seconds: number | null;
  token_dialect: string | null;
  signing_kid: string | null;
  client_status: Schema['clients']['status'] | null;
  client_type: string | null;
  client_auth_method: string | null;
  client_first_party: number | null;
  client_sign_in: string | null;
  tenant_sign_in: string;
  /** The client's grant for people at the API; null when there is none. */
  grant_id: string | null;
  grant_scopes: string | null;
}

/** What a user is at an API through a client; none when there is no such user. */
export const userTokenFacts = defineStatement<
  { tenantId: string; userId: string; clientId: string; identifier: string; signedInBy: string },
  UserTokenFactsRow
>(
  'user_token_facts',
  `select ${userColumns}, t.status as tenant_status, r.identifier as resource_server_identifier,
    r.signing_alg as signing_alg, r.signing_secret as signing_secret,
    r.token_lifetime_seconds as token_lifetime_seconds, r.token_dialect as token_dialect, s.kid as signing_kid,
    c.status as client_status, c.type as client_type, c.auth_method as client_auth_method,
    c.first_party as client_first_party, c.sign_in as client_sign_in, t.sign_in as tenant_sign_in, g.id as grant_id, ${grantScopes}
  from tenants t
  join users u on u.tenant_id = t.id and u.id = :userId
  left join clients c on c.tenant_id = t.id and c.id = :clientId
  left join resource_servers r on r.tenant_id = t.id and r.identifier = :identifier
  left join client_grants g on g.tenant_id = t.id and g.client_id = c.id and g.resource_server_id = r.id
    and g.subject_type = 'user'
  left join signing_keys s on s.tenant_id = t.id and s.alg = r.signing_alg and s.state = 'current'
  where t.id = :tenantId`,
);

const split = (scopes: string | null): string[] => (scopes === null ? [] : scopes.split(' '));

/** Maps a row to what the decision takes; `ofOrganization`: the organization itself is the audience. */
export const userAccessFactsOf = (row: UserTokenFactsRow, ofOrganization: boolean): UserAccessFacts => ({
  userStatus: row.user_status,
  resourceServer: ofOrganization ? 'organization' : resourceServerFactsOf(row),
  tenantRoleScopes: split(row.role_scopes),
  anyOrganizationScopes: split(row.organization_role_scopes),
  client: {
    status: row.client_status ?? 'disabled',
    isPublic: isPublicClient({ authMethod: row.client_auth_method, type: row.client_type }),
    firstParty: row.client_first_party === 1,
    userGrantScopes: row.grant_id === null ? undefined : split(row.grant_scopes),
    offeredPolicyIds: policiesOfClient(signInOf(row.client_sign_in ?? '{}'), row.tenant_sign_in),
  },
});
