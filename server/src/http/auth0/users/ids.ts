import type { User } from '../../../domain/users/user.ts';

/** The one connection users are in: an e-mail or username with a password, kept here. */
export const connection = 'Username-Password-Authentication';

const prefix = 'auth0|';

/** Users are stored bare and shown as `auth0|<id>`. */
export const shownUserId = (id: string): string => `${prefix}${id}`;

/** The stored id of one that a caller names, bare or prefixed; that of another provider stays, and finds nobody. */
export const storedUserId = (id: string): string => (id.startsWith(prefix) ? id.slice(prefix.length) : id);

/** Where a user comes from, in Auth0's words. */
export const identitiesOf = (user: Pick<User, 'id'>) => [
  { connection, user_id: user.id, provider: 'auth0', isSocial: false },
];
