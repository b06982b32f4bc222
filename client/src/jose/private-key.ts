/** Reads a client's private key in any of its forms: PEM (PKCS#8), JWK, or a key of Web Crypto. */
import { ConfigurationError } from '../errors.ts';
import {
  type AsymmetricAlgorithm,
  algorithmNamed,
  asymmetricAlgorithms,
  type CryptoKey,
  type Jwk,
} from './algorithms.ts';
import type { Bytes } from './base64url.ts';

/** PEM text of a PKCS#8 key (`BEGIN PRIVATE KEY`), a private JWK, or a `CryptoKey` that may sign. */
export type PrivateKey = string | Jwk | CryptoKey;

export interface SigningKey {
  readonly key: CryptoKey;
  readonly alg: AsymmetricAlgorithm;
  readonly kid: string | undefined;
}

/**
 * Throws a `ConfigurationError`. Without `alg`, the key's own algorithm counts: what its JWK or CryptoKey says, RS256 for
 * another RSA key, and what fits the curve for the others.
 */
export async function readPrivateKey(
  key: PrivateKey,
  wantedAlg: string | undefined,
  kid: string | undefined,
  extractable = false,
): Promise<SigningKey> {
  if (typeof key === 'string') {
    const der = readPem(key);
    const alg = chosen(wantedAlg, algorithmOfPkcs8(der));
    const imported = await orUnreadable(
      crypto.subtle.importKey('pkcs8', der, parametersOf(alg), extractable, ['sign']),
    );
    return { key: imported, alg, kid };
  }
  if (!isJwk(key)) return { key, alg: chosen(wantedAlg, algorithmOfCryptoKey(key)), kid };
  const alg = chosen(wantedAlg ?? key.alg, defaultOf(key.kty === 'RSA' ? 'RSA' : String(key.crv)));
  // Its own `use`, `key_ops` and `ext` are for others; this copy signs and can't be taken out again, unless that is asked for.
  const { use: _use, key_ops: _operations, ext: _extractable, alg: _alg, ...material } = key;
  const imported = await orUnreadable(
    crypto.subtle.importKey('jwk', material, parametersOf(alg), extractable, ['sign']),
  );
  return { key: imported, alg, kid: kid ?? key.kid };
}

const isJwk = (key: Jwk | CryptoKey): key is Jwk => 'kty' in key;
const parametersOf = (alg: AsymmetricAlgorithm) => algorithmNamed(alg)?.key as { name: string; namedCurve: string };

/** The cause is left out: it could quote the key. */
async function orUnreadable(importing: Promise<CryptoKey>): Promise<CryptoKey> {
  try {
    return await importing;
  } catch {
    throw new ConfigurationError('The private key can not be read, or does not fit its algorithm.');
  }
}

function chosen(wanted: string | undefined, ownAlg: AsymmetricAlgorithm): AsymmetricAlgorithm {
  const alg = asymmetricAlgorithms.find((name) => name === (wanted ?? ownAlg));
  if (alg === undefined) throw new ConfigurationError(`The key can not sign with ${wanted}.`);
  return alg;
}

const defaults: ReadonlyMap<string, AsymmetricAlgorithm> = new Map([
  ['RSA', 'RS256'],
  ['P-256', 'ES256'],
  ['P-384', 'ES384'],
  ['P-521', 'ES512'],
  ['Ed25519', 'EdDSA'],
]);

function defaultOf(kind: string): AsymmetricAlgorithm {
  const alg = defaults.get(kind);
  if (alg === undefined) throw new ConfigurationError('The private key is of a kind that can not be used here.');
  return alg;
}

function algorithmOfCryptoKey(key: CryptoKey): AsymmetricAlgorithm {
  const own = key.algorithm as { name: string; namedCurve?: string; hash?: { name: string } };
  const found = asymmetricAlgorithms.find((name) => {
    const wanted = algorithmNamed(name)?.key;
    return wanted?.name === own.name && wanted.namedCurve === own.namedCurve && wanted.hash === own.hash?.name;
  });
  if (found === undefined || key.type !== 'private' || !key.usages.includes('sign')) {
    throw new ConfigurationError('The CryptoKey is no private key that may sign.');
  }
  return found;
}

function readPem(pem: string): Bytes {
  const body = /^\s*-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----\s*$/.exec(pem)?.[1];
  if (body === undefined) {
    throw new ConfigurationError(
      'The private key must be PEM of PKCS#8 ("BEGIN PRIVATE KEY"); `openssl pkcs8 -topk8 -nocrypt` makes it so.',
    );
  }
  try {
    return Uint8Array.from(atob(body.replace(/\s/g, '')), (character) => character.charCodeAt(0));
  } catch {
    throw new ConfigurationError('The private key is not well-formed PEM.');
  }
}

/** Object identifiers as they stand in the key's AlgorithmIdentifier (RFC 5958 §2), after tag and length. */
const identifiers: readonly [hex: string, kind: string][] = [
  ['06092a864886f70d010101', 'RSA'],
  ['06082a8648ce3d030107', 'P-256'],
  ['06052b81040022', 'P-384'],
  ['06052b81040023', 'P-521'],
  ['06032b6570', 'Ed25519'],
];

function algorithmOfPkcs8(der: Bytes): AsymmetricAlgorithm {
  // The identifier is within the first bytes, in front of the key itself.
  const start = Array.from(der.subarray(0, 40), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return defaultOf(identifiers.find(([hex]) => start.includes(hex))?.[1] ?? '');
}
