/** How a directory is reached and read; checked by the domain before it gets here. */
export interface LdapConfiguration {
  /** `ldap://host[:port]` or `ldaps://host[:port]`. */
  readonly url: string;
  /** Upgrade `ldap://` before anything is said (RFC 4511 §4.14); refused when the server does not. */
  readonly startTls: boolean;
  /** PEM; instead of the system's authorities. */
  readonly caCertificates: string | null;
  /** `ldap://` without TLS to other hosts than loopback: whoever is on the way may read passwords and change answers. */
  readonly allowsClearText: boolean;
  readonly authMethod: LdapAuthMethod;
  /** Base of the entries. With `dnPrefix` people bind as `<dnPrefix>=<name>,<dn>`. */
  readonly dn: string | null;
  readonly dnPrefix: string | null;
  /** Find the entry first, then bind as it; also how SASL's names come to an entry. */
  readonly search: LdapSearch | null;
  /** Of DIGEST-MD5 and GSSAPI; null: what the server offers, the machine's default. */
  readonly realm: string | null;
  readonly attributes: LdapAttributes;
  /** Whoever set the policy up vouches for the addresses in the directory. */
  readonly emailIsVerified: boolean;
}

export const ldapAuthMethods = ['simple', 'DIGEST-MD5', 'CRAM-MD5', 'GSSAPI'] as const;
export type LdapAuthMethod = (typeof ldapAuthMethods)[number];

export interface LdapSearch {
  readonly base: string;
  /** RFC 4515, with `{user}` where the name goes, escaped. */
  readonly filter: string;
  /** Null: searched without signing in. */
  readonly bindDn: string | null;
}

/** Names of attributes. */
export interface LdapAttributes {
  /** What tells entries apart for ever; null: the entry's DN. */
  readonly id: string | null;
  readonly email: string | null;
  readonly name: string | null;
  readonly givenName: string | null;
  readonly familyName: string | null;
  readonly groups: string | null;
}

export interface LdapSecrets {
  readonly bindPassword?: string;
}

/**
 * Who the directory's people are people of: its base, in one way of writing. The host is no part of it, so that nobody
 * becomes a stranger by a move to `ldaps://` or to another replica; that another directory takes its place is a change of
 * the policy, and guarded there.
 */
export function issuerOf({ search, dn }: LdapConfiguration): string {
  const base = (search?.base ?? dn ?? '').trim().toLowerCase();
  return `ldap:${base.replace(/\s*([,+=])\s*/g, '$1')}`;
}
