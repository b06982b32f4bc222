/** Notices on their way: which are due, whose turn it is to send one, and what became of it. */
import type { IssuerName, Schema } from '../../storage/schema.ts';
import { defineStatement } from '../../storage/statement.ts';
import type { Services } from '../context.ts';

/** A client that is to be told that a session, or every session of the user, ended. */
export interface LogoutNotice {
  readonly tenantId: string;
  readonly id: string;
  readonly issuer: IssuerName;
  readonly clientId: string;
  readonly uri: string;
  readonly userId: string;
  /** Null: all of the user's. */
  readonly sessionId: string | null;
  /** How often it was tried before. */
  readonly attempts: number;
  /** Milliseconds. */
  readonly dueAt: number;
}

/** How long after the first try, and each one after it, the next one comes, in milliseconds; then it is given up. */
export const retryAfterMs = [5000, 30_000, 300_000] as const;

/** How long a try may take before another process may make the next one, in milliseconds. */
const leaseMs = 60_000;

type Row = Schema['logout_notices'];

const due = defineStatement<{ now: number; limit: number }, Row>(
  'logout_notices_due',
  `select tenant_id, id, issuer, client_id, uri, user_id, session_id, attempts, created_at, due_at
  from logout_notices where due_at <= :now order by due_at limit :limit`,
);

/** What is due now, of every tenant, the longest due first. */
export async function dueNotices(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  limit: number,
): Promise<LogoutNotice[]> {
  const rows = await db.run(due, { now: clock.now(), limit });
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    id: row.id,
    issuer: row.issuer,
    clientId: row.client_id,
    uri: row.uri,
    userId: row.user_id,
    sessionId: row.session_id,
    attempts: row.attempts,
    dueAt: row.due_at,
  }));
}

type Named = { tenantId: string; id: string };

const claim = defineStatement<Named & { attempts: number; dueAt: number; leasedUntil: number }>(
  'logout_notice_claim',
  `update logout_notices set attempts = attempts + 1, due_at = :leasedUntil
  where tenant_id = :tenantId and id = :id and attempts = :attempts and due_at = :dueAt`,
);

/** Takes the next try of a notice; false when another process did. One that dies with it leaves it to the others. */
export async function claimNotice(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  { tenantId, id, attempts, dueAt }: LogoutNotice,
): Promise<boolean> {
  const leasedUntil = clock.now() + leaseMs;
  return (await db.write(claim, { tenantId, id, attempts, dueAt, leasedUntil })) === 1;
}

const drop = defineStatement<Named>(
  'logout_notice_drop',
  'delete from logout_notices where tenant_id = :tenantId and id = :id',
);

/** It was delivered, or is given up. */
export async function dropNotice({ db }: Pick<Services, 'db'>, { tenantId, id }: LogoutNotice): Promise<void> {
  await db.write(drop, { tenantId, id });
}

const postpone = defineStatement<Named & { dueAt: number }>(
  'logout_notice_postpone',
  'update logout_notices set due_at = :dueAt where tenant_id = :tenantId and id = :id',
);

/** Sets when it is tried again after a try that failed; false when that was the last one. */
export async function postponeNotice(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  { tenantId, id, attempts }: LogoutNotice,
): Promise<boolean> {
  const waitMs = retryAfterMs[attempts];
  if (waitMs === undefined) return false;
  await db.write(postpone, { tenantId, id, dueAt: clock.now() + waitMs });
  return true;
}
