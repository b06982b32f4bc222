/**
 * Roles made, changed, deleted. A role is made of scopes; whoever puts a management scope into one must hold it, and a
 * tenant-wide role for users never has one.
 */
import { DomainError, invalid } from '../../kernel/errors.ts';
import { randomAlphanumeric } from '../../kernel/random.ts';
import type { Tx } from '../../storage/database.ts';
import type { SubjectKind } from '../../storage/schema.ts';
import { assertAdministratorRemains } from '../access/management-scopes.ts';
import { managementScopesOfRoles } from '../access/role-scopes.ts';
import { assertNotProtected } from '../administrators/administrators.ts';
import type { Extras } from '../clients/client.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import { watchOwners } from '../organizations/owners.ts';
import { assertWholeTenant } from '../organizations/reach.ts';
import { loadRole } from './read-roles.ts';
import { assertRoleName, type Role, type RoleLevel, type RoleRow, roleNameKey, roleOf, thingOf } from './role.ts';
import { insertScopes } from './role-scopes.ts';

/** What may be set of a role. */
export interface RoleSettings {
  name: string;
  description: string | null;
  /** Every new user gets it; of a tenant-wide role for users. */
  isDefault: boolean;
  /** Of an organization role. */
  isOwner: boolean;
  extras: Extras;
}

/** What is absent or undefined stays. */
export type RoleChange = { [K in keyof RoleSettings]?: RoleSettings[K] | undefined };

/** Scopes that a new role is made of, by id, and what a request calls the two lists. */
export interface NewRoleScopes {
  scopeIds?: readonly string[] | undefined;
  organizationScopeIds?: readonly string[] | undefined;
  /** `scopeIds` unless told. */
  scopesPath?: string;
}

/**
 * Creates a role. Throws `entity.exists` (of thing `role` or `organization role`), `entity.reference_not_found` (a
 * scope), `role.management_scopes_for_users`, `auth.exceeds_own`, `input.invalid`, `auth.organization_token`.
 */
export async function createRole(
  ctx: Context,
  input: { level: Role['level']; subjectKind: SubjectKind; name: string } & Omit<RoleChange, 'name'> & NewRoleScopes,
): Promise<Role> {
  assertWholeTenant(ctx, 'make roles');
  const { level, subjectKind } = input;
  const settings = settingsOf(input);
  assertFlags({ level, subjectKind, ...settings });
  return ctx.db.transact(async (trx) => {
    await assertNameFree(ctx, trx, level, settings.name);
    const now = ctx.clock.now();
    const row: RoleRow = {
      tenant_id: ctx.site.tenantId,
      id: `rol_${randomAlphanumeric(ctx.random, 16)}`,
      level,
      subject_kind: subjectKind,
      ...columnsOf(settings),
      created_at: now,
      updated_at: now,
    };
    await trx.insertInto('roles').values(row).execute();
    const role = roleOf(row);
    await insertScopes(ctx, trx, role, 'api', input.scopeIds ?? [], { path: input.scopesPath ?? 'scopeIds' });
    await insertScopes(ctx, trx, role, 'organization', input.organizationScopeIds ?? [], {
      path: 'organizationScopeIds',
    });
    await recordChange(ctx, trx, 'role.created', role.id);
    return role;
  });
}

/**
 * Changes a role; what is absent stays. Throws `entity.not_found`, `entity.exists`, `organization.last_owner` (it is an
 * owner's no more), `role.protected`, `input.invalid`, `auth.organization_token`.
 */
export async function updateRole(
  ctx: Context,
  id: string,
  level: RoleLevel,
  changeOf: (before: Role) => RoleChange,
): Promise<Role> {
  assertWholeTenant(ctx, 'change roles');
  return ctx.db.transact(async (trx) => {
    const before = await loadRole(ctx, trx, id, level);
    assertNotProtected(before);
    const change = Object.fromEntries(Object.entries(changeOf(before)).filter(([, value]) => value !== undefined));
    const settings = settingsOf({ ...before, ...change });
    assertFlags({ ...before, ...settings });
    if (roleNameKey(settings.name) !== roleNameKey(before.name)) {
      await assertNameFree(ctx, trx, before.level, settings.name);
    }
    const assertOwnersRemain =
      before.isOwner && !settings.isOwner ? await watchOwners(ctx, trx, { roleId: id }) : undefined;
    const updatedAt = ctx.clock.now();
    await trx
      .updateTable('roles')
      .set({ ...columnsOf(settings), updated_at: updatedAt })
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', '=', id)
      .execute();
    await assertOwnersRemain?.();
    await recordChange(ctx, trx, 'role.updated', id, { details: { fields: Object.keys(change) } });
    return { ...before, ...settings, updatedAt };
  });
}

/**
 * Deletes a role; whoever has it has it no more. Throws `entity.not_found`, `organization.last_owner`,
 * `client.last_administrator`, `role.protected`, `auth.organization_token`.
 */
export async function deleteRole(ctx: Context, id: string, level: RoleLevel): Promise<void> {
  assertWholeTenant(ctx, 'delete roles');
  await ctx.db.transact(async (trx) => {
    const role = await loadRole(ctx, trx, id, level);
    assertNotProtected(role);
    const assertOwnersRemain = await watchOwners(ctx, trx, { roleId: id });
    const manages = role.subjectKind === 'client' && (await managementScopesOfRoles(ctx, trx, [id])).size > 0;
    await trx.deleteFrom('roles').where('tenant_id', '=', ctx.site.tenantId).where('id', '=', id).execute();
    await assertOwnersRemain();
    if (manages) await assertAdministratorRemains(ctx, trx);
    await recordChange(ctx, trx, 'role.deleted', id, { details: { name: role.name } });
  });
}

function settingsOf(input: { name: string } & Omit<RoleChange, 'name'>): RoleSettings {
  assertRoleName(input.name);
  return {
    name: input.name,
    description: input.description ?? null,
    isDefault: input.isDefault ?? false,
    isOwner: input.isOwner ?? false,
    extras: input.extras ?? {},
  };
}

const columnsOf = (settings: RoleSettings) => ({
  name: settings.name,
  name_key: roleNameKey(settings.name),
  description: settings.description,
  is_default: settings.isDefault ? (1 as const) : (0 as const),
  is_owner: settings.isOwner ? (1 as const) : (0 as const),
  extras: JSON.stringify(settings.extras),
});

function assertFlags(role: Pick<Role, 'level' | 'subjectKind' | 'isDefault' | 'isOwner'>): void {
  if (role.isDefault && (role.subjectKind !== 'user' || role.level === 'organization')) {
    throw invalid('isDefault', 'Only a tenant-wide role for users can be given to every new user.');
  }
  if (role.isOwner && role.level === 'tenant') throw invalid('isOwner', 'A tenant-wide role owns no organization.');
}

/** The unique indexes have the last word. */
async function assertNameFree(ctx: Context, trx: Tx, level: Role['level'], name: string): Promise<void> {
  const levels: readonly Role['level'][] = level === 'both' ? ['tenant', 'organization', 'both'] : [level, 'both'];
  const taken = await trx
    .selectFrom('roles')
    .select('id')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('name_key', '=', roleNameKey(name))
    .where('level', 'in', [...levels])
    .executeTakeFirst();
  if (taken === undefined) return;
  const thing = thingOf(level === 'both' ? undefined : level);
  throw new DomainError('entity.exists', `A ${thing} of this name exists already.`, { path: 'name', data: { thing } });
}
