import type { Mutex } from '../kernel/mutex.ts';
import type { Outcome, Write } from './commit-batch.ts';
import { fromSqlite } from './errors.ts';
import { lockWaitMs } from './sqlite-lock.ts';

interface Pending extends Write {
  /** When it has waited for the write lock long enough (of `performance.now()`). */
  readonly until: number;
  resolve(changes: number): void;
  reject(error: unknown): void;
}

/** Commits a batch; waits at most `waitMs` for the write lock, which may be another process's. */
export type Commit = (batch: readonly Write[], waitMs: number) => Promise<Outcome[]>;

/**
 * Small writes of concurrent requests share one commit, and so one fsync: what arrives in one turn of the event loop, or
 * while a commit is under way, goes together in the next one (never on a timer: waiting costs more than it saves). Each
 * resolves once its commit is durable.
 */
export class GroupCommit {
  readonly #commit: Commit;
  readonly #mutex: Mutex;
  #pending: Pending[] = [];
  #scheduled = false;

  constructor(commit: Commit, mutex: Mutex) {
    this.#commit = commit;
    this.#mutex = mutex;
  }

  /** Resolves to the number of rows changed, after the commit. */
  write(sql: string, parameters: readonly unknown[]): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ sql, parameters, until: performance.now() + lockWaitMs, resolve, reject });
      this.#schedule();
    });
  }

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    while (this.#scheduled) await new Promise((resolve) => setImmediate(resolve));
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => void this.#mutex.run(() => this.#flush()));
  }

  /** One batch, under the mutex, so that the transactions of this process take turns with it. */
  async #flush(): Promise<void> {
    const batch = this.#pending;
    this.#pending = [];
    const waitMs = Math.max(0, (batch[0]?.until ?? 0) - performance.now());
    try {
      const writes = batch.map(({ sql, parameters }) => ({ sql, parameters }));
      const outcomes = await this.#commit(writes, waitMs);
      batch.forEach(({ resolve, reject }, index) => {
        const outcome = outcomes[index] as Outcome;
        if ('changes' in outcome) resolve(outcome.changes);
        else reject(fromSqlite(Object.assign(new Error(outcome.failure.message), outcome.failure)));
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.#scheduled = false;
      if (this.#pending.length > 0) this.#schedule();
    }
  }
}
