/** The certificates of clients (RFC 8705 §2): added and removed. What one must be is `client-certificates.ts`. */
import { invalid } from '../../kernel/errors.ts';
import type { Tx } from '../../storage/database.ts';
import { assertHoldsAllOf } from '../access/take-over.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import { type AuthMethod, credentialKindOf, isPublicClient } from './client.ts';
import { checkCertificate, type GivenCertificate } from './client-certificates.ts';
import type { Credential } from './credential.ts';
import { getCredential, insertCertificate } from './credentials.ts';
import { assertMayBecome } from './owner.ts';
import { assertClient, type ClientWithKeys, loadClient } from './read-clients.ts';

/**
 * Adds a certificate that counts once the client's authentication refers to it. Throws `entity.not_found`,
 * `entity.exists`, `auth.exceeds_own`, `input.invalid`.
 */
export async function createCertificate(ctx: Context, clientId: string, given: GivenCertificate): Promise<Credential> {
  const certificate = checkCertificate(given, '', ctx.clock.now());
  return ctx.db.transact(async (trx) => {
    await assertClient(ctx, trx, clientId);
    await assertHoldsAllOf(ctx, trx, clientId);
    const id = await insertCertificate(ctx, trx, clientId, certificate, false);
    await recordAdded(ctx, trx, clientId, { credential: id, method: given.method });
    return getCredential(ctx, clientId, id, 'certificate', trx);
  });
}

/**
 * Adds a certificate, and makes the client prove itself by certificates of its kind from now on; its secrets stay and do
 * not count. Throws what `createCertificate` throws, and `auth.organization_token`.
 */
export async function addCertificate(ctx: Context, clientId: string, given: GivenCertificate): Promise<Credential> {
  const certificate = checkCertificate(given, '', ctx.clock.now());
  return ctx.db.transact(async (trx) => {
    const client = await loadClient(ctx, trx, clientId);
    await assertHoldsAllOf(ctx, trx, clientId);
    assertTakesMethod(client, given.method);
    const id = await insertCertificate(ctx, trx, clientId, certificate, true);
    await setMethod(ctx, trx, client, given.method);
    await recordAdded(ctx, trx, clientId, { credential: id, method: given.method });
    return getCredential(ctx, clientId, id, 'certificate', trx);
  });
}

/**
 * Removes a certificate; with the last one the client proves itself by its secrets again. Throws `entity.not_found`,
 * `auth.exceeds_own`.
 */
export async function removeCertificate(ctx: Context, clientId: string, id: string): Promise<void> {
  await ctx.db.transact(async (trx) => {
    await getCredential(ctx, clientId, id, 'certificate', trx);
    const client = await loadClient(ctx, trx, clientId);
    await assertHoldsAllOf(ctx, trx, clientId);
    await trx
      .deleteFrom('credentials')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('client_id', '=', clientId)
      .where('id', '=', id)
      .execute();
    const wasLast = credentialKindOf(client) === 'certificate' && client.keyIds.every((keyId) => keyId === id);
    if (wasLast) await setMethod(ctx, trx, client, null);
    await recordChange(ctx, trx, 'client_certificate.deleted', clientId, { details: { credential: id } });
  });
}

function assertTakesMethod(client: ClientWithKeys, method: GivenCertificate['method']): void {
  if (isPublicClient(client)) throw invalid('method', 'A public client proves nothing, so it has no certificate.');
  if (credentialKindOf(client) === undefined || client.authMethod === method) return;
  throw invalid('method', `The client proves itself by ${client.authMethod}; take that out first.`);
}

async function setMethod(ctx: Context, trx: Tx, client: ClientWithKeys, authMethod: AuthMethod | null): Promise<void> {
  if (client.authMethod === authMethod) return;
  assertMayBecome(ctx, { ...client, authMethod }, client);
  await trx
    .updateTable('clients')
    .set({ auth_method: authMethod, updated_at: ctx.clock.now() })
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', '=', client.id)
    .execute();
}

const recordAdded = (ctx: Context, trx: Tx, clientId: string, details: Record<string, string>): Promise<void> =>
  recordChange(ctx, trx, 'client_certificate.created', clientId, { details });
