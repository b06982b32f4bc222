/** Whether GSSAPI is possible here: the optional package `kerberos`, which a machine builds for itself, and `kinit`. */
import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';

export interface KerberosParts {
  /** The package's main file. */
  readonly packagePath: string;
  readonly kinitPath: string;
}

export function findKerberos(): KerberosParts | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const kinitPath = folders.map((folder) => join(folder, 'kinit')).find(isExecutable);
  const packagePath = resolvePackage();
  return kinitPath === undefined || packagePath === undefined ? undefined : { kinitPath, packagePath };
}

export const isGssapiInstalled = (): boolean => findKerberos() !== undefined;

function resolvePackage(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve('kerberos');
  } catch {
    return undefined;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
