import { hash, timingSafeEqual } from 'node:crypto';
import { DomainError } from './errors.ts';
import { type Random, randomAlphanumeric } from './random.ts';

/** Length of a generated secret: 64 characters of `[0-9A-Za-z]`, 381 bits. */
const generatedLength = 64;

/** What no secret hashes to; compared against when there is no stored hash, so that every path does the same work. */
const noHash = Buffer.alloc(32);

export const generateSecret = (random: Random): string => randomAlphanumeric(random, generatedLength);

/** SHA-256 in hexadecimal. Enough for secrets of 256 bits; passwords of people use argon2id instead. */
export const hashSecret = (secret: string): string => hash('sha256', secret, 'hex');

/** What a listing shows of a secret. */
export const secretPrefix = (secret: string): string => secret.slice(0, 6);

/** Compares in constant time; an absent hash costs the same and never matches. */
export function secretMatches(secret: string, storedHash: string | null | undefined): boolean {
  const stored = storedHash ? Buffer.from(storedHash, 'hex') : noHash;
  const equal = timingSafeEqual(hash('sha256', secret, 'buffer'), stored);
  return equal && stored !== noHash;
}

/** A secret chosen by a person or a script must not be guessable: 32 to 256 characters, at least 16 distinct. */
export function assertStrongSecret(secret: string, path: string): void {
  const length = [...secret].length;
  if (length < 32 || length > 256 || new Set(secret).size < 16) {
    throw new DomainError('secret.weak', 'A secret needs 32 to 256 characters, at least 16 of them distinct.', {
      path,
    });
  }
}
