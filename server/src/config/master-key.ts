import { closeSync, fchmodSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
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
  const text = readText(file);
  try {
    return parsers.masterKey.parse(text);
  } catch {
    // What the file holds is nobody's to read in a message.
    throw new ConfigError(
      'SEKISHO_MASTER_KEY_FILE',
      `${file} holds no whole key (64 hexadecimal digits or base64 of 32 bytes a line): restore it from a backup.`,
    );
  }
}

/** Makes a master key; for a file-based one, in a file of mode 600 that must not exist yet. */
export function makeMasterKey(settings: Settings, random: Random, keep: boolean): Buffer[] {
  const key = Buffer.from(random(32));
  if (keep) {
    const file = masterKeyFile(settings);
    try {
      const handle = openSync(file, 'wx', 0o600);
      fchmodSync(handle, 0o600);
      writeSync(handle, `${key.toString('hex')}\n`);
      // On the disk before the database holds anything that only this key can read.
      fsyncSync(handle);
      closeSync(handle);
    } catch (error) {
      throw new ConfigError(
        'SEKISHO_MASTER_KEY_FILE',
        `${file} can not be written (${(error as { code?: string }).code}): choose a place you can write to.`,
      );
    }
  }
  return [key];
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw unreadable(file, error);
  }
}

const unreadable = (file: string, error: unknown): ConfigError =>
  new ConfigError(
    'SEKISHO_MASTER_KEY_FILE',
    `${file} can not be read (${(error as { code?: string }).code}): mend its path or its mode.`,
  );

function modeOf(file: string): number | undefined {
  try {
    return statSync(file).mode;
  } catch (error) {
    // A folder that can't be there is the data folder's own error.
    if (['ENOENT', 'ENOTDIR'].includes((error as { code?: string }).code ?? '')) return undefined;
    throw unreadable(file, error);
  }
}
