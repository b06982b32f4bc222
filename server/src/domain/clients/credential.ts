import type { AssertionAlgorithm } from '../../kernel/jwa.ts';
import type { Schema } from '../../storage/schema.ts';

/** What a client proves itself with. Several may live at once, each with its own name, expiry and last use. */
export interface Credential {
  id: string;
  kind: 'secret' | 'key' | 'certificate';
  name: string;
  /** First characters of a secret, to tell it from others. */
  prefix: string | null;
  alg: AssertionAlgorithm | null;
  kid: string | null;
  /** Of a certificate: the subject any trusted authority may vouch for, or the SHA-256 (base64url) of the one that counts. */
  certificateSubject: string | null;
  certificateThumbprint: string | null;
  /** A key or certificate counts only while the client's authentication refers to it. */
  enabled: boolean;
  createdAt: number;
  updatedAt: number;
  expiresAt: number | null;
  lastUsedAt: number | null;
}

export type CredentialRow = Schema['credentials'];

export const credentialOf = (row: CredentialRow): Credential => ({
  id: row.id,
  kind: row.kind,
  name: row.name,
  prefix: row.secret_prefix,
  alg: row.alg as AssertionAlgorithm | null,
  kid: row.kid,
  certificateSubject: row.certificate_subject,
  certificateThumbprint: row.certificate_thumbprint,
  enabled: row.enabled === 1,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  expiresAt: row.expires_at,
  lastUsedAt: row.last_used_at,
});
