import { X509Certificate } from 'node:crypto';
import { isLoopback } from '../../../kernel/urls.ts';
import type { GuardSettings } from '../../../upstream/guarded-fetch.ts';
import {
  type LdapAttributes,
  type LdapAuthMethod,
  type LdapConfiguration,
  type LdapSearch,
  ldapAuthMethods,
} from '../../../upstream/ldap/configuration.ts';
import { readFilter } from '../../../upstream/ldap/filter.ts';
import { isGssapiInstalled } from '../../../upstream/ldap/kerberos.ts';
import type { Checked } from './configuration.ts';
import { type Fields, flag, nameOr, oneOf, optionalFields, optionalText, refused, requiredText } from './fields.ts';
import { assertAddress } from './urls.ts';

/** A directory. Throws `input.invalid`. */
export function checkLdap(guard: GuardSettings, fields: Fields, hasSecret: boolean): Checked<LdapConfiguration> {
  const configuration = {
    url: urlOf(guard, fields),
    startTls: flag(fields, 'startTls'),
    caCertificates: caCertificatesOf(fields),
    allowsClearText: flag(fields, 'allowsClearText'),
    authMethod: authMethodOf(fields),
    dn: dnOf(fields, 'dn'),
    dnPrefix: attributeOf(fields, 'dnPrefix', optionalText(fields, 'dnPrefix', 128)),
    search: searchOf(fields),
    realm: optionalText(fields, 'realm', 255),
    attributes: attributesOf(fields),
    emailIsVerified: flag(fields, 'emailIsVerified'),
  };
  assertFindable(fields, configuration);
  const bindsForSearch = configuration.search !== null && configuration.search.bindDn !== null;
  if (bindsForSearch && !hasSecret) throw refused(fields, 'bindPassword', 'search.bindDn needs it.');
  assertNotClear(fields, configuration);
  return { configuration, usesSecret: bindsForSearch };
}

/** Scheme and host in small letters, then the port where it is not the scheme's own. */
const ldapUrl = /^(ldaps?):\/\/(\[[0-9a-f:]+\]|[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)(?::([1-9]\d{0,4}))?\/?$/;

function urlOf(guard: GuardSettings, fields: Fields): string {
  const [, scheme, host, port] = ldapUrl.exec(requiredText(fields, 'url').toLowerCase()) ?? [];
  const url = `${scheme}://${host}${port === undefined ? '' : `:${port}`}`;
  if (scheme === undefined || !URL.canParse(url)) {
    throw refused(fields, 'url', 'It is written ldap://host or ldaps://host, with :port if need be, and nothing more.');
  }
  assertAddress(guard, fields, 'url', new URL(url));
  return url;
}

function authMethodOf(fields: Fields): LdapAuthMethod {
  const method = oneOf(fields, 'authMethod', ldapAuthMethods);
  if (method !== 'GSSAPI' || isGssapiInstalled()) return method;
  throw refused(
    fields,
    'authMethod',
    'GSSAPI needs the npm package kerberos and the program kinit where this server runs; they are not installed.',
  );
}

const distinguishedName = /^[A-Za-z0-9][A-Za-z0-9.-]*\s*=./;

function dnOf(fields: Fields, name: string): string | null {
  const dn = optionalText(fields, name);
  if (dn === null || distinguishedName.test(dn)) return dn;
  throw refused(fields, name, 'It must be a distinguished name, like ou=people,dc=example,dc=com.');
}

/** RFC 4512 §2.5: a name or an OID, with options. */
const attributeDescription = /^([A-Za-z][A-Za-z0-9-]*|\d+(\.\d+)+)(;[A-Za-z0-9-]+)*$/;

function attributeOf(fields: Fields, name: string, value: string | null): string | null {
  if (value === null || attributeDescription.test(value)) return value;
  throw refused(fields, name, 'It must be the name of an attribute, like uid.');
}

function attributesOf(fields: Fields): LdapAttributes {
  const names = optionalFields(fields, 'attributes');
  const of = (name: keyof LdapAttributes, otherwise: string | null) =>
    attributeOf(names ?? fields, name, nameOr(names, name, otherwise));
  return {
    id: of('id', null),
    email: of('email', 'mail'),
    name: of('name', 'cn'),
    givenName: of('givenName', 'givenName'),
    familyName: of('familyName', 'sn'),
    groups: of('groups', null),
  };
}

function searchOf(fields: Fields): LdapSearch | null {
  const search = optionalFields(fields, 'search');
  if (search === null) return null;
  const base = dnOf(search, 'base');
  if (base === null) throw refused(search, 'base', 'It is required.');
  const filter = requiredText(search, 'filter');
  assertFilter(search, filter);
  return { base, filter, bindDn: optionalText(search, 'bindDn') };
}

/** Where the name of whoever signs in goes. */
const placeholder = '{user}';

function assertFilter(search: Fields, filter: string): void {
  if (!filter.includes(placeholder)) {
    throw refused(search, 'filter', `It must have ${placeholder} where the name goes.`);
  }
  try {
    // An escaped character is possible in a value and nowhere else, as a name is.
    readFilter(filter.replaceAll(placeholder, '\\78'));
  } catch {
    throw refused(search, 'filter', `It must be a filter of RFC 4515, like (uid=${placeholder}).`);
  }
}

type Way = Pick<LdapConfiguration, 'authMethod' | 'dn' | 'dnPrefix' | 'search'>;

/** A name and a password are not enough for a simple bind: it needs to be known which entry. */
function assertFindable(fields: Fields, { authMethod, dn, dnPrefix, search }: Way): void {
  if (dnPrefix !== null && dn === null) throw refused(fields, 'dn', 'dnPrefix needs it.');
  if (authMethod !== 'simple' || search !== null || dnPrefix !== null) return;
  if (dn !== null) throw refused(fields, 'dnPrefix', 'It is required with dn, unless search is given.');
  throw refused(fields, 'dn', 'simple needs dn and dnPrefix, or search.');
}

type Line = Pick<LdapConfiguration, 'url' | 'startTls' | 'allowsClearText'>;

/** RFC 4513 §6.3.3: no password in the clear; and no answer that whoever is on the way could change. */
function assertNotClear(fields: Fields, line: Line): void {
  const { protocol, hostname } = new URL(line.url);
  if (protocol === 'ldaps:') {
    if (line.startTls) throw refused(fields, 'startTls', 'ldaps:// is encrypted from the start: leave it out.');
    return;
  }
  if (line.startTls || line.allowsClearText || isLoopback(hostname)) return;
  throw refused(
    fields,
    'url',
    'It would be spoken to in the clear: use ldaps:// or startTls (or set allowsClearText).',
  );
}

const largestBundle = 65_536;
const certificates = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** One or more certificates in PEM and nothing else, lest a private key lie there. */
function caCertificatesOf(fields: Fields): string | null {
  const { caCertificates: value = null } = fields.given;
  if (value === null || value === '') return null;
  const wrong = refused(fields, 'caCertificates', 'It must be one or more certificates in PEM.');
  if (typeof value !== 'string' || value.length > largestBundle) throw wrong;
  const found = value.match(certificates) ?? [];
  if (found.length === 0 || value.replace(certificates, '').trim() !== '') throw wrong;
  try {
    for (const certificate of found) new X509Certificate(certificate);
  } catch {
    throw wrong;
  }
  return `${found.join('\n')}\n`;
}
