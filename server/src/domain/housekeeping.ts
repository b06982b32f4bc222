import type { RawBuilder, Sql } from 'kysely';
import type { Clock } from '../kernel/clock.ts';
import type { Database, Schema } from '../storage/database.ts';

const everyMs = 3_600_000;
/** The first round comes soon, so that a process that is restarted often cleans up too; not at once, to start fast. */
const firstAfterMs = 60_000;
/** Rows removed by one transaction, so that none holds the database for long. */
const chunkSize = 2000;

/** What is of no use once its `expires_at` is past, and the column by which its rows are told apart. */
const expiring = {
  revoked_tokens: 'jti',
  used_assertions: 'jti',
  used_proofs: 'jti',
  idempotency_keys: 'key_hash',
  sessions: 'id',
  interactions: 'id',
  pushed_requests: 'uri_hash',
  authorizations: 'id',
  refresh_tokens: 'token_hash',
  opaque_tokens: 'token_hash',
  device_authorizations: 'device_code_hash',
  subject_tokens: 'token_hash',
  initial_access_tokens: 'id',
  setup_links: 'token_hash',
  upstream_requests: 'state_hash',
  api_keys: 'id',
} as const satisfies Partial<Record<keyof Schema, string>>;

/**
 * Removes what has no use any more: what is past its expiry, and log events past retention. Deleting is idempotent, so
 * several processes may do it at once.
 */
export class Housekeeping {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #retentionMs: number;
  readonly #timers: NodeJS.Timeout[];

  constructor(db: Database, clock: Clock, retentionDays: number, onError: (error: unknown) => void) {
    this.#db = db;
    this.#clock = clock;
    this.#retentionMs = retentionDays * 86_400_000;
    const round = () => void this.run().catch(onError);
    this.#timers = [setTimeout(round, firstAfterMs), setInterval(round, everyMs)];
    for (const timer of this.#timers) timer.unref();
  }

  async run(): Promise<void> {
    // Loaded here, not at the start, which does without.
    const { sql } = await import('kysely');
    const now = this.#clock.now();
    const oldestEvent = (now - this.#retentionMs).toString().padStart(15, '0');
    const tenants = await this.#db.read.selectFrom('tenants').select('id').execute();
    for (const { id } of tenants) {
      for (const [table, key] of Object.entries(expiring)) {
        await this.#removeAll(sql, table, key, sql`tenant_id = ${id} and expires_at < ${now}`);
      }
      await this.#removeAll(sql, 'log_events', 'id', sql`tenant_id = ${id} and id < ${oldestEvent}`);
    }
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  async #removeAll(sql: Sql, table: string, key: string, condition: RawBuilder<unknown>): Promise<void> {
    for (;;) {
      const removed = await this.#db.transact(async (trx) => {
        const name = sql.table(table);
        const column = sql.ref(key);
        const { numAffectedRows } = await sql`delete from ${name} where ${condition} and ${column} in
          (select ${column} from ${name} where ${condition} limit ${sql.lit(chunkSize)})`.execute(trx);
        return Number(numAffectedRows ?? 0);
      });
      if (removed < chunkSize) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
