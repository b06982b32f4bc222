/**
 * One at a time, first come, first served, within this process. Who ends hands over in the next turn of the event loop:
 * work that never leaves its own turn, as a transaction on SQLite, would keep all else from its turn by queueing.
 */
export class Mutex {
  readonly #waiting: (() => void)[] = [];
  #held = false;

  /** True while nobody holds it or waits for it. */
  get free(): boolean {
    return !this.#held;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#held) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.#hold(work);
  }

  /** Before all that wait: for one caller, which never has two under way, so that the others come in between. */
  async runNext<T>(work: () => Promise<T>): Promise<T> {
    if (this.#held) await new Promise<void>((resolve) => this.#waiting.unshift(resolve));
    return this.#hold(work);
  }

  async #hold<T>(work: () => Promise<T>): Promise<T> {
    this.#held = true;
    try {
      return await work();
    } finally {
      setImmediate(() => this.#handOver());
    }
  }

  /** It stays held meanwhile, so that nobody slips in between. */
  #handOver(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#held = false;
    else next();
  }
}
