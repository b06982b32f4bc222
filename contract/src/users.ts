import { type Static, Type } from 'typebox';
import { idsOf } from './organization-template.ts';
import { Organization } from './organizations.ts';
import { PagingQuery } from './paging.ts';
import { SearchQuery } from './search.ts';

const nullable = <T extends Parameters<typeof Type.Optional>[0]>(schema: T) => Type.Union([schema, Type.Null()]);
const anything = (description: string) => Type.Record(Type.String(), Type.Unknown(), { description });

const name = Type.String({ minLength: 1, maxLength: 300, examples: ['Ada Lovelace'] });
const avatar = Type.String({ maxLength: 2048, description: 'Address of a picture.' });
const username = Type.String({
  minLength: 1,
  maxLength: 512,
  description: 'Unique, in any spelling.',
  examples: ['ada'],
});
const primaryEmail = Type.String({
  minLength: 3,
  maxLength: 320,
  description: 'Unique, in any spelling; counts as verified when an administrator sets it.',
  examples: ['ada@example.com'],
});
const primaryPhone = Type.String({
  minLength: 5,
  maxLength: 50,
  description: 'Digits, the country first; unique.',
  examples: ['12025550123'],
});
const customData = anything('Anything, at most 16384 characters of JSON.');
const status = Type.Union([Type.Literal('active'), Type.Literal('blocked'), Type.Literal('awaiting_approval')], {
  description: 'Awaiting approval shows as suspended too. (Not in Logto.)',
});
const applicationId = nullable(Type.String({ maxLength: 128, description: 'The application whose user it is.' }));
const ownerOrganizationId = nullable(
  Type.String({ maxLength: 128, description: 'The organization whose subtree owns the user. (Not in Logto.)' }),
);
const password = Type.String({ minLength: 1, maxLength: 1000, description: '8 to 256 characters.' });

const claim = Type.Optional(Type.String({ maxLength: 1024 }));

/** Standard claims about a person (OpenID Connect Core §5.1). */
export const UserProfile = Type.Object({
  familyName: Type.Optional(name),
  givenName: Type.Optional(name),
  middleName: claim,
  nickname: Type.Optional(name),
  preferredUsername: claim,
  profile: claim,
  website: claim,
  gender: claim,
  birthdate: claim,
  zoneinfo: claim,
  locale: claim,
  address: Type.Optional(
    Type.Object({
      formatted: claim,
      streetAddress: claim,
      locality: claim,
      region: claim,
      postalCode: claim,
      country: claim,
    }),
  ),
});
export type UserProfile = Static<typeof UserProfile>;

/** A person. Times in milliseconds. */
export const User = Type.Object({
  id: Type.String({ examples: ['5f7c8ec7c33c6c004bbafe82'] }),
  username: nullable(username),
  primaryEmail: nullable(primaryEmail),
  primaryPhone: nullable(primaryPhone),
  name: nullable(name),
  avatar: nullable(avatar),
  customData,
  identities: Type.Record(Type.String(), Type.Object({ userId: Type.String() }), {
    description: 'Social identities: none.',
  }),
  lastSignInAt: nullable(Type.Integer()),
  createdAt: Type.Integer(),
  updatedAt: Type.Integer(),
  profile: UserProfile,
  applicationId,
  isSuspended: Type.Boolean({ description: 'Not active.' }),
  hasPassword: Type.Boolean(),
  status,
  ownerOrganizationId,
});
export type User = Static<typeof User>;

const settings = {
  username: Type.Optional(nullable(username)),
  primaryEmail: Type.Optional(nullable(primaryEmail)),
  primaryPhone: Type.Optional(nullable(primaryPhone)),
  name: Type.Optional(nullable(name)),
  avatar: Type.Optional(nullable(Type.String({ maxLength: 2048, description: 'Address of a picture; empty: none.' }))),
  customData: Type.Optional(customData),
  profile: Type.Optional(UserProfile),
  status: Type.Optional(status),
  applicationId: Type.Optional(applicationId),
  ownerOrganizationId: Type.Optional(ownerOrganizationId),
};

export const CreateUser = Type.Object(
  {
    ...settings,
    password: Type.Optional(password),
    passwordDigest: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 1024,
        description: 'An Argon2id hash in PHC form, instead of a password.',
      }),
    ),
    passwordAlgorithm: Type.Optional(
      Type.String({ maxLength: 64, description: 'Of `passwordDigest`: Argon2id is the one that is taken.' }),
    ),
  },
  { examples: [{ primaryEmail: 'ada@example.com', name: 'Ada Lovelace' }] },
);
export type CreateUser = Static<typeof CreateUser>;

export const UpdateUser = Type.Object(settings, {
  description: 'What is absent stays, null unsets; `customData` and `profile` replace what there was.',
  examples: [{ name: 'Ada King' }],
});
export type UpdateUser = Static<typeof UpdateUser>;

export const UserCustomData = Type.Object({ customData });
export const ProfileOfUser = Type.Object({ profile: UserProfile });
export const UserPassword = Type.Object({ password });
export const HasPassword = Type.Object({ hasPassword: Type.Boolean() });
export const UserSuspension = Type.Object({ isSuspended: Type.Boolean() });

export const UsersQuery = Type.Object({
  ...PagingQuery.properties,
  ...SearchQuery.properties,
  excludeRoleId: Type.Optional(Type.String({ maxLength: 128, description: 'Without who has this tenant-wide role.' })),
  excludeOrganizationId: Type.Optional(
    Type.String({ maxLength: 128, description: 'Without the direct members of this organization.' }),
  ),
});
export type UsersQuery = Static<typeof UsersQuery>;

/** An organization with the roles that a user or an application has there. */
export const OrganizationOfSubject = Type.Object({
  ...Organization.properties,
  organizationRoles: Type.Array(Type.Object({ id: Type.String(), name: Type.String() })),
});
export type OrganizationOfSubject = Static<typeof OrganizationOfSubject>;

/** Tenant-wide roles that a user or an application is given. */
export const RoleIds = Type.Object({ roleIds: idsOf('roles') });
export const AllRoleIds = Type.Object({ roleIds: idsOf('roles', 0) });
export const AddedRoles = Type.Object({
  roleIds: Type.Array(Type.String(), { description: 'Those that were named.' }),
  addedRoleIds: Type.Array(Type.String(), { description: 'Those among them that are new.' }),
});

export const RolesOfSubjectQuery = Type.Object({
  ...PagingQuery.properties,
  q: Type.Optional(Type.String({ maxLength: 256, description: 'Part of the name, in any case.' })),
});
