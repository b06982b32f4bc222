/** How a person signs in on a connection to a directory, by the policy's method, and comes to an entry. */
import { escapedValue } from '../../kernel/distinguished-name.ts';
import { UpstreamError } from '../identity.ts';
import type { LdapAuthMethod, LdapConfiguration, LdapSearch, LdapSecrets } from './configuration.ts';
import type { LdapConnection } from './connection.ts';
import { bindCramMd5 } from './cram-md5.ts';
import type { LdapCredentials } from './credentials.ts';
import { bindDigestMd5 } from './digest-md5.ts';
import { bindToSearch, findEntry, nobodyBelow, readEntry } from './directory.ts';
import { bindSimple, type LdapEntry, whoAmI } from './operations.ts';
import { codes, refusalOf } from './result.ts';

/** The entry of the person, whose password is right then. Throws `credentials_refused`, `misconfigured`. */
export async function signIn(
  connection: LdapConnection,
  method: Exclude<LdapAuthMethod, 'GSSAPI'>,
  configuration: LdapConfiguration,
  secrets: LdapSecrets,
  credentials: LdapCredentials,
): Promise<LdapEntry> {
  const { realm, search } = configuration;
  if (method === 'simple') {
    return search === null
      ? bindByName(connection, configuration, credentials)
      : findThenBind(connection, configuration, search, secrets, credentials);
  }
  if (method === 'CRAM-MD5') await bindCramMd5(connection, credentials);
  else await bindDigestMd5(connection, credentials, realm);
  return ownEntry(connection, configuration, secrets, credentials.user);
}

async function bindByName(
  connection: LdapConnection,
  configuration: LdapConfiguration,
  { user, password }: LdapCredentials,
): Promise<LdapEntry> {
  const { dn: base, dnPrefix } = configuration;
  if (base === null || dnPrefix === null)
    throw new UpstreamError('misconfigured', 'there is neither a DN nor a search');
  const dn = `${dnPrefix}=${escapedValue(user)},${base}`;
  await bindPerson(connection, dn, password);
  const entry = await readEntry(connection, configuration, dn);
  if (entry === undefined) throw new UpstreamError('misconfigured', 'people may not read their own entry');
  return entry;
}

async function findThenBind(
  connection: LdapConnection,
  configuration: LdapConfiguration,
  search: LdapSearch,
  secrets: LdapSecrets,
  { user, password }: LdapCredentials,
): Promise<LdapEntry> {
  await bindToSearch(connection, search, secrets);
  const entry = await findEntry(connection, configuration, search, user);
  // Who binds without a name is nobody, and many servers take any password for that.
  if (entry !== undefined && entry.dn !== '') {
    await bindPerson(connection, entry.dn, password);
    return entry;
  }
  // Also for nobody, so that it takes as long; and for two, so that it shows as little. Administrators are told.
  await bindSimple(connection, nobodyBelow(search.base), password);
  throw new UpstreamError('credentials_refused', 'the filter does not find one entry');
}

async function bindPerson(connection: LdapConnection, dn: string, password: string): Promise<void> {
  const result = await bindSimple(connection, dn, password);
  if (result.code !== codes.success) throw refusalOf(result, { wasChallenged: false });
}

/** SASL knows names, not entries: the one that the policy's search finds, else what the directory itself takes it for. */
export async function ownEntry(
  connection: LdapConnection,
  configuration: LdapConfiguration,
  secrets: LdapSecrets,
  user: string,
): Promise<LdapEntry> {
  const { search } = configuration;
  if (search !== null) {
    await bindToSearch(connection, search, secrets);
    const found = await findEntry(connection, configuration, search, user);
    if (found !== undefined) return found;
    throw new UpstreamError('credentials_refused', 'the person is none of those that the filter finds');
  }
  const dn = await whoAmI(connection);
  const entry = dn === undefined ? undefined : await readEntry(connection, configuration, dn);
  if (entry !== undefined) return entry;
  throw new UpstreamError(
    'misconfigured',
    'the directory does not say which entry is whose: the policy needs a search',
  );
}
