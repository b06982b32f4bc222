import type { Schema } from '../../storage/schema.ts';

export type UserStatus = Schema['users']['status'];
export type Metadata = Record<string, unknown>;

/** A person. Its password is never part of it. */
export interface User {
  id: string;
  email: string | null;
  emailVerified: boolean;
  username: string | null;
  phone: string | null;
  phoneVerified: boolean;
  name: string | null;
  nickname: string | null;
  givenName: string | null;
  familyName: string | null;
  picture: string | null;
  /** What the person may change; null until set. */
  userMetadata: Metadata | null;
  /** What applications keep about the person; null until set. */
  appMetadata: Metadata | null;
  status: UserStatus;
  loginsCount: number;
  lastLoginAt: number | null;
  lastIp: string | null;
  createdAt: number;
  updatedAt: number;
}

export type UserRow = Schema['users'];

/** The columns of an entity: all but the password, so that no list carries it out of the database. */
export const userColumns = [
  'id',
  'email',
  'email_verified',
  'username',
  'phone',
  'phone_verified',
  'name',
  'nickname',
  'given_name',
  'family_name',
  'picture',
  'user_metadata',
  'app_metadata',
  'status',
  'logins_count',
  'last_login_at',
  'last_ip',
  'created_at',
  'updated_at',
] as const satisfies readonly (keyof UserRow)[];

export type ReadUserRow = Pick<UserRow, (typeof userColumns)[number]>;

export const userOf = (row: ReadUserRow): User => ({
  id: row.id,
  email: row.email,
  emailVerified: row.email_verified === 1,
  username: row.username,
  phone: row.phone,
  phoneVerified: row.phone_verified === 1,
  name: row.name,
  nickname: row.nickname,
  givenName: row.given_name,
  familyName: row.family_name,
  picture: row.picture,
  userMetadata: metadataOf(row.user_metadata),
  appMetadata: metadataOf(row.app_metadata),
  status: row.status,
  loginsCount: row.logins_count,
  lastLoginAt: row.last_login_at,
  lastIp: row.last_ip,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const metadataOf = (text: string | null): Metadata | null => (text === null ? null : (JSON.parse(text) as Metadata));
