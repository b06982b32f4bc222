/** The Kerberos realm of the lab: people have the passwords that they have in the directory. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { people, realm } from './ldap-directory.ts';
import type { LabProcesses } from './processes.ts';

export interface LabRealm {
  /** For `KRB5_CONFIG` of whoever wants tickets. */
  readonly configuration: string;
  /** What a server with the keys of `ldap/localhost` needs. */
  readonly env: NodeJS.ProcessEnv;
}

export async function startRealm({ folder, launch }: LabProcesses, path: string, port: number): Promise<LabRealm> {
  const files = { client: join(folder, 'krb5.conf'), kdc: join(folder, 'kdc.conf'), keys: join(folder, 'ldap.keytab') };
  writeFileSync(files.client, clientConfiguration(port));
  writeFileSync(files.kdc, kdcConfiguration(folder, port));
  const env = { PATH: path, KRB5_CONFIG: files.client, KRB5_KDC_PROFILE: files.kdc, KRB5_KTNAME: `FILE:${files.keys}` };
  const run = (command: string, ...args: string[]) => promisify(execFile)(command, args, { env });
  const administer = (query: string) => run('kadmin.local', '-r', realm, '-q', query);
  await run('kdb5_util', 'create', '-r', realm, '-s', '-P', 'master-of-the-lab');
  for (const { uid, password } of [people.alice, people.bob, people.zoe]) {
    await administer(`addprinc -pw "${password}" ${uid}`);
  }
  await administer('addprinc -randkey ldap/localhost');
  await administer(`ktadd -k ${files.keys} ldap/localhost`);
  await launch({ command: 'krb5kdc', args: ['-n', '-P', join(folder, 'kdc.pid')], env, port, log: 'kdc.log' });
  return { configuration: files.client, env };
}

const clientConfiguration = (port: number): string => `
[libdefaults]
 default_realm = ${realm}
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
[realms]
 ${realm} = {
  kdc = 127.0.0.1:${port}
 }
[domain_realm]
 localhost = ${realm}
`;

const kdcConfiguration = (folder: string, port: number): string => `
[kdcdefaults]
 kdc_listen = 127.0.0.1:${port}
 kdc_tcp_listen = 127.0.0.1:${port}
[realms]
 ${realm} = {
  database_name = ${folder}/principal
  key_stash_file = ${folder}/stash
  acl_file = ${folder}/kadm5.acl
  max_life = 1h
  supported_enctypes = aes256-cts-hmac-sha1-96:normal
 }
[logging]
 kdc = FILE:${folder}/kdc.log
`;
