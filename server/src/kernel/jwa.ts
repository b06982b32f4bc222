import { createHash, createPublicKey, generateKeyPair, type JsonWebKey, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';

/** JSON Web Algorithms (RFC 7518, RFC 8037) that tokens are signed with: one key pair serves one algorithm. */
export const asymmetricAlgorithms = ['RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA'] as const;
export type AsymmetricAlgorithm = (typeof asymmetricAlgorithms)[number];
export type SigningAlgorithm = AsymmetricAlgorithm | 'HS256';

/** What a client may sign its assertions with. */
export const assertionAlgorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA'] as const;
export type AssertionAlgorithm = (typeof assertionAlgorithms)[number];

/** The names an assertion's header may call each algorithm by: RFC 9864 names an Edwards signature after its curve. */
export const headerNames = (algorithm: AssertionAlgorithm): readonly string[] =>
  algorithm === 'EdDSA' ? ['EdDSA', 'Ed25519'] : [algorithm];

/** The algorithm of a header's or a key's `alg`; undefined for one that clients can't use. */
export const algorithmNamed = (name: unknown): AssertionAlgorithm | undefined =>
  assertionAlgorithms.find((algorithm) => headerNames(algorithm).includes(name as string));

interface AlgorithmFacts {
  kty: 'RSA' | 'EC' | 'OKP';
  crv?: 'P-256' | 'P-384' | 'Ed25519';
  /** Bytes of each half of an ECDSA signature. */
  coordinateBytes?: number;
  hash: string | null;
  /** RSASSA-PSS (RFC 7518 §3.5). */
  pss?: true;
}

const facts: Record<AssertionAlgorithm, AlgorithmFacts> = {
  RS256: { kty: 'RSA', hash: 'sha256' },
  RS384: { kty: 'RSA', hash: 'sha384' },
  RS512: { kty: 'RSA', hash: 'sha512' },
  PS256: { kty: 'RSA', hash: 'sha256', pss: true },
  ES256: { kty: 'EC', crv: 'P-256', coordinateBytes: 32, hash: 'sha256' },
  ES384: { kty: 'EC', crv: 'P-384', coordinateBytes: 48, hash: 'sha384' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519', hash: null },
};

/** True when a public key of this kind and size can verify `algorithm`. RSA needs 2048 bits (RFC 7518 §3.3). */
export function keyFits(key: KeyObject, algorithm: AssertionAlgorithm): boolean {
  const wanted = facts[algorithm];
  const jwk = key.export({ format: 'jwk' }) as JsonWebKey;
  if (jwk.kty !== wanted.kty || (wanted.crv !== undefined && jwk.crv !== wanted.crv)) return false;
  const bits = key.asymmetricKeyDetails?.modulusLength;
  return wanted.kty !== 'RSA' || (bits !== undefined && bits >= 2048 && bits <= 8192);
}

const generate = promisify(generateKeyPair) as unknown as (
  type: string,
  options: object,
) => Promise<{ publicKey: KeyObject; privateKey: KeyObject }>;

/** Makes a key pair for one algorithm, on the thread pool. */
export function generateKeys(algorithm: AsymmetricAlgorithm): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  const { kty, crv } = facts[algorithm];
  if (kty === 'RSA') return generate('rsa', { modulusLength: 2048 });
  if (kty === 'EC') return generate('ec', { namedCurve: crv });
  return generate('ed25519', {});
}

/** The public members of a key pair as JSON Web Key, for a key set (RFC 7517). */
export function publicJwk(key: KeyObject, kid: string, algorithm: string): JsonWebKey {
  const { kty, n, e, crv, x, y } = createPublicKey(key.export({ format: 'pem', type: 'spki' })).export({
    format: 'jwk',
  });
  const members = { kty, use: 'sig', kid, alg: algorithm, n, e, crv, x, y };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as JsonWebKey;
}

/** RFC 7638 thumbprint of a public key, SHA-256, base64url. */
export function jwkThumbprint(key: KeyObject): string {
  const { kty, n, e, crv, x, y } = key.export({ format: 'jwk' }) as JsonWebKey;
  const members = kty === 'RSA' ? { e, kty, n } : kty === 'EC' ? { crv, kty, x, y } : { crv, kty, x };
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url');
}

const pssPadding = { padding: 6, saltLength: 32 }; // RSA_PKCS1_PSS_PADDING, salt as long as the hash

/**
 * Signs on the thread pool, so that the event loop goes on meanwhile, and gives the JWS signature (RFC 7515). ECDSA is
 * asked for as DER and converted: that costs less than half of the engine's own IEEE P1363 output.
 */
export function signJws(algorithm: AsymmetricAlgorithm, privateKey: KeyObject, signingInput: Buffer): Promise<Buffer> {
  const { hash, pss, coordinateBytes } = facts[algorithm];
  const key = pss ? { key: privateKey, ...pssPadding } : privateKey;
  return new Promise((resolve, reject) => {
    sign(hash, signingInput, key as KeyObject, (error, signature) => {
      if (error) reject(error);
      else resolve(coordinateBytes === undefined ? signature : derToRaw(signature, coordinateBytes));
    });
  });
}

/** ECDSA signature from DER (SEQUENCE of two INTEGERs) to the two halves side by side (RFC 7518 §3.4). */
function derToRaw(der: Buffer, size: number): Buffer {
  const raw = Buffer.alloc(size * 2);
  let offset = (der[1] as number) & 0x80 ? 3 : 2;
  for (let half = 1; half <= 2; half += 1) {
    const length = der[offset + 1] as number;
    const end = offset + 2 + length;
    // An INTEGER may begin with a zero for its sign, or be shorter than the field.
    const digits = der.subarray(Math.max(offset + 2, end - size), end);
    digits.copy(raw, half * size - digits.length);
    offset = end;
  }
  return raw;
}
