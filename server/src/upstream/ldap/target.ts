/** Where a directory is, and whether it may be spoken to in the clear. */
import { isLoopback } from '../../kernel/urls.ts';
import { UpstreamError } from '../identity.ts';
import type { LdapConfiguration } from './configuration.ts';

export interface LdapTarget {
  /** Name or address, without brackets, in lower case. */
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte on. */
  readonly isTls: boolean;
}

/** Reads `ldap://host[:port]` and `ldaps://host[:port]`. Throws `misconfigured`. */
export function targetOf({ url: text, startTls }: LdapConfiguration): LdapTarget {
  const wrong = (why: string) => new UpstreamError('misconfigured', why);
  const url = URL.parse(text);
  const isTls = url?.protocol === 'ldaps:';
  if (url === null || (!isTls && url.protocol !== 'ldap:')) throw wrong('the URL must begin with ldap:// or ldaps://');
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (
    host === '' ||
    /^\/?$/.test(url.pathname) === false ||
    url.username + url.password + url.search + url.hash !== ''
  ) {
    throw wrong('the URL must hold a host, and besides at most a port');
  }
  if (isTls && startTls) throw wrong('StartTLS is for ldap://');
  return { host, port: Number(url.port || (isTls ? 636 : 389)), isTls };
}

/**
 * Nothing is said in the clear unless the policy says so; asked before anything is connected. Passwords are not all: SASL
 * proves who somebody is, and then their entry is read, which whoever is on the way could change for another one's. Throws
 * `untrusted`.
 */
export function assertNoClearText(configuration: LdapConfiguration): void {
  const { host, isTls } = targetOf(configuration);
  if (isTls || configuration.startTls || configuration.allowsClearText || isLoopback(host)) return;
  throw new UpstreamError('untrusted', 'it would be spoken to over ldap:// in the clear');
}
