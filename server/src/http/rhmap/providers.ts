/** Providers that RHMAP knows by a name: only Google is documented. */
const issuers: Readonly<Record<string, string>> = { GOOGLE: 'https://accounts.google.com' };

/** The issuer of a provider that is named, in any case; undefined for other names, as RHMAP's "LDAP". */
export const issuerOfProvider = (name: string): string | undefined => {
  const key = name.toUpperCase();
  return Object.hasOwn(issuers, key) ? issuers[key] : undefined;
};

/** What has to be asked for to learn who somebody is. */
export const scopesOfProvider: readonly string[] = ['openid', 'email', 'profile'];
