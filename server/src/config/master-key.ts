import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../kernel/random.ts';
import { parsers } from './parsers.ts';
import { ConfigError } from './read.ts';
import type { Settings } from './settings.ts';

/** Where the master key is kept when it does not come from the environment. */
export const masterKeyFile = (settings: Settings): string =>
  settings.masterKeyFile ?? join(settings.dataDir, 'master.key');

/** The master keys that are there, current first; undefined when there is none yet. Throws `ConfigError`. */
export function readMasterKeys(settings: Settings): Buffer[] | undefined {
  if (settings.masterKey !== undefined) return settings.masterKey;
  const file = masterKeyFile(settings);
  const mode = modeOf(file);
  if (mode === undefined) return undefined;
  if (mode & 0o077) {
    throw new ConfigError('SEKISHO_MASTER_KEY_FILE', `${file} can be read by others: run chmod 600 on it.`);
  }
  try {
    return parsers.masterKey.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new ConfigError('SEKISHO_MASTER_KEY_FILE', `${file} ${(error as Error).message}; restore it from a backup.`);
  }
}

/** Makes a master key; for a file-based one, in a file of mode 600 that must not exist yet. */
export function makeMasterKey(settings: Settings, random: Random, keep: boolean): Buffer[] {
  const key = Buffer.from(random(32));
  if (keep) {
    const file = masterKeyFile(settings);
    try {
      writeFileSync(file, `${key.toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
      chmodSync(file, 0o600);
    } catch (error) {
      throw new ConfigError('SEKISHO_MASTER_KEY_FILE', `${file} can not be written (${(error as Error).message}).`);
    }
  }
  return [key];
}

function modeOf(file: string): number | undefined {
  try {
    return statSync(file).mode;
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return undefined;
    throw new ConfigError('SEKISHO_MASTER_KEY_FILE', `${file} can not be read (${(error as Error).message}).`);
  }
}
