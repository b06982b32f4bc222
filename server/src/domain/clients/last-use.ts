import type { Clock } from '../../kernel/clock.ts';
import type { Database } from '../../storage/database.ts';

/** How often the times of last use are written, in milliseconds. */
const flushEveryMs = 10_000;
/** Credentials written by one statement. */
const chunkSize = 200;

/**
 * When a credential was last used, exact to about ten seconds: a write for every token would cost more than the token.
 * Nothing is decided by it, so what a crash loses of it does no harm.
 */
export class LastUse {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #timer: NodeJS.Timeout;
  /** Credential ids by tenant and client. */
  #used = new Map<string, { tenantId: string; clientId: string; id: string }>();

  constructor(db: Database, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
    this.#timer = setInterval(() => void this.flush().catch(() => {}), flushEveryMs);
    this.#timer.unref();
  }

  note(tenantId: string, clientId: string, id: string): void {
    if (this.#used.size < 100_000 && !this.#used.has(id)) this.#used.set(id, { tenantId, clientId, id });
  }

  /** Writes what was noted. */
  async flush(): Promise<void> {
    const used = [...this.#used.values()];
    this.#used = new Map();
    const now = this.#clock.now();
    for (const [tenantId, ofTenant] of Map.groupBy(used, (entry) => entry.tenantId)) {
      for (let start = 0; start < ofTenant.length; start += chunkSize) {
        const chunk = ofTenant.slice(start, start + chunkSize);
        await this.#db.transact((trx) =>
          trx
            .updateTable('credentials')
            .set({ last_used_at: now })
            .where('tenant_id', '=', tenantId)
            .where('client_id', 'in', [...new Set(chunk.map(({ clientId }) => clientId))])
            .where(
              'id',
              'in',
              chunk.map(({ id }) => id),
            )
            .execute(),
        );
      }
    }
  }

  /** Writes what was noted and stops. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush().catch(() => {});
  }
}
