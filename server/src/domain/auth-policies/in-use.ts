/** Which applications, organizations or the tenant itself list a policy. Without it such a list would let in others. */
import { DomainError } from '../../kernel/errors.ts';
import type { Tx } from '../../storage/database.ts';
import type { Context } from '../context.ts';

/** Throws `entity.in_use` whose data name the kind and the id of one that lists it. */
export async function assertNotListed(ctx: Context, trx: Tx, policyId: string): Promise<void> {
  const found =
    (await listedByTenant(ctx, trx, policyId)) ??
    (await listedByClient(ctx, trx, policyId)) ??
    (await listedByOrganization(ctx, trx, policyId));
  if (found === undefined) return;
  const [kind, id] = found;
  throw new DomainError('entity.in_use', `The auth policy is listed by ${kind} ${id}; take it off there first.`, {
    data: { thing: 'auth policy', kind, id },
  });
}

type Listed = readonly [kind: 'tenant' | 'client' | 'organization', id: string];

/** Whether the JSON of sign-in settings lists it. */
const lists = (column: string, policyId: string): boolean =>
  ((JSON.parse(column) as { authPolicyIds?: readonly string[] | null }).authPolicyIds ?? []).includes(policyId);

async function listedByTenant(ctx: Context, trx: Tx, policyId: string): Promise<Listed | undefined> {
  const { tenantId } = ctx.site;
  const row = await trx.selectFrom('tenants').select('sign_in').where('id', '=', tenantId).executeTakeFirst();
  return row !== undefined && lists(row.sign_in, policyId) ? ['tenant', tenantId] : undefined;
}

/** An id has letters and digits only, so that in JSON it stands as it is. */
const holdsId = (policyId: string): string => `%"${policyId}"%`;

async function listedByClient(ctx: Context, trx: Tx, policyId: string): Promise<Listed | undefined> {
  const rows = await trx
    .selectFrom('clients')
    .select(['id', 'sign_in'])
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('sign_in', 'like', holdsId(policyId))
    .execute();
  const row = rows.find(({ sign_in }) => lists(sign_in, policyId));
  return row && ['client', row.id];
}

async function listedByOrganization(ctx: Context, trx: Tx, policyId: string): Promise<Listed | undefined> {
  const row = await trx
    .selectFrom('organizations')
    .select('id')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('auth_policy_ids', 'is not', null)
    .where('auth_policy_ids', 'like', holdsId(policyId))
    .executeTakeFirst();
  return row && ['organization', row.id];
}
