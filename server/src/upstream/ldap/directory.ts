/** A directory, from the policy's point of view: a connection as it says, the search account, the entry of a person. */
import { randomUUID } from 'node:crypto';
import type { GuardSettings } from '../guarded-fetch.ts';
import { UpstreamError } from '../identity.ts';
import type { LdapConfiguration, LdapSearch, LdapSecrets } from './configuration.ts';
import { type LdapConnection, openConnection } from './connection.ts';
import { anyEntry, filterFor } from './filter.ts';
import { bindSimple, type LdapEntry, type SearchAnswer, search, startTls } from './operations.ts';
import { inPlaceOf } from './places.ts';
import { codes, failureOf } from './result.ts';
import { assertNoClearText, targetOf } from './target.ts';

/** Runs `work` on a connection of its own, with TLS up where the policy says so; `signal` ends all of it. */
export async function withDirectory<T>(
  guard: GuardSettings,
  configuration: LdapConfiguration,
  signal: AbortSignal,
  work: (connection: LdapConnection) => Promise<T>,
): Promise<T> {
  assertNoClearText(configuration);
  const target = targetOf(configuration);
  return inPlaceOf(`${target.host}:${target.port}`, signal, async () => {
    const connection = await openConnection(guard, target, configuration.caCertificates, signal);
    try {
      if (configuration.startTls) await startTls(connection, configuration.caCertificates);
      return await work(connection);
    } finally {
      connection.close();
    }
  });
}

/** Signs in as the account that may search; stays anonymous where there is none. Throws `misconfigured`. */
export async function bindToSearch(
  connection: LdapConnection,
  { bindDn }: LdapSearch,
  { bindPassword = '' }: LdapSecrets,
): Promise<void> {
  if (bindDn === null) return;
  // Many servers would take it, as an anonymous bind (RFC 4513 §5.1.2).
  if (bindDn === '' || bindPassword === '')
    throw new UpstreamError('misconfigured', 'the search account is incomplete');
  const result = await bindSimple(connection, bindDn, bindPassword);
  if (result.code !== codes.success) throw failureOf(result, 'search account');
}

/** The one entry that the policy's filter finds for a name; undefined when there is none, or more than one. */
export async function findEntry(
  connection: LdapConnection,
  configuration: LdapConfiguration,
  { base, filter }: LdapSearch,
  user: string,
): Promise<LdapEntry | undefined> {
  const answer = await search(connection, {
    base,
    scope: 'subtree',
    filter: filterFor(filter, user),
    attributes: attributesOf(configuration),
    // One more than there may be, so that a second one shows.
    sizeLimit: 2,
  });
  return onlyEntry(answer, 'search');
}

/** The entry with this name; undefined when there is none that may be read. */
export async function readEntry(
  connection: LdapConnection,
  configuration: LdapConfiguration,
  dn: string,
): Promise<LdapEntry | undefined> {
  const attributes = attributesOf(configuration);
  const answer = await search(connection, { base: dn, scope: 'base', filter: anyEntry, attributes, sizeLimit: 1 });
  return answer.result.code === codes.noSuchObject ? undefined : onlyEntry(answer, 'entry');
}

function onlyEntry({ result, entries }: SearchAnswer, step: string): LdapEntry | undefined {
  if (result.code !== codes.success && result.code !== codes.sizeLimitExceeded) throw failureOf(result, step);
  const [entry, second] = entries;
  const isOnly = second === undefined && result.code === codes.success;
  // An alias is the name of another entry, and none by itself.
  return isOnly && entry !== undefined && !isAlias(entry) ? entry : undefined;
}

const isAlias = ({ attributes }: LdapEntry): boolean =>
  (attributes.get('objectclass') ?? []).some((value) => value.toString().toLowerCase() === 'alias');

/** What Active Directory says of an account, in bits; asked for so that a disabled one shows without its password. */
export const accountControl = 'userAccountControl';

function attributesOf({ attributes: { id, email, name, givenName, familyName, groups } }: LdapConfiguration): string[] {
  const mapped = [id, email, name, givenName, familyName, groups].filter((attribute) => attribute !== null);
  return [...new Set([...mapped, 'objectClass', accountControl])];
}

/** A DN below the base that no entry has: a bind with it takes the time that a refusal takes. */
export const nobodyBelow = (base: string): string =>
  [`cn=${randomUUID()}`, base].filter((part) => part !== '').join(',');
