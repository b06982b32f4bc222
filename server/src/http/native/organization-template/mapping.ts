import type {
  OrganizationRole,
  OrganizationRoleWithScopes,
  OrganizationScope as OrganizationScopeBody,
  RoleType,
} from '@sekisho/contract';
import type { Context } from '../../../domain/context.ts';
import type { OrganizationScope } from '../../../domain/organization-scopes/organization-scope.ts';
import type { ScopesOfRole } from '../../../domain/roles/read-role-scopes.ts';
import type { Role } from '../../../domain/roles/role.ts';
import { resourceIdOf } from '../resources/mapping.ts';

type Site = Pick<Context, 'site'>;

/** Logto's word for whom a role can be given to, and back. */
export const roleTypeOf = (kind: Role['subjectKind']): RoleType => (kind === 'user' ? 'User' : 'MachineToMachine');
export const subjectKindOf = (type: RoleType): Role['subjectKind'] => (type === 'User' ? 'user' : 'client');

export const organizationRoleBody = ({ site }: Site, role: Role): OrganizationRole => ({
  tenantId: site.tenantId,
  id: role.id,
  name: role.name,
  description: role.description,
  type: roleTypeOf(role.subjectKind),
  isOwner: role.isOwner,
});

/** With what it gives. */
export const organizationRoleWithScopesBody = (
  ctx: Site,
  role: Role,
  given: ScopesOfRole,
): OrganizationRoleWithScopes => ({
  ...organizationRoleBody(ctx, role),
  scopes: given.organizationScopes.map(({ id, name }) => ({ id, name })),
  resourceScopes: given.scopes.map(({ id, value, resourceServer }) => ({
    id,
    name: value,
    resource: { id: resourceIdOf(resourceServer), name: resourceServer.name },
  })),
});

export const organizationScopeBody = ({ site }: Site, scope: OrganizationScope): OrganizationScopeBody => ({
  tenantId: site.tenantId,
  id: scope.id,
  name: scope.name,
  description: scope.description,
});
