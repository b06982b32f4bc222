import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The root of the project. */
export const projectFolder = join(import.meta.dirname, '..', '..');

/** A file system in memory answers fsync at once, which would flatter every durable write. */
const tmpfsMagic = 0x01021994;

const folders = new Set<string>();

process.on('exit', () => {
  for (const folder of folders) removeFolder(folder);
});

/** A new empty folder on a disk (not in memory); removed when the process ends, unless it is kept. */
export function temporaryFolder(name: string): string {
  const onDisk = statfsSync(tmpdir()).type !== tmpfsMagic;
  const parent = onDisk ? tmpdir() : join(projectFolder, 'data');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, `sekisho-bench-${name}-`));
  folders.add(folder);
  return folder;
}

export function removeFolder(folder: string): void {
  folders.delete(folder);
  // A child that was killed a moment ago may still be writing its last.
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** Leaves a folder for a person to look into. */
export function keepFolder(folder: string): void {
  folders.delete(folder);
}
