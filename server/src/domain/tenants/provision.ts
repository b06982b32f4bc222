/** What every tenant begins with: signing keys, the two system resource servers, one management client. */
import { randomAlphanumeric, randomHex } from '../../kernel/random.ts';
import { generateSecret, hashSecret, secretPrefix } from '../../kernel/secrets.ts';
import type { Tx } from '../../storage/database.ts';
import type { Schema } from '../../storage/schema.ts';
import { ensureAdministratorRole } from '../administrators/administrators.ts';
import type { Services } from '../context.ts';
import { insertSigningKeys, makeSigningKey } from '../keys/keys.ts';
import { replaceScopes } from '../resource-servers/scopes.ts';
import { type SystemApi, storedIdentifier, systemScopesOf } from '../resource-servers/system.ts';
import { roleNameKey } from '../roles/role.ts';
import { defaultTenantId } from './sites.ts';
import type { Tenant } from './tenant.ts';

/** The first management client of a tenant; its secret is shown once. */
export interface FirstClient {
  clientId: string;
  clientSecret: string;
}

/** What is made before the transaction, because it takes long. */
export interface Provision {
  tenant: Pick<Tenant, 'id' | 'name' | 'environment'>;
  keys: Schema['signing_keys'][];
  firstClient: FirstClient;
}

export async function prepareTenant(
  services: Services,
  tenant: Provision['tenant'],
  given?: FirstClient,
): Promise<Provision> {
  const keys = await Promise.all([
    makeSigningKey(services, tenant.id, 'RS256', 'current'),
    makeSigningKey(services, tenant.id, 'RS256', 'next'),
  ]);
  const firstClient = given ?? {
    clientId: randomAlphanumeric(services.random, 32),
    clientSecret: generateSecret(services.random),
  };
  return { tenant, keys, firstClient };
}

/** Inserts the tenant and all it begins with; false when it exists already, and then nothing is written. */
export async function insertTenant(services: Services, trx: Tx, provision: Provision): Promise<boolean> {
  const { tenant, keys, firstClient } = provision;
  const now = services.clock.now();
  const inserted = await trx
    .insertInto('tenants')
    .values({
      ...tenant,
      status: 'active',
      default_audience: null,
      extras: '{}',
      sign_in: '{}',
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  if (inserted === undefined) return false;
  await insertSigningKeys(trx, keys);
  for (const api of services.systemApis) {
    const id = randomHex(services.random, 12);
    await trx
      .insertInto('resource_servers')
      .values({
        tenant_id: tenant.id,
        id,
        identifier: storedIdentifier(api.kind),
        system_kind: api.kind,
        name: api.name,
        signing_alg: 'RS256',
        signing_secret: null,
        token_lifetime_seconds: 86_400,
        token_dialect: 'rfc9068_profile',
        client_policy: 'require_client_grant',
        user_policy: 'require_client_grant',
        extras: '{}',
        created_at: now,
        updated_at: now,
      })
      .execute();
    await replaceScopes(services, trx, tenant.id, id, systemScopes(api, tenant.id));
    await ensureRole(services, trx, tenant.id, api, id);
  }
  await ensureAdministratorRole(services, trx, tenant.id);
  await insertManagementClient(services, trx, tenant.id, firstClient);
  return true;
}

/** A client that holds every scope of both management audiences. */
export async function insertManagementClient(
  services: Services,
  trx: Tx,
  tenantId: string,
  client: FirstClient,
): Promise<void> {
  const now = services.clock.now();
  const times = { created_at: now, updated_at: now };
  await trx
    .insertInto('clients')
    .values({
      tenant_id: tenantId,
      id: client.clientId,
      name: 'Management client',
      description: 'The first client. It holds every scope of both management audiences.',
      type: 'machine',
      status: 'active',
      first_party: 1,
      grant_types: '["client_credentials"]',
      auth_method: null,
      resource_server_id: null,
      metadata: '{}',
      extras: '{}',
      sign_in: '{}',
      owner_organization_id: null,
      ...times,
    })
    .execute();
  await trx
    .insertInto('credentials')
    .values({
      tenant_id: tenantId,
      client_id: client.clientId,
      id: `cred_${randomAlphanumeric(services.random, 22)}`,
      kind: 'secret',
      name: 'secret',
      secret_hash: hashSecret(client.clientSecret),
      secret_prefix: secretPrefix(client.clientSecret),
      public_jwk: null,
      alg: null,
      kid: null,
      enabled: 1,
      expires_at: null,
      last_used_at: null,
      ...times,
    })
    .execute();
  const apis = await trx
    .selectFrom('resource_servers')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('system_kind', 'is not', null)
    .execute();
  for (const api of apis) {
    await trx
      .insertInto('client_grants')
      .values({
        tenant_id: tenantId,
        id: `cgr_${randomAlphanumeric(services.random, 16)}`,
        client_id: client.clientId,
        resource_server_id: api.id,
        subject_type: 'client',
        all_scopes: 1,
        organization_usage: null,
        any_organization: null,
        extras: '{}',
        ...times,
      })
      .execute();
  }
}

const systemScopes = (api: SystemApi, tenantId: string) =>
  systemScopesOf(api, tenantId === defaultTenantId).map(({ value, description }) => ({ value, description }));

/** The role of a management audience; one of its name that is there already stays as it is. */
async function ensureRole(
  services: Services,
  trx: Tx,
  tenantId: string,
  api: SystemApi,
  resourceServerId: string,
): Promise<void> {
  if (api.role === undefined || api.umbrellaScope === undefined) return;
  const id = `rol_${randomAlphanumeric(services.random, 16)}`;
  const now = services.clock.now();
  const inserted = await trx
    .insertInto('roles')
    .values({
      tenant_id: tenantId,
      id,
      ...api.role,
      name_key: roleNameKey(api.role.name),
      level: 'tenant',
      subject_kind: 'client',
      is_default: 0,
      is_owner: 0,
      extras: '{}',
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  if (inserted === undefined) return;
  const { id: scope_id } = await trx
    .selectFrom('scopes')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('resource_server_id', '=', resourceServerId)
    .where('value', '=', api.umbrellaScope)
    .executeTakeFirstOrThrow();
  await trx.insertInto('role_scopes').values({ tenant_id: tenantId, role_id: id, scope_id }).execute();
}

/** Brings the scopes and roles of the system resource servers of every tenant to this release's list. */
export async function syncSystemScopes(services: Services, trx: Tx): Promise<void> {
  const stored = await trx
    .selectFrom('resource_servers')
    .select(['tenant_id', 'id', 'system_kind'])
    .where('system_kind', 'is not', null)
    .execute();
  for (const { tenant_id, id, system_kind } of stored) {
    const api = services.systemApis.find(({ kind }) => kind === system_kind);
    if (api === undefined) continue;
    await replaceScopes(services, trx, tenant_id, id, systemScopes(api, tenant_id));
    await ensureRole(services, trx, tenant_id, api, id);
  }
  for (const tenantId of new Set(stored.map(({ tenant_id }) => tenant_id))) {
    await ensureAdministratorRole(services, trx, tenantId);
  }
}
