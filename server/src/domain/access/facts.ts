import type { Database } from '../../storage/database.ts';
import type { Schema } from '../../storage/schema.ts';
import { defineStatement, defineStatementForMany } from '../../storage/statement.ts';
import { isPublicClient } from '../clients/client.ts';
import { takesOrganization, umbrellaScopeOf } from '../resource-servers/system.ts';
import type { ClientAccessFacts, ResourceServerFacts } from './decision-facts.ts';

/**
 * The facts an authorization rests on, in one indexed query a request and never from a cache: so a rotated secret, a
 * deleted grant, a disabled client or a suspended tenant counts on the next request, on every node.
 */

/** The scopes of grant `g` at API `r`, space-joined: all of the API's, or the listed ones, in their order. */
export const grantScopes = `case when g.all_scopes = 1
    then (select string_agg(x.value, ' ' order by x.position) from scopes x
          where x.tenant_id = t.id and x.resource_server_id = r.id)
    else (select string_agg(x.value, ' ' order by y.position) from client_grant_scopes y
          join scopes x on x.tenant_id = y.tenant_id and x.id = y.scope_id
          where y.tenant_id = t.id and y.client_grant_id = g.id)
    end as grant_scopes`;

/**
 * The scopes at API `r` by the tenant-wide roles of subject `subject`, space-joined; null without any. Cross joins, since
 * SQLite keeps their order: from the few roles of the subject, where it would begin with every scope of every role.
 */
export const tenantRoleScopes = (subject: string): string => `(select string_agg(x.value, ' ' order by x.position)
    from role_assignments ra cross join role_scopes rs cross join scopes x
    where ra.tenant_id = t.id and ra.subject_id = ${subject} and rs.tenant_id = t.id and rs.role_id = ra.role_id
      and x.tenant_id = t.id and x.id = rs.scope_id and x.resource_server_id = r.id)`;

const grantJoin = `left join client_grants g on g.tenant_id = t.id and g.client_id = c.id
    and g.resource_server_id = r.id and g.subject_type = 'client'`;

type Column<Table extends keyof Schema, Name extends keyof Schema[Table]> = Schema[Table][Name] | null;

/** What every statement here tells of a client at an audience. */
export interface AccessRow {
  client_status: Column<'clients', 'status'>;
  client_type: string | null;
  client_auth_method: string | null;
  resource_server_id: string | null;
  system_kind: string | null;
  client_policy: Column<'resource_servers', 'client_policy'>;
  user_policy: Column<'resource_servers', 'user_policy'>;
  grant_id: string | null;
  organization_usage: Column<'client_grants', 'organization_usage'>;
  any_organization: Column<'client_grants', 'any_organization'>;
  grant_scopes: string | null;
  role_scopes: string | null;
}

const accessColumns = `t.status as tenant_status, c.id as client_id, c.name as client_name, c.status as client_status,
    c.type as client_type, c.created_at as client_created_at, c.first_party as client_first_party, c.auth_method as client_auth_method,
    r.id as resource_server_id, r.identifier as resource_server_identifier, r.system_kind as system_kind,
    r.signing_alg as signing_alg, r.signing_secret as signing_secret, r.client_policy as client_policy,
    r.user_policy as user_policy, g.id as grant_id, g.organization_usage as organization_usage,
    g.any_organization as any_organization, ${grantScopes}, ${tenantRoleScopes('c.id')} as role_scopes`;

interface CommonRow extends AccessRow {
  tenant_status: Schema['tenants']['status'];
  client_id: string | null;
  client_name: string | null;
  client_created_at: number | null;
  client_first_party: Column<'clients', 'first_party'>;
  resource_server_identifier: string | null;
  signing_alg: string | null;
  signing_secret: string | null;
}

export interface TokenFactsRow extends CommonRow {
  default_audience: string | null;
  client_grant_types: string | null;
  client_sign_in: string | null;
  tenant_sign_in: string;
  credential_id: string | null;
  credential_kind: Column<'credentials', 'kind'>;
  secret_hash: string | null;
  key_public_jwk: string | null;
  key_alg: string | null;
  key_kid: string | null;
  certificate_subject: string | null;
  certificate_thumbprint: string | null;
  credential_expires_at: number | null;
  token_lifetime_seconds: number | null;
  token_dialect: string | null;
  signing_kid: string | null;
}

/** What a token request asks of client `c` and its credential `k`. */
export const clientColumns = `c.grant_types as client_grant_types, c.sign_in as client_sign_in, t.sign_in as tenant_sign_in,
    k.id as credential_id, k.kind as credential_kind, k.secret_hash as secret_hash, k.public_jwk as key_public_jwk,
    k.alg as key_alg, k.kid as key_kid, k.certificate_subject as certificate_subject,
    k.certificate_thumbprint as certificate_thumbprint, k.expires_at as credential_expires_at`;

/**
 * What a token request needs to know before it is decided; one row per credential of the client. `identifier` is the
 * stored one of the resource server; null: the tenant's default audience.
 */
export const tokenFacts = defineStatementForMany<
  { tenantId: string; clientId: string; identifier: string | null },
  TokenFactsRow
>(
  'token_facts',
  ['tenantId', 'clientId', 'identifier'],
  ({ argument, selection, source }) => `select ${selection}${accessColumns},
    t.default_audience as default_audience, ${clientColumns},
    r.token_lifetime_seconds as token_lifetime_seconds, r.token_dialect as token_dialect, s.kid as signing_kid
  from ${source}tenants t
  left join clients c on c.tenant_id = t.id and c.id = ${argument('clientId')}
  left join credentials k on k.tenant_id = t.id and k.client_id = c.id and k.enabled = 1
  left join resource_servers r on r.tenant_id = t.id
    and r.identifier = coalesce(${argument('identifier')}, t.default_audience)
  ${grantJoin}
  left join signing_keys s on s.tenant_id = t.id and s.alg = r.signing_alg and s.state = 'current'
  where t.id = ${argument('tenantId')}`,
);

export interface PresentedTokenFactsRow extends CommonRow {
  signing_public_jwk: string | null;
  signing_key_alg: string | null;
  signing_key_state: Column<'signing_keys', 'state'>;
  revoked_jti: string | null;
}

/** What a presented token needs to know: of its client at its audience, of its signing key, and whether it is revoked. */
export const presentedTokenFacts = defineStatement<
  { tenantId: string; clientId: string; identifier: string; kid: string; jti: string },
  PresentedTokenFactsRow
>(
  'presented_token_facts',
  `select ${accessColumns}, s.public_jwk as signing_public_jwk, s.alg as signing_key_alg,
    s.state as signing_key_state, v.jti as revoked_jti
  from tenants t
  left join clients c on c.tenant_id = t.id and c.id = :clientId
  left join resource_servers r on r.tenant_id = t.id and r.identifier = :identifier
  ${grantJoin}
  left join signing_keys s on s.tenant_id = t.id and s.kid = :kid
  left join revoked_tokens v on v.tenant_id = t.id and v.jti = :jti
  where t.id = :tenantId`,
);

/** The default grant of third-party clients at an API: looked at only when a third-party client has none of its own. */
const defaultGrantFacts = defineStatement<
  { tenantId: string; resourceServerId: string },
  Pick<AccessRow, 'grant_id' | 'organization_usage' | 'any_organization' | 'grant_scopes'>
>(
  'default_grant_facts',
  `select g.id as grant_id, g.organization_usage as organization_usage, g.any_organization as any_organization,
    ${grantScopes}
  from client_grants g
  join resource_servers r on r.tenant_id = g.tenant_id and r.id = g.resource_server_id
  join tenants t on t.id = g.tenant_id
  where g.tenant_id = :tenantId and g.resource_server_id = :resourceServerId and g.client_id is null
    and g.subject_type = 'client'`,
);

/** What the decision takes, of a row and, for a third-party client without a grant of its own, the API's default grant. */
export async function accessFactsFrom(
  db: Pick<Database, 'run'>,
  tenantId: string,
  row: CommonRow,
): Promise<ClientAccessFacts> {
  const { grant_id, client_first_party, resource_server_id: resourceServerId } = row;
  if (grant_id !== null || client_first_party !== 0 || resourceServerId === null) return accessFactsOf(row);
  const [grant] = await db.run(defaultGrantFacts, { tenantId, resourceServerId });
  return accessFactsOf(grant === undefined ? row : { ...row, ...grant });
}

/** Maps a row to what the decision takes. */
export function accessFactsOf(row: AccessRow): ClientAccessFacts {
  return {
    clientStatus: row.client_status ?? 'disabled',
    clientIsPublic: isPublicClient({ authMethod: row.client_auth_method, type: row.client_type }),
    resourceServer: resourceServerFactsOf(row),
    grant:
      row.grant_id === null
        ? undefined
        : {
            id: row.grant_id,
            scopes: row.grant_scopes === null ? [] : row.grant_scopes.split(' '),
            organizationUsage: row.organization_usage ?? 'deny',
            anyOrganization: row.any_organization === 1,
          },
    tenantRoleScopes: row.role_scopes === null ? undefined : row.role_scopes.split(' '),
  };
}

/** Maps what a row says of the API; undefined when there is none. */
export const resourceServerFactsOf = (
  row: Pick<AccessRow, 'resource_server_id' | 'system_kind' | 'client_policy' | 'user_policy'>,
): ResourceServerFacts | undefined =>
  row.resource_server_id === null
    ? undefined
    : {
        isSystem: row.system_kind !== null,
        takesOrganization: takesOrganization(row.system_kind),
        umbrellaScope: umbrellaScopeOf(row.system_kind),
        clientPolicy: row.client_policy ?? 'deny_all',
        userPolicy: row.user_policy ?? 'deny_all',
      };
