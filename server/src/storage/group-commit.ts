import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { Mutex } from '../kernel/mutex.ts';
import { fromSqlite } from './errors.ts';

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
    if (this.#mutex.free) this.#commit();
    else void this.#mutex.run(async () => this.#commit());
  }

  #commit(): void {
    const batch = this.#pending;
    this.#pending = [];
    this.#scheduled = false;
    try {
      this.#connection.exec('begin immediate');
      const changes = batch.map((write) => Number(write.statement.run(...write.parameters).changes));
      this.#connection.exec('commit');
      batch.forEach((write, index) => {
        write.resolve(changes[index] as number);
      });
    } catch (error) {
      if (this.#connection.isTransaction) this.#connection.exec('rollback');
      if (batch.length === 1) batch[0]?.reject(fromSqlite(error));
      else for (const write of batch) this.#commitAlone(write);
    }
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
