/**
 * Signs people in with a directory (RFC 4511): by a simple bind as `<dnPrefix>=<name>,<dn>`, by one as the entry that a
 * search finds, or by SASL. A pure client: it knows no user of ours, and keeps nothing.
 *
 *   credentials ─ connection (guard, TLS) ─ bind ─ entry ─ identity
 */
import type { UpstreamIdentity } from '../identity.ts';
import { type UpstreamServices, upstreamDeadlineMs } from '../redirect.ts';
import type { LdapConfiguration, LdapSecrets } from './configuration.ts';
import { type LdapCredentials, readCredentials } from './credentials.ts';
import { withDirectory } from './directory.ts';
import { identityOf } from './entry.ts';
import { signInByGssapi } from './gssapi.ts';
import { signIn } from './sign-in.ts';

/** Throws `UpstreamError`; an unknown person and a wrong password are both `credentials_refused`. */
export async function authenticateLdap(
  { guard }: Pick<UpstreamServices, 'guard'>,
  configuration: LdapConfiguration,
  secrets: LdapSecrets,
  typed: LdapCredentials,
): Promise<UpstreamIdentity> {
  const credentials = readCredentials(typed);
  const { authMethod } = configuration;
  const signal = AbortSignal.timeout(upstreamDeadlineMs);
  const entry =
    authMethod === 'GSSAPI'
      ? await signInByGssapi(guard, configuration, secrets, credentials, signal)
      : await withDirectory(guard, configuration, signal, (connection) =>
          signIn(connection, authMethod, configuration, secrets, credentials),
        );
  return identityOf(configuration, credentials.user, entry);
}
