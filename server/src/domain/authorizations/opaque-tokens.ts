/** Access tokens without an API: a random text that says something at the userinfo endpoint only. */
import { hashSecret } from '../../kernel/secrets.ts';
import type { Schema } from '../../storage/schema.ts';
import { defineStatement } from '../../storage/statement.ts';
import { clientTakes, policiesOfClient } from '../auth-policies/offer-lists.ts';
import { signInOf } from '../clients/sign-in.ts';
import type { Services } from '../context.ts';
import { restingOn } from './authorization.ts';

export type OpaqueTokenRow = Schema['opaque_tokens'];

const insert = defineStatement<Omit<OpaqueTokenRow, 'token_hash'> & { token_hash: string }>(
  'opaque_token_insert',
  `insert into opaque_tokens (tenant_id, token_hash, authorization_id, client_id, scopes, dpop_thumbprint,
    certificate_thumbprint, created_at, expires_at)
  select tenant_id, :token_hash, id, :client_id, :scopes, :dpop_thumbprint, :certificate_thumbprint, :created_at,
    :expires_at
  from authorizations where tenant_id = :tenant_id and id = :authorization_id`,
);

/** Keeps an opaque token; nothing when its authorization is over. */
export async function insertOpaqueToken(
  { db }: Pick<Services, 'db'>,
  token: string,
  row: Omit<OpaqueTokenRow, 'token_hash'>,
): Promise<void> {
  await restingOn(db.write(insert, { ...row, token_hash: hashSecret(token) }));
}

/** An opaque token with what it rests on. */
type FoundRow = OpaqueTokenRow & {
  user_id: string;
  user_status: Schema['users']['status'];
  client_name: string;
  client_status: Schema['clients']['status'];
  client_sign_in: string;
  tenant_sign_in: string;
  issuer: Schema['authorizations']['issuer'];
  organization_id: string | null;
  auth_policy_id: string | null;
};

export const opaqueTokenByHash = defineStatement<{ tenantId: string; hash: string; now: number }, FoundRow>(
  'opaque_token_find',
  `select o.tenant_id as tenant_id, o.token_hash as token_hash, o.authorization_id as authorization_id,
    o.client_id as client_id, o.scopes as scopes, o.dpop_thumbprint as dpop_thumbprint,
    o.certificate_thumbprint as certificate_thumbprint, o.created_at as created_at, o.expires_at as expires_at,
    a.user_id as user_id, a.issuer as issuer, a.organization_id as organization_id,
    a.auth_policy_id as auth_policy_id, u.status as user_status, c.name as client_name, c.status as client_status,
    c.sign_in as client_sign_in, t.sign_in as tenant_sign_in
  from opaque_tokens o
  join tenants t on t.id = o.tenant_id and t.status = 'active'
  join authorizations a on a.tenant_id = o.tenant_id and a.id = o.authorization_id and a.expires_at > :now
  join users u on u.tenant_id = a.tenant_id and u.id = a.user_id
  join clients c on c.tenant_id = a.tenant_id and c.id = a.client_id
  where o.tenant_id = :tenantId and o.token_hash = :hash and o.expires_at > :now`,
);

/** An opaque token with its user and client, unless it is over. */
export async function findOpaqueToken(services: Pick<Services, 'db' | 'clock'>, tenantId: string, token: string) {
  const args = { tenantId, hash: hashSecret(token), now: services.clock.now() };
  const [row] = await services.db.run(opaqueTokenByHash, args);
  return row;
}

/** Whether the client may use it today: it is on, and takes people who signed in as this one did. */
export const clientMayUse = (row: FoundRow): boolean =>
  row.client_status === 'active' &&
  clientTakes(policiesOfClient(signInOf(row.client_sign_in), row.tenant_sign_in), row.auth_policy_id);

const remove = defineStatement<{ tenantId: string; hash: string }>(
  'opaque_token_remove',
  'delete from opaque_tokens where tenant_id = :tenantId and token_hash = :hash',
);

/** Ends an opaque token. */
export const endOpaqueToken = async ({ db }: Pick<Services, 'db'>, tenantId: string, token: string): Promise<boolean> =>
  (await db.write(remove, { tenantId, hash: hashSecret(token) })) === 1;
