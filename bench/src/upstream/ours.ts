import { installKerberos, kerberosEnvironment } from '../../../scripts/kerberos.ts';
import { temporaryFolder } from '../folder.ts';
import { NativeApi } from '../organizations/api.ts';
import { type Engine, newInstallation, type Server, startRegistered } from '../server.ts';
import type { Directory, Person } from './directory.ts';

/** What came of one sign-in, and how long it took. */
export interface Answer {
  isSignedIn: boolean;
  ms: number;
}

export const policies = { ldap: 'LDAP', gssapi: 'GSSAPI' } as const;
export type Policy = keyof typeof policies;

/** Our server with an application whose people are in a directory. */
export interface OurApp {
  name: string;
  server: Server;
  policies: readonly Policy[];
  /** Throws when the answer is neither a session nor that it is not possible just now. */
  signIn(person: Person, policy: Policy): Promise<Answer>;
}

/** The section is about a directory, not about what stops people who try too often. */
const settings = {
  SEKISHO_ALLOW_PRIVATE_TARGETS: 'true',
  SEKISHO_RATE_LIMIT_SIGN_IN_FAILURES_PER_ACCOUNT_AND_ADDRESS: '0',
  SEKISHO_RATE_LIMIT_SIGN_IN_FAILURES_PER_ACCOUNT: '0',
  SEKISHO_RATE_LIMIT_SIGN_IN_FAILURES_PER_ADDRESS: '0',
};

/** Starts our server with a policy for each way to sign in, and one application. */
export async function startOurApp(name: string, engine: Engine, directory: Directory): Promise<OurApp> {
  const kerberos = await installKerberos();
  const installation = await newInstallation(name, temporaryFolder('upstream'), engine);
  const environment = { ...settings, ...kerberosEnvironment(kerberos), KRB5_CONFIG: directory.krb5Config };
  const server = await startRegistered({ ...installation, environment });
  const api = await NativeApi.open(installation);
  const possible: readonly Policy[] = kerberos === undefined ? ['ldap'] : ['ldap', 'gssapi'];
  for (const policy of possible) {
    await api.call('POST', '/auth-policies', {
      name: policy,
      type: 'ldap',
      configuration: configurationOf(policy, directory),
      checkUserExists: false,
    });
  }
  const { body } = await api.call('POST', '/applications', { name: 'Benchmark of people', type: 'Native' });
  const signIn = (person: Person, policy: Policy) => signInAt(server.port, body.id, person, policy);
  return { name, server, policies: possible, signIn };
}

/** Find the person, then bind; by Kerberos without a password that anybody here could read. */
const configurationOf = (policy: Policy, { urls, caCertificates, base, searcher, realm }: Directory) => ({
  url: urls.ldaps,
  caCertificates,
  authMethod: policy === 'ldap' ? 'simple' : 'GSSAPI',
  ...(policy === 'gssapi' ? { realm } : {}),
  search: { base, filter: '(uid={user})', bindDn: searcher.dn },
  bindPassword: searcher.password,
  attributes: { id: 'entryUUID', email: 'mail', name: 'cn' },
});

/** As RHMAP's `$fh.auth` asks. */
async function signInAt(port: number, clientToken: string, person: Person, policy: Policy): Promise<Answer> {
  const startedAt = performance.now();
  const answer = await fetch(`http://localhost:${port}/box/srv/1.1/admin/authpolicy/auth`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      policyId: policy,
      clientToken,
      params: { userId: person.name, password: person.password },
    }),
  });
  const text = await answer.text();
  const ms = performance.now() - startedAt;
  const { sessionToken, message } = JSON.parse(text) as { sessionToken?: string; message?: string };
  const isSignedIn = sessionToken !== undefined;
  const isUnavailable = answer.status === 503 || message === 'provider_unavailable';
  if (!isSignedIn && !isUnavailable) throw new Error(`No sign-in: ${answer.status} ${text}`);
  return { isSignedIn, ms };
}
