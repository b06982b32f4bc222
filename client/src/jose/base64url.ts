/** Base64url without padding (RFC 7515 §2). */

export type Bytes = Uint8Array<ArrayBuffer>;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const bytesOf = (text: string): Bytes => new TextEncoder().encode(text) as Bytes;

export function encode(bytes: Bytes): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Only the one canonical text of the bytes is taken; anything else is undefined. */
export function decode(text: string): Bytes | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return undefined;
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  return encode(bytes) === text ? bytes : undefined;
}

/** The JSON object that the text encodes; undefined when it is none. */
export function decodeObject(text: string): Record<string, unknown> | undefined {
  const bytes = decode(text);
  if (bytes === undefined) return undefined;
  try {
    return asObject(JSON.parse(utf8.decode(bytes)));
  } catch {
    return undefined;
  }
}

export const asObject = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
