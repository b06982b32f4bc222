import type { SigningKey } from '../../../domain/keys/keys.ts';
import { certificateDetails, pkcs7 } from '../../../kernel/certificates.ts';
import { withoutUnset } from '../envelope.ts';

const timeOf = (milliseconds: number | null): string | undefined =>
  milliseconds === null ? undefined : new Date(milliseconds).toISOString();

/** A signing key as this dialect shows it: its certificate and its state, never the private key. */
export async function bodyOf(key: SigningKey): Promise<Record<string, unknown>> {
  const { certificate } = key;
  const details = certificate === null ? undefined : certificateDetails(certificate);
  return withoutUnset({
    kid: key.kid,
    // Ours: there is a set of keys for each algorithm.
    alg: key.alg,
    cert: certificate,
    pkcs7: certificate === null ? undefined : await pkcs7(certificate),
    current: key.state === 'current',
    next: key.state === 'next',
    previous: key.state === 'previous',
    current_since: timeOf(key.currentSince),
    current_until: timeOf(key.currentUntil),
    fingerprint: details?.fingerprint,
    thumbprint: details?.thumbprint,
    revoked: key.state === 'revoked',
    revoked_at: timeOf(key.revokedAt),
  });
}

/** What rotating and revoking answer. */
export const changedBodyOf = (key: SigningKey) => withoutUnset({ kid: key.kid, cert: key.certificate });
