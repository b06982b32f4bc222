/** Addresses of providers, as far as they can be judged when they are saved; the rest is judged at each request. */
import { isIP } from 'node:net';
import { isLoopback } from '../../../kernel/urls.ts';
import type { GuardSettings } from '../../../upstream/guarded-fetch.ts';
import { isAllowedAddress } from '../../../upstream/targets.ts';
import { type Fields, optionalText, refused } from './fields.ts';

const longestUrl = 2048;

/** RFC 3986 §2, but `#`. */
const urlCharacters = /^[A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=%]+$/;

/** Null when it is absent. Throws `input.invalid`. */
export function optionalUrl(guard: GuardSettings, fields: Fields, name: string): string | null {
  const text = optionalText(fields, name, longestUrl);
  if (text === null) return null;
  if (text.includes('#')) throw refused(fields, name, 'A fragment is not possible.');
  const url = urlCharacters.test(text) ? URL.parse(text) : null;
  if (url === null || url.hostname === '') throw refused(fields, name, 'It must be an absolute URL.');
  if (url.username !== '' || url.password !== '') {
    throw refused(fields, name, 'A URL with credentials is not possible.');
  }
  assertScheme(guard, fields, name, url);
  assertAddress(guard, fields, name, url);
  return text;
}

/** Throws `input.invalid`. */
export function requiredUrl(guard: GuardSettings, fields: Fields, name: string): string {
  const url = optionalUrl(guard, fields, name);
  if (url === null) throw refused(fields, name, 'It is required.');
  return url;
}

/** An issuer is compared character by character and has no query (RFC 8414 §2). Null when it is absent. */
export function optionalIssuer(guard: GuardSettings, fields: Fields): string | null {
  const issuer = optionalUrl(guard, fields, 'issuer');
  if (issuer?.includes('?')) throw refused(fields, 'issuer', 'An issuer has no query.');
  return issuer;
}

function assertScheme(
  { privateTargets }: GuardSettings,
  fields: Fields,
  name: string,
  { protocol, hostname }: URL,
): void {
  if (protocol === 'https:') return;
  const isClear = protocol === 'http:' && isLoopback(hostname);
  if (isClear && privateTargets) return;
  throw refused(
    fields,
    name,
    isClear
      ? 'http:// on loopback is possible only with SEKISHO_ALLOW_PRIVATE_TARGETS; use https://.'
      : 'It must begin with https://; http:// is possible on loopback only.',
  );
}

/** A name is looked up at each request; an address says already whether it can be reached. Throws `input.invalid`. */
export function assertAddress(guard: GuardSettings, fields: Fields, name: string, { hostname }: URL): void {
  const address = hostname.replace(/^\[|\]$/g, '');
  if (isIP(address) === 0 || isAllowedAddress(address, guard)) return;
  throw refused(
    fields,
    name,
    'The server does not go to this address: it is not public. See SEKISHO_ALLOW_PRIVATE_TARGETS.',
  );
}
