/** Providers that RHMAP knows by a name: only Google is documented. */
import { presets } from '../../upstream/presets.ts';

const google = presets.find(({ id }) => id === 'google')?.configuration;

/** What a named provider needs no words for; undefined for other names, as RHMAP's "LDAP". */
export const providerOf = (name: string) =>
  name.toUpperCase() === 'GOOGLE' && google !== undefined && google.issuer !== null
    ? { issuer: google.issuer, scopes: google.scopes }
    : undefined;
