import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';

/** The two algorithms that are measured. */
export type Algorithm = 'RS256' | 'ES256';
export const algorithms: readonly Algorithm[] = ['RS256', 'ES256'];

export interface Jwt {
  header: { alg?: string; kid?: string };
  payload: { jti?: string; iss?: string; aud?: string; exp?: number; scope?: string };
}

/** Takes a compact JWT apart without judging it. Throws when it has not the shape of one. */
export function readJwt(token: string): Jwt {
  const parts = token.split('.');
  if (parts.length !== 3) throw new Error(`Not a JWT: ${token.slice(0, 40)}`);
  const decode = (part: string | undefined) => JSON.parse(Buffer.from(part ?? '', 'base64url').toString('utf8'));
  return { header: decode(parts[0]), payload: decode(parts[1]) };
}

/** Throws unless the token is signed with `algorithm` by a key that the server publishes at `jwksUrl`. */
export async function verifySignature(token: string, algorithm: Algorithm, jwksUrl: string): Promise<void> {
  const { header } = readJwt(token);
  if (header.alg !== algorithm) throw new Error(`The token is signed with ${header.alg}, not ${algorithm}.`);
  const { keys } = (await (await fetch(jwksUrl)).json()) as { keys: (JsonWebKey & { kid?: string })[] };
  const jwk = keys.find((candidate) => candidate.kid === header.kid);
  if (jwk === undefined) throw new Error(`${jwksUrl} has no key ${header.kid}.`);
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  const cut = token.lastIndexOf('.');
  const signature = Buffer.from(token.slice(cut + 1), 'base64url');
  const data = Buffer.from(token.slice(0, cut));
  if (!verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, signature)) {
    throw new Error(`The ${algorithm} signature of a token of ${jwksUrl} is wrong.`);
  }
}
