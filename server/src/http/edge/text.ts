import { isAscii } from 'node:buffer';
import { malformed } from '../../kernel/errors.ts';

/** Longest part of a name from the request that an error repeats, in characters. */
const echoedLength = 64;

/** `ignoreBOM` keeps a byte order mark in the text, so that each parser decides about it. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of a body. Throws `input.malformed` when the bytes are not UTF-8 (RFC 3629: no overlong form, no surrogate). */
export function decodeUtf8(body: Buffer): string {
  // ASCII, the usual case, becomes a one-byte string by a plain copy.
  if (isAscii(body)) return body.toString('latin1');
  try {
    return utf8.decode(body);
  } catch {
    throw malformed('The body is not valid UTF-8.');
  }
}

/**
 * A name from the request, safe to repeat in an error: at most 64 characters, well-formed, and without control
 * characters and the invisible ones that reorder or break a line.
 */
export function echoName(name: string): string {
  // The first cut bounds the work for a name of a megabyte; the second counts characters, not halves of them.
  const visible = name
    .slice(0, echoedLength * 4)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '');
  return visible.length <= echoedLength ? visible : [...visible].slice(0, echoedLength).join('');
}
