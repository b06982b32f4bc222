import { type CreateUser, type UpdateUser, type User as UserBody, UserProfile } from '@sekisho/contract';
import { isPasswordHash } from '../../../domain/users/passwords.ts';
import type { UserSettings } from '../../../domain/users/settings.ts';
import type { User } from '../../../domain/users/user.ts';
import { DomainError } from '../../../kernel/errors.ts';
import { assertSafeUrl } from '../../../kernel/urls.ts';
import { withNames } from '../field-names.ts';

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

/** Fields whose name in Logto's bodies is not the domain's. */
const names = {
  email: 'primaryEmail',
  phone: 'primaryPhone',
  picture: 'avatar',
  appMetadata: 'customData',
  clientId: 'applicationId',
};

/** What a verb throws names the field as the caller wrote it. */
export const inLogtosWords = <T>(work: Promise<T>): Promise<T> => withNames(names, work);

/** What a body says of a user; what an administrator sets counts as verified, as Logto has it. */
export function settingsOf(body: UpdateUser): Partial<UserSettings> {
  const { primaryEmail: email, primaryPhone: phone, customData } = body;
  return given({
    email,
    emailVerified: email === undefined ? undefined : email !== null,
    username: body.username,
    phone: phone == null ? phone : internationalPhone(phone),
    phoneVerified: phone === undefined ? undefined : phone !== null,
    name: body.name,
    picture: body.avatar === undefined ? undefined : pictureOf(body.avatar),
    appMetadata: customData === undefined ? undefined : { replace: customData },
    status: body.status,
    clientId: body.applicationId,
    ownerOrganizationId: body.ownerOrganizationId,
    ...(body.profile === undefined ? {} : { ...noNames, ...profileChange(body.profile, 'replace') }),
  });
}

const noNames = { familyName: null, givenName: null, nickname: null };

/** Logto writes digits; a plus before them is taken too. */
const internationalPhone = (phone: string): string => (/^\s*\+/.test(phone) ? phone : `+${phone.trim()}`);

function pictureOf(avatar: string | null): string | null {
  if (avatar === null || avatar === '') return null;
  assertSafeUrl(avatar, 'avatar');
  return avatar;
}

/** What a profile says: the names are the user's own fields, the rest is kept as it is. Unknown claims are dropped. */
export function profileChange(profile: UserProfile, how: 'replace' | 'merge'): Partial<UserSettings> {
  const { familyName, givenName, nickname, ...claims } = known(profile, UserProfile);
  const { address, ...rest } = claims;
  const kept = address === undefined ? rest : { ...rest, address: known(address, UserProfile.properties.address) };
  return given({
    familyName,
    givenName,
    nickname,
    profile: how === 'replace' ? { replace: kept } : { merge: kept },
  });
}

const known = <T extends object>(values: T, { properties }: { properties: object }): T =>
  Object.fromEntries(Object.entries(values).filter(([name]) => Object.hasOwn(properties, name))) as T;

const given = (settings: { [K in keyof UserSettings]?: UserSettings[K] | undefined }): Partial<UserSettings> =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as Partial<UserSettings>;

/** The hash that a body brings instead of a password. Throws `input.invalid`. */
export function digestOf({ password, passwordDigest, passwordAlgorithm }: CreateUser): string | undefined {
  if (passwordDigest === undefined) return undefined;
  if (password !== undefined) throw wrong('passwordDigest', 'password_and_digest', 'Give a password or its digest.');
  if (passwordAlgorithm === undefined) {
    throw wrong('passwordAlgorithm', 'password_algorithm_required', 'A digest needs its algorithm.');
  }
  if (passwordAlgorithm === 'Argon2id' && isPasswordHash(passwordDigest)) return passwordDigest;
  const message = 'Only Argon2id digests in PHC form ($argon2id$v=19$m=…,t=…,p=…$salt$hash) are taken.';
  throw wrong('passwordDigest', 'password_digest', message);
}

const wrong = (path: string, rule: string, message: string): DomainError =>
  new DomainError('input.invalid', message, { path, data: { rule } });
