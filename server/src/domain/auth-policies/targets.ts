/**
 * Where a stored secret goes. An update that leaves the secret out keeps it only while it goes to the same place under
 * the same trust; otherwise whoever may change a policy could have its secret sent to themselves.
 */
import { isDeepStrictEqual } from 'node:util';
import type { SecretName, TypedConfiguration } from './policy.ts';

/** The one secret of each type. */
export const secretOfType: Readonly<Record<TypedConfiguration['type'], SecretName | undefined>> = {
  password: undefined,
  ldap: 'bindPassword',
  oauth1: 'consumerSecret',
  oauth2: 'clientSecret',
  openid: 'clientSecret',
};

/** Whether the secret of the one goes where that of the other does. */
export const sameTarget = (one: TypedConfiguration, other: TypedConfiguration): boolean =>
  one.type === other.type && isDeepStrictEqual(targetOf(one), targetOf(other));

/**
 * Scheme, host and port of each address that the secret is sent to, or proves a request at; and what is trusted there. An
 * issuer as a whole: its metadata say where the token endpoint is, and one host may have issuers of several owners.
 */
function targetOf({ type, configuration }: TypedConfiguration): unknown {
  switch (type) {
    case 'password':
      return null;
    case 'ldap': {
      const { url, startTls, caCertificates, allowsClearText } = configuration;
      return [placeOf(url), startTls, caCertificates, allowsClearText];
    }
    case 'oauth1': {
      const { requestTokenUrl, accessTokenUrl, profileUrl } = configuration;
      return [requestTokenUrl, accessTokenUrl, profileUrl].map(placeOf);
    }
    case 'oauth2':
      return [configuration.issuer, configuration.tokenUrl === null ? null : placeOf(configuration.tokenUrl)];
    case 'openid':
      return configuration.issuer;
  }
}

const defaultPorts: Readonly<Record<string, string>> = {
  'http:': '80',
  'https:': '443',
  'ldap:': '389',
  'ldaps:': '636',
};

function placeOf(text: string): string {
  const { protocol, hostname, port } = new URL(text);
  return `${protocol}//${hostname.toLowerCase()}:${port === '' ? defaultPorts[protocol] : port}`;
}
