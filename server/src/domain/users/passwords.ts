import { argon2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { invalid } from '../../kernel/errors.ts';
import type { Random } from '../../kernel/random.ts';

const derive = promisify(argon2);

/** OWASP's lowest recommended cost of argon2id: 19 MiB, two passes. */
const cost = { memory: 19_456, passes: 2, parallelism: 1 };
const tagLength = 32;

const shortest = 8;
const longest = 256;

/** Throws `input.invalid` naming `path`. */
export function assertPassword(password: string, path = 'password'): void {
  const length = [...password].length;
  if (length < shortest || length > longest || password.trim() === '') {
    throw invalid(path, `A password has ${shortest} to ${longest} characters.`);
  }
}

/**
 * Hashes a password (argon2id, RFC 9106) to a PHC string. Slow on purpose: never inside a transaction. The text is
 * normalised first (RFC 8265 §4.2), because keyboards differ in how they compose a character.
 */
export async function hashPassword(random: Random, password: string): Promise<string> {
  const salt = Buffer.from(random(16));
  const hash = await derive('argon2id', { ...cost, tagLength, message: password.normalize('NFC'), nonce: salt });
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${plain(salt)}$${plain(hash)}`;
}

const phc = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,88})\$([A-Za-z0-9+/]{22,172})$/;

/** Most that a hash made elsewhere may cost: 256 MiB, ten passes. Comparing a password has to pay it. */
const highest = { memory: 262_144, passes: 10, parallelism: 16 };

/** Whether `passwordMatches` can read a text, at a cost that is bounded and no lower than what argon2 defines. */
export function isPasswordHash(text: string): boolean {
  const match = phc.exec(text);
  if (match === null) return false;
  const [memory = 0, passes = 0, parallelism = 0] = match.slice(1, 4).map(Number);
  return (
    parallelism >= 1 &&
    parallelism <= highest.parallelism &&
    memory >= 8 * parallelism &&
    memory <= highest.memory &&
    passes >= 1 &&
    passes <= highest.passes
  );
}

/** Compares a password with a PHC string of `hashPassword`, at the cost that is written in the string. */
export async function passwordMatches(password: string, stored: string): Promise<boolean> {
  const match = phc.exec(stored);
  if (match === null) return false;
  const [, memory, passes, parallelism, salt = '', expected = ''] = match;
  const expectedHash = Buffer.from(expected, 'base64');
  const hash = await derive('argon2id', {
    message: password.normalize('NFC'),
    nonce: Buffer.from(salt, 'base64'),
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    tagLength: expectedHash.length,
  });
  return timingSafeEqual(hash, expectedHash);
}

/** Base64 without padding, as PHC strings have it. */
const plain = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
