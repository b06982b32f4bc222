import { TestClock } from '../harness.ts';

/**
 * Runs with the system's clock, but never says the same millisecond twice: what is made later is later in lists that are
 * in order of creation, which put what was made in one millisecond in the order of random ids. Not to be moved back.
 */
export class AscendingClock extends TestClock {
  #last = 0;
  override now(): number {
    this.#last = Math.max(super.now(), this.#last + 1);
    return this.#last;
  }
}
