/**
 * The one rule for the addresses of a client, whoever sets them. Codes, tokens and people are sent there, so each is a
 * string with one reading: written as browsers write it, so that what is compared character by character later is what a
 * browser goes to.
 */
import { invalid } from '../../kernel/errors.ts';
import { isLoopback } from '../../kernel/urls.ts';
import type { Sites } from '../tenants/sites.ts';
import type { ClientSettings } from './client.ts';
import type { ClientSignIn } from './sign-in.ts';

/** Most redirect URIs, logout addresses and origins that a client may have of each. */
const mostAddresses = 100;
const longestAddress = 2048;

/** Longest life of an ID token or a refresh token, in seconds: a year. */
export const longestLifetimeSeconds = 31_557_600;

/** RFC 3986 §2, but `#` and `*`. */
const addressCharacters = /^[A-Za-z0-9\-._~:/?[\]@!$&'()+,;=%]+$/;

/** RFC 8252 §7.1: a domain name of the app's maker, reversed. What runs code or is shared by many apps has no dot. */
const privateScheme = /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/;

/** What an origin of a packed app may begin with: any scheme that is no document's own. */
const packedOrigin =
  /^(?!(?:https?|javascript|data|vbscript|file|blob|about|wss?):)[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]+(:\d+)?$/;

/** Checks all of it; `client` is as it is to be. Throws `input.invalid` naming the field, as `redirectUris.0`. */
export function assertSignIn(sites: Pick<Sites, 'base'>, client: Pick<ClientSettings, 'type' | 'signIn'>): void {
  const { signIn } = client;
  const isNative = client.type === 'native';
  assertEach(signIn, 'redirectUris', (uri, path) => assertAppUrl(sites, uri, path, isNative));
  assertEach(signIn, 'postLogoutRedirectUris', (uri, path) => assertAppUrl(sites, uri, path, isNative));
  assertEach(signIn, 'allowedOrigins', (origin, path) => assertOrigin(sites, origin, path));
  for (const field of [
    'backchannelLogoutUri',
    'initiateLoginUri',
    'logoUri',
    'clientUri',
    'policyUri',
    'tosUri',
  ] as const) {
    const uri = signIn[field];
    if (uri !== undefined) assertWebUrl(sites, uri, field);
  }
  for (const field of ['idTokenLifetimeSeconds', 'refreshTokenLifetimeSeconds'] as const) {
    const seconds = signIn[field];
    if (seconds === undefined || (Number.isInteger(seconds) && seconds >= 1 && seconds <= longestLifetimeSeconds))
      continue;
    throw invalid(field, `A lifetime is a whole number of seconds from 1 to ${longestLifetimeSeconds}.`);
  }
}

type ListField = 'redirectUris' | 'postLogoutRedirectUris' | 'allowedOrigins';

function assertEach(signIn: ClientSignIn, field: ListField, assert: (text: string, path: string) => void): void {
  const list = signIn[field];
  if (list.length > mostAddresses) throw invalid(field, `A client has at most ${mostAddresses} of them.`);
  for (const [index, text] of list.entries()) assert(text, `${field}.${index}`);
}

/** Where an application is: on the web, or a native one at a scheme of its own. */
function assertAppUrl(sites: Pick<Sites, 'base'>, text: string, path: string, isNative: boolean): void {
  const url = parse(text, path);
  if (!privateScheme.test(url.protocol)) assertWeb(sites, url, path);
  else if (!isNative) throw invalid(path, 'Only a native application has a scheme of its own.');
}

/** An address on the web: https, or http on loopback. Throws `input.invalid` naming `path`. */
export const assertWebUrl = (sites: Pick<Sites, 'base'>, text: string, path: string): void =>
  assertWeb(sites, parse(text, path), path);

/** Of an origin there is scheme, host and port. Throws `input.invalid` naming `path`. */
export function assertOrigin(sites: Pick<Sites, 'base'>, text: string, path: string): void {
  if (packedOrigin.test(text)) return;
  const url = parse(text, path);
  assertWeb(sites, url, path);
  if (url.pathname !== '/' || text.includes('?'))
    throw invalid(path, 'An origin is scheme, host and port, without a path.');
}

function assertWeb({ base }: Pick<Sites, 'base'>, url: URL, path: string): void {
  if (url.protocol === 'https:') return;
  if (url.protocol !== 'http:') throw invalid(path, `The scheme ${url.protocol} is not possible.`);
  if (isLoopback(url.hostname)) return;
  // A server that people reach in the clear has no secret to keep from this one.
  const serverIsClear = base.protocol === 'http:' && !isLoopback(base.hostname);
  if (!serverIsClear) throw invalid(path, 'http is possible on loopback only; use https.');
}

/** A URL that has one reading. */
function parse(text: string, path: string): URL {
  if (text.length > longestAddress) throw invalid(path, `It has more than ${longestAddress} characters.`);
  if (text.includes('#')) throw invalid(path, 'A fragment is not possible.');
  if (text.includes('*')) throw invalid(path, 'A wildcard is not possible; list each address.');
  const url = addressCharacters.test(text) ? URL.parse(text) : null;
  if (url === null) throw invalid(path, 'It must be an absolute URL, of the characters of RFC 3986.');
  if (url.username !== '' || url.password !== '') throw invalid(path, 'A URL with credentials is not possible.');
  // Otherwise `https:a.example`, `https://A.example`, `https://a.example/../x` would be one more way to write another.
  if (url.href !== text && url.href !== `${text}/`) throw invalid(path, `Write it as browsers do: ${url.href}`);
  return url;
}

/** RFC 8252 §7.3, a literal address: `localhost` may be answered by another machine. */
const literalLoopback = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]))(?::([1-9]\d{0,4}))?(?=[/?]|$)/;

/**
 * Whether an authorization request may name this redirect URI: one of the client's, character by character (RFC 9700
 * §2.1). Of a native client's on a literal loopback address the port does not count, for it takes the one that is free.
 */
export function redirectUriMatches(client: Pick<ClientSettings, 'type' | 'signIn'>, given: string): boolean {
  const { redirectUris } = client.signIn;
  if (redirectUris.includes(given)) return true;
  if (client.type !== 'native') return false;
  const portless = withoutLoopbackPort(given);
  return portless !== undefined && redirectUris.some((uri) => withoutLoopbackPort(uri) === portless);
}

function withoutLoopbackPort(uri: string): string | undefined {
  const [origin, address, port = '80'] = literalLoopback.exec(uri) ?? [];
  if (origin === undefined || Number(port) > 65_535) return undefined;
  return `${address}${uri.slice(origin.length)}`;
}
