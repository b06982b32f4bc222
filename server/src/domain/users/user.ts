import type { Schema } from '../../storage/schema.ts';
import type { ReadUserRow } from './user-columns.ts';

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
  /** Further claims about the person (OpenID Connect Core §5.1). */
  profile: Metadata;
  status: UserStatus;
  /** The application whose user this is, if it is one's. */
  clientId: string | null;
  /** The organization whose subtree the person belongs to; null: the tenant's. */
  ownerOrganizationId: string | null;
  hasPassword: boolean;
  loginsCount: number;
  lastLoginAt: number | null;
  lastIp: string | null;
  createdAt: number;
  updatedAt: number;
}

export type UserRow = Schema['users'];

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
  profile: JSON.parse(row.profile) as Metadata,
  status: row.status,
  clientId: row.client_id,
  ownerOrganizationId: row.owner_organization_id,
  hasPassword: Number(row.has_password) === 1,
  loginsCount: row.logins_count,
  lastLoginAt: row.last_login_at,
  lastIp: row.last_ip,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const metadataOf = (text: string | null): Metadata | null => (text === null ? null : (JSON.parse(text) as Metadata));

/** Somebody a caller sees and does not own: who it is and how to reach it, not what others keep about it. */
export const introducedUser = (row: ReadUserRow): User => ({
  ...userOf(row),
  userMetadata: null,
  appMetadata: null,
  profile: {},
  clientId: null,
  ownerOrganizationId: null,
  loginsCount: 0,
  lastLoginAt: null,
  lastIp: null,
});
