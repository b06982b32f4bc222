/** Codes that people type from one device into another (RFC 8628 §6.1). */
import type { Random } from '../../kernel/random.ts';

/** Consonants: no words come out by chance, and no digit or vowel is taken for another (20 ** 8: 34 bits). */
const alphabet = 'BCDFGHJKLMNPQRSTVWXZ';
const length = 8;

/** A new code, in its canonical form: 8 letters. */
export function newUserCode(random: Random): string {
  let code = '';
  while (code.length < length) {
    for (const byte of random(length)) {
      // 240 is the largest multiple of 20 in a byte; what lies above would favour the first letters.
      if (byte < 240 && code.length < length) code += alphabet[byte % alphabet.length];
    }
  }
  return code;
}

/** As people see it: `XXXX-XXXX`. */
export const shownUserCode = (code: string): string => `${code.slice(0, 4)}-${code.slice(4)}`;

/** What somebody typed, whatever its case, dashes and spaces; undefined when it can be no code. */
export function typedUserCode(text: string): string | undefined {
  if (text.length > 64) return undefined;
  const code = text
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[\s\p{Pd}_.]+/gu, '');
  return new RegExp(`^[${alphabet}]{${length}}$`).test(code) ? code : undefined;
}
