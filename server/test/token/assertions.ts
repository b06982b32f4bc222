/** Client assertions (RFC 7523 §2.2), made as clients make them, and as attackers do. */
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { type CompactJWSHeaderParameters, CompactSign } from 'jose';
import type { TestServer } from '../harness.ts';

export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

export interface Pair {
  publicKey: KeyObject;
  privateKey: KeyObject;
  /** SPKI. */
  pem: string;
  jwk: Record<string, unknown>;
}

/** A fresh key pair that signs with the algorithm. */
export function keyPair(alg: string): Pair {
  const { publicKey, privateKey } = alg.startsWith('ES')
    ? generateKeyPairSync('ec', { namedCurve: alg === 'ES384' ? 'P-384' : 'P-256' })
    : alg === 'EdDSA'
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    publicKey,
    privateKey,
    pem: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    jwk: publicKey.export({ format: 'jwk' }) as Record<string, unknown>,
  };
}

/** What Auth0's SDKs claim. */
export const claimsOf = (server: TestServer, clientId: string, now = Date.now()): Record<string, unknown> => ({
  iss: clientId,
  sub: clientId,
  aud: server.issuer,
  iat: Math.floor(now / 1000),
  exp: Math.floor(now / 1000) + 180,
  jti: randomUUID(),
});

/** Signs any claims under any header; a text is taken as the payload as it is. */
export const sign = (
  key: KeyObject | Uint8Array,
  header: Record<string, unknown>,
  claims: Record<string, unknown> | string,
): Promise<string> =>
  new CompactSign(Buffer.from(typeof claims === 'string' ? claims : JSON.stringify(claims)))
    .setProtectedHeader(header as unknown as CompactJWSHeaderParameters)
    .sign(key);

/** The token request's parameters of an assertion. */
export const proof = (assertion: string): Record<string, string> => ({
  client_assertion: assertion,
  client_assertion_type: assertionType,
});
