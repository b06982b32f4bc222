import type pg from 'pg';
import { asUnavailable, fromPostgres, isUnavailable } from './errors.ts';
import { logEventColumns } from './log-events.ts';
import type { LogEventTable } from './schema.ts';

interface Pending {
  row: LogEventTable;
  resolve(): void;
  reject(error: unknown): void;
}

const bigints = new Set<string>(['at', 'occurrences']);

const insertMany = `insert into log_events (${logEventColumns.join(', ')}) select * from unnest(${logEventColumns
  .map((column, index) => `$${index + 1}::${bigints.has(column) ? 'bigint' : 'text'}[]`)
  .join(', ')})`;

/**
 * Log events that arrive while others are being committed go together in the next statement: one round trip and one
 * commit for all of them. Each append resolves after its commit.
 */
export class LogEventBatcher {
  readonly #pool: pg.Pool;
  #pending: Pending[] = [];
  #scheduled = false;
  #underWay = 0;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  append(row: LogEventTable): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ row, resolve, reject });
      this.#schedule();
    });
  }

  async drain(): Promise<void> {
    while (this.#pending.length > 0 || this.#underWay > 0) await new Promise((resolve) => setImmediate(resolve));
  }

  #schedule(): void {
    if (this.#scheduled || this.#underWay >= 2) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    const batch = this.#pending;
    if (batch.length === 0) return;
    this.#pending = [];
    this.#underWay += 1;
    try {
      await this.#insert(batch);
      for (const { resolve } of batch) resolve();
    } catch (error) {
      await this.#fail(batch, fromPostgres(error));
    } finally {
      this.#underWay -= 1;
      if (this.#pending.length > 0) this.#schedule();
    }
  }

  /** A database that is gone fails all; otherwise each is tried alone, so that only the guilty request fails. */
  async #fail(batch: readonly Pending[], failure: unknown): Promise<void> {
    const isShared = batch.length === 1 || isUnavailable(failure);
    for (const entry of batch) {
      try {
        if (isShared) throw failure;
        await this.#insert([entry]);
        entry.resolve();
      } catch (error) {
        entry.reject(asUnavailable(fromPostgres(error)));
      }
    }
  }

  async #insert(batch: readonly Pending[]): Promise<void> {
    const columns = logEventColumns.map((column) => batch.map(({ row }) => row[column]));
    await this.#pool.query({ name: 'log_events_insert_many', text: insertMany, values: columns });
  }
}
