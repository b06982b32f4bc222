/** The Chromium that tests drive: the machine's own; `npm test` installs Debian's where it may. */
import { delimiter, join } from 'node:path';
import { canInstallPackages, installPackage } from './apt.ts';
import { isExecutable } from './programs.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome'];

/** How to get one, for whoever reads that tests were skipped. */
export const chromiumMissing =
  'Chromium is missing, so nothing is tested in a browser: install it (Debian: apt-get install chromium).';

/** Path of the program; undefined when there is none on PATH. */
export function findChromium(): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== ''), '/usr/bin'];
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

/** Sees to it that there is one, and says so when there can't be; throws when it could not be installed. */
export async function installChromium(): Promise<void> {
  if (findChromium() !== undefined) return;
  if (!canInstallPackages()) {
    console.error(chromiumMissing);
    return;
  }
  console.error('Chromium is missing: installing the package chromium with apt-get.');
  await installPackage('chromium');
  if (findChromium() === undefined)
    throw new Error('Chromium is missing: apt-get installed it, but without a program.');
}
