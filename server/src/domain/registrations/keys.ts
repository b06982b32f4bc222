/** The keys of a registered client: those of its inline `jwks`, replaced as a whole. */
import { isDeepStrictEqual } from 'node:util';
import type { Queryable } from '../../storage/database.ts';
import { checkKey, type GivenKey } from '../clients/client-keys.ts';
import { updateClient } from '../clients/clients.ts';
import { createKey, credentialRows, deleteCredential } from '../clients/credentials.ts';
import type { Context } from '../context.ts';

/** The public keys that count, as JSON Web Keys. */
export async function publicKeysOf(
  ctx: Context,
  db: Queryable,
  clientId: string,
): Promise<readonly Record<string, unknown>[]> {
  const rows = await credentialRows(ctx, db, clientId);
  return rows
    .filter(({ kind, enabled }) => kind === 'key' && enabled === 1)
    .map(({ public_jwk }) => JSON.parse(public_jwk as string) as Record<string, unknown>);
}

/** Makes the client's keys these, and returns their ids. Those that are the same stay as they are. */
export async function replaceKeys(
  ctx: Context,
  client: { id: string; keyIds: readonly string[]; publicKeys: readonly Record<string, unknown>[] },
  keys: readonly GivenKey[],
): Promise<readonly string[]> {
  const now = ctx.clock.now();
  const wanted = keys.map((key, index) => JSON.parse(checkKey(key, `keys.${index}.`, now).publicJwk) as unknown);
  if (isDeepStrictEqual(wanted, [...client.publicKeys])) return client.keyIds;
  // One that is in use can't be removed, nor can another with its name be added beside it.
  await updateClient(ctx, client.id, () => ({ keyIds: [] }));
  for (const { id, kind } of await credentialRows(ctx, ctx.db.read, client.id)) {
    if (kind === 'key') await deleteCredential(ctx, client.id, id);
  }
  const ids: string[] = [];
  for (const key of keys) ids.push((await createKey(ctx, client.id, key)).id);
  return ids;
}
