/** Clients: the applications that ask for tokens, and how each proves itself. */
import { invalid } from '../../kernel/errors.ts';
import { randomAlphanumeric } from '../../kernel/random.ts';
import { generateSecret } from '../../kernel/secrets.ts';
import type { Tx } from '../../storage/database.ts';
import { assertAdministratorRemains } from '../access/management-scopes.ts';
import { managementScopesOfRoles, rolesOfSubject } from '../access/role-scopes.ts';
import { assertHoldsAllOf } from '../access/take-over.ts';
import { assertMayListPolicies } from '../auth-policies/references.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import { removeSubject } from '../memberships/memberships.ts';
import { watchOwners } from '../organizations/owners.ts';
import { type ClientSettings, credentialKindOf, isPublicClient } from './client.ts';
import { checkCertificate, type GivenCertificate } from './client-certificates.ts';
import { columnsOf, settingsOf } from './client-columns.ts';
import { type CheckedKey, checkKey, type GivenKey } from './client-keys.ts';
import type { CredentialRow } from './credential.ts';
import { credentialRows, insertCertificate, insertKey, insertSecret } from './credentials.ts';
import { replaceOrigins } from './origins.ts';
import { assertMayBecome, ownerOf } from './owner.ts';
import { type ClientWithKeys, loadClient } from './read-clients.ts';
import { replaceSecrets } from './secrets.ts';
import { sameSignIn } from './sign-in.ts';
import { assertSignIn } from './sign-in-rules.ts';

/** `keyIds` are the keys or certificates its authentication refers to from now on; `secret` a supplied new one. */
export type ClientChange = Partial<ClientSettings> & { keyIds?: readonly string[]; secret?: string };

/** `secretName`: of the one that is made, `secret` when absent. */
export type NewClient = { name: string } & Partial<ClientSettings> & {
    id?: string;
    secret?: string;
    secretName?: string;
    keys?: readonly GivenKey[];
    certificates?: readonly GivenCertificate[];
    ownerOrganizationId?: string | null | undefined;
  };

/**
 * Creates a client. A confidential one gets a secret (returned once) unless it authenticates with keys or certificates. A delegated
 * caller makes machine clients, which its own organization owns unless another one below it is named. Throws
 * `input.invalid`, `entity.reference_not_found`, `auth.organization_token`.
 */
export async function createClient(ctx: Context, input: NewClient): Promise<ClientWithKeys> {
  const keys = checkKeys(ctx, input.keys ?? []);
  const certificates = (input.certificates ?? []).map((given, index) =>
    checkCertificate(given, `certificates.${index}.`, ctx.clock.now()),
  );
  const settings = settingsOf(input);
  assertMayBecome(ctx, settings);
  assertSignIn(ctx.sites, settings);
  if (settings.authMethod === 'private_key_jwt' && keys.length === 0) {
    throw invalid('keys', 'private_key_jwt needs at least one key.');
  }
  if (credentialKindOf(settings) === 'certificate' && certificates.length === 0) {
    throw invalid('certificates', `${settings.authMethod} needs at least one certificate.`);
  }
  const needsSecret = credentialKindOf(settings) === undefined && !isPublicClient(settings);
  const secret = needsSecret ? (input.secret ?? generateSecret(ctx.random)) : undefined;
  const id = input.id ?? randomAlphanumeric(ctx.random, 32);
  return ctx.db.transact(async (trx) => {
    await assertMayListPolicies(ctx, trx, { before: null, after: settings.signIn.authPolicyIds });
    const now = ctx.clock.now();
    await trx
      .insertInto('clients')
      .values({
        tenant_id: ctx.site.tenantId,
        id,
        owner_organization_id: await ownerOf(ctx, trx, input.ownerOrganizationId),
        created_at: now,
        updated_at: now,
        ...(await columnsOf(ctx, trx, settings)),
      })
      .execute();
    for (const key of keys) await insertKey(ctx, trx, id, key, true);
    for (const certificate of certificates) await insertCertificate(ctx, trx, id, certificate, true);
    await replaceOrigins(ctx, trx, id, settings.signIn);
    if (secret !== undefined) await insertSecret(ctx, trx, id, { secret, name: input.secretName });
    await recordChange(ctx, trx, 'client.created', id);
    return { ...(await loadClient(ctx, trx, id)), ...(secret === undefined ? {} : { secret }) };
  });
}

/**
 * Changes a client; what is absent stays. The change is made of what is stored at that moment, so that of two at once
 * neither is lost. A client that goes back from keys to secrets and has none gets one, returned once.
 * Throws `entity.not_found`, `input.invalid`, `secret.weak`, `auth.exceeds_own`, `auth.organization_token`,
 * `client.last_administrator`, `organization.last_owner`.
 */
export async function updateClient(
  ctx: Context,
  id: string,
  changeOf: (before: ClientWithKeys) => ClientChange,
): Promise<ClientWithKeys> {
  return ctx.db.transact(async (trx) => {
    const before = await loadClient(ctx, trx, id);
    const change = changeOf(before);
    const settings = settingsOf({
      ...before,
      ...Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)),
    });
    const keyIds = change.keyIds ?? before.keyIds;
    assertMayBecome(ctx, settings, before);
    const changesSignIn = !sameSignIn(before.signIn, settings.signIn);
    if (changesSignIn || before.type !== settings.type) assertSignIn(ctx.sites, settings);
    const lists = { before: before.signIn.authPolicyIds, after: settings.signIn.authPolicyIds };
    await assertMayListPolicies(ctx, trx, lists);
    const disabled = before.status === 'active' && settings.status !== 'active';
    const assertOwnersRemain = disabled ? await watchOwners(ctx, trx, { subjectId: id }) : undefined;
    if (changesWhoActs(before, settings, change)) await assertHoldsAllOf(ctx, trx, id);
    await trx
      .updateTable('clients')
      .set({ ...(await columnsOf(ctx, trx, settings)), updated_at: ctx.clock.now() })
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', '=', id)
      .execute();
    if (changesSignIn) await replaceOrigins(ctx, trx, id, settings.signIn);
    await enableCredentials(ctx, trx, id, settings, keyIds);
    const secret = await secretAfter(ctx, trx, id, settings, change.secret);
    await recordChange(ctx, trx, 'client.updated', id, { details: { fields: Object.keys(change) } });
    if (canAskForTokens(before) && !canAskForTokens(settings)) await assertAdministratorRemains(ctx, trx);
    await assertOwnersRemain?.();
    return { ...(await loadClient(ctx, trx, id)), ...(secret === undefined ? {} : { secret }) };
  });
}

/**
 * Deletes a client with its credentials, grants, roles and memberships; its users go on as nobody's. Throws
 * `entity.not_found`, `client.last_administrator`, `organization.last_owner`.
 */
export async function deleteClient(ctx: Context, id: string): Promise<void> {
  await ctx.db.transact(async (trx) => {
    await loadClient(ctx, trx, id);
    const managed = await hasManagementScopes(ctx, trx, id);
    await removeSubject(ctx, trx, id);
    const users = trx.updateTable('users').set({ client_id: null }).where('tenant_id', '=', ctx.site.tenantId);
    await users.where('client_id', '=', id).execute();
    await trx.deleteFrom('clients').where('tenant_id', '=', ctx.site.tenantId).where('id', '=', id).execute();
    await recordChange(ctx, trx, 'client.deleted', id);
    if (managed) await assertAdministratorRemains(ctx, trx);
  });
}

/** Whether a grant or a role gives the client anything at a management audience. */
async function hasManagementScopes(ctx: Context, trx: Tx, id: string): Promise<boolean> {
  const grant = await trx
    .selectFrom('client_grants as g')
    .innerJoin('resource_servers as r', (join) =>
      join.onRef('r.tenant_id', '=', 'g.tenant_id').onRef('r.id', '=', 'g.resource_server_id'),
    )
    .select('g.id')
    .where('g.tenant_id', '=', ctx.site.tenantId)
    .where('g.client_id', '=', id)
    .where('r.system_kind', 'is not', null)
    .executeTakeFirst();
  if (grant !== undefined) return true;
  const roles = await rolesOfSubject(ctx, trx, id);
  const roleIds = roles.map(({ roleId }) => roleId);
  return (await managementScopesOfRoles(ctx, trx, roleIds)).size > 0;
}

const checkKeys = (ctx: Context, given: readonly GivenKey[]): CheckedKey[] =>
  given.map((key, index) => checkKey(key, `keys.${index}.`, ctx.clock.now()));

/** Without one of these a client gets no token, whatever its grants say. */
const canAskForTokens = (client: Pick<ClientSettings, 'status' | 'grantTypes' | 'authMethod' | 'type'>): boolean =>
  client.status === 'active' && !isPublicClient(client) && client.grantTypes.includes('client_credentials');

/**
 * Whoever does one of these could afterwards act as the client, or have its codes and tokens sent elsewhere, so must hold
 * what it holds.
 */
const changesWhoActs = (
  before: ClientWithKeys,
  after: ClientSettings,
  change: { keyIds?: readonly string[]; secret?: string },
): boolean =>
  change.secret !== undefined ||
  before.authMethod !== after.authMethod ||
  before.status !== after.status ||
  before.type !== after.type ||
  before.firstParty !== after.firstParty ||
  [...before.grantTypes].sort().join() !== [...after.grantTypes].sort().join() ||
  !sameSignIn(before.signIn, after.signIn) ||
  isPublicClient(before) !== isPublicClient(after) ||
  (change.keyIds !== undefined && change.keyIds.join() !== before.keyIds.join());

/** Makes exactly `ids` the keys or certificates that count, where its method uses any; each must be one of this client. */
async function enableCredentials(
  ctx: Context,
  trx: Tx,
  clientId: string,
  settings: ClientSettings,
  ids: readonly string[],
): Promise<void> {
  const rows = (await credentialRows(ctx, trx, clientId)).filter(({ kind }) => kind !== 'secret');
  const counting = credentialKindOf(settings) === undefined ? [] : ids;
  const foreign = counting.find((id) => !rows.some((row) => row.id === id && fitsMethod(row, settings)));
  if (foreign !== undefined) throw invalid('keys', `The client has no credential ${foreign} for its authentication.`);
  for (const row of rows) {
    const enabled = counting.includes(row.id) ? 1 : 0;
    if (row.enabled === enabled) continue;
    await trx
      .updateTable('credentials')
      .set({ enabled, updated_at: ctx.clock.now() })
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('client_id', '=', clientId)
      .where('id', '=', row.id)
      .execute();
  }
}

/** A subject is for one method of certificates, a thumbprint for the other. */
function fitsMethod(row: CredentialRow, { authMethod }: ClientSettings): boolean {
  if (authMethod === 'private_key_jwt') return row.kind === 'key';
  return (row.certificate_subject !== null) === (authMethod === 'tls_client_auth') && row.kind === 'certificate';
}

/** Brings the secrets in line with how the client authenticates now; returns a secret that was made for it. */
async function secretAfter(
  ctx: Context,
  trx: Tx,
  clientId: string,
  settings: ClientSettings,
  supplied: string | undefined,
): Promise<string | undefined> {
  if (supplied !== undefined) {
    await replaceSecrets(ctx, trx, clientId, supplied, 0);
    return undefined;
  }
  if (isPublicClient(settings) || credentialKindOf(settings) !== undefined) return undefined;
  const rows = await credentialRows(ctx, trx, clientId);
  if (rows.some(({ kind }) => kind === 'secret')) return undefined;
  const secret = generateSecret(ctx.random);
  await insertSecret(ctx, trx, clientId, { secret });
  return secret;
}
