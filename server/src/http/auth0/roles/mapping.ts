import type { Context } from '../../../domain/context.ts';
import { type Permission, type PermissionName, sourcesOf } from '../../../domain/roles/permissions.ts';
import { loadRole } from '../../../domain/roles/read-roles.ts';
import type { Role } from '../../../domain/roles/role.ts';
import type { User } from '../../../domain/users/user.ts';
import { notFound } from '../../../kernel/errors.ts';
import { withoutUnset } from '../envelope.ts';
import { shownUserId } from '../users/ids.ts';
import type { PermissionsBody } from './schema.ts';

/**
 * A role as this dialect knows one: tenant-wide, for users. Those for clients are Logto's, and not there. Neither level
 * nor kind of a role ever changes, so to ask before a verb is to ask in it. Throws `entity.not_found`.
 */
export async function tenantRole(ctx: Context, id: string): Promise<Role> {
  const role = await loadRole(ctx, ctx.db.read, id, 'tenant');
  if (role.subjectKind !== 'user') throw notFound('role');
  return role;
}

export const bodyOf = (role: Role): Record<string, unknown> =>
  withoutUnset({
    id: role.id,
    name: role.name,
    description: role.description,
    type: role.level === 'organization' ? 'organization' : 'tenant',
  });

export const permissionBodyOf = (permission: Permission): Record<string, unknown> =>
  withoutUnset({
    permission_name: permission.scope,
    description: permission.description,
    resource_server_name: permission.resourceServerName,
    resource_server_identifier: permission.audience,
  });

/** Permissions of a user, each with the roles it comes from. */
export async function userPermissionBodies(ctx: Context, userId: string, permissions: readonly Permission[]) {
  const sources = await sourcesOf(
    ctx,
    userId,
    permissions.map(({ scopeId }) => scopeId),
  );
  return permissions.map((permission) => ({
    ...permissionBodyOf(permission),
    sources: (sources.get(permission.scopeId) ?? []).map(({ id, name }) => ({
      source_id: id,
      source_name: name,
      source_type: 'ROLE',
    })),
  }));
}

/** Permissions as a body names them, in the domain's words. */
export const permissionNames = (body: PermissionsBody): PermissionName[] =>
  body.permissions.map(({ resource_server_identifier, permission_name }) => ({
    audience: resource_server_identifier,
    scope: permission_name,
  }));

/** A person in the list of a role or an organization. */
export const personOf = (user: User): Record<string, unknown> =>
  withoutUnset({ user_id: shownUserId(user.id), email: user.email, name: user.name, picture: user.picture });
