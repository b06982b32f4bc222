import { type Static, Type } from 'typebox';
import { ApplicationType } from './applications.ts';
import { idsOf, RoleType } from './organization-template.ts';
import { PagingQuery } from './paging.ts';
import { ResourceScopeWithResource } from './resources.ts';
import { SearchQuery } from './search.ts';

const name = Type.String({
  minLength: 1,
  maxLength: 256,
  description: 'Up to 128 characters; unique, without regard to case and to what is not drawn.',
  examples: ['support'],
});
const description = Type.String({ maxLength: 512 });
const isDefault = Type.Boolean({ description: 'Every new user gets it. Of a role for users.' });

/** A tenant-wide role. */
export const Role = Type.Object({
  tenantId: Type.String(),
  id: Type.String({ examples: ['rol_5yYJ1fPqZ0k3hX7a'] }),
  name,
  description,
  type: RoleType,
  isDefault,
});
export type Role = Static<typeof Role>;

const nullableText = Type.Union([Type.String(), Type.Null()]);

/** A role of a list, with how many have it and the first three of them. */
export const ListedRole = Type.Object({
  ...Role.properties,
  usersCount: Type.Integer(),
  featuredUsers: Type.Array(Type.Object({ id: Type.String(), avatar: nullableText, name: nullableText })),
  applicationsCount: Type.Integer(),
  featuredApplications: Type.Array(Type.Object({ id: Type.String(), name: Type.String(), type: ApplicationType })),
});
export type ListedRole = Static<typeof ListedRole>;

/** The fields of `search` are id, name and description. */
export const RolesQuery = Type.Object({
  ...PagingQuery.properties,
  ...SearchQuery.properties,
  type: Type.Optional(RoleType),
  excludeUserId: Type.Optional(Type.String({ maxLength: 128, description: 'Without the roles of this user.' })),
  excludeApplicationId: Type.Optional(
    Type.String({ maxLength: 128, description: 'Without the roles of this application.' }),
  ),
  q: Type.Optional(Type.String({ maxLength: 256, description: 'Part of the name or the id, in any case.' })),
});
export type RolesQuery = Static<typeof RolesQuery>;

export const CreateRole = Type.Object({
  name,
  description,
  type: Type.Optional(RoleType),
  isDefault: Type.Optional(isDefault),
  scopeIds: Type.Optional(idsOf('scopes of API resources', 0)),
});
export type CreateRole = Static<typeof CreateRole>;

export const UpdateRole = Type.Object({
  name: Type.Optional(name),
  description: Type.Optional(description),
  isDefault: Type.Optional(isDefault),
});
export type UpdateRole = Static<typeof UpdateRole>;

export const RoleScopes = Type.Array(ResourceScopeWithResource);

/** The fields of `search` are those of the list of users or of applications. */
export const RoleSubjectsQuery = Type.Object({
  ...PagingQuery.properties,
  ...SearchQuery.properties,
  q: Type.Optional(Type.String({ maxLength: 256, description: 'Part of the id, the name or an identity.' })),
});
export type RoleSubjectsQuery = Static<typeof RoleSubjectsQuery>;
