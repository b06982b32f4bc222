import type { MetadataChange, UserSettings } from '../../../domain/users/settings.ts';
import type { Metadata, User } from '../../../domain/users/user.ts';
import { DomainError, invalid } from '../../../kernel/errors.ts';
import { assertSafeUrl } from '../../../kernel/urls.ts';
import { withoutUnset } from '../envelope.ts';
import { connection, identitiesOf, shownUserId, storedUserId } from './ids.ts';
import type { CreateBody, UpdateBody } from './schema.ts';

/** A new user in the domain's words. Names default as Auth0 sets them, from the e-mail address. */
export function createInputOf(body: CreateBody): Partial<UserSettings> & { id?: string } {
  if (body.connection !== connection) {
    throw new DomainError('input.invalid', 'The connection does not exist', { path: 'connection' });
  }
  if (body.email === undefined && body.username === undefined && body.phone_number === undefined) {
    throw invalid('email', 'Missing required property: email');
  }
  const { connection: _, user_id, ...settings } = body;
  const name = body.name ?? body.email?.trim() ?? body.username ?? body.phone_number;
  const nickname = body.nickname ?? body.email?.trim().split('@')[0] ?? body.username;
  return {
    ...settingsOf(settings),
    ...(name === undefined ? {} : { name }),
    ...(nickname === undefined ? {} : { nickname }),
    ...(user_id === undefined ? {} : { id: storedUserId(user_id) }),
  };
}

/** What a body says of a user, in the domain's words; null unsets. */
export function settingsOf(body: Omit<UpdateBody, 'connection'>): Partial<UserSettings> {
  if (body.picture != null) assertSafeUrl(body.picture, 'picture');
  const given: { [K in keyof UserSettings]?: UserSettings[K] | undefined } = {
    email: body.email,
    emailVerified: body.email_verified,
    username: body.username,
    phone: body.phone_number,
    phoneVerified: body.phone_verified,
    name: body.name,
    nickname: body.nickname,
    givenName: body.given_name,
    familyName: body.family_name,
    picture: body.picture,
    userMetadata: metadataChange(body.user_metadata),
    appMetadata: metadataChange(body.app_metadata),
    status: body.blocked === undefined ? undefined : body.blocked ? 'blocked' : 'active',
    password: body.password,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<UserSettings>;
}

/** Metadata are merged key by key; an empty object clears them. */
function metadataChange(given: object | undefined): MetadataChange | undefined {
  if (given === undefined) return undefined;
  return Object.keys(given).length === 0 ? { replace: {} } : { merge: given as Metadata };
}

/** A user as this dialect shows it; never a password. */
export const bodyOf = (user: User): Record<string, unknown> =>
  withoutUnset({
    user_id: shownUserId(user.id),
    email: user.email,
    email_verified: user.emailVerified,
    username: user.username,
    phone_number: user.phone,
    phone_verified: user.phone === null ? undefined : user.phoneVerified,
    name: user.name,
    nickname: user.nickname,
    given_name: user.givenName,
    family_name: user.familyName,
    picture: user.picture,
    identities: identitiesOf(user),
    user_metadata: user.userMetadata,
    app_metadata: user.appMetadata,
    blocked: user.status !== 'active',
    status: user.status === 'awaiting_approval' ? user.status : undefined,
    logins_count: user.loginsCount,
    last_login: user.lastLoginAt === null ? undefined : new Date(user.lastLoginAt).toISOString(),
    last_ip: user.lastIp,
    created_at: new Date(user.createdAt).toISOString(),
    updated_at: new Date(user.updatedAt).toISOString(),
  });
