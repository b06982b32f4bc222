/** A person as tokens tell of it: one read a token, and further ones only for what the scopes ask. */
import { anyPolicy } from '../../domain/access/user-facts.ts';
import { type User, userOf } from '../../domain/users/user.ts';
import type { ReadUserRow } from '../../domain/users/user-columns.ts';
import { defineStatement } from '../../storage/statement.ts';
import type { ProtocolContext } from '../context.ts';
import type { IssuerProfile } from '../profile.ts';
import { organizationsScope } from './identity-scopes.ts';

export const userById = defineStatement<{ tenantId: string; userId: string }, ReadUserRow>(
  'user_by_id',
  `select id, email, email_verified, username, phone, phone_verified, name, nickname, given_name, family_name, picture,
    user_metadata, app_metadata, profile, status, client_id, owner_organization_id, logins_count, last_login_at, last_ip,
    created_at, updated_at, case when password_hash is null then 0 else 1 end as has_password
  from users where tenant_id = :tenantId and id = :userId`,
);

/** The user, whatever its status; undefined when there is none. */
export async function loadPerson(ctx: ProtocolContext, userId: string): Promise<User | undefined> {
  const [row] = await ctx.services.db.run(userById, { tenantId: ctx.site.tenantId, userId });
  return row === undefined ? undefined : userOf(row);
}

const roleNames = defineStatement<{ tenantId: string; userId: string }, { name: string }>(
  'person_roles',
  `select r.name as name from role_assignments a cross join roles r
  where a.tenant_id = :tenantId and a.subject_id = :userId and r.tenant_id = :tenantId and r.id = a.role_id
  order by r.name`,
);

/**
 * A client of others learns of the organizations that the person let it act in, and of no others. A role counts where the
 * organization takes the policy the person signed in by; that it is a member stays so.
 */
export const directOrganizations = defineStatement<
  { tenantId: string; userId: string; clientId: string; signedInBy: string },
  { id: string; name: string; description: string | null; role: string | null }
>(
  'person_organizations',
  `select o.id as id, o.name as name, o.description as description, r.name as role
  from memberships m cross join organizations o
  join clients c on c.tenant_id = :tenantId and c.id = :clientId
  left join consents k on k.tenant_id = :tenantId and k.user_id = :userId and k.client_id = c.id
  left join membership_roles mr on mr.tenant_id = :tenantId and mr.membership_id = m.id
  left join roles r on r.tenant_id = :tenantId and r.id = mr.role_id
    and not exists (select 1 from organizations a where a.tenant_id = :tenantId and a.auth_policy_ids is not null
      and :signedInBy <> '' and replace(a.auth_policy_ids, '"' || :signedInBy || '"', '') = a.auth_policy_ids
      and a.path <= o.path and substr(o.path, 1, length(a.path)) = a.path)
  where m.tenant_id = :tenantId and m.subject_id = :userId and o.tenant_id = :tenantId and o.id = m.organization_id
    and (c.first_party = 1 or replace(k.organization_ids, '"' || o.id || '"', '') <> k.organization_ids)
  order by o.created_at, o.id, r.name`,
);

/** Where claims go: an ID token holds less. */
export type ClaimsPlace = 'id_token' | 'userinfo';

interface AboutClaims {
  readonly place: ClaimsPlace;
  readonly clientId: string;
  /** The auth policy the person signed in by; null: nobody did, an administrator lets the client act. */
  readonly signedInBy: string | null;
}

/**
 * The claims that the scopes give (OpenID Connect Core §5.4; of Logto's issuer also its own). Standard claims that are
 * not known are left out; Logto's clients expect null for the few they type so.
 */
export async function claimsOfPerson(
  ctx: ProtocolContext,
  profile: IssuerProfile,
  user: User,
  about: AboutClaims & { scopes: readonly string[] },
): Promise<Record<string, unknown>> {
  const { scopes, ...wanted } = about;
  const has = (scope: string) => scopes.includes(scope);
  const isLogto = profile.personClaims === 'logto';
  return {
    ...(has('profile') ? profileClaims(user, isLogto) : {}),
    ...(has('email') ? emailClaims(user, isLogto) : {}),
    ...(has('phone') ? phoneClaims(user, isLogto) : {}),
    ...(has('address') && user.profile.address !== undefined ? { address: user.profile.address } : {}),
    ...(isLogto ? await logtoClaims(ctx, user, has, wanted) : {}),
  };
}

/** Claims of §5.1 that are kept as they were set, by their camel-case names. */
const kept: Record<string, string> = {
  middleName: 'middle_name',
  preferredUsername: 'preferred_username',
  profile: 'profile',
  website: 'website',
  gender: 'gender',
  birthdate: 'birthdate',
  zoneinfo: 'zoneinfo',
  locale: 'locale',
};

function profileClaims(user: User, isLogto: boolean): Record<string, unknown> {
  const claims: Record<string, unknown> = {
    name: user.name,
    given_name: user.givenName,
    family_name: user.familyName,
    nickname: user.nickname,
    preferred_username: user.username,
    picture: user.picture,
    updated_at: Math.floor(user.updatedAt / 1000),
  };
  for (const [name, claim] of Object.entries(kept)) {
    if (user.profile[name] !== undefined) claims[claim] = user.profile[name];
  }
  const known = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== null));
  if (!isLogto) return known;
  return {
    ...known,
    name: user.name,
    picture: user.picture,
    username: user.username,
    created_at: user.createdAt,
    updated_at: user.updatedAt,
  };
}

const emailClaims = ({ email, emailVerified }: User, isLogto: boolean): Record<string, unknown> =>
  email === null && !isLogto ? {} : { email, email_verified: email !== null && emailVerified };

const phoneClaims = ({ phone, phoneVerified }: User, isLogto: boolean): Record<string, unknown> =>
  phone === null && !isLogto
    ? {}
    : {
        // Logto writes digits.
        phone_number: isLogto ? (phone?.replace(/^\+/, '') ?? null) : phone,
        phone_number_verified: phone !== null && phoneVerified,
      };

async function logtoClaims(
  ctx: ProtocolContext,
  user: User,
  has: (scope: string) => boolean,
  { place, clientId, signedInBy }: AboutClaims,
): Promise<Record<string, unknown>> {
  const { db } = ctx.services;
  const args = { tenantId: ctx.site.tenantId, userId: user.id };
  const claims: Record<string, unknown> = {};
  if (has('roles')) claims.roles = (await db.run(roleNames, args)).map(({ name }) => name);
  if (has(organizationsScope) || has('urn:logto:scope:organization_roles')) {
    const rows = await db.run(directOrganizations, { ...args, clientId, signedInBy: signedInBy ?? anyPolicy });
    const organizations = [...new Map(rows.map((row) => [row.id, row])).values()];
    if (has(organizationsScope)) {
      claims.organizations = organizations.map(({ id }) => id);
      if (place === 'userinfo') {
        claims.organization_data = organizations.map(({ id, name, description }) => ({ id, name, description }));
      }
    }
    if (has('urn:logto:scope:organization_roles')) {
      claims.organization_roles = rows.flatMap(({ id, role }) => (role === null ? [] : `${id}:${role}`));
    }
  }
  if (place === 'userinfo' && has('custom_data')) claims.custom_data = user.appMetadata ?? {};
  if (place === 'userinfo' && has('identities')) Object.assign(claims, { identities: {}, sso_identities: [] });
  return claims;
}
