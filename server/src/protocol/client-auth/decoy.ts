import { createPublicKey } from 'node:crypto';
import { jose } from '../../kernel/jose.ts';
import { type AssertionAlgorithm, algorithmNamed } from '../../kernel/jwa.ts';

const rsa = createPublicKey({
  key: { kty: 'RSA', n: Buffer.alloc(256, 0xff).toString('base64url'), e: 'AQAB' },
  format: 'jwk',
});

/** Public keys nobody signs with: a modulus of ones, and each curve's base point. */
const keys: Partial<Record<string, ReturnType<typeof createPublicKey>>> = Object.assign(Object.create(null), {
  RS256: rsa,
  RS384: rsa,
  RS512: rsa,
  PS256: rsa,
  ES256: createPublicKey({
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: 'axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY',
      y: 'T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU',
    },
    format: 'jwk',
  }),
  ES384: createPublicKey({
    key: {
      kty: 'EC',
      crv: 'P-384',
      x: 'qofKIr6LBTeOscce8yCtdG4dO2KLp5uYWfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3',
      y: 'NhfeSpYmLG9dnpi_kpLcKfj0Hb0omhR86doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5f',
    },
    format: 'jwk',
  }),
  EdDSA: createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: 'WGZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmY' },
    format: 'jwk',
  }),
} satisfies Record<AssertionAlgorithm, unknown>);

/**
 * The work of verifying an assertion where there is no key to verify it with, so that the time taken does not tell
 * which clients exist and what they registered.
 */
export async function verifyDecoy(assertion: string): Promise<void> {
  try {
    const { decodeProtectedHeader, jwtVerify } = await jose();
    const { alg } = decodeProtectedHeader(assertion);
    const key = keys[algorithmNamed(alg) ?? ''];
    if (key !== undefined) await jwtVerify(assertion, key, { algorithms: [alg as string] });
  } catch {
    // It never verifies.
  }
}
