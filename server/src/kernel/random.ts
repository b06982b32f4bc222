import { randomBytes, randomFillSync } from 'node:crypto';

/** Chance is injected, so that tests can repeat it. Returns `size` unpredictable bytes. */
export type Random = (size: number) => Uint8Array;

const pool = Buffer.alloc(4096);
let used = pool.length;

/** Small requests are served from a pool that is filled at once: a call to the engine costs more than the bytes. */
export const systemRandom: Random = (size) => {
  if (size > 64) return randomBytes(size);
  if (used + size > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const bytes = Buffer.from(pool.subarray(used, used + size));
  // What was given out is not kept.
  pool.fill(0, used, used + size);
  used += size;
  return bytes;
};

const alphanumerics = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** A string of `length` characters of `[0-9A-Za-z]`, each drawn without bias (5.95 bits a character). */
export function randomAlphanumeric(random: Random, length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of random(length)) {
      // 248 is the largest multiple of 62 in a byte; what lies above would favour the first characters.
      if (byte < 248 && text.length < length) text += alphanumerics[byte % 62];
    }
  }
  return text;
}

/** `size` random bytes in lower-case hexadecimal. */
export const randomHex = (random: Random, size: number): string => Buffer.from(random(size)).toString('hex');

/** `size` random bytes in base64url. */
export const randomBase64Url = (random: Random, size: number): string =>
  Buffer.from(random(size)).toString('base64url');
