import type pg from 'pg';
import { DomainError } from '../kernel/errors.ts';
import { fromPostgres } from './errors.ts';
import type { ManyStatement } from './statement.ts';

interface Pending {
  args: Record<string, unknown>;
  resolve(rows: unknown[]): void;
  reject(error: unknown): void;
}

/** Statements under way at once; what arrives meanwhile goes together in the next one. */
const concurrent = 2;
/** Requests answered by one statement. */
const largestBatch = 100;

/**
 * Requests that ask the same question while an answer is under way are asked together, each with its own arguments: one
 * round trip for all of them, where a query of its own would cost PostgreSQL and us more than the rows it finds. It is
 * no cache: every request is answered from a query that began after it arrived.
 */
export class ReadBatcher {
  readonly #pool: pg.Pool;
  readonly #statement: ManyStatement;
  /** Asks for one alone, where a batch failed. */
  readonly #alone: (args: object) => Promise<unknown[]>;
  #pending: Pending[] = [];
  #scheduled = false;
  #underWay = 0;

  constructor(pool: pg.Pool, statement: ManyStatement, alone: (args: object) => Promise<unknown[]>) {
    this.#pool = pool;
    this.#statement = statement;
    this.#alone = alone;
  }

  run(args: object): Promise<unknown[]> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ args: args as Record<string, unknown>, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#underWay >= concurrent) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    const batch = this.#pending.splice(0, largestBatch);
    if (batch.length === 0) return;
    this.#underWay += 1;
    try {
      const answers = await this.#ask(batch);
      batch.forEach(({ resolve }, index) => {
        resolve(answers[index] as unknown[]);
      });
    } catch (error) {
      this.#fail(batch, fromPostgres(error));
    } finally {
      this.#underWay -= 1;
      if (this.#pending.length > 0) this.#schedule();
    }
  }

  /** Rows by request; each row carries the number of the request it answers. */
  async #ask(batch: readonly Pending[]): Promise<unknown[][]> {
    const { name, sql, names } = this.#statement;
    const values = names.map((argument) => batch.map(({ args }) => args[argument]));
    const { rows } = await this.#pool.query<{ asked: number }>({ name, text: sql, values });
    const answers: unknown[][] = batch.map(() => []);
    for (const row of rows) answers[row.asked - 1]?.push(row);
    return answers;
  }

  /** A database that is gone fails all; anything else may be the fault of one, so each is asked for alone. */
  #fail(batch: readonly Pending[], error: unknown): void {
    const gone = error instanceof DomainError && error.kind === 'unavailable';
    for (const { args, resolve, reject } of batch) {
      if (gone || batch.length === 1) reject(error);
      else this.#alone(args).then(resolve, reject);
    }
  }
}
