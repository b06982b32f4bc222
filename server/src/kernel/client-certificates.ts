/** Certificates that clients show (RFC 8705): what one says, and whether an authority we trust vouches for it. */
import { createHash, X509Certificate } from 'node:crypto';
import { elements } from './der.ts';
import { nameOfDer } from './distinguished-name.ts';

/** The certificate, or undefined when the bytes are none or more than one: OpenSSL reads no further than its end. */
export function parseCertificate(der: Uint8Array): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(der);
    return certificate.raw.equals(der) ? certificate : undefined;
  } catch {
    return undefined;
  }
}

/** SHA-256 of a certificate, base64url (RFC 8705 §3.1). */
export const certificateThumbprint = (der: Uint8Array): string => createHash('sha256').update(der).digest('base64url');

/** The subject as canonical text (`distinguished-name.ts`); undefined when it is empty or can't be read. */
export function subjectOf(certificate: X509Certificate): string | undefined {
  try {
    const fields = fieldsOf(certificate);
    // Serial number, signature, issuer, validity, subject; a version may stand in front (RFC 5280 §4.1).
    const subject = fields[fields[0]?.tag === 0xa0 ? 5 : 4];
    return subject?.tag === 0x30 ? nameOfDer(subject.content) || undefined : undefined;
  } catch {
    return undefined;
  }
}

const clientAuthentication = '1.3.6.1.5.5.7.3.2';

/**
 * Why a client's certificate is not good at `now` (milliseconds); undefined when it is. One of the authorities must have
 * signed it itself: what lies between an authority and a client has to be named as an authority too.
 */
export function certificateProblem(
  certificate: X509Certificate,
  authorities: readonly X509Certificate[],
  now: number,
): string | undefined {
  const issuers = authorities.filter((authority) => isSignedBy(certificate, authority));
  if (issuers.length === 0) return 'no trusted authority issued the certificate';
  if (!issuers.some((issuer) => isInTime(issuer, now))) return 'the authority of the certificate has expired';
  const late = certificateTimeProblem(certificate, now);
  if (late !== undefined) return late;
  if (certificate.ca) return 'the certificate is one of an authority';
  if (certificate.keyUsage?.includes(clientAuthentication) === false) return 'the certificate is not for clients';
  try {
    return extensionProblem(certificate);
  } catch {
    return 'the extensions of the certificate can not be read';
  }
}

/** Also of a certificate that nobody vouches for. */
export const certificateTimeProblem = (certificate: X509Certificate, now: number): string | undefined =>
  isInTime(certificate, now) ? undefined : 'the certificate has expired or is not yet valid';

/** Signed with a hash that still holds. */
const isSignedBy = (certificate: X509Certificate, authority: X509Certificate): boolean =>
  certificate.checkIssued(authority) &&
  /sha-?(256|384|512)|rsassapss|ed25519|ed448/i.test(certificate.signatureAlgorithm ?? '') &&
  certificate.verify(authority.publicKey);

const isInTime = ({ validFromDate, validToDate }: X509Certificate, now: number): boolean =>
  validFromDate.getTime() <= now && now <= validToDate.getTime();

/** keyUsage, extKeyUsage, basicConstraints, subjectAltName, certificatePolicies: critical ones that we know. */
const knownExtensions = ['551d0f', '551d25', '551d13', '551d11', '551d20'];
const keyUsageExtension = '551d0f';

/** RFC 5280 §4.2: a critical extension that is not known is a reason to refuse; §4.2.1.3: it must be a key to sign with. */
function extensionProblem(certificate: X509Certificate): string | undefined {
  const list = fieldsOf(certificate).find(({ tag }) => tag === 0xa3);
  for (const { content } of list === undefined ? [] : elements(elements(list.content)[0]?.content ?? Buffer.alloc(0))) {
    const [identifier, flag, last] = elements(content);
    const isCritical = last !== undefined && flag?.tag === 0x01 && flag.content[0] !== 0;
    const name = identifier?.content.toString('hex') ?? '';
    if (isCritical && !knownExtensions.includes(name)) return 'the certificate has an extension that is not known';
    const value = (last ?? flag)?.content;
    // BIT STRING: tag, length, unused bits, bits; digitalSignature is the first of them.
    if (name === keyUsageExtension && ((value?.[3] ?? 0) & 0x80) === 0)
      return 'the key of the certificate is not to sign with';
  }
  return undefined;
}

const fieldsOf = ({ raw }: X509Certificate) =>
  elements(elements(elements(raw)[0]?.content ?? Buffer.alloc(0))[0]?.content ?? Buffer.alloc(0));
