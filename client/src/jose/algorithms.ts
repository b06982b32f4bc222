/** The signature algorithms (RFC 7518 §3, RFC 8037, RFC 9864) in the words of Web Crypto. */

/** A key of Web Crypto, named so that both the browser's and Node's types fit. */
export type CryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** A JSON Web Key (RFC 7517 §4). */
export interface Jwk {
  readonly kty: string;
  readonly kid?: string;
  readonly alg?: string;
  readonly use?: string;
  readonly crv?: string;
  readonly [member: string]: unknown;
}

export interface Algorithm {
  readonly kty: 'RSA' | 'EC' | 'OKP' | 'oct';
  readonly crv?: string;
  /** For `importKey` and `generateKey`. */
  readonly key: { readonly name: string; readonly hash?: string; readonly namedCurve?: string };
  /** For `sign` and `verify`. */
  readonly signature: { readonly name: string; readonly hash?: string; readonly saltLength?: number };
}

const rsa = (bits: number): Algorithm => {
  const key = { name: 'RSASSA-PKCS1-v1_5', hash: `SHA-${bits}` };
  return { kty: 'RSA', key, signature: { name: key.name } };
};
const pss = (bits: number): Algorithm => ({
  kty: 'RSA',
  key: { name: 'RSA-PSS', hash: `SHA-${bits}` },
  signature: { name: 'RSA-PSS', saltLength: bits / 8 },
});
const ec = (curve: string, bits: number): Algorithm => ({
  kty: 'EC',
  crv: curve,
  key: { name: 'ECDSA', namedCurve: curve },
  signature: { name: 'ECDSA', hash: `SHA-${bits}` },
});
const hmac = (bits: number): Algorithm => ({
  kty: 'oct',
  key: { name: 'HMAC', hash: `SHA-${bits}` },
  signature: { name: 'HMAC' },
});
const ed25519: Algorithm = { kty: 'OKP', crv: 'Ed25519', key: { name: 'Ed25519' }, signature: { name: 'Ed25519' } };

const asymmetric = {
  RS256: rsa(256),
  RS384: rsa(384),
  RS512: rsa(512),
  PS256: pss(256),
  PS384: pss(384),
  PS512: pss(512),
  ES256: ec('P-256', 256),
  ES384: ec('P-384', 384),
  ES512: ec('P-521', 512),
  EdDSA: ed25519,
  Ed25519: ed25519,
};
const symmetric = { HS256: hmac(256), HS384: hmac(384), HS512: hmac(512) };

export type AsymmetricAlgorithm = keyof typeof asymmetric;
export type SymmetricAlgorithm = keyof typeof symmetric;
export type SigningAlgorithm = AsymmetricAlgorithm | SymmetricAlgorithm;

export const asymmetricAlgorithms = Object.keys(asymmetric) as readonly AsymmetricAlgorithm[];
export const symmetricAlgorithms = Object.keys(symmetric) as readonly SymmetricAlgorithm[];
const table: ReadonlyMap<string, Algorithm> = new Map(Object.entries({ ...asymmetric, ...symmetric }));

/** The algorithm of that name; undefined for `none`, and for whatever else is none. */
export const algorithmNamed = (name: string): Algorithm | undefined => table.get(name);

/** Whether a published key may verify a signature of the algorithm: its type, curve, use and own algorithm (RFC 8725 §3.1). */
export function fits(jwk: Jwk, name: AsymmetricAlgorithm): boolean {
  const { kty, crv } = asymmetric[name];
  // EdDSA and Ed25519 are two names of one algorithm.
  const isSame = jwk.alg === undefined || table.get(jwk.alg) === asymmetric[name];
  const operations = jwk.key_ops;
  const mayVerify = operations === undefined || (Array.isArray(operations) && operations.includes('verify'));
  return jwk.kty === kty && (crv === undefined || jwk.crv === crv) && isSame && mayVerify && isForSignatures(jwk);
}

const isForSignatures = ({ use }: Jwk): boolean => use === undefined || use === 'sig';
