/** What a user can be told to be, as columns: identities in their canonical form, metadata merged or replaced. */
import { invalid } from '../../kernel/errors.ts';
import { emailIdentity, phoneIdentity, usernameIdentity } from './identity.ts';
import type { Metadata, User, UserRow } from './user.ts';

/** How metadata change: key by key (null removes a key), or as a whole. */
export type MetadataChange = { readonly merge: Metadata } | { readonly replace: Metadata };

/** What may be set of a user. */
export interface UserSettings
  extends Pick<
    User,
    | 'email'
    | 'emailVerified'
    | 'username'
    | 'phone'
    | 'phoneVerified'
    | 'name'
    | 'nickname'
    | 'givenName'
    | 'familyName'
    | 'picture'
    | 'status'
    | 'clientId'
    | 'ownerOrganizationId'
  > {
  userMetadata: MetadataChange;
  appMetadata: MetadataChange;
  profile: MetadataChange;
  /** Plain; only its hash is kept. */
  password: string;
  /** Instead of `password`, a PHC string that `passwordMatches` reads: made outside of any transaction. */
  passwordHash: string;
}

/** Largest metadata of a user, in UTF-16 units of JSON; each of the kinds. */
const largestMetadata = 16_384;

/** What a user is before anything is said of it. */
export const emptyRow = {
  email: null,
  email_key: null,
  email_verified: 0,
  username: null,
  username_key: null,
  phone: null,
  phone_verified: 0,
  name: null,
  nickname: null,
  given_name: null,
  family_name: null,
  picture: null,
  status: 'active',
  logins_count: 0,
  last_login_at: null,
  last_ip: null,
  owner_organization_id: null,
  client_id: null,
} as const satisfies Partial<UserRow>;

export type Columns = Partial<
  Omit<UserRow, 'tenant_id' | 'id' | 'user_metadata' | 'app_metadata' | 'profile' | 'password_hash'>
>;

/** The columns of what is given, identities in their canonical form. Throws `input.invalid`. */
export function columnsOf(input: Partial<UserSettings>): Columns {
  const columns: Columns = {};
  if (input.email !== undefined) {
    const email = input.email === null ? null : emailIdentity(input.email);
    Object.assign(columns, { email: email?.shown ?? null, email_key: email?.key ?? null });
  }
  if (input.username !== undefined) {
    const username = input.username === null ? null : usernameIdentity(input.username);
    Object.assign(columns, { username: username?.shown ?? null, username_key: username?.key ?? null });
  }
  if (input.phone !== undefined) columns.phone = input.phone === null ? null : phoneIdentity(input.phone);
  if (input.emailVerified !== undefined) columns.email_verified = input.emailVerified ? 1 : 0;
  if (input.phoneVerified !== undefined) columns.phone_verified = input.phoneVerified ? 1 : 0;
  if (input.name !== undefined) columns.name = input.name;
  if (input.nickname !== undefined) columns.nickname = input.nickname;
  if (input.givenName !== undefined) columns.given_name = input.givenName;
  if (input.familyName !== undefined) columns.family_name = input.familyName;
  if (input.picture !== undefined) columns.picture = input.picture;
  if (input.status !== undefined) columns.status = input.status;
  if (input.clientId !== undefined) columns.client_id = input.clientId;
  if (input.ownerOrganizationId !== undefined) columns.owner_organization_id = input.ownerOrganizationId;
  return columns;
}

/** A changed identity is not the one that was verified. */
export function unverified(before: { email_key: string | null; phone: string | null }, columns: Columns): Columns {
  const changed = (field: 'email_key' | 'phone') => columns[field] !== undefined && columns[field] !== before[field];
  return {
    ...(changed('email_key') && columns.email_verified === undefined ? { email_verified: 0 } : {}),
    ...(changed('phone') && columns.phone_verified === undefined ? { phone_verified: 0 } : {}),
  };
}

type MetadataRow = Pick<UserRow, 'user_metadata' | 'app_metadata' | 'profile'>;

/** The stored metadata after a change. Throws `input.invalid` naming the field. */
export const metadataAfter = (before: MetadataRow | null, change: Partial<UserSettings>): MetadataRow => ({
  user_metadata: changed(before?.user_metadata ?? null, change.userMetadata, 'userMetadata'),
  app_metadata: changed(before?.app_metadata ?? null, change.appMetadata, 'appMetadata'),
  profile: changed(before?.profile ?? null, change.profile, 'profile') ?? '{}',
});

/** Null when nothing was ever set. */
function changed(before: string | null, change: MetadataChange | undefined, path: string): string | null {
  if (change === undefined) return before;
  const kept = new Map(Object.entries('replace' in change || before === null ? {} : (JSON.parse(before) as Metadata)));
  for (const [key, value] of Object.entries('replace' in change ? change.replace : change.merge)) {
    if (value === null) kept.delete(key);
    else kept.set(key, value);
  }
  const text = JSON.stringify(Object.fromEntries(kept));
  if (text.length > largestMetadata) throw invalid(path, `It has more than ${largestMetadata} characters of JSON.`);
  return text;
}
