import { ConfigurationError } from '../errors.ts';

/**
 * Checks an address that secrets or trust depend on: https, or http on this machine (or anywhere with `allowHttp`),
 * without a user name and without a fragment. Returns it as it was given; throws a `ConfigurationError`.
 */
export function checkUrl(url: unknown, name: string, allowHttp: boolean): string {
  if (typeof url !== 'string' || !URL.canParse(url)) throw new ConfigurationError(`${name} must be an absolute URL.`);
  const { protocol, hostname, username, password, hash } = new URL(url);
  if (username !== '' || password !== '' || hash !== '') {
    throw new ConfigurationError(`${name} must have neither a user name nor a fragment.`);
  }
  if (protocol !== 'https:' && !(protocol === 'http:' && (allowHttp || isLoopback(hostname)))) {
    throw new ConfigurationError(`${name} must begin with https://; http needs the option allowHttp.`);
  }
  return url;
}

const isLoopback = (hostname: string): boolean =>
  /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
