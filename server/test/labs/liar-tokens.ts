/** ID tokens, honest and otherwise. */
import { constants, createHmac, generateKeyPairSync, type KeyObject, sign as signWith } from 'node:crypto';

export interface SigningKey {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export function newKey(
  alg: 'RS256' | 'PS256' | 'ES256' | 'EdDSA' = 'RS256',
  { kid = 'k1', bits = 2048 } = {},
): SigningKey {
  if (alg === 'ES256') return { alg, kid, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
  if (alg === 'EdDSA') return { alg, kid, ...generateKeyPairSync('ed25519') };
  return { alg, kid, ...generateKeyPairSync('rsa', { modulusLength: bits }) };
}

export const jwkOf = ({ publicKey, kid, alg }: SigningKey): Record<string, unknown> => ({
  ...publicKey.export({ format: 'jwk' }),
  kid,
  alg,
  use: 'sig',
});

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A JWS of these claims; the header may say anything beside. */
export function signed(key: SigningKey, claims: unknown, header: Record<string, unknown> = {}): string {
  const input = `${encode({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header })}.${encode(claims)}`;
  return `${input}.${signatureOf(key, Buffer.from(input)).toString('base64url')}`;
}

function signatureOf({ alg, privateKey: key }: SigningKey, data: Buffer): Buffer {
  if (alg === 'PS256') {
    return signWith('sha256', data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
  }
  if (alg === 'ES256') return signWith('sha256', data, { key, dsaEncoding: 'ieee-p1363' });
  return signWith(alg === 'EdDSA' ? null : 'sha256', data, key);
}

/** By a key that both sides have, so that it proves nothing. */
export function macked(secret: string | Buffer, claims: unknown): string {
  const input = `${encode({ alg: 'HS256', kid: 'k1' })}.${encode(claims)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

export const unsigned = (claims: unknown, alg: unknown = 'none'): string =>
  `${encode({ alg, kid: 'k1' })}.${encode(claims)}.`;
