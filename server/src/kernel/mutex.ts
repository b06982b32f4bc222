/** One at a time, first come, first served, within this process. */
export class Mutex {
  #tail: Promise<void> = Promise.resolve();
  #held = 0;

  /** True while nobody holds it or waits for it. */
  get free(): boolean {
    return this.#held === 0;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#held += 1;
    const before = this.#tail;
    let release!: () => void;
    this.#tail = new Promise((resolve) => {
      release = resolve;
    });
    await before;
    try {
      return await work();
    } finally {
      this.#held -= 1;
      release();
    }
  }
}
