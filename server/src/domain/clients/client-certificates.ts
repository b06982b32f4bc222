/** The certificates clients prove themselves with (RFC 8705 §2), as callers give them and as they are stored. */
import { X509Certificate } from 'node:crypto';
import { certificateThumbprint, subjectOf } from '../../kernel/client-certificates.ts';
import { canonicalName } from '../../kernel/distinguished-name.ts';
import { invalid } from '../../kernel/errors.ts';
import type { CertificateMethod } from './client.ts';

/** `subject`: any certificate of a trusted authority with it will do; `certificate`: that one's subject, or itself. */
export interface GivenCertificate {
  /** What counts: the subject, or the certificate itself. */
  method: CertificateMethod;
  /** RFC 4514. */
  subject?: string | undefined;
  /** PEM. */
  certificate?: string | undefined;
  name?: string | undefined;
  /** Milliseconds. A certificate that itself counts ends with its own time at the latest. */
  expiresAt?: number | undefined;
}

/** A certificate that was checked and can be stored: by subject or by thumbprint, not both. */
export interface CheckedCertificate {
  name: string;
  subject: string | null;
  thumbprint: string | null;
  expiresAt: number | null;
}

/** Longest canonical subject, in characters. */
const longestSubject = 1024;

/** `path` stands before the field in errors. Throws `input.invalid`. */
export function checkCertificate(given: GivenCertificate, path: string, now: number): CheckedCertificate {
  const bySubject = given.method === 'tls_client_auth';
  if ((given.certificate === undefined) === (given.subject === undefined)) {
    throw invalid(`${path}certificate`, 'Give either a subject or a certificate.');
  }
  if (!bySubject && given.certificate === undefined) {
    throw invalid(`${path}subject`, 'Where the certificate itself counts, give it and not its subject.');
  }
  const certificate = given.certificate === undefined ? undefined : read(given.certificate, `${path}certificate`);
  const ends = [given.expiresAt, bySubject ? undefined : certificate?.validToDate.getTime()];
  const known = ends.filter((time) => time !== undefined);
  const expiresAt = known.length === 0 ? null : Math.min(...known);
  if (expiresAt !== null && expiresAt <= now) throw invalid(`${path}expiresAt`, 'The certificate has expired already.');
  if (!bySubject && certificate !== undefined) {
    const thumbprint = certificateThumbprint(certificate.raw);
    return { name: given.name ?? thumbprint, subject: null, thumbprint, expiresAt };
  }
  const subject = certificate === undefined ? canonicalName(given.subject as string) : subjectOf(certificate);
  if (!subject || subject.length > longestSubject) {
    throw invalid(
      `${path}${certificate === undefined ? 'subject' : 'certificate'}`,
      'The subject must be a distinguished name as RFC 4514 writes it, like CN=warehouse,O=Example,C=JP.',
    );
  }
  return { name: given.name ?? subject.slice(0, 128), subject, thumbprint: null, expiresAt };
}

function read(pem: string, path: string): X509Certificate {
  // Nobody should send us a private key; reading past it would hide the leak.
  if (/PRIVATE KEY/.test(pem)) {
    throw invalid(path, 'Send only the certificate, and make a new key: this one has left its owner.');
  }
  try {
    return new X509Certificate(pem);
  } catch {
    throw invalid(path, 'The certificate can not be read.');
  }
}
