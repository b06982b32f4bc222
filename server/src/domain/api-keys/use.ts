/** API keys as requests show them: found by their hash, and when one was last used. */
import type { Schema } from '../../storage/schema.ts';
import { defineStatement } from '../../storage/statement.ts';
import type { Services } from '../context.ts';
import { type ApiKey, apiKeyOf } from './api-keys.ts';

/** How often the time of last use is written, in milliseconds. */
const writtenEveryMs = 60_000;

const byHash = defineStatement<{ tenantId: string; hash: string }, Schema['api_keys']>(
  'api_key_by_hash',
  'select * from api_keys where tenant_id = :tenantId and key_hash = :hash',
);

/** The key with this hash, also one that is over; undefined when there is none. */
export async function findApiKey(
  { db }: Pick<Services, 'db'>,
  tenantId: string,
  hash: string,
): Promise<ApiKey | undefined> {
  const [row] = await db.run(byHash, { tenantId, hash });
  return row === undefined ? undefined : apiKeyOf(row);
}

const touch = defineStatement<{ tenantId: string; id: string; now: number; before: number }>(
  'api_key_touch',
  `update api_keys set last_used_at = :now
  where tenant_id = :tenantId and id = :id and (last_used_at is null or last_used_at <= :before)`,
);

/** Notes that a key was used. Nothing is decided by it, so it fails in silence. */
export async function noteUseOfApiKey(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  tenantId: string,
  { id, lastUsedAt }: ApiKey,
): Promise<void> {
  const now = clock.now();
  const before = now - writtenEveryMs;
  if (lastUsedAt !== null && lastUsedAt > before) return;
  await db.write(touch, { tenantId, id, now, before }).catch(() => {});
}
