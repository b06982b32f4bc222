import { createPrivateKey, createPublicKey, generateKeyPair } from 'node:crypto';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import { commonNamed, issueCertificate } from './certificates.ts';
import { hostName, nameConstraints } from './name-constraints.ts';
import { x509Library } from './x509-library.ts';

/** PEM, both; the key is PKCS #8. */
export interface CertifiedKey {
  certificate: string;
  privateKey: string;
}

const hour = 3_600_000;
const day = 24 * hour;
/** Permitted whatever the hosts are: who runs the server also calls it on its own machine. */
const loopback = ['localhost', '127.0.0.1', '::1'];

const makePair = promisify(generateKeyPair);

export interface AuthorityInput {
  commonName: string;
  /** Names (each permits its sub-domains too) and IP addresses; a port is ignored. */
  hosts: readonly string[];
  /** Milliseconds since the epoch. */
  now: number;
  /** 8 to 20 random bytes. */
  serial: Uint8Array;
}

/**
 * A certificate authority for ten years that may vouch for `hosts` and loopback only (critical nameConstraints, RFC 5280
 * 4.2.1.10), and for servers only: who trusts it need not fear that it is used for any other site.
 */
export async function makeAuthority({ commonName, hosts, now, serial }: AuthorityInput): Promise<CertifiedKey> {
  const x509 = await x509Library();
  const { publicKey, privateKey } = await makePair('ec', { namedCurve: 'P-256' });
  const name = await commonNamed(commonName);
  const permitted = [...new Set([...hosts.map(hostName), ...loopback])];
  const certificate = await issueCertificate({
    subject: name,
    issuer: name,
    publicKey,
    signingKey: privateKey,
    algorithm: 'ES256',
    notBefore: now - hour,
    notAfter: now + 3652 * day,
    serial,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.Extension('2.5.29.30', true, nameConstraints(permitted)),
      await x509.SubjectKeyIdentifierExtension.create(publicKey.export({ type: 'spki', format: 'der' })),
    ],
  });
  return { certificate, privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

export interface LeafInput {
  authority: CertifiedKey;
  /** At least one; names and IP addresses, a port is ignored. */
  hosts: readonly string[];
  /** Milliseconds since the epoch. */
  now: number;
  /** 8 to 20 random bytes. */
  serial: Uint8Array;
}

/**
 * A server certificate for `hosts`, valid for 397 days (what browsers take at most) or to the end of the authority.
 * Whether the authority permits the hosts is not asked here; a client refuses the certificate if it does not.
 */
export async function makeLeaf({ authority, hosts, now, serial }: LeafInput): Promise<CertifiedKey> {
  const x509 = await x509Library();
  const { publicKey, privateKey } = await makePair('ec', { namedCurve: 'P-256' });
  const issuer = new x509.X509Certificate(authority.certificate);
  const signingKey = createPrivateKey(authority.privateKey);
  const names = [...new Set(hosts.map(hostName))];
  const spki = { type: 'spki', format: 'der' } as const;
  const certificate = await issueCertificate({
    // ub-common-name is 64; the names that count are in the subjectAltName.
    subject: await commonNamed(names[0]!.slice(0, 64)),
    issuer: issuer.subjectName,
    publicKey,
    signingKey,
    algorithm: 'ES256',
    notBefore: now - hour,
    notAfter: Math.min(now - hour + 397 * day - 1000, issuer.notAfter.getTime()),
    serial,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(createPublicKey(signingKey).export(spki)),
      await x509.SubjectKeyIdentifierExtension.create(publicKey.export(spki)),
    ],
  });
  return { certificate, privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}
