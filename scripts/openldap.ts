/** OpenLDAP and MIT Kerberos, which tests sign people in with: the machine's own; `npm test` installs Debian's where it may. */
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { canInstallPackages, installPackage } from './apt.ts';
import { isExecutable } from './programs.ts';

const packages = [
  'slapd',
  'ldap-utils',
  'libsasl2-modules',
  'libsasl2-modules-gssapi-mit',
  'krb5-kdc',
  'krb5-admin-server',
  'krb5-user',
];
const programs = ['slapd', 'slapadd', 'ldapmodify', 'krb5kdc', 'kdb5_util', 'kadmin.local', 'kinit'];

/** How to get them, for whoever reads that tests were skipped. */
export const openldapMissing = `OpenLDAP and MIT Kerberos are missing, so nobody signs in with a directory: install them (Debian: apt-get install ${packages.join(' ')}).`;

/** PATH with the folders of the system's servers, which only root's has. */
export const serverPath = (): string => [process.env.PATH, '/usr/sbin', '/sbin'].join(delimiter);

/** Whether all programs are there, and Cyrus SASL's modules with them. */
export function hasOpenldap(): boolean {
  const folders = serverPath().split(delimiter);
  const isThere = (program: string) => folders.some((folder) => isExecutable(join(folder, program)));
  return programs.every(isThere) && existsSync('/etc/ldap/schema/core.schema');
}

/** Sees to it that they are there, and says so when they can't be; throws when they could not be installed. */
export async function installOpenldap(): Promise<void> {
  if (hasOpenldap()) return;
  if (!canInstallPackages()) {
    console.error(openldapMissing);
    return;
  }
  console.error('OpenLDAP and MIT Kerberos are missing: installing their packages with apt-get.');
  await withoutStartingServices(() => installPackage(packages));
  if (!hasOpenldap()) throw new Error('OpenLDAP is missing: apt-get installed it, but not all of its programs.');
}

/** Debian starts what it installs, on every interface, unless this file says no (invoke-rc.d's exit code 101). */
async function withoutStartingServices(work: () => Promise<void>): Promise<void> {
  const policy = '/usr/sbin/policy-rc.d';
  const isOurs = !existsSync(policy);
  if (isOurs) {
    writeFileSync(policy, '#!/bin/sh\nexit 101\n');
    chmodSync(policy, 0o755);
  }
  try {
    await work();
  } finally {
    if (isOurs) rmSync(policy, { force: true });
  }
}
