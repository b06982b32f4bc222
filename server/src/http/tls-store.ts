import { createPrivateKey, randomUUID, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { dirname, join } from 'node:path';
import { type CertifiedKey, makeAuthority, makeLeaf } from '../kernel/authority.ts';
import type { Clock } from '../kernel/clock.ts';
import { permits, permittedBy } from '../kernel/name-constraints.ts';
import type { Random } from '../kernel/random.ts';

/** What has less time left (milliseconds) is made anew, so that it does not run out under a running server. */
const renewalTime = 30 * 24 * 3_600_000;

export interface TlsStore {
  folder: string;
  /** Names and IP addresses without ports. */
  hosts: readonly string[];
  clock: Clock;
  random: Random;
}

export const authorityPath = (folder: string): string => join(folder, 'ca.pem');

/**
 * The authority of `ca.pem` and `ca-key.pem`; made and written when there is none, it runs out, or it does not permit
 * all hosts. One process may use the folder at a time.
 */
export async function keepAuthority({ folder, hosts, clock, random }: TlsStore): Promise<CertifiedKey> {
  const paths = { certificate: authorityPath(folder), privateKey: join(folder, 'ca-key.pem') };
  const kept = await readPair(paths);
  if (kept !== undefined && timeLeft(kept, clock) >= renewalTime) {
    const permitted = permittedBy(kept.certificate);
    if (hosts.every((host) => permits(permitted, host))) return kept;
  }
  // A name of its own: a client may still trust an earlier authority, and looks issuers up by name.
  const commonName = `Sekisho local authority ${Buffer.from(random(4)).toString('hex')}`;
  const made = await makeAuthority({ commonName, hosts, now: clock.now(), serial: random(16) });
  // The authority's certificate is for others to read and trust.
  await writePair(paths, made, 0o644);
  return made;
}

/** The server certificate of `leaf.pem` and `leaf-key.pem`; made when there is none that fits authority and hosts. */
export async function keepLeaf(
  { folder, hosts, clock, random }: TlsStore,
  authority: CertifiedKey,
): Promise<CertifiedKey> {
  const paths = { certificate: join(folder, 'leaf.pem'), privateKey: join(folder, 'leaf-key.pem') };
  const kept = await readPair(paths);
  if (kept !== undefined && timeLeft(kept, clock) >= renewalTime) {
    const leaf = new X509Certificate(kept.certificate);
    const issued = leaf.verify(new X509Certificate(authority.certificate).publicKey);
    const covers = (host: string) => (isIP(host) === 0 ? leaf.checkHost(host) : leaf.checkIP(host)) !== undefined;
    if (issued && leaf.validFromDate.getTime() <= clock.now() && hosts.every(covers)) return kept;
  }
  const made = await makeLeaf({ authority, hosts, now: clock.now(), serial: random(16) });
  await writePair(paths, made, 0o600);
  return made;
}

/** Milliseconds. */
const timeLeft = ({ certificate }: CertifiedKey, clock: Clock): number =>
  new X509Certificate(certificate).validToDate.getTime() - clock.now();

/** The two files (PEM) when both are there, can be parsed and belong together. */
async function readPair(paths: CertifiedKey): Promise<CertifiedKey | undefined> {
  try {
    const certificate = await readFile(paths.certificate, 'utf8');
    const privateKey = await readFile(paths.privateKey, 'utf8');
    const fits = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privateKey));
    return fits ? { certificate, privateKey } : undefined;
  } catch (error) {
    // Absent or damaged: made anew. What the system refuses is for the operator to mend.
    if (error instanceof Error && 'syscall' in error && (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}

/** The key first: after a crash in between, the two do not belong together and are made anew. */
async function writePair(paths: CertifiedKey, pair: CertifiedKey, certificateMode: number): Promise<void> {
  await mkdir(dirname(paths.certificate), { recursive: true });
  await replaceFile(paths.privateKey, pair.privateKey, 0o600);
  await replaceFile(paths.certificate, pair.certificate, certificateMode);
}

/** By renaming: the mode holds even where a file of another mode lies, and no half-written file is ever read. */
async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, text, { mode, flag: 'wx' });
  await rename(temporary, path);
}
