/** Names of people in Kerberos (RFC 4120 §6.2), before they go to `kinit`. */
import { UpstreamError } from '../identity.ts';
import type { LdapCredentials } from './credentials.ts';

/** `kinit` reads one line of at most so many bytes, and would take the beginning of a longer one for all of it. */
const longestPassword = 1000;

export interface Principal {
  readonly name: string;
  /** The person wrote the realm: only such as this machine's configuration knows are asked then, none that DNS names. */
  readonly hasOwnRealm: boolean;
}

/**
 * What somebody typed as a principal: in the policy's realm, or else in the machine's default one unless it names its own.
 * Throws `credentials_refused` for what is an option, has an instance (`host/…`, `…/admin`) or is in another realm.
 */
export function principalOf({ user, password }: LdapCredentials, realm: string | null): Principal {
  const [name = '', written, ...others] = user.split('@');
  const isName = name !== '' && !/^-|[/\\\x00-\x1f\x7f]/.test(user) && others.length === 0 && written !== '';
  const isInRealm = realm === null || written === undefined || written.toLowerCase() === realm.toLowerCase();
  const isPassword = !/[\r\n]/.test(password) && Buffer.byteLength(password) <= longestPassword;
  if (!isName || !isInRealm || !isPassword) {
    throw new UpstreamError(
      'credentials_refused',
      'the name is no principal of the realm, or the password none for it',
    );
  }
  const ownRealm = realm ?? written;
  return {
    name: ownRealm === undefined ? name : `${name}@${ownRealm}`,
    hasOwnRealm: realm === null && written !== undefined,
  };
}
