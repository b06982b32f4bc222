/** Passwords: what one may be, and their hashes. Every door that takes one comes through here. */
import { argon2, timingSafeEqual } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { DomainError } from '../../kernel/errors.ts';
import { Gate } from '../../kernel/gate.ts';
import type { Random } from '../../kernel/random.ts';
import { isCommonPassword } from './common-passwords.ts';
import { foldCase } from './identity.ts';

const argon2id = promisify(argon2);

/** OWASP's lowest recommended cost of argon2id: 19 MiB, two passes. */
const cost = { memory: 19_456, passes: 2, parallelism: 1 };
const tagLength = 32;

const shortest = 8;
const longest = 256;

/** More UTF-16 units than any password can have: such a text is not looked at. */
export const passwordIsTooLong = (password: string): boolean => password.length > 2 * longest;

/**
 * Throws `input.invalid` naming `path`, with the rule that is broken: `password_length` (8 to 256 characters, none cut
 * off), `password_common`, `password_identity` (it is one of `identities`: what the person signs in with).
 */
export function assertPassword(
  password: string,
  path = 'password',
  identities: readonly (string | null | undefined)[] = [],
): void {
  const length = passwordIsTooLong(password) ? Number.POSITIVE_INFINITY : [...password].length;
  if (length < shortest || length > longest || password.trim() === '') {
    throw weak(path, 'password_length', `A password has ${shortest} to ${longest} characters.`);
  }
  if (isCommonPassword(password)) {
    throw weak(path, 'password_common', 'This password is one of the commonest: it would be guessed first.');
  }
  const folded = foldCase(password);
  if (identities.some((identity) => identity != null && foldCase(identity) === folded)) {
    throw weak(path, 'password_identity', 'A password is not the name one signs in with.');
  }
}

const weak = (path: string, rule: string, message: string): DomainError =>
  new DomainError('input.invalid', message, { path, data: { rule } });

/**
 * Threads of Node's pool are shared with the signatures of tokens: two of them are left alone, whatever is hashed. What
 * can't be begun within a second or two is better refused.
 */
const threads = Number(process.env.UV_THREADPOOL_SIZE) || 4;
const mostWaiting = 100;
const gate = new Gate(Math.max(1, Math.min(availableParallelism(), threads - 2)), mostWaiting);

const tooMany = (): DomainError =>
  new DomainError('rate.limited', 'Too many passwords are being checked; try again.', {
    data: { limit: mostWaiting, retryAfterSeconds: 1 },
  });

type Argon2Parameters = Parameters<typeof argon2id>[1];

/** Throws `rate.limited`. */
const derive = (parameters: Argon2Parameters): Promise<Buffer> =>
  gate.run(() => argon2id('argon2id', parameters), tooMany);

/**
 * Hashes a password (argon2id, RFC 9106) to a PHC string. Slow on purpose: never inside a transaction. The text is
 * normalised first (RFC 8265 §4.2), because keyboards differ in how they compose a character. Throws `rate.limited`.
 */
export async function hashPassword(random: Random, password: string): Promise<string> {
  const salt = Buffer.from(random(16));
  const hash = await derive({ ...cost, tagLength, message: password.normalize('NFC'), nonce: salt });
  return `${prefix}${plain(salt)}$${plain(hash)}`;
}

const prefix = `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$`;

/** What no password hashes to, at today's cost: compared with where there is nothing to compare with. */
export const noPasswordHash = `${prefix}${'A'.repeat(22)}$${'A'.repeat(43)}`;

/** Whether a stored hash was made at another cost than today's. */
export const isOfOtherCost = (stored: string): boolean => !stored.startsWith(prefix);

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

/** Compares a password with a PHC string of `hashPassword`, at the cost that is written in it. Throws `rate.limited`. */
export async function passwordMatches(password: string, stored: string): Promise<boolean> {
  const match = phc.exec(stored);
  if (match === null) return false;
  const [, memory, passes, parallelism, salt = '', expected = ''] = match;
  const expectedHash = Buffer.from(expected, 'base64');
  const hash = await derive({
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
