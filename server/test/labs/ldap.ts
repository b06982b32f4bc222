/**
 * A directory for tests: OpenLDAP and MIT Kerberos on loopback, in a folder of their own, gone when the test is.
 *
 *   const lab = await startLdapLab();      // hasOpenldap() says whether it can be
 *   … { url: lab.urls.ldaps, caCertificates: lab.caCertificates, dn: lab.peopleBase, dnPrefix: 'uid' }
 *   … people.alice.uid, people.alice.password
 *   await lab.close();
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';
import { serverPath } from '../../../scripts/openldap.ts';
import { freePort } from '../../../scripts/ports.ts';
import { type CertifiedKey, makeAuthority, makeLeaf } from '../../src/kernel/authority.ts';
import {
  administrator,
  bareConfiguration,
  base,
  directoryLdif,
  groupsBase,
  peopleBase,
  realm,
  searcher,
  slapdConfiguration,
} from './ldap-directory.ts';
import { startRealm } from './ldap-kerberos.ts';
import { type LabProcesses, startProcesses } from './processes.ts';

export { dnOf, type LabPerson, objectGuid, people } from './ldap-directory.ts';

export interface LdapLab {
  /** Its own, removed with it. */
  readonly folder: string;
  readonly urls: {
    /** Takes StartTLS. */
    readonly ldap: string;
    readonly ldaps: string;
    /** The same directory, with a certificate of the same authority for another name. */
    readonly wrongName: string;
    /** Another server, which knows nobody and refuses StartTLS. */
    readonly withoutTls: string;
  };
  /** PEM of who certified all of them. */
  readonly caCertificates: string;
  readonly base: string;
  readonly peopleBase: string;
  readonly groupsBase: string;
  readonly searcher: { readonly dn: string; readonly password: string };
  readonly realm: string;
  /** Path for `KRB5_CONFIG`. */
  readonly krb5Config: string;
  /** Applies LDIF with `changetype` lines, as the administrator. */
  modify(ldif: string): Promise<void>;
  /** What slapd was asked so far, one line a step (`BIND dn="…" method=128`). */
  log(): string;
  /** The server hangs: it accepts connections and says nothing. */
  stop(): void;
  resume(): void;
  close(): Promise<void>;
}

/** Throws where the programs are missing; ask `hasOpenldap` before. */
export async function startLdapLab(): Promise<LdapLab> {
  const processes = await startProcesses('ldap');
  try {
    return await startServers(processes);
  } catch (error) {
    await processes.close();
    throw error;
  }
}

async function startServers(processes: LabProcesses): Promise<LdapLab> {
  const { folder, launch } = processes;
  const [ldap, ldaps, bare, kdc] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const certificates = await makeCertificates();
  const kerberos = await startRealm(processes, serverPath(), kdc);
  await fillDirectory(folder, certificates.server);
  writeFileSync(join(folder, 'bare.conf'), bareConfiguration);
  const slapd = (file: string, urls: string, port: number, log: string) =>
    // Level 256: connections, operations, results.
    launch({
      command: 'slapd',
      args: ['-f', join(folder, file), '-h', urls, '-d', '256'],
      env: kerberos.env,
      port,
      log,
    });
  const server = await slapd('slapd.conf', `ldap://127.0.0.1:${ldap}/ ldaps://127.0.0.1:${ldaps}/`, ldap, 'slapd.log');
  await slapd('bare.conf', `ldap://127.0.0.1:${bare}/`, bare, 'bare.log');
  const impostor = await startImpostor(certificates.other, ldap);
  return {
    folder,
    urls: {
      ldap: `ldap://localhost:${ldap}`,
      ldaps: `ldaps://localhost:${ldaps}`,
      wrongName: `ldaps://localhost:${impostor.port}`,
      withoutTls: `ldap://localhost:${bare}`,
    },
    caCertificates: certificates.authority,
    ...{ base, peopleBase, groupsBase, searcher, realm },
    krb5Config: kerberos.configuration,
    modify: (ldif) => modify(folder, `ldap://127.0.0.1:${ldap}`, ldif),
    log: () => readFileSync(join(folder, 'slapd.log'), 'utf8'),
    stop: () => void server.kill('SIGSTOP'),
    resume: () => void server.kill('SIGCONT'),
    close: async () => {
      impostor.close();
      await processes.close();
    },
  };
}

async function makeCertificates(): Promise<{ authority: string; server: CertifiedKey; other: CertifiedKey }> {
  const now = Date.now();
  const hosts = ['localhost', '127.0.0.1'];
  const other = ['directory.test'];
  const made = { now, serial: randomBytes(16) };
  const authority = await makeAuthority({ ...made, commonName: 'LDAP lab', hosts: [...hosts, ...other] });
  return {
    authority: authority.certificate,
    server: await makeLeaf({ authority, hosts, now, serial: randomBytes(16) }),
    other: await makeLeaf({ authority, hosts: other, now, serial: randomBytes(16) }),
  };
}

async function fillDirectory(folder: string, server: CertifiedKey): Promise<void> {
  const [configuration, entries] = [join(folder, 'slapd.conf'), join(folder, 'entries.ldif')];
  mkdirSync(join(folder, 'data'));
  writeFileSync(join(folder, 'server.pem'), server.certificate);
  writeFileSync(join(folder, 'server.key'), server.privateKey, { mode: 0o600 });
  writeFileSync(join(folder, 'password'), administrator.password, { mode: 0o600 });
  writeFileSync(configuration, slapdConfiguration(folder), { mode: 0o600 });
  writeFileSync(entries, directoryLdif());
  await promisify(execFile)('slapadd', ['-q', '-f', configuration, '-l', entries], { env: { PATH: serverPath() } });
}

async function modify(folder: string, url: string, ldif: string): Promise<void> {
  const file = join(folder, 'change.ldif');
  writeFileSync(file, ldif);
  const args = ['-x', '-H', url, '-D', administrator.dn, '-y', join(folder, 'password'), '-f', file];
  await promisify(execFile)('ldapmodify', args, { env: { PATH: serverPath() } });
}

/** Proves to be somebody else, and passes everything on to the directory. */
async function startImpostor({ certificate, privateKey }: CertifiedKey, to: number): Promise<Impostor> {
  const server = createTlsServer({ cert: certificate, key: privateKey }, (socket) => {
    const onward = connect({ host: '127.0.0.1', port: to });
    socket.pipe(onward).pipe(socket);
    for (const end of [socket, onward]) end.on('error', () => end.destroy());
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as { port: number }).port, close: () => void server.close() };
}

interface Impostor {
  readonly port: number;
  close(): void;
}
