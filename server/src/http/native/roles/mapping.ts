import type { ListedRole, Role as RoleBody } from '@sekisho/contract';
import type { Context } from '../../../domain/context.ts';
import type { Featured } from '../../../domain/roles/featured.ts';
import type { Role } from '../../../domain/roles/role.ts';
import { applicationTypeOf } from '../applications/mapping.ts';
import { roleTypeOf } from '../organization-template/mapping.ts';

export const roleBody = ({ site }: Pick<Context, 'site'>, role: Role): RoleBody => ({
  tenantId: site.tenantId,
  id: role.id,
  name: role.name,
  description: role.description ?? '',
  type: roleTypeOf(role.subjectKind),
  isDefault: role.isDefault,
});

/** With how many have it, and the first of them. */
export const listedRoleBody = (ctx: Pick<Context, 'site'>, role: Role, featured: Featured): ListedRole => ({
  ...roleBody(ctx, role),
  usersCount: featured.usersCount,
  featuredUsers: featured.users.map(({ id, name, picture }) => ({ id, avatar: picture, name })),
  applicationsCount: featured.clientsCount,
  featuredApplications: featured.clients.map(({ id, name, type }) => ({ id, name, type: applicationTypeOf(type) })),
});
