/** The certificates clients prove themselves with (RFC 8705 §2), as callers give them and as they are stored. */
import { X509Certificate } from 'node:crypto';
import { certificateThumbprint, subjectOf } from '../../kernel/client-certificates.ts';
import { canonicalName } from '../../kernel/distinguished-name.ts';
import { invalid } from '../../kernel/errors.ts';

/** `subject`: any certificate of a trusted authority with it will do; `pem`: this very one, or any with its subject. */
export interface GivenCertificate {
  /** What it counts for: its subject, or the certificate itself. */
  method: 'tls_client_auth' | 'self_signed_tls_client_auth';
  /** RFC 4514. */
  subject?: string | undefined;
  pem?: string | undefined;
  name?: string | undefined;
  /** Milliseconds. Of a certificate that itself counts, its own end, if that is sooner. */
  expiresAt?: number | undefined;
}

/** A certificate that was checked and can be stored: with a subject or a thumbprint, not both. */
export interface CheckedCertificate {
  name: string;
  subject: string | null;
  thumbprint: string | null;
  expiresAt: number | null;
}

/** `path` names the field in errors. Throws `input.invalid`. */
export function checkCertificate(given: GivenCertificate, path: string, now: number): CheckedCertificate {
  const { method, subject, pem, name } = given;
  if ((pem === undefined) === (subject === undefined)) {
    throw invalid(`${path}${pem === undefined ? 'subject' : 'pem'}`, 'Give either a subject or a certificate as PEM.');
  }
  if (method === 'self_signed_tls_client_auth' && pem === undefined) {
    throw invalid(`${path}pem`, 'A certificate that itself counts is given as PEM.');
  }
  const certificate = pem === undefined ? undefined : readPem(pem, `${path}pem`);
  const counts = method === 'self_signed_tls_client_auth' ? (certificate as X509Certificate) : undefined;
  const ends = [given.expiresAt, counts?.validToDate.getTime()].filter((time) => time !== undefined);
  const expiresAt = ends.length === 0 ? null : Math.min(...ends);
  if (expiresAt !== null && expiresAt <= now) throw invalid(`${path}expiresAt`, 'The certificate has expired already.');
  if (counts !== undefined) {
    const thumbprint = certificateThumbprint(counts.raw);
    return { name: name ?? thumbprint, subject: null, thumbprint, expiresAt };
  }
  const canonical = certificate === undefined ? canonicalName(subject as string) : subjectOfPem(certificate);
  if (canonical === undefined || canonical === '' || canonical.length > 1024) {
    throw invalid(
      `${path}${pem === undefined ? 'subject' : 'pem'}`,
      'The subject must be a distinguished name as RFC 4514 writes it, like CN=warehouse,O=Example,C=JP.',
    );
  }
  return { name: name ?? canonical.slice(0, 128), subject: canonical, thumbprint: null, expiresAt };
}

function readPem(pem: string, path: string): X509Certificate {
  // Nobody should send us a private key; reading past it would hide the leak.
  if (/PRIVATE KEY/.test(pem)) throw invalid(path, 'Send only the certificate, and make a new pair: this one has left its owner.');
  try {
    return new X509Certificate(pem);
  } catch {
    throw invalid(path, 'The certificate can not be read.');
  }
}

function subjectOfPem(certificate: X509Certificate): string | undefined {
  try {
    return subjectOf(certificate);
  } catch {
    return undefined;
  }
}
