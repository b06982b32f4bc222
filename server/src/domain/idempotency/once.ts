/**
 * A call that is made again under the same key happens once. The key's row and the change it stands for are one
 * transaction: a crash in between leaves neither, and whoever comes second waits for the first one's row and gets its
 * answer. A refusal is not kept.
 */
import { createHmac } from 'node:crypto';
import { DomainError } from '../../kernel/errors.ts';
import type { Tx } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import { inOneTransaction } from '../one-transaction.ts';

/** How long an answer is kept. */
const keptMs = 24 * 3600 * 1000;

/** A call that carries an `Idempotency-Key`. */
export interface KeyedCall {
  /** Who calls; keys of two callers have nothing in common. */
  readonly clientId: string;
  /** Method and path. */
  readonly route: string;
  readonly key: string;
  /** All else that the call is made of. */
  readonly content: unknown;
}

/** What a call was answered with. */
export interface Answer {
  readonly status: number;
  /** As it may be kept: without secrets. */
  readonly kept: unknown;
}

/**
 * Runs `work` in one transaction with the row of its key, unless the key was used within 24 hours: then its answer is
 * given again. `underWay` names the calls of this process. Throws `idempotency.key_reused`, `idempotency.in_flight`.
 */
export async function once<A extends Answer>(
  ctx: Context,
  underWay: Set<string>,
  call: KeyedCall,
  work: (ctx: Context) => Promise<A>,
): Promise<{ fresh: A } | { again: Answer }> {
  const row = rowOf(ctx, call);
  const name = [row.tenant_id, row.client_id, row.route, row.key_hash].join(' ');
  if (underWay.has(name)) {
    throw new DomainError('idempotency.in_flight', 'A request with this Idempotency-Key is under way.');
  }
  underWay.add(name);
  try {
    return await inOneTransaction(ctx, (joined) =>
      joined.db.transact(async (trx) => {
        const again = await keptAnswer(trx, row, ctx.clock.now());
        if (again !== undefined) return { again };
        // First, so that another process waits here and not in the middle of the change.
        await trx.insertInto('idempotency_keys').values(row).execute();
        const fresh = await work(joined);
        await ofKey(trx.updateTable('idempotency_keys'), row)
          .set({ status: fresh.status, answer: JSON.stringify(fresh.kept ?? null) })
          .execute();
        return { fresh };
      }),
    );
  } finally {
    underWay.delete(name);
  }
}

type Row = ReturnType<typeof rowOf>;

function rowOf(ctx: Context, { clientId, route, key, content }: KeyedCall) {
  // With a key of the server: a content may hold a password.
  const secret = ctx.cipher.deriveKey('idempotency');
  const mac = (text: string): string => createHmac('sha256', secret).update(text).digest('hex');
  return {
    tenant_id: ctx.site.tenantId,
    client_id: clientId,
    route,
    key_hash: mac(key),
    body_hash: mac(JSON.stringify(sorted(content)) ?? ''),
    status: 0,
    answer: '',
    expires_at: ctx.clock.now() + keptMs,
  };
}

async function keptAnswer(trx: Tx, row: Row, now: number): Promise<Answer | undefined> {
  const kept = await ofKey(trx.selectFrom('idempotency_keys').selectAll(), row).executeTakeFirst();
  if (kept === undefined) return undefined;
  if (kept.expires_at <= now) {
    await ofKey(trx.deleteFrom('idempotency_keys'), row).execute();
    return undefined;
  }
  if (kept.body_hash !== row.body_hash) {
    throw new DomainError('idempotency.key_reused', 'This Idempotency-Key came before, with another body or query.');
  }
  return { status: kept.status, kept: JSON.parse(kept.answer) };
}

/** The query narrowed to the row of a key. */
const ofKey = <Q extends { where(column: never, operator: '=', value: never): Q }>(query: Q, row: Row): Q =>
  (['tenant_id', 'client_id', 'route', 'key_hash'] as const).reduce(
    (narrowed, column) => narrowed.where(column as never, '=', row[column] as never),
    query,
  );

/** The same value with the names of objects in order: two spellings of one body are one. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, part]) => [name, sorted(part)]),
  );
}
