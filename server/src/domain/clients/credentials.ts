/** Client keys, and the rows of all credentials; secrets are `secrets.ts`. */
import { sql } from 'kysely';
import { DomainError, invalid, notFound } from '../../kernel/errors.ts';
import { randomAlphanumeric } from '../../kernel/random.ts';
import { assertStrongSecret, hashSecret, secretPrefix } from '../../kernel/secrets.ts';
import type { Queryable, Tx } from '../../storage/database.ts';
import { assertHoldsAllOf } from '../access/take-over.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import { organizationInReach } from '../organizations/reach.ts';
import type { CheckedCertificate } from './client-certificates.ts';
import { type CheckedKey, checkKey, type GivenKey } from './client-keys.ts';
import { type Credential, type CredentialRow, credentialOf } from './credential.ts';
import { assertClient } from './read-clients.ts';

/** Most credentials one client may have. */
const maximumCredentials = 20;

/** Throws `entity.not_found` when there is no such client. */
export async function listCredentials(
  ctx: Context,
  clientId: string,
  ...kinds: Credential['kind'][]
): Promise<Credential[]> {
  await assertClient(ctx, ctx.db.read, clientId);
  const rows = await credentialRows(ctx, ctx.db.read, clientId);
  return rows.filter(({ kind }) => kinds.includes(kind)).map(credentialOf);
}

/** Throws `entity.not_found`; client and credential are looked up together, so that a pair that does not belong misses. */
export async function getCredential(
  ctx: Context,
  clientId: string,
  id: string,
  kind: Credential['kind'] | readonly Credential['kind'][],
  db: Queryable = ctx.db.read,
): Promise<Credential> {
  const row = await db
    .selectFrom('credentials')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('client_id', '=', clientId)
    .where('id', '=', id)
    .where('kind', 'in', [kind].flat())
    .where(ofClientInReach(ctx))
    .executeTakeFirst();
  if (row === undefined) throw notFound('credential');
  return credentialOf(row);
}

const ofClientInReach = (ctx: Context) =>
  sql<boolean>`exists (select 1 from clients c where c.tenant_id = credentials.tenant_id
    and c.id = credentials.client_id and ${organizationInReach(ctx, 'c.owner_organization_id')})`;

/** Adds a client key. It counts once the client's authentication refers to it. Throws `auth.exceeds_own`, `input.invalid`. */
export async function createKey(ctx: Context, clientId: string, given: GivenKey): Promise<Credential> {
  const key = checkKey(given, '', ctx.clock.now());
  return ctx.db.transact(async (trx) => {
    await assertClient(ctx, trx, clientId);
    await assertHoldsAllOf(ctx, trx, clientId);
    const id = await insertKey(ctx, trx, clientId, key, false);
    await recordChange(ctx, trx, 'client_key.created', clientId, { details: { credential: id, kid: key.kid } });
    return getCredential(ctx, clientId, id, 'key', trx);
  });
}

/** What an authentication refers to. */
const referredTo = ['key', 'certificate'] as const;

/** Changes when a key or certificate expires (null: never). Throws `entity.not_found`, `auth.exceeds_own`, `input.invalid`. */
export async function updateCredential(
  ctx: Context,
  clientId: string,
  id: string,
  expiresAt: number | null,
): Promise<Credential> {
  if (expiresAt !== null && expiresAt <= ctx.clock.now()) throw invalid('expiresAt', 'The time must be in the future.');
  return ctx.db.transact(async (trx) => {
    const { kind } = await getCredential(ctx, clientId, id, referredTo, trx);
    await assertHoldsAllOf(ctx, trx, clientId);
    await trx
      .updateTable('credentials')
      .set({ expires_at: expiresAt, updated_at: ctx.clock.now() })
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('client_id', '=', clientId)
      .where('id', '=', id)
      .execute();
    await recordChange(ctx, trx, kindsOf[kind].updated, clientId, { details: { credential: id } });
    return getCredential(ctx, clientId, id, referredTo, trx);
  });
}

/** Removes a key or certificate that the client's authentication does not refer to. Throws `entity.not_found`, `entity.in_use`. */
export async function deleteCredential(ctx: Context, clientId: string, id: string): Promise<void> {
  await ctx.db.transact(async (trx) => {
    const { kind, kid, enabled } = await getCredential(ctx, clientId, id, referredTo, trx);
    await assertHoldsAllOf(ctx, trx, clientId);
    if (enabled) {
      throw new DomainError(
        'entity.in_use',
        'The credential is in use by the client authentication; take it out there first.',
      );
    }
    await trx
      .deleteFrom('credentials')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('client_id', '=', clientId)
      .where('id', '=', id)
      .execute();
    await recordChange(ctx, trx, kindsOf[kind].deleted, clientId, { details: { credential: id, kid } });
  });
}

/** Kinds of log events. */

const kindsOf = {
  key: { updated: 'client_key.updated', deleted: 'client_key.deleted' },
  certificate: { updated: 'client_certificate.updated', deleted: 'client_certificate.deleted' },
  secret: { updated: 'client_secret.updated', deleted: 'client_secret.deleted' },
} as const;

/** Stores the hash of a secret and returns the credential's id; a name that is not given is chosen. Throws `secret.weak`. */
export async function insertSecret(
  ctx: Context,
  trx: Tx,
  clientId: string,
  { secret, name, expiresAt = null }: { secret: string; name?: string | undefined; expiresAt?: number | null },
): Promise<string> {
  assertStrongSecret(secret, 'secret');
  return insertCredential(ctx, trx, clientId, {
    kind: 'secret',
    name: name ?? (await freeSecretName(ctx, trx, clientId)),
    secret_hash: hashSecret(secret),
    secret_prefix: secretPrefix(secret),
    expires_at: expiresAt,
    enabled: 1,
  });
}

/** Several secrets live at once while one takes over from another: `secret`, `secret 2`, … */
async function freeSecretName(ctx: Context, trx: Tx, clientId: string): Promise<string> {
  const rows = await credentialRows(ctx, trx, clientId);
  const taken = new Set(rows.filter(({ kind }) => kind === 'secret').map(({ name }) => name));
  let name = 'secret';
  for (let number = 2; taken.has(name); number += 1) name = `secret ${number}`;
  return name;
}

/** Stores a checked key and returns the credential's id. */
export function insertKey(ctx: Context, trx: Tx, clientId: string, key: CheckedKey, enabled: boolean): Promise<string> {
  return insertCredential(ctx, trx, clientId, {
    kind: 'key',
    name: key.name,
    public_jwk: key.publicJwk,
    alg: key.alg,
    kid: key.kid,
    expires_at: key.expiresAt,
    enabled: enabled ? 1 : 0,
  });
}

/** Stores a checked certificate and returns the credential's id. */
export function insertCertificate(
  ctx: Context,
  trx: Tx,
  clientId: string,
  certificate: CheckedCertificate,
  enabled: boolean,
): Promise<string> {
  return insertCredential(ctx, trx, clientId, {
    kind: 'certificate',
    name: certificate.name,
    certificate_subject: certificate.subject,
    certificate_thumbprint: certificate.thumbprint,
    expires_at: certificate.expiresAt,
    enabled: enabled ? 1 : 0,
  });
}

async function insertCredential(
  ctx: Context,
  trx: Tx,
  clientId: string,
  columns: Partial<CredentialRow> & Pick<CredentialRow, 'kind' | 'name' | 'enabled'>,
): Promise<string> {
  const existing = await credentialRows(ctx, trx, clientId);
  if (existing.length >= maximumCredentials) {
    throw invalid('keys', `A client has at most ${maximumCredentials} credentials; remove one first.`);
  }
  if (columns.kind === 'key' && existing.some((row) => row.kid === columns.kid)) {
    throw new DomainError('entity.exists', 'The client has a credential with this kid already.', { path: 'kid' });
  }
  if (columns.kind === 'certificate' && existing.some((row) => isSameCertificate(row, columns))) {
    throw new DomainError('entity.exists', 'The client has this certificate already.', { path: 'certificate' });
  }
  const now = ctx.clock.now();
  const id = `cred_${randomAlphanumeric(ctx.random, 22)}`;
  await trx
    .insertInto('credentials')
    .values({
      tenant_id: ctx.site.tenantId,
      client_id: clientId,
      id,
      secret_hash: null,
      secret_prefix: null,
      public_jwk: null,
      alg: null,
      kid: null,
      certificate_subject: null,
      certificate_thumbprint: null,
      expires_at: null,
      last_used_at: null,
      created_at: now,
      updated_at: now,
      ...columns,
    })
    .execute();
  return id;
}

const isSameCertificate = (row: CredentialRow, columns: Partial<CredentialRow>): boolean =>
  row.kind === 'certificate' &&
  row.certificate_subject === (columns.certificate_subject ?? null) &&
  row.certificate_thumbprint === (columns.certificate_thumbprint ?? null);

export function credentialRows(ctx: Context, db: Queryable, clientId: string): Promise<CredentialRow[]> {
  return db
    .selectFrom('credentials')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('client_id', '=', clientId)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
}
