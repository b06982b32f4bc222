/** DPoP proofs (RFC 9449 §4.2), made as clients make them, and as attackers do. */
import { createHash, randomUUID } from 'node:crypto';
import type { TestServer } from '../harness.ts';
import { keyPair, type Pair, sign } from './assertions.ts';

export interface Holder extends Pair {
  readonly alg: string;
  /** RFC 7638. */
  readonly thumbprint: string;
}

/** Somebody with a key of their own. */
export function holder(alg = 'ES256'): Holder {
  const pair = keyPair(alg);
  const { kty, n, e, crv, x, y } = pair.jwk as Record<string, string>;
  const members = kty === 'RSA' ? { e, kty, n } : kty === 'EC' ? { crv, kty, x, y } : { crv, kty, x };
  const thumbprint = createHash('sha256').update(JSON.stringify(members)).digest('base64url');
  return { ...pair, alg, thumbprint };
}

export interface ProofChanges {
  /** Members of the header and claims that are other than they should be; undefined leaves one out. */
  readonly header?: Record<string, unknown>;
  readonly claims?: Record<string, unknown>;
  readonly token?: string;
  /** Milliseconds. */
  readonly now?: number;
}

/** A good proof, but for the changes. */
export const proofOf = (
  { privateKey, jwk, alg }: Holder,
  method: string,
  url: string,
  { header = {}, claims = {}, token, now = Date.now() }: ProofChanges = {},
): Promise<string> =>
  sign(
    privateKey,
    { alg, typ: 'dpop+jwt', jwk, ...header },
    {
      jti: randomUUID(),
      htm: method,
      htu: url,
      iat: Math.floor(now / 1000),
      ...(token === undefined ? {} : { ath: createHash('sha256').update(token).digest('base64url') }),
      ...claims,
    },
  );

/** Of the token endpoint of the root issuer. */
export const tokenUrl = (server: TestServer): string => `${server.origin}/oauth/token`;
