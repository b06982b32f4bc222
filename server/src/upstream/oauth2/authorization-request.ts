/** The first leg: where the browser is sent (RFC 6749 §4.1.1), always with PKCE (RFC 7636). */
import { hash } from 'node:crypto';
import { isLoopback } from '../../kernel/urls.ts';
import type { GuardSettings } from '../guarded-fetch.ts';
import { UpstreamError } from '../identity.ts';
import type { RedirectReturn } from '../redirect.ts';

/** Members that are undefined are left out. */
export type Parameters = Readonly<Record<string, string | undefined>>;

export const codeChallenge = (codeVerifier: string): string => hash('sha256', codeVerifier, 'base64url');

/** The address with the parameters in its query, beside what stands there. */
export function locationOf(guard: GuardSettings, endpoint: unknown, parameters: Parameters): string {
  const url = browserTarget(guard, endpoint);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url.href;
}

/** We don't go there ourselves, but send people: https, or http on loopback where that is allowed. */
export function browserTarget({ privateTargets }: GuardSettings, endpoint: unknown): URL {
  const url = typeof endpoint === 'string' ? URL.parse(endpoint) : null;
  if (url === null || url.username !== '' || url.password !== '') {
    throw new UpstreamError('misconfigured', 'The provider has no authorization endpoint.');
  }
  const isClear = url.protocol === 'http:' && privateTargets && isLoopback(url.hostname);
  if (url.protocol !== 'https:' && !isClear) {
    throw new UpstreamError('forbidden', 'Only https is possible for the authorization endpoint.');
  }
  url.hash = '';
  return url;
}

/** What was kept when the sign-in began. */
export function keptValue({ kept }: RedirectReturn, name: string): string {
  const value = Object.hasOwn(kept, name) ? kept[name] : undefined;
  if (!value) throw new UpstreamError('answer_invalid', 'No sign-in of this kind was begun.');
  return value;
}
