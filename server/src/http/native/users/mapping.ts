import type { User as UserBody, UserProfile } from '@sekisho/contract';
import type { User } from '../../../domain/users/user.ts';

/** A user in Logto's words; `status` and `ownerOrganizationId` are ours. Never a password. */
export const userBody = (user: User): UserBody => ({
  id: user.id,
  username: user.username,
  primaryEmail: user.email,
  primaryPhone: user.phone?.replace(/^\+/, '') ?? null,
  name: user.name,
  avatar: user.picture,
  customData: user.appMetadata ?? {},
  identities: {},
  lastSignInAt: user.lastLoginAt,
  createdAt: user.createdAt,
  updatedAt: user.updatedAt,
  profile: profileBody(user),
  applicationId: user.clientId,
  isSuspended: user.status !== 'active',
  hasPassword: user.hasPassword,
  status: user.status,
  ownerOrganizationId: user.ownerOrganizationId,
});

/** The claims about a user; the names the domain has words for, and the rest as it is kept. */
export const profileBody = ({ familyName, givenName, nickname, profile }: User): UserProfile => ({
  ...(familyName === null ? {} : { familyName }),
  ...(givenName === null ? {} : { givenName }),
  ...(nickname === null ? {} : { nickname }),
  ...profile,
});
