import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import type { Extension, Name } from '@peculiar/x509';
import { element, pem } from './der.ts';
import { x509Library } from './x509-library.ts';

/** The signature algorithms (RFC 7518 3.1, RFC 8037 3.1) of token signing keys. */
export type CertificateAlgorithm = 'RS256' | 'RS512' | 'PS256' | 'ES256' | 'ES384' | 'EdDSA';

const pkcs1 = 'RSASSA-PKCS1-v1_5';
const signing: Record<CertificateAlgorithm, { name: string; hash?: string; namedCurve?: string; saltLength?: number }> =
  {
    RS256: { name: pkcs1, hash: 'SHA-256' },
    RS512: { name: pkcs1, hash: 'SHA-512' },
    PS256: { name: 'RSA-PSS', hash: 'SHA-256', saltLength: 32 },
    ES256: { name: 'ECDSA', hash: 'SHA-256', namedCurve: 'P-256' },
    ES384: { name: 'ECDSA', hash: 'SHA-384', namedCurve: 'P-384' },
    EdDSA: { name: 'Ed25519' },
  };

export interface IssueInput {
  subject: Name;
  issuer: Name;
  publicKey: KeyObject;
  signingKey: KeyObject;
  algorithm: CertificateAlgorithm;
  /** Milliseconds since the epoch; cut to whole seconds (RFC 5280 4.1.2.5). */
  notBefore: number;
  notAfter: number;
  /** 8 to 20 random bytes; made positive (RFC 5280 4.1.2.2). */
  serial: Uint8Array;
  extensions: Extension[];
}

/** A distinguished name of one part; told as UTF-8, because the library reads escapes in a plain string. */
export async function commonNamed(text: string): Promise<Name> {
  const x509 = await x509Library();
  return new x509.Name([{ CN: [{ utf8String: text }] }]);
}

/** A signed certificate (RFC 5280 4.1) as PEM. */
export async function issueCertificate(input: IssueInput): Promise<string> {
  const x509 = await x509Library();
  const algorithm = signing[input.algorithm];
  const serial = Buffer.from(input.serial);
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  const certificate = await x509.X509CertificateGenerator.create({
    subject: input.subject,
    issuer: input.issuer,
    serialNumber: serial.toString('hex'),
    notBefore: new Date(Math.floor(input.notBefore / 1000) * 1000),
    notAfter: new Date(Math.floor(input.notAfter / 1000) * 1000),
    publicKey: input.publicKey.export({ type: 'spki', format: 'der' }),
    signingKey: input.signingKey.toCryptoKey(algorithm, false, ['sign']),
    signingAlgorithm: algorithm,
    extensions: input.extensions,
  });
  return `${certificate.toString('pem')}\n`;
}

export interface SelfSignedInput {
  privateKey: KeyObject;
  publicKey: KeyObject;
  algorithm: CertificateAlgorithm;
  /** At most 64 characters (RFC 5280 appendix A, ub-common-name). */
  commonName: string;
  /** Milliseconds since the epoch. */
  notBefore: number;
  notAfter: number;
  /** 8 to 20 random bytes. */
  serial: Uint8Array;
}

/**
 * The certificate (PEM) that is published for a token signing key as `x5c` (RFC 7517 4.7). It vouches for nothing but
 * the key itself. Rejects when the key does not fit the algorithm.
 */
export async function selfSignedCertificate(input: SelfSignedInput): Promise<string> {
  const x509 = await x509Library();
  const name = await commonNamed(input.commonName);
  return issueCertificate({
    ...input,
    subject: name,
    issuer: name,
    signingKey: input.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(input.publicKey.export({ type: 'spki', format: 'der' })),
    ],
  });
}

export interface CertificateDetails {
  /** Base64 of the DER (RFC 7517 4.7). */
  x5c: string;
  /** Base64url SHA-1 and SHA-256 of the DER (RFC 7517 4.8, 4.9). */
  x5t: string;
  x5tS256: string;
  /** SHA-1 in upper-case hexadecimal with colons, and in lower case without. */
  fingerprint: string;
  thumbprint: string;
}

/** What is published about a certificate (PEM). Throws when `certificate` is none. */
export function certificateDetails(certificate: string): CertificateDetails {
  const { raw, fingerprint } = new X509Certificate(certificate);
  return {
    x5c: raw.toString('base64'),
    x5t: createHash('sha1').update(raw).digest('base64url'),
    x5tS256: createHash('sha256').update(raw).digest('base64url'),
    fingerprint,
    thumbprint: fingerprint.replaceAll(':', '').toLowerCase(),
  };
}

const signedData = Buffer.from('2a864886f70d010702', 'hex');
const data = Buffer.from('2a864886f70d010701', 'hex');

/**
 * A PKCS7 block (PEM) that holds only this certificate: SignedData without signers. By hand, because the library writes
 * an empty content where RFC 5652 5.2 says that it MUST be omitted.
 */
export async function pkcs7(certificate: string): Promise<string> {
  const { raw } = new X509Certificate(certificate);
  const none = element(0x31);
  const content = element(0x30, element(0x06, data));
  const body = element(0x30, element(0x02, Buffer.of(1)), none, content, element(0xa0, raw), none);
  return pem('PKCS7', element(0x30, element(0x06, signedData), element(0xa0, body)));
}
