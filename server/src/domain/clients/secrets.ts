/**
 * Client secrets: several may live at once, each with a name, and an expiry if it is to have one. Added, rotated, renamed
 * and removed; their value is returned once and never shown again.
 */
import { DomainError, invalid, notFound } from '../../kernel/errors.ts';
import { generateSecret } from '../../kernel/secrets.ts';
import type { Tx } from '../../storage/database.ts';
import { assertHoldsAllOf } from '../access/take-over.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import { credentialKindOf, isPublicClient } from './client.ts';
import { type Credential, type CredentialRow, credentialOf } from './credential.ts';
import { credentialRows, getCredential, insertSecret } from './credentials.ts';
import { assertClient, loadClient } from './read-clients.ts';

/** Most time a replaced secret may go on, in seconds: 30 days. */
export const maximumOverlapSeconds = 2_592_000;

/**
 * Adds a secret and returns it, once. Throws `entity.not_found`, `entity.exists` (of thing `application secret`),
 * `auth.exceeds_own`, `input.invalid` (the time, or a client that uses none).
 */
export async function createSecret(
  ctx: Context,
  clientId: string,
  { name, expiresAt }: { name: string; expiresAt: number | null },
): Promise<{ credential: Credential; secret: string }> {
  const secret = generateSecret(ctx.random);
  assertSecretName(name);
  return ctx.db.transact(async (trx) => {
    const client = await loadClient(ctx, trx, clientId);
    await assertHoldsAllOf(ctx, trx, clientId);
    if (expiresAt !== null && expiresAt <= ctx.clock.now())
      throw invalid('expiresAt', 'The time must be in the future.');
    if (isPublicClient(client)) throw invalid('name', 'A public client can not keep a secret, so it has none.');
    const kind = credentialKindOf(client);
    if (kind !== undefined) throw invalid('name', `The client proves itself by ${kind}s.`);
    await assertFreeName(ctx, trx, clientId, name);
    const id = await insertSecret(ctx, trx, clientId, { secret, name, expiresAt });
    await recordChange(ctx, trx, 'client_secret.created', clientId, { details: { credential: id, name } });
    return { credential: await getCredential(ctx, clientId, id, 'secret', trx), secret };
  });
}

/** Throws `entity.not_found`, `entity.exists` (of thing `application secret`), `input.invalid`, `auth.exceeds_own`. */
export async function renameSecret(ctx: Context, clientId: string, name: string, newName: string): Promise<Credential> {
  assertSecretName(newName);
  return ctx.db.transact(async (trx) => {
    const row = await secretNamed(ctx, trx, clientId, name);
    await assertHoldsAllOf(ctx, trx, clientId);
    if (newName !== name) await assertFreeName(ctx, trx, clientId, newName);
    const change = { name: newName, updated_at: ctx.clock.now() };
    await trx
      .updateTable('credentials')
      .set(change)
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('client_id', '=', clientId)
      .where('id', '=', row.id)
      .execute();
    await recordChange(ctx, trx, 'client_secret.updated', clientId, { details: { credential: row.id, name: newName } });
    return credentialOf({ ...row, ...change });
  });
}

/** Ends a secret at once, the last one too. Throws `entity.not_found`, `auth.exceeds_own`. */
export async function deleteSecret(ctx: Context, clientId: string, name: string): Promise<void> {
  await ctx.db.transact(async (trx) => {
    const row = await secretNamed(ctx, trx, clientId, name);
    await assertHoldsAllOf(ctx, trx, clientId);
    await trx
      .deleteFrom('credentials')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('client_id', '=', clientId)
      .where('id', '=', row.id)
      .execute();
    await recordChange(ctx, trx, 'client_secret.deleted', clientId, { details: { credential: row.id, name } });
  });
}

async function secretNamed(ctx: Context, trx: Tx, clientId: string, name: string): Promise<CredentialRow> {
  await assertClient(ctx, trx, clientId);
  const rows = await credentialRows(ctx, trx, clientId);
  const row = rows.find((one) => one.kind === 'secret' && one.name === name);
  if (row === undefined) throw notFound('application secret');
  return row;
}

async function assertFreeName(ctx: Context, trx: Tx, clientId: string, name: string): Promise<void> {
  const rows = await credentialRows(ctx, trx, clientId);
  if (!rows.some((row) => row.kind === 'secret' && row.name === name)) return;
  throw new DomainError('entity.exists', 'The client has a secret of this name already.', {
    path: 'name',
    data: { thing: 'application secret' },
  });
}

const longestName = 128;

/** A name stands in a path, and in a list beside its twins: it is visible, and written one way. */
function assertSecretName(name: string): void {
  const hidden = /[\p{C}\p{Default_Ignorable_Code_Point}]/u.test(name);
  if (name.trim() === '' || name !== name.trim().normalize('NFC') || [...name].length > longestName || hidden) {
    throw invalid('name', `A name has 1 to ${longestName} visible characters, and no space around it.`);
  }
}

/**
 * Gives a client a new secret and returns it, once. The ones before end at once, or after `overlapSeconds`, so that a
 * fleet can change over without a gap. Throws `entity.not_found`, `auth.exceeds_own`, `input.invalid`.
 */
export async function rotateSecret(
  ctx: Context,
  clientId: string,
  options: { overlapSeconds?: number | undefined } = {},
): Promise<string> {
  const secret = generateSecret(ctx.random);
  const overlapMs = (options.overlapSeconds ?? 0) * 1000;
  await ctx.db.transact(async (trx) => {
    await assertClient(ctx, trx, clientId);
    await assertHoldsAllOf(ctx, trx, clientId);
    await replaceSecrets(ctx, trx, clientId, secret, overlapMs);
    await recordChange(ctx, trx, 'client_secret.rotated', clientId, {
      details: { overlapSeconds: options.overlapSeconds ?? 0 },
    });
  });
  return secret;
}

/** Ends the secrets of a client, now or after a while, and adds a new one. Part of verbs that have authorised it. */
export async function replaceSecrets(
  ctx: Context,
  trx: Tx,
  clientId: string,
  secret: string,
  overlapMs: number,
): Promise<void> {
  const now = ctx.clock.now();
  const ofClient = (expired: boolean) =>
    trx
      .deleteFrom('credentials')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('client_id', '=', clientId)
      .where('kind', '=', 'secret')
      .$if(expired, (query) => query.where('expires_at', '<=', now));
  await ofClient(overlapMs > 0).execute();
  if (overlapMs > 0) {
    await trx
      .updateTable('credentials')
      .set({ expires_at: now + overlapMs, updated_at: now })
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('client_id', '=', clientId)
      .where('kind', '=', 'secret')
      .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now + overlapMs)]))
      .execute();
  }
  await insertSecret(ctx, trx, clientId, { secret });
}
