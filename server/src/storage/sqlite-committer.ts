import { Worker } from 'node:worker_threads';
import type { Outcome } from './commit-batch.ts';
import { unavailableError } from './errors.ts';
import type { Commit } from './group-commit.ts';

export interface Committer {
  readonly commit: Commit;
  close(): Promise<void>;
}

interface Asked {
  resolve(outcomes: Outcome[]): void;
  reject(error: unknown): void;
}

/**
 * Commits in a thread of its own, with a connection of its own: while it waits for the disk, requests are read, checked
 * and signed. One batch at a time; the caller sees to that.
 */
export function openCommitter(file: string, synchronous: 'full' | 'normal'): Committer {
  let worker: Worker | undefined;
  let asked: Asked | undefined;

  const start = (): Worker => {
    const started = new Worker(new URL('./sqlite-commit-worker.ts', import.meta.url), {
      workerData: { file, synchronous },
      // It holds a batch at a time.
      resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 },
    });
    started.on('message', (outcomes: Outcome[]) => asked?.resolve(outcomes));
    const failed = (cause: unknown) => {
      if (worker === started) worker = undefined;
      asked?.reject(unavailableError(cause));
    };
    started.on('error', failed);
    started.on('exit', (code) => failed(new Error(`the commit thread ended with code ${code}`)));
    started.unref();
    return started;
  };
  worker = start();

  return {
    async commit(batch, waitMs) {
      worker ??= start();
      const { promise, resolve, reject } = Promise.withResolvers<Outcome[]>();
      asked = { resolve, reject };
      worker.ref();
      worker.postMessage({ batch, waitMs });
      try {
        return await promise;
      } finally {
        asked = undefined;
        worker?.unref();
      }
    },
    async close() {
      const ending = worker;
      worker = undefined;
      await ending?.terminate();
    },
  };
}
