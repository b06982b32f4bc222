/** What an app is told of who signed in: what the provider says, or what we know. Never a token. */
import type { User } from '../../domain/users/user.ts';
import type { AppSignedIn } from '../../protocol/app-sessions/sign-in.ts';

/** Longest text of one member: all of it goes into a URL. */
const longestText = 1024;

/** In the words of RHMAP's recorded answers, which are Google's; what is not known is left out. */
export function authResponseOf({ identity }: AppSignedIn, user: User): Record<string, unknown> {
  const told = {
    id: identity?.subject ?? user.id,
    email: identity === undefined ? user.email : identity.email,
    name: (identity ?? user).name,
    given_name: (identity ?? user).givenName,
    family_name: (identity ?? user).familyName,
    picture: (identity ?? user).picture,
  };
  const known = Object.entries(told).filter(([, text]) => text !== null && text.length <= longestText);
  const isVerified = identity === undefined ? user.emailVerified : identity.emailVerified;
  return { ...Object.fromEntries(known), ...(told.email === null ? {} : { verified_email: isVerified }) };
}
