/** The public half of a key as a JSON Web Key, and its thumbprint (RFC 7638). */
import { bytesOf, encode } from './base64url.ts';

export type PublicJwk = Readonly<Record<string, string>>;

/** The members that make a public key, in the order RFC 7638 §3.2 hashes them; whatever else stands there stays out. */
export function publicMembers(jwk: object): PublicJwk {
  const { kty, n, e, crv, x, y } = jwk as Readonly<Record<string, unknown>>;
  const members = kty === 'RSA' ? { e, kty, n } : kty === 'EC' ? { crv, kty, x, y } : { crv, kty, x };
  return members as PublicJwk;
}

/** SHA-256, base64url. */
export const thumbprintOf = async (jwk: object): Promise<string> =>
  encode(new Uint8Array(await crypto.subtle.digest('SHA-256', bytesOf(JSON.stringify(publicMembers(jwk))))));
