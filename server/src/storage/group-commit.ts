import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Mutex } from '../kernel/mutex.ts';
import { fromSqlite, isLocked, isUnavailable } from './errors.ts';
import { lockPauseMs, lockWaitMs } from './sqlite-lock.ts';

interface Pending {
  statement: StatementSync;
  parameters: SQLInputValue[];
  resolve(changes: number): void;
  reject(error: unknown): void;
}

/**
 * Small writes of concurrent requests share one commit, and so one fsync. They are gathered for one turn of the event
 * loop (never on a timer: waiting costs more than it saves) and each resolves once its commit is durable.
 */
export class GroupCommit {
  readonly #connection: DatabaseSync;
  readonly #mutex: Mutex;
  #pending: Pending[] = [];
  #scheduled = false;

  constructor(connection: DatabaseSync, mutex: Mutex) {
    this.#connection = connection;
    this.#mutex = mutex;
  }

  /** Resolves to the number of rows changed, after the commit. */
  write(statement: StatementSync, parameters: SQLInputValue[]): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ statement, parameters, resolve, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => this.#flush());
    });
  }

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    while (this.#scheduled) await new Promise((resolve) => setImmediate(resolve));
  }

  #flush(): void {
    const until = performance.now() + lockWaitMs;
    if (this.#mutex.free && this.#commit(false)) return;
    // Before the transactions that wait: one commit has all that is pending, and tokens are not to queue behind sign-ins.
    void this.#mutex.runNext(async () => {
      while (!this.#commit(performance.now() >= until)) await sleep(lockPauseMs);
    });
  }

  /** Settles all that is pending. Does nothing and answers false when another process has the lock and time is left. */
  #commit(isLastTry: boolean): boolean {
    try {
      this.#connection.exec('begin immediate');
    } catch (error) {
      if (isLocked(error) && !isLastTry) return false;
      for (const write of this.#take()) write.reject(fromSqlite(error));
      return true;
    }
    const batch = this.#take();
    try {
      const changes = batch.map((write) => Number(write.statement.run(...write.parameters).changes));
      this.#connection.exec('commit');
      batch.forEach((write, index) => {
        write.resolve(changes[index] as number);
      });
    } catch (error) {
      if (this.#connection.isTransaction) this.#connection.exec('rollback');
      const failure = fromSqlite(error);
      for (const write of batch) {
        if (batch.length === 1 || isUnavailable(failure)) write.reject(failure);
        else this.#commitAlone(write);
      }
    }
    return true;
  }

  #take(): Pending[] {
    const batch = this.#pending;
    this.#pending = [];
    this.#scheduled = false;
    return batch;
  }

  /** A failed batch is tried again write by write, so that only the guilty one fails. */
  #commitAlone(write: Pending): void {
    try {
      write.resolve(Number(write.statement.run(...write.parameters).changes));
    } catch (error) {
      write.reject(fromSqlite(error));
    }
  }
}
