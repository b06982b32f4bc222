/** The organization roles that every account begins with: owner, member, viewer. */
import { DomainError } from '../../kernel/errors.ts';
import { randomAlphanumeric } from '../../kernel/random.ts';
import type { Tx } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import { rolesByName } from './read-roles.ts';
import { type Role, roleNameKey, roleOf } from './role.ts';

/** The three, as they are stored. */
export interface AccountRoles {
  readonly owner: Role;
  readonly member: Role;
  readonly viewer: Role;
}

const descriptions = {
  owner: 'Owns the account.',
  member: 'Works in the account.',
  viewer: 'Sees the account.',
} as const satisfies Record<keyof AccountRoles, string>;

const names = Object.keys(descriptions) as (keyof AccountRoles)[];

/**
 * The three roles, made at first use; roles of these names that are there already are taken as they are. `owner` becomes
 * an owner's role unless another role is one. Throws `role.wrong_subject` when one of them is for clients.
 */
export async function ensureAccountRoles(ctx: Context, trx: Tx): Promise<AccountRoles> {
  const found = await rolesByName(ctx, trx, names, 'organization');
  const roles = {} as Record<keyof AccountRoles, Role>;
  for (const name of names) roles[name] = found.get(name) ?? (await insertRole(ctx, trx, name));
  const forClients = names.find((name) => roles[name].subjectKind !== 'user');
  if (forClients !== undefined) {
    throw new DomainError('role.wrong_subject', `The organization role ${forClients} is for clients, not for users.`);
  }
  if (!roles.owner.isOwner && !(await hasOwnerRole(ctx, trx))) roles.owner = await makeOwner(ctx, trx, roles.owner);
  return roles;
}

async function insertRole(ctx: Context, trx: Tx, name: keyof AccountRoles): Promise<Role> {
  const now = ctx.clock.now();
  const row = {
    tenant_id: ctx.site.tenantId,
    id: `rol_${randomAlphanumeric(ctx.random, 16)}`,
    name,
    name_key: roleNameKey(name),
    description: descriptions[name],
    level: 'organization',
    subject_kind: 'user',
    is_default: 0,
    is_owner: name === 'owner' ? 1 : 0,
    extras: '{}',
    created_at: now,
    updated_at: now,
  } as const;
  await trx.insertInto('roles').values(row).execute();
  await recordChange(ctx, trx, 'role.created', row.id);
  return roleOf(row);
}

async function hasOwnerRole(ctx: Context, trx: Tx): Promise<boolean> {
  const row = await trx
    .selectFrom('roles')
    .select('id')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('is_owner', '=', 1)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

async function makeOwner(ctx: Context, trx: Tx, role: Role): Promise<Role> {
  await trx
    .updateTable('roles')
    .set({ is_owner: 1, updated_at: ctx.clock.now() })
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', '=', role.id)
    .execute();
  await recordChange(ctx, trx, 'role.updated', role.id, { details: { fields: ['isOwner'] } });
  return { ...role, isOwner: true };
}
