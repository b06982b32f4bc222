import { type ExpressionBuilder, sql } from 'kysely';
import type { Schema } from '../../storage/database.ts';
import { defineStatement } from '../../storage/statement.ts';
import { isPublicClient } from '../clients/client.ts';
import type { ClientAccessFacts } from './decide.ts';

/**
 * The facts an authorization rests on, in one indexed query a request and never from a cache: so a rotated secret, a
 * deleted grant, a disabled client or a suspended tenant counts on the next request, on every node.
 */

/** What a token request needs to know before it is decided. One row per credential of the client. */
export const tokenFacts = defineStatement<TokenFactsArguments>()('token_facts', (q, arg) =>
  q
    .selectFrom('tenants as t')
    .leftJoin('clients as c', (join) => join.onRef('c.tenant_id', '=', 't.id').on('c.id', '=', arg('clientId')))
    .leftJoin('credentials as k', (join) =>
      join.onRef('k.tenant_id', '=', 't.id').onRef('k.client_id', '=', 'c.id').on('k.enabled', '=', 1),
    )
    .leftJoin('resource_servers as r', (join) =>
      join
        .onRef('r.tenant_id', '=', 't.id')
        .on('r.identifier', '=', sql<string>`coalesce(${arg('identifier')}, t.default_audience)`),
    )
    .leftJoin('client_grants as g', (join) =>
      join
        .onRef('g.tenant_id', '=', 't.id')
        .onRef('g.client_id', '=', 'c.id')
        .onRef('g.resource_server_id', '=', 'r.id')
        .on('g.subject_type', '=', 'client'),
    )
    .leftJoin('signing_keys as s', (join) =>
      join.onRef('s.tenant_id', '=', 't.id').onRef('s.alg', '=', 'r.signing_alg').on('s.state', '=', 'current'),
    )
    .where('t.id', '=', arg('tenantId'))
    .select([
      't.status as tenant_status',
      't.default_audience as default_audience',
      'c.id as client_id',
      'c.name as client_name',
      'c.status as client_status',
      'c.type as client_type',
      'c.first_party as client_first_party',
      'c.auth_method as client_auth_method',
      'c.grant_types as client_grant_types',
      'k.id as credential_id',
      'k.kind as credential_kind',
      'k.secret_hash as secret_hash',
      'k.public_jwk as key_public_jwk',
      'k.alg as key_alg',
      'k.kid as key_kid',
      'k.expires_at as credential_expires_at',
      'r.id as resource_server_id',
      'r.identifier as resource_server_identifier',
      'r.system_kind as system_kind',
      'r.signing_alg as signing_alg',
      'r.signing_secret as signing_secret',
      'r.token_lifetime_seconds as token_lifetime_seconds',
      'r.token_dialect as token_dialect',
      'r.client_policy as client_policy',
      'g.id as grant_id',
      'g.organization_usage as organization_usage',
      's.kid as signing_kid',
    ])
    .select((eb) => grantScopes(eb).as('grant_scopes')),
);

export interface TokenFactsArguments {
  tenantId: string;
  clientId: string;
  /** Stored identifier of the resource server; null: the tenant's default audience. */
  identifier: string | null;
}

/** What a presented token needs to know: of its client at its audience, of its signing key, and whether it is revoked. */
export const presentedTokenFacts = defineStatement<PresentedTokenFactsArguments>()('presented_token_facts', (q, arg) =>
  q
    .selectFrom('tenants as t')
    .leftJoin('clients as c', (join) => join.onRef('c.tenant_id', '=', 't.id').on('c.id', '=', arg('clientId')))
    .leftJoin('resource_servers as r', (join) =>
      join.onRef('r.tenant_id', '=', 't.id').on('r.identifier', '=', arg('identifier')),
    )
    .leftJoin('client_grants as g', (join) =>
      join
        .onRef('g.tenant_id', '=', 't.id')
        .onRef('g.client_id', '=', 'c.id')
        .onRef('g.resource_server_id', '=', 'r.id')
        .on('g.subject_type', '=', 'client'),
    )
    .leftJoin('signing_keys as s', (join) => join.onRef('s.tenant_id', '=', 't.id').on('s.kid', '=', arg('kid')))
    .leftJoin('revoked_tokens as v', (join) => join.onRef('v.tenant_id', '=', 't.id').on('v.jti', '=', arg('jti')))
    .where('t.id', '=', arg('tenantId'))
    .select([
      't.status as tenant_status',
      'c.id as client_id',
      'c.name as client_name',
      'c.status as client_status',
      'c.type as client_type',
      'c.first_party as client_first_party',
      'c.auth_method as client_auth_method',
      'r.id as resource_server_id',
      'r.identifier as resource_server_identifier',
      'r.system_kind as system_kind',
      'r.signing_alg as signing_alg',
      'r.signing_secret as signing_secret',
      'r.client_policy as client_policy',
      'g.id as grant_id',
      'g.organization_usage as organization_usage',
      's.public_jwk as signing_public_jwk',
      's.alg as signing_key_alg',
      's.state as signing_key_state',
      'v.jti as revoked_jti',
    ])
    .select((eb) => grantScopes(eb).as('grant_scopes')),
);

export interface PresentedTokenFactsArguments {
  tenantId: string;
  clientId: string;
  identifier: string;
  kid: string;
  jti: string;
}

/** The default grant of third-party clients at an API: looked at only when a third-party client has none of its own. */
export const defaultGrantFacts = defineStatement<{ tenantId: string; resourceServerId: string }>()(
  'default_grant_facts',
  (q, arg) =>
    q
      .selectFrom('client_grants as g')
      .innerJoin('resource_servers as r', (join) =>
        join.onRef('r.tenant_id', '=', 'g.tenant_id').onRef('r.id', '=', 'g.resource_server_id'),
      )
      .innerJoin('tenants as t', 't.id', 'g.tenant_id')
      .where('g.tenant_id', '=', arg('tenantId'))
      .where('g.resource_server_id', '=', arg('resourceServerId'))
      .where('g.client_id', 'is', null)
      .where('g.subject_type', '=', 'client')
      .select(['g.id as grant_id', 'g.organization_usage as organization_usage'])
      .select((eb) => grantScopes(eb).as('grant_scopes')),
);

/** The scopes of grant `g` at API `r`, space-joined: all of the API's, or the listed ones, in their order. */
function grantScopes(eb: ExpressionBuilder<GrantAndApi, 'g' | 'r' | 't'>) {
  const all = sql<string | null>`(select string_agg(x.value, ' ' order by x.position) from scopes as x
    where x.tenant_id = t.id and x.resource_server_id = r.id)`;
  const listed = sql<string | null>`(select string_agg(x.value, ' ' order by y.position)
    from client_grant_scopes as y join scopes as x on x.tenant_id = y.tenant_id and x.id = y.scope_id
    where y.tenant_id = t.id and y.client_grant_id = g.id)`;
  return eb.case().when('g.all_scopes', '=', 1).then(all).else(listed).end();
}

type GrantAndApi = {
  g: Schema['client_grants'];
  r: Schema['resource_servers'];
  t: Schema['tenants'];
};

/** The columns both statements share, as Kysely gives them. */
export interface AccessRow {
  client_status: 'active' | 'disabled' | null;
  client_type: string | null;
  client_auth_method: string | null;
  resource_server_id: string | null;
  system_kind: string | null;
  client_policy: 'require_client_grant' | 'deny_all' | null;
  grant_id: string | null;
  organization_usage: 'deny' | 'allow' | 'require' | null;
  grant_scopes: string | null;
}

/** Maps a row to what the decision takes. */
export function accessFactsOf(row: AccessRow): ClientAccessFacts {
  return {
    clientStatus: row.client_status ?? 'disabled',
    clientIsPublic: isPublicClient({ authMethod: row.client_auth_method, type: row.client_type }),
    resourceServer:
      row.resource_server_id === null
        ? undefined
        : {
            isSystem: row.system_kind !== null,
            takesOrganization: row.system_kind !== 'api_v2',
            clientPolicy: row.client_policy ?? 'deny_all',
          },
    grant:
      row.grant_id === null
        ? undefined
        : {
            id: row.grant_id,
            scopes: row.grant_scopes === null ? [] : row.grant_scopes.split(' '),
            organizationUsage: row.organization_usage ?? 'deny',
          },
  };
}
