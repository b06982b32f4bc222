/**
 * SQLite's write lock may be another process's: a backup, a person with a shell. SQLite's own wait for it would stop the
 * event loop, and with it the answers that need no lock; so ours is a pause between short tries.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isLocked } from './errors.ts';

/** Longest wait for the write lock, in milliseconds. */
export const lockWaitMs = 5000;

/** Between two tries, in milliseconds. */
export const lockPauseMs = 30;

/** SQLite's own wait, for what takes moments, such as the recovery after a crash, in milliseconds. */
export const busyTimeoutMs = 20;

/**
 * Runs a transaction, again while it does not begin for want of the lock, until `until` (of `performance.now()`).
 * `run` calls `begun` when it has the lock: what fails later is not tried again.
 */
export async function whenUnlocked<T>(until: number, run: (begun: () => void) => Promise<T>): Promise<T> {
  for (;;) {
    let hasBegun = false;
    try {
      return await run(() => {
        hasBegun = true;
      });
    } catch (error) {
      if (hasBegun || !isLocked(error) || performance.now() >= until) throw error;
    }
    await sleep(lockPauseMs);
  }
}
