import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { commitBatch, preparing, type Write } from './commit-batch.ts';

const { file, synchronous } = workerData as { file: string; synchronous: 'full' | 'normal' };

let connection: DatabaseSync | undefined;
let prepare: ReturnType<typeof preparing>;

/** Opened at the first batch: the file is made, and migrated, by then. */
function open(): DatabaseSync {
  const opened = new DatabaseSync(file, { timeout: 0, enableForeignKeyConstraints: true });
  opened.exec(`pragma synchronous = ${synchronous}`);
  prepare = preparing(opened);
  return opened;
}

parentPort?.on('message', ({ batch, waitMs }: { batch: Write[]; waitMs: number }) => {
  connection ??= open();
  // In a thread of its own SQLite may wait for the lock itself.
  connection.exec(`pragma busy_timeout = ${Math.ceil(waitMs)}`);
  parentPort?.postMessage(commitBatch(connection, prepare, batch));
});
