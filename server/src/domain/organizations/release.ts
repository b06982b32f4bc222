import type { Tx } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import type { OrganizationRow } from './organization.ts';
import { withinSubtree } from './tree.ts';

/** The machine clients of a subtree end with it; its people go on as its parent's. Returns the clients' ids. */
export async function releaseOwned(ctx: Context, trx: Tx, row: OrganizationRow): Promise<string[]> {
  const { tenantId } = ctx.site;
  const subtree = trx
    .selectFrom('organizations')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where(withinSubtree('path', row.path));
  await trx
    .updateTable('users')
    .set({ owner_organization_id: row.parent_id })
    .where('tenant_id', '=', tenantId)
    .where('owner_organization_id', 'in', subtree)
    .execute();
  const ended = trx
    .selectFrom('clients')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('owner_organization_id', 'in', subtree);
  const clients = (await ended.execute()).map(({ id }) => id);
  if (clients.length === 0) return clients;
  for (const table of ['memberships', 'role_assignments'] as const) {
    await trx.deleteFrom(table).where('tenant_id', '=', tenantId).where('subject_id', 'in', ended).execute();
  }
  await trx.deleteFrom('idempotency_keys').where('tenant_id', '=', tenantId).where('client_id', 'in', ended).execute();
  await trx
    .updateTable('users')
    .set({ client_id: null })
    .where('tenant_id', '=', tenantId)
    .where('client_id', 'in', ended)
    .execute();
  await trx
    .deleteFrom('clients')
    .where('tenant_id', '=', tenantId)
    .where('owner_organization_id', 'in', subtree)
    .execute();
  return clients;
}
