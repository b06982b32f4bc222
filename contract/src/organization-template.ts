import { type Static, Type } from 'typebox';

/** Whom a role can be given to. */
export const RoleType = Type.Union([Type.Literal('User'), Type.Literal('MachineToMachine')], {
  description: 'Whom the role can be given to: users, or machine clients.',
});
export type RoleType = Static<typeof RoleType>;

/** Ids that a request lists. */
export const idsOf = (what: string, minItems = 1) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
    minItems,
    maxItems: 1000,
    description: `Ids of ${what}; at most 1000.`,
  });

const name = Type.String({
  minLength: 1,
  maxLength: 256,
  description: 'Up to 128 characters; unique, without regard to case and to what is not drawn.',
  examples: ['admin'],
});
const description = Type.Union([Type.String({ maxLength: 512 }), Type.Null()]);
const isOwner = Type.Boolean({
  description: 'Who has it in a root organization is one of its owners; the last owner stays. (Not in Logto.)',
});

/** A role in organizations; every organization of the tenant has the same ones. */
export const OrganizationRole = Type.Object({
  tenantId: Type.String(),
  id: Type.String({ examples: ['rol_5yYJ1fPqZ0k3hX7a'] }),
  name,
  description,
  type: RoleType,
  isOwner,
});
export type OrganizationRole = Static<typeof OrganizationRole>;

const named = { id: Type.String(), name: Type.String() };

/** The same with all that it gives. */
export const OrganizationRoleWithScopes = Type.Object({
  ...OrganizationRole.properties,
  scopes: Type.Array(Type.Object(named), { description: 'Organization scopes.' }),
  resourceScopes: Type.Array(Type.Object({ ...named, resource: Type.Object(named) }), {
    description: 'Scopes of API resources.',
  }),
});
export type OrganizationRoleWithScopes = Static<typeof OrganizationRoleWithScopes>;

export const CreateOrganizationRole = Type.Object({
  name,
  description: Type.Optional(description),
  type: Type.Optional(RoleType),
  isOwner: Type.Optional(isOwner),
  organizationScopeIds: Type.Optional(idsOf('organization scopes', 0)),
  resourceScopeIds: Type.Optional(idsOf('scopes of API resources', 0)),
});
export type CreateOrganizationRole = Static<typeof CreateOrganizationRole>;

export const UpdateOrganizationRole = Type.Object({
  name: Type.Optional(name),
  description: Type.Optional(description),
  isOwner: Type.Optional(isOwner),
});
export type UpdateOrganizationRole = Static<typeof UpdateOrganizationRole>;

const scopeName = Type.String({
  minLength: 1,
  maxLength: 280,
  description: 'Printable ASCII without space, quote and backslash (RFC 6749 §3.3).',
  examples: ['invite:member'],
});

/** A permission inside an organization. */
export const OrganizationScope = Type.Object({
  tenantId: Type.String(),
  id: Type.String(),
  name: scopeName,
  description,
});
export type OrganizationScope = Static<typeof OrganizationScope>;

export const CreateOrganizationScope = Type.Object({ name: scopeName, description: Type.Optional(description) });
export type CreateOrganizationScope = Static<typeof CreateOrganizationScope>;

export const UpdateOrganizationScope = Type.Partial(CreateOrganizationScope);
export type UpdateOrganizationScope = Static<typeof UpdateOrganizationScope>;

export const OrganizationScopeIds = Type.Object({ organizationScopeIds: idsOf('organization scopes') });
export const AllOrganizationScopeIds = Type.Object({ organizationScopeIds: idsOf('organization scopes', 0) });
export const ScopeIds = Type.Object({ scopeIds: idsOf('scopes of API resources') });
export const AllScopeIds = Type.Object({ scopeIds: idsOf('scopes of API resources', 0) });
