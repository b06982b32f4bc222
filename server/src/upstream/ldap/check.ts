/** What can be asked of a directory without a person: whether it answers as the policy expects, and who is still there. */
import { UpstreamError } from '../identity.ts';
import { type UpstreamServices, upstreamDeadlineMs } from '../redirect.ts';
import { issuerOf, type LdapConfiguration, type LdapSearch, type LdapSecrets } from './configuration.ts';
import type { LdapConnection } from './connection.ts';
import { bindToSearch, findEntry, withDirectory } from './directory.ts';
import { identityOf, isDisabled } from './entry.ts';
import { anyEntry } from './filter.ts';
import { isGssapiInstalled } from './kerberos.ts';
import { type SearchAnswer, search } from './operations.ts';
import { codes, failureOf } from './result.ts';

/**
 * Whether the directory can be reached and trusted, offers the policy's method, takes its search account and has its base.
 * Throws `UpstreamError`.
 */
export async function testLdap(
  { guard }: Pick<UpstreamServices, 'guard'>,
  configuration: LdapConfiguration,
  secrets: LdapSecrets,
): Promise<void> {
  const { authMethod, search } = configuration;
  if (authMethod === 'GSSAPI' && !isGssapiInstalled()) {
    throw new UpstreamError('misconfigured', 'the package kerberos, or kinit, is not installed');
  }
  await withDirectory(guard, configuration, AbortSignal.timeout(upstreamDeadlineMs), async (connection) => {
    if (authMethod !== 'simple') await assertMechanism(connection, authMethod);
    if (search === null) return;
    await bindToSearch(connection, search, secrets);
    await assertBase(connection, search);
  });
}

const read = (connection: LdapConnection, base: string, attribute: string): Promise<SearchAnswer> =>
  search(connection, { base, scope: 'base', filter: anyEntry, attributes: [attribute], sizeLimit: 1 });

/** The directory's own entry (RFC 4512 §5.1); one that tells nobody what it offers may still offer it. */
async function assertMechanism(connection: LdapConnection, mechanism: string): Promise<void> {
  const { entries } = await read(connection, '', 'supportedSASLMechanisms');
  const offered = entries[0]?.attributes.get('supportedsaslmechanisms')?.map(String) ?? [];
  if (offered.length === 0 || offered.includes(mechanism)) return;
  throw new UpstreamError('misconfigured', `the directory does not offer ${mechanism}`);
}

async function assertBase(connection: LdapConnection, { base }: LdapSearch): Promise<void> {
  const { result, entries } = await read(connection, base, '1.1');
  if (result.code !== codes.success) throw failureOf(result, 'search base');
  if (entries.length === 0) throw new UpstreamError('misconfigured', 'the search base can not be read');
}

/** Whether a policy can ask for people without their password. */
export const canFindLdapUser = ({ search }: LdapConfiguration): boolean => (search?.bindDn ?? null) !== null;

/** Somebody who signed in by a directory before. */
export interface KnownPerson {
  readonly issuer: string;
  readonly subject: string;
  /** What was typed then; null: nobody has signed in as that one. */
  readonly username: string | null;
}

/**
 * The groups of the person who signed in as `username`, if that is still below the policy's base, found by its filter, the
 * same one, and not disabled (Active Directory); else undefined. Only for policies with a search account:
 * `canFindLdapUser`. Throws `UpstreamError`.
 */
export async function findLdapUser(
  { guard }: Pick<UpstreamServices, 'guard'>,
  configuration: LdapConfiguration,
  secrets: LdapSecrets,
  { issuer, subject, username }: KnownPerson,
): Promise<readonly string[] | undefined> {
  const { search } = configuration;
  if (!canFindLdapUser(configuration) || search === null) {
    throw new UpstreamError('misconfigured', 'the policy has no account to search with');
  }
  // Who was one of another base's is nobody here, whoever has the same subject.
  if (username === null || issuer !== issuerOf(configuration)) return undefined;
  return withDirectory(guard, configuration, AbortSignal.timeout(upstreamDeadlineMs), async (connection) => {
    await bindToSearch(connection, search, secrets);
    const entry = await findEntry(connection, configuration, search, username);
    if (entry === undefined || isDisabled(entry)) return undefined;
    const identity = identityOf(configuration, username, entry);
    return identity.subject === subject ? identity.groups : undefined;
  });
}
