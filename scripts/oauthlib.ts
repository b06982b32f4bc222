/** Python's oauthlib, the OAuth 1.0a provider of the tests: the machine's own; `npm test` installs Debian's where it may. */
import { execFileSync } from 'node:child_process';
import { canInstallPackages, installPackage } from './apt.ts';

/** Debian's own: others do not see Debian's packages. */
export const python = '/usr/bin/python3';

/** How to get it, for whoever reads that tests were skipped. */
export const oauthlibMissing = `oauthlib for ${python} is missing, so nobody signs in with OAuth 1: install it (Debian: apt-get install python3-oauthlib).`;

export function hasOauthlib(): boolean {
  try {
    execFileSync(python, ['-c', 'import oauthlib'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Sees to it that it is there, and says so when it can't be; throws when it could not be installed. */
export async function installOauthlib(): Promise<void> {
  if (hasOauthlib()) return;
  if (!canInstallPackages()) {
    console.error(oauthlibMissing);
    return;
  }
  console.error('oauthlib is missing: installing the package python3-oauthlib with apt-get.');
  await installPackage('python3-oauthlib');
  if (!hasOauthlib()) throw new Error(`oauthlib is missing: apt-get installed it, and ${python} does not find it.`);
}
