/** The last owner of a root organization stays: once there is one, one remains, whatever is changed and by whomever. */
import { DomainError } from '../../kernel/errors.ts';
import type { Tx } from '../../storage/database.ts';
import type { Context } from '../context.ts';

/** What is about to change: one subject (removed, blocked), one membership, or one role. */
export type OwnerChange =
  | { readonly subjectId: string }
  | { readonly membershipId: string }
  | { readonly roleId: string };

/** Ids in one statement; each engine bounds the parameters of a statement. */
const chunkSize = 500;

/**
 * Called before a change, inside its transaction; what it returns is called after the change and throws
 * `organization.last_owner` when a root organization that had an active owner has none any more. Serializable
 * transactions make two removals at once see each other.
 */
export async function watchOwners(ctx: Context, trx: Tx, change: OwnerChange): Promise<() => Promise<void>> {
  const owned = await ownedRoots(ctx, trx, change);
  return async () => {
    for (let start = 0; start < owned.length; start += chunkSize) {
      const roots = owned.slice(start, start + chunkSize);
      const kept = await activeOwners(ctx, trx).select('o.id').distinct().where('o.id', 'in', roots).execute();
      if (kept.length === (await existing(ctx, trx, roots))) continue;
      throw new DomainError('organization.last_owner', 'A root organization keeps at least one active owner.');
    }
  };
}

async function ownedRoots(ctx: Context, trx: Tx, change: OwnerChange): Promise<string[]> {
  let query = activeOwners(ctx, trx).select('o.id').distinct();
  if ('subjectId' in change) query = query.where('m.subject_id', '=', change.subjectId);
  else if ('membershipId' in change) query = query.where('m.id', '=', change.membershipId);
  else query = query.where('mr.role_id', '=', change.roleId);
  return (await query.execute()).map(({ id }) => id);
}

/** A root that was deleted, or moved below another, meanwhile needs no owner. */
async function existing(ctx: Context, trx: Tx, roots: readonly string[]): Promise<number> {
  const rows = await trx
    .selectFrom('organizations')
    .select('id')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('parent_id', 'is', null)
    .where('id', 'in', roots)
    .execute();
  return rows.length;
}

/** Roots `o` with their active owners: members `m` with a role `mr` that is an owner's. */
function activeOwners(ctx: Context, trx: Tx) {
  return trx
    .selectFrom('memberships as m')
    .innerJoin('organizations as o', (join) =>
      join.onRef('o.tenant_id', '=', 'm.tenant_id').onRef('o.id', '=', 'm.organization_id'),
    )
    .innerJoin('membership_roles as mr', (join) =>
      join.onRef('mr.tenant_id', '=', 'm.tenant_id').onRef('mr.membership_id', '=', 'm.id'),
    )
    .innerJoin('roles as r', (join) => join.onRef('r.tenant_id', '=', 'm.tenant_id').onRef('r.id', '=', 'mr.role_id'))
    .leftJoin('users as u', (join) => join.onRef('u.tenant_id', '=', 'm.tenant_id').onRef('u.id', '=', 'm.subject_id'))
    .leftJoin('clients as c', (join) =>
      join.onRef('c.tenant_id', '=', 'm.tenant_id').onRef('c.id', '=', 'm.subject_id'),
    )
    .where('m.tenant_id', '=', ctx.site.tenantId)
    .where('o.parent_id', 'is', null)
    .where('r.is_owner', '=', 1)
    .where((eb) => eb.or([eb('u.status', '=', 'active'), eb('c.status', '=', 'active')]));
}
