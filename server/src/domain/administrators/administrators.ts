/**
 * Administrators: people who may do everything in a tenant. What makes one is a tenant-wide role that every tenant
 * begins with and nobody can change; it is the only role for people with scopes of the management APIs. It is given by
 * the setup link, or by a caller who holds all that it gives. What it gives counts only through a confidential
 * application of our own that was granted as much (`access/decide.ts`).
 */
import { DomainError } from '../../kernel/errors.ts';
import type { Tx } from '../../storage/database.ts';
import type { Context, Services } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import type { SystemApi } from '../resource-servers/system.ts';
import { type Role, roleNameKey } from '../roles/role.ts';

/** The role's id, the same in every tenant. */
export const administratorRoleId = 'rol_administrator';

const roleName = 'Sekisho administrator';

/** Changes when what every start looks after changes here. */
export const administratorRoleVersion = 1;

/** Makes the role where it is missing, and gives it what this release's management APIs have. */
export async function ensureAdministratorRole(
  { systemApis, clock }: Pick<Services, 'systemApis' | 'clock'>,
  trx: Tx,
  tenantId: string,
): Promise<void> {
  const now = clock.now();
  const name = await freeName(trx, tenantId);
  await trx
    .insertInto('roles')
    .values({
      tenant_id: tenantId,
      id: administratorRoleId,
      name,
      name_key: roleNameKey(name),
      description: 'Everything in this tenant, for people. It can not be changed.',
      level: 'tenant',
      subject_kind: 'user',
      is_default: 0,
      is_owner: 0,
      extras: '{}',
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) => conflict.columns(['tenant_id', 'id']).doNothing())
    .execute();
  for (const api of systemApis) await giveScopes(trx, tenantId, api);
}

/** Somebody may have made a role of the name before there was ours. */
async function freeName(trx: Tx, tenantId: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? roleName : `${roleName} (${number})`;
    const taken = await trx
      .selectFrom('roles')
      .select('id')
      .where('tenant_id', '=', tenantId)
      .where('name_key', '=', roleNameKey(name))
      .where('id', '!=', administratorRoleId)
      .executeTakeFirst();
    if (taken === undefined) return name;
  }
}

/** The umbrella scope, or each of them; never what only the first client of the default tenant may do. */
async function giveScopes(trx: Tx, tenantId: string, api: SystemApi): Promise<void> {
  const values =
    api.umbrellaScope === undefined
      ? api.scopes.flatMap(({ value, defaultTenantOnly }) => (defaultTenantOnly === true ? [] : [value]))
      : [api.umbrellaScope];
  await trx
    .insertInto('role_scopes')
    .columns(['tenant_id', 'role_id', 'scope_id'])
    .expression((eb) =>
      eb
        .selectFrom('scopes as x')
        .innerJoin('resource_servers as r', (join) =>
          join.onRef('r.tenant_id', '=', 'x.tenant_id').onRef('r.id', '=', 'x.resource_server_id'),
        )
        .select(['x.tenant_id', eb.val(administratorRoleId).as('role_id'), 'x.id'])
        .where('x.tenant_id', '=', tenantId)
        .where('r.system_kind', '=', api.kind)
        .where('x.value', 'in', values),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Gives the role to a user of whom nobody but the server itself decides. */
export async function makeAdministrator(ctx: Context, trx: Tx, userId: string): Promise<void> {
  await trx
    .insertInto('role_assignments')
    .values({
      tenant_id: ctx.site.tenantId,
      subject_id: userId,
      role_id: administratorRoleId,
      subject_kind: 'user',
      created_at: ctx.clock.now(),
    })
    .execute();
  await recordChange(ctx, trx, 'role.assigned', administratorRoleId, { userId, details: { userId } });
}

/** Throws `role.protected`: whoever could change the role could make everybody an administrator. */
export function assertNotProtected({ id }: Pick<Role, 'id'>): void {
  if (id !== administratorRoleId) return;
  throw new DomainError('role.protected', 'The role of administrators can not be changed or deleted.');
}
