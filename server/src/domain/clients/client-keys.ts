import { createPublicKey, type JsonWebKey, type KeyObject, X509Certificate } from 'node:crypto';
import { invalid } from '../../kernel/errors.ts';
import {
  type AssertionAlgorithm,
  algorithmNamed,
  assertionAlgorithms,
  jwkThumbprint,
  keyFits,
  publicJwk,
} from '../../kernel/jwa.ts';

/** A public key as a caller gives it: PEM (SPKI, PKCS #1 or a certificate) or a JSON Web Key. */
export interface GivenKey {
  pem?: string | undefined;
  jwk?: Record<string, unknown> | undefined;
  name?: string | undefined;
  kid?: string | undefined;
  alg?: string | undefined;
  /** Milliseconds. */
  expiresAt?: number | undefined;
  /** Take the expiry from the certificate. */
  expiryFromCertificate?: boolean | undefined;
}

/** A key that was checked and can be stored. */
export interface CheckedKey {
  name: string;
  kid: string;
  alg: AssertionAlgorithm;
  publicJwk: string;
  expiresAt: number | null;
}

/**
 * Checks a public key: it parses, holds nothing private, fits its algorithm. Without an algorithm the key's own kind
 * says it; without a `kid` the RFC 7638 thumbprint is. `path` names the field in errors.
 */
export function checkKey(given: GivenKey, path: string, now: number): CheckedKey {
  const field = given.pem === undefined ? `${path}jwk` : `${path}pem`;
  const key = parse(given, field);
  const alg = algorithmOf(given, key, path);
  const kid = given.kid ?? jwkThumbprint(key);
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(kid))
    throw invalid(`${path}kid`, 'A kid has 1 to 64 characters of A-Z a-z 0-9 _ -.');
  const expiresAt = expiryOf(given, field);
  if (expiresAt !== null && expiresAt <= now) throw invalid(`${path}expiresAt`, 'The key has expired already.');
  return { name: given.name ?? kid, kid, alg, publicJwk: JSON.stringify(publicJwk(key, kid, alg)), expiresAt };
}

function parse(given: GivenKey, field: string): KeyObject {
  if ((given.pem === undefined) === (given.jwk === undefined)) {
    throw invalid(field, 'A key is given either as PEM or as JWK.');
  }
  try {
    if (given.jwk !== undefined) {
      // Nobody should send us a private or symmetric key; taking its public half would hide the leak.
      if ('d' in given.jwk || 'k' in given.jwk) throw new Error('private');
      return createPublicKey({ key: given.jwk as JsonWebKey, format: 'jwk' });
    }
    if (/PRIVATE KEY/.test(given.pem as string)) throw new Error('private');
    return createPublicKey(given.pem as string);
  } catch (error) {
    throw invalid(
      field,
      (error as Error).message === 'private'
        ? 'The key is a private or secret key. Send only the public key, and make a new pair: this one has left its owner.'
        : 'The key can not be read as a public key.',
    );
  }
}

function algorithmOf(given: GivenKey, key: KeyObject, path: string): AssertionAlgorithm {
  const wanted = given.alg ?? given.jwk?.alg ?? assertionAlgorithms.find((algorithm) => keyFits(key, algorithm));
  const algorithm = algorithmNamed(wanted);
  if (algorithm === undefined) {
    throw invalid(
      `${path}alg`,
      `The algorithm must be one of ${assertionAlgorithms.join(', ')}, with RSA keys of at least 2048 bits.`,
    );
  }
  if (!keyFits(key, algorithm))
    throw invalid(`${path}alg`, `The key does not fit ${algorithm} (RSA needs 2048 to 8192 bits).`);
  return algorithm;
}

function expiryOf(given: GivenKey, field: string): number | null {
  if (!given.expiryFromCertificate) return given.expiresAt ?? null;
  try {
    return new X509Certificate(given.pem ?? '').validToDate.getTime();
  } catch {
    throw invalid(field, 'The expiry can be taken from a certificate only.');
  }
}
