import { type Static, Type } from 'typebox';
import { idsOf, OrganizationRole, OrganizationScope } from './organization-template.ts';
import { PagingQuery } from './paging.ts';

const heldRoles = Type.Array(Type.Object({ id: Type.String(), name: Type.String() }), {
  description: 'Organization roles that the membership gives, by name.',
});

const inherited = Type.Boolean({ description: 'Held in an organization above, and counting here.' });
const inheritedFrom = Type.Union([Type.String(), Type.Null()], {
  description: 'The organization above; null when held here, or above what the caller may see.',
});
const nullable = { string: Type.Union([Type.String(), Type.Null()]), time: Type.Union([Type.Integer(), Type.Null()]) };

/** What the lists of users and applications of an organization add to each. */
export const MembershipOfListed = Type.Object({
  organizationRoles: heldRoles,
  membershipId: Type.Optional(Type.String({ description: 'With `inherited=true`.' })),
  inherited: Type.Optional(inherited),
  inheritedFrom: Type.Optional(inheritedFrom),
});
export type MembershipOfListed = Static<typeof MembershipOfListed>;

/** A member from above the organization that the caller's token speaks for: a name, and no origin. */
export const HiddenMember = Type.Object({
  id: Type.Null(),
  name: nullable.string,
  organizationRoles: heldRoles,
  membershipId: Type.String(),
  inherited: Type.Literal(true),
  inheritedFrom: Type.Null(),
});
export type HiddenMember = Static<typeof HiddenMember>;

/** A membership. What a caller may not know of one that is inherited from above its reach is null. */
export const Member = Type.Object(
  {
    tenantId: Type.String(),
    id: Type.String({ description: 'Of the membership.' }),
    organizationId: Type.String({ description: 'The organization that was asked about.' }),
    kind: Type.Union([Type.Literal('user'), Type.Literal('client')]),
    userId: nullable.string,
    applicationId: nullable.string,
    name: Type.Union([Type.String(), Type.Null()], { description: 'Of the user or the application.' }),
    primaryEmail: Type.Union([Type.String(), Type.Null()], { description: 'Of a user.' }),
    organizationRoles: heldRoles,
    thisOrganizationOnly: Type.Boolean({ description: 'The roles do not count in organizations below.' }),
    inherited,
    inheritedFrom,
    createdAt: nullable.time,
    updatedAt: nullable.time,
  },
  {
    examples: [
      {
        tenantId: 'default',
        id: 'mem_5yYJ1fPqZ0k3hX7a',
        organizationId: 'org_3fT0bQ9LxW2mZ8aK',
        kind: 'client',
        userId: null,
        applicationId: 'G7wYbP0aLq3ZtN8sXk1VcR5mJ2hD9fUe',
        name: 'Warehouse',
        primaryEmail: null,
        organizationRoles: [{ id: 'rol_5yYJ1fPqZ0k3hX7a', name: 'reader' }],
        thisOrganizationOnly: false,
        inherited: false,
        inheritedFrom: null,
        createdAt: 1_760_000_000_000,
        updatedAt: 1_760_000_000_000,
      },
    ],
  },
);
export type Member = Static<typeof Member>;

const inheritedToo = Type.Optional(
  Type.Boolean({
    description:
      'Also the members of organizations above whose roles count here: after the own ones, the nearest first, and once for each membership.',
  }),
);
const organizationRoleId = Type.Optional(
  Type.String({ minLength: 1, maxLength: 128, description: 'Only those with this role.' }),
);

export const MemberUsersQuery = Type.Object({
  ...PagingQuery.properties,
  q: Type.Optional(
    Type.String({ maxLength: 256, description: 'Part of the id, e-mail, username, phone or name, in any case.' }),
  ),
  organizationRoleId,
  inherited: inheritedToo,
});
export type MemberUsersQuery = Static<typeof MemberUsersQuery>;

export const MemberApplicationsQuery = Type.Object({
  ...PagingQuery.properties,
  q: Type.Optional(Type.String({ maxLength: 256, description: 'Part of the id, name or description, in any case.' })),
  organizationRoleId,
  inherited: inheritedToo,
});
export type MemberApplicationsQuery = Static<typeof MemberApplicationsQuery>;

export const MembersQuery = Type.Object({
  ...MemberUsersQuery.properties,
  kind: Type.Optional(Type.Union([Type.Literal('user'), Type.Literal('client')])),
});
export type MembersQuery = Static<typeof MembersQuery>;

const id = Type.String({ minLength: 1, maxLength: 128 });
const thisOrganizationOnly = Type.Optional(
  Type.Boolean({ description: 'The roles do not count in organizations below; false when absent.' }),
);
const roleIds = idsOf('organization roles', 0);

export const AddMember = Type.Object(
  {
    userId: Type.Optional(id),
    applicationId: Type.Optional(Type.String({ ...id, description: 'Or a machine-to-machine application.' })),
    organizationRoleIds: Type.Optional(roleIds),
    thisOrganizationOnly,
  },
  { examples: [{ applicationId: 'G7wYbP0aLq3ZtN8sXk1VcR5mJ2hD9fUe', organizationRoleIds: ['rol_5yYJ1fPqZ0k3hX7a'] }] },
);
export type AddMember = Static<typeof AddMember>;

export const UpdateMember = Type.Object({
  organizationRoleIds: Type.Optional(roleIds),
  thisOrganizationOnly: Type.Optional(
    Type.Boolean({ description: 'False gives the roles in every organization below, and needs the right to.' }),
  ),
});
export type UpdateMember = Static<typeof UpdateMember>;

export const UserIds = Type.Object({ userIds: idsOf('users') });
export const AllUserIds = Type.Object({ userIds: idsOf('users', 0) });
export const ApplicationIds = Type.Object({ applicationIds: idsOf('machine-to-machine applications') });
export const AllApplicationIds = Type.Object({ applicationIds: idsOf('machine-to-machine applications', 0) });

export const OrganizationRoleIds = Type.Object({ organizationRoleIds: idsOf('organization roles') });
export const AllOrganizationRoleIds = Type.Object({ organizationRoleIds: roleIds });

/** Roles by id, by name, or both. */
export const OrganizationRoleChoice = Type.Object({
  organizationRoleIds: Type.Optional(roleIds),
  organizationRoleNames: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
      maxItems: 1000,
      description: 'Names of organization roles, in any spelling.',
    }),
  ),
});
export type OrganizationRoleChoice = Static<typeof OrganizationRoleChoice>;

export const UsersAndRoles = Type.Object({ ...UserIds.properties, ...OrganizationRoleIds.properties });
export const ApplicationsAndRoles = Type.Object({ ...ApplicationIds.properties, ...OrganizationRoleIds.properties });

export const MemberRoles = Type.Array(OrganizationRole);
export const MemberScopes = Type.Array(OrganizationScope);
