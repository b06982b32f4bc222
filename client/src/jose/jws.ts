/** Compact JWS (RFC 7515 §3.1) over a JSON object: reading, signing, verifying. */
import type { Algorithm, CryptoKey } from './algorithms.ts';
import { type Bytes, bytesOf, decode, decodeObject, encode } from './base64url.ts';

export interface Jws {
  readonly header: Record<string, unknown>;
  readonly payload: Record<string, unknown>;
  readonly signingInput: Bytes;
  readonly signature: Bytes;
}

/** Reads a token of three canonical parts; undefined when it is none. Nothing of it is verified. */
export function parseJws(token: string): Jws | undefined {
  const parts = token.split('.', 4);
  if (parts.length !== 3) return undefined;
  const [first, second, third] = parts as [string, string, string];
  const header = decodeObject(first);
  const payload = decodeObject(second);
  const signature = decode(third);
  if (header === undefined || payload === undefined || signature === undefined || signature.length === 0) {
    return undefined;
  }
  return { header, payload, signature, signingInput: bytesOf(`${first}.${second}`) };
}

export const verifyJws = (jws: Jws, algorithm: Algorithm, key: CryptoKey): Promise<boolean> =>
  crypto.subtle.verify(algorithm.signature, key, jws.signature, jws.signingInput);

export async function signJws(
  algorithm: Algorithm,
  key: CryptoKey,
  header: Record<string, unknown>,
  payload: Record<string, unknown>,
): Promise<string> {
  const [first, second] = [header, payload].map((part) => encode(bytesOf(JSON.stringify(part))));
  const signature = await crypto.subtle.sign(algorithm.signature, key, bytesOf(`${first}.${second}`));
  return `${first}.${second}.${encode(new Uint8Array(signature))}`;
}
