/** Certificates of clients, as authorities make them, and as nobody should; and requests that show them in TLS. */
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { Extension, JsonName } from '@peculiar/x509';
import { issueCertificate } from '../../src/kernel/certificates.ts';
import { x509Library } from '../../src/kernel/x509-library.ts';
import type { Answer, TestServer } from '../harness.ts';

const day = 86_400_000;

/** A certificate with its key, and what it says. */
export interface Shown {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  readonly der: Buffer;
  /** SHA-256, base64url. */
  readonly name: JsonName;
}

export interface CertificateOptions {
  /** First part first, as it is encoded. */
  readonly name?: JsonName;
  /** Who signs; absent: itself. */
  readonly by?: Shown;
  readonly isAuthority?: boolean;
  /** Object identifiers; absent: none are named. */
  readonly usages?: readonly string[];
  readonly notBefore?: number;
  readonly notAfter?: number;
  /** Bits of keyUsage. */
  readonly keyUsage?: number;
  readonly extensions?: readonly Extension[];
}

export const clientAuth = '1.3.6.1.5.5.7.3.2';
export const serverAuth = '1.3.6.1.5.5.7.3.1';
export const warehouse: JsonName = [{ C: ['JP'] }, { O: ['Example'] }, { CN: ['warehouse'] }];

export async function certificate(options: CertificateOptions = {}): Promise<Shown> {
  const x509 = await x509Library();
  const { by, isAuthority = false, usages, name = warehouse } = options;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const flags = x509.KeyUsageFlags;
  const cert = await issueCertificate({
    subject: new x509.Name(name),
    issuer: new x509.Name(by?.name ?? name),
    publicKey,
    signingKey: by === undefined ? privateKey : (createPrivateKey(by.key) as KeyObject),
    algorithm: 'ES256',
    notBefore: options.notBefore ?? Date.now() - day,
    notAfter: options.notAfter ?? Date.now() + day,
    serial: randomBytes(16),
    extensions: [
      new x509.BasicConstraintsExtension(isAuthority, undefined, true),
      new x509.KeyUsagesExtension(options.keyUsage ?? (isAuthority ? flags.keyCertSign : flags.digitalSignature), true),
      ...(usages === undefined ? [] : [new x509.ExtendedKeyUsageExtension([...usages])]),
      ...(options.extensions ?? []),
    ],
  });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  return { cert, key, der: new X509Certificate(cert).raw, name };
}

export const authority = (name: string, options: CertificateOptions = {}): Promise<Shown> =>
  certificate({ name: [{ CN: [name] }], isAuthority: true, ...options });

/** From now on this process trusts the server's own local authority. */
export function trust(server: TestServer): void {
  const own = readFileSync(server.composed.caPath as string, 'utf8');
  setDefaultCACertificates([...getCACertificates('default'), own]);
}

/** One request over TLS, on a connection of its own, showing a certificate or none. */
export function send(
  server: TestServer,
  shown: Shown | undefined,
  method: string,
  path: string,
  options: { form?: Record<string, string>; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const body = options.form === undefined ? '' : new URLSearchParams(options.form).toString();
  const headers = { ...options.headers, ...(body && { 'content-type': 'application/x-www-form-urlencoded' }) };
  const agent = new Agent({ keepAlive: false, ...(shown && { cert: shown.cert, key: shown.key }) });
  return new Promise((resolve, reject) => {
    const sent = request(`${server.origin}${path}`, { method, headers, agent }, async (response) => {
      const text = Buffer.concat(await response.toArray()).toString('utf8');
      const entries = Object.entries(response.headers).map(
        ([name, value]) => [name, String(value)] as [string, string],
      );
      const isJson = /json/.test(String(response.headers['content-type']));
      const parsed = isJson && text !== '' ? JSON.parse(text) : text;
      resolve({ status: response.statusCode ?? 0, headers: new Headers(entries), body: parsed, text });
    });
    sent.once('error', reject);
    sent.end(body);
  });
}
