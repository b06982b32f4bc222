import { UpstreamError } from '../identity.ts';

/** What a person typed; with `readCredentials` once, the same text goes into every name and filter. */
export interface LdapCredentials {
  readonly user: string;
  readonly password: string;
}

const longestUser = 320;

/**
 * Refuses what must not be sent: an empty password is an anonymous bind, which many servers take (RFC 4513 §5.1.2), and a
 * NUL ends a text for some. The spaces round a name are nobody's. Throws `credentials_refused`.
 */
export function readCredentials({ user: typed, password }: LdapCredentials): LdapCredentials {
  const user = typed.trim();
  const isName = user !== '' && user.length <= longestUser && user.isWellFormed() && !/[\x00-\x1f\x7f-\x9f]/.test(user);
  const isPassword = password.trim() !== '' && password.isWellFormed() && !password.includes('\0');
  if (isName && isPassword) return { user, password };
  throw new UpstreamError('credentials_refused', 'the name or the password is none that a directory is asked about');
}
