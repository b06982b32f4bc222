import { createSecureContext, type SecureContext } from 'node:tls';
import { makeLeaf } from '../kernel/authority.ts';
import type { Clock } from '../kernel/clock.ts';
import { hostName, permits, permittedBy } from '../kernel/name-constraints.ts';
import type { Random } from '../kernel/random.ts';
import { tlsCache } from './tls-cache.ts';
import { authorityPath, keepAuthority, keepLeaf } from './tls-store.ts';

export { fileTls } from './tls-files.ts';

export interface LocalTlsInput {
  /** Where the authority is kept: `ca.pem`, `ca-key.pem`, and `leaf.pem`, `leaf-key.pem` of the configured hosts. */
  folder: string;
  /** The configured hosts, ports allowed. Their sub-domains can have certificates too. */
  hosts: readonly string[];
  /** Whether a tenant answers at this host (lower case, no port). */
  isKnownHost(host: string): boolean | Promise<boolean>;
  clock: Clock;
  random: Random;
  /** PEM; the authorities that clients are asked for certificates of. */
  clientCa?: string | undefined;
}

export interface LocalTls {
  /** The certificate that clients have to trust. */
  caPath: string;
  /** Options for an https server. */
  options: { key: string; cert: string; SNICallback(servername: string, done: SniDone): void };
}

export type SniDone = (error: Error | null, context?: SecureContext) => void;

/** Milliseconds; shorter than the life of a leaf by a month. */
const renewAfter = 365 * 24 * 3_600_000;

/**
 * Local https: a certificate authority kept in `folder`, and a certificate for each host a client names (RFC 6066 3),
 * made when it is first asked for; an unknown host, or one the authority does not permit, ends the handshake. Clients
 * that name no host get the certificate of the configured hosts and loopback; it is renewed at the start only.
 * Rejects with the system's error when the folder can not be read or written.
 */
export async function localTls(input: LocalTlsInput): Promise<LocalTls> {
  const { folder, clock, random, isKnownHost, clientCa } = input;
  const hosts = [...new Set([...input.hosts.map(hostName), 'localhost', '127.0.0.1', '::1'])];
  const store = { folder, hosts, clock, random };
  const authority = await keepAuthority(store);
  const leaf = await keepLeaf(store, authority);
  const permitted = permittedBy(authority.certificate);
  const contextOf = tlsCache({ limit: 1000, lifetime: renewAfter, clock, make: makeContext });

  async function choose(servername: string): Promise<SecureContext | undefined> {
    const host = hostName(servername);
    // None means the server's own context, which holds the certificate of the configured hosts.
    if (hosts.includes(host)) return undefined;
    if (!(await isKnownHost(host))) throw new Error(`No tenant answers at ${host}.`);
    if (!permits(permitted, host)) throw new Error(`The local certificate authority does not permit ${host}.`);
    return contextOf(host);
  }

  async function makeContext(host: string): Promise<SecureContext> {
    const { privateKey, certificate } = await makeLeaf({
      authority,
      hosts: [host],
      now: clock.now(),
      serial: random(16),
    });
    // A host of its own asks for the same certificates.
    return createSecureContext({
      key: privateKey,
      cert: certificate,
      ...(clientCa === undefined ? {} : { ca: clientCa }),
    });
  }

  return {
    caPath: authorityPath(folder),
    options: {
      key: leaf.privateKey,
      cert: leaf.certificate,
      SNICallback(servername, done) {
        choose(servername).then((context) => done(null, context), done);
      },
    },
  };
}
