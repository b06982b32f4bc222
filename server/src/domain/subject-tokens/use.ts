/** Tokens that let a client act for a user, once: as token exchange reads them and uses them up. */
import { hashSecret } from '../../kernel/secrets.ts';
import type { Schema } from '../../storage/schema.ts';
import { defineStatement } from '../../storage/statement.ts';
import type { Services } from '../context.ts';

type Row = Schema['subject_tokens'];

export interface SubjectToken {
  readonly hash: string;
  readonly userId: string;
  readonly expiresAt: number;
  readonly usedAt: number | null;
}

export const subjectTokenByHash = defineStatement<{ tenantId: string; hash: string }, Row>(
  'subject_token_by_hash',
  'select * from subject_tokens where tenant_id = :tenantId and token_hash = :hash',
);

/** A token, used or not; undefined when there is none. */
export async function findSubjectToken(
  { db }: Pick<Services, 'db'>,
  tenantId: string,
  token: string,
): Promise<SubjectToken | undefined> {
  const [row] = await db.run(subjectTokenByHash, { tenantId, hash: hashSecret(token) });
  if (row === undefined) return undefined;
  return { hash: row.token_hash, userId: row.user_id, expiresAt: row.expires_at, usedAt: row.used_at };
}

const use = defineStatement<{ tenantId: string; hash: string; now: number }>(
  'subject_token_use',
  `update subject_tokens set used_at = :now
  where tenant_id = :tenantId and token_hash = :hash and used_at is null and expires_at > :now`,
);

/** Uses a token up; false when it was used before, or is over. */
export const useSubjectToken = async (
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  tenantId: string,
  hash: string,
): Promise<boolean> => (await db.write(use, { tenantId, hash, now: clock.now() })) === 1;
