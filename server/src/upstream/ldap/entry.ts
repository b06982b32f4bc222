/** From an entry to the person. */
import { UpstreamError, type UpstreamIdentity } from '../identity.ts';
import { utf8Of } from './ber.ts';
import { issuerOf, type LdapConfiguration } from './configuration.ts';
import { accountControl } from './directory.ts';
import type { LdapEntry } from './operations.ts';

/** Attributes whose values are bytes, also where they happen to be a text (Active Directory). */
const binaryAttributes = new Set(['objectguid', 'objectsid', 'ms-ds-consistencyguid']);

/** Longest subject, in bytes: it is part of a key, whose length an engine bounds. */
const longestSubject = 1000;

/** What tells the entry apart: one value of the policy's attribute, or its DN. Throws `misconfigured`, `answer_invalid`. */
function subjectOf({ attributes: { id } }: LdapConfiguration, entry: LdapEntry): string {
  const [value, ...others] = id === null ? [entry.dn.toLowerCase()] : valuesOf(entry, id);
  if (value === undefined || value === '' || others.length > 0) {
    throw new UpstreamError('misconfigured', `the entry does not have exactly one value of ${id}`);
  }
  if (Buffer.byteLength(value) <= longestSubject && !value.includes('\0')) return value;
  throw new UpstreamError('answer_invalid', 'what tells the entry apart is too long, or holds a NUL');
}

/** Throws `misconfigured`. */
export function identityOf(configuration: LdapConfiguration, username: string, entry: LdapEntry): UpstreamIdentity {
  const { attributes } = configuration;
  const first = (name: string | null) => (name === null ? null : textOf(valuesOf(entry, name)[0]));
  const subject = subjectOf(configuration, entry);
  const person = {
    username,
    email: first(attributes.email),
    name: first(attributes.name),
    groups: attributes.groups === null ? [] : valuesOf(entry, attributes.groups),
  };
  return {
    ...person,
    issuer: issuerOf(configuration),
    subject,
    emailVerified: configuration.emailIsVerified && person.email !== null,
    givenName: first(attributes.givenName),
    familyName: first(attributes.familyName),
    picture: null,
    amr: ['pwd'],
    claims: Object.fromEntries(
      Object.entries({ id: subject, dn: entry.dn, ...person }).filter(([, value]) => value !== null),
    ),
  };
}

/** Null for what is no text to be shown or kept: empty, or with controls in it. */
const textOf = (value: string | undefined): string | null =>
  value === undefined || value === '' || /[\x00-\x1f\x7f-\x9f]/.test(value) ? null : value;

/** Texts as they are, bytes in hexadecimal. */
function valuesOf({ attributes }: LdapEntry, name: string): string[] {
  const key = name.toLowerCase();
  const isBinary = binaryAttributes.has(key) || key.endsWith(';binary');
  return (attributes.get(key) ?? []).map((value) => (isBinary ? undefined : utf8Of(value)) ?? value.toString('hex'));
}

/** ACCOUNTDISABLE of Active Directory's userAccountControl. */
const disabledBit = 0x2;

export const isDisabled = (entry: LdapEntry): boolean =>
  (Number(valuesOf(entry, accountControl)[0] ?? 0) & disabledBit) !== 0;
