/** The last owner of a root organization stays: once there is one, one remains, whatever is changed and by whomever. */
import { sql } from 'kysely';
import { DomainError } from '../../kernel/errors.ts';
import type { Tx } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import { withinSubtree } from './tree.ts';

/**
 * What is about to change: one subject (removed, blocked), the clients that a subtree owns, one membership, members of
 * one organization, or one role.
 */
export type OwnerChange =
  | { readonly subjectId: string }
  | { readonly clientsOwnedBelow: string }
  | { readonly membershipId: string }
  | { readonly organizationId: string }
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
      const bereft = await roots(ctx, trx)
        .where('o.id', 'in', owned.slice(start, start + chunkSize))
        .where(({ not, exists }) => not(exists(activeOwners(trx))))
        .limit(1)
        .executeTakeFirst();
      if (bereft === undefined) continue;
      throw new DomainError('organization.last_owner', 'A root organization keeps at least one active owner.');
    }
  };
}

async function ownedRoots(ctx: Context, trx: Tx, change: OwnerChange): Promise<string[]> {
  const owned =
    'organizationId' in change
      ? roots(ctx, trx)
          .where('o.id', '=', change.organizationId)
          .where(({ exists }) => exists(activeOwners(trx)))
      : ownersAmong(ctx, trx, change);
  return (await owned.execute()).map(({ id }) => id);
}

/** The roots that what changes gives an active owner. */
function ownersAmong(ctx: Context, trx: Tx, change: Exclude<OwnerChange, { organizationId: string }>) {
  const query = trx
    .selectFrom('memberships as m')
    .innerJoin('organizations as o', (join) =>
      join.onRef('o.tenant_id', '=', 'm.tenant_id').onRef('o.id', '=', 'm.organization_id'),
    )
    .innerJoin('membership_roles as mr', (join) =>
      join.onRef('mr.tenant_id', '=', 'm.tenant_id').onRef('mr.membership_id', '=', 'm.id'),
    )
    .innerJoin('roles as r', (join) => join.onRef('r.tenant_id', '=', 'm.tenant_id').onRef('r.id', '=', 'mr.role_id'))
    .select('o.id')
    .distinct()
    .where('m.tenant_id', '=', ctx.site.tenantId)
    .where('o.parent_id', 'is', null)
    .where('r.is_owner', '=', 1)
    .where(isActive);
  if ('subjectId' in change) return query.where('m.subject_id', '=', change.subjectId);
  if ('clientsOwnedBelow' in change) {
    const owned = sql<string>`(select c.id from clients c join organizations t on t.tenant_id = c.tenant_id
      and t.id = c.owner_organization_id where c.tenant_id = ${ctx.site.tenantId}
      and ${withinSubtree('t.path', change.clientsOwnedBelow)})`;
    return query.where('m.subject_id', 'in', owned);
  }
  if ('membershipId' in change) return query.where('m.id', '=', change.membershipId);
  return query.where('mr.role_id', '=', change.roleId);
}

/**
 * Whether nobody but this member is an active owner of a root organization, for who would rather leave it one than fail.
 * The caller knows that the member is an owner.
 */
export async function isOnlyOwner(ctx: Context, trx: Tx, organizationId: string, membershipId: string) {
  const bereft = await roots(ctx, trx)
    .where('o.id', '=', organizationId)
    .where(({ not, exists }) => not(exists(activeOwners(trx).where('m.id', '!=', membershipId))))
    .executeTakeFirst();
  return bereft !== undefined;
}

/** Roots as `o`. One that was deleted, or moved below another, meanwhile needs no owner. */
const roots = (ctx: Context, trx: Tx) =>
  trx
    .selectFrom('organizations as o')
    .select('o.id')
    .where('o.tenant_id', '=', ctx.site.tenantId)
    .where('o.parent_id', 'is', null);

/** The active owners of root `o`: asked whether there is one, so that a root of a million members is not counted. */
const activeOwners = (trx: Tx) =>
  trx
    .selectFrom('memberships as m')
    .innerJoin('membership_roles as mr', (join) =>
      join.onRef('mr.tenant_id', '=', 'm.tenant_id').onRef('mr.membership_id', '=', 'm.id'),
    )
    .innerJoin('roles as r', (join) => join.onRef('r.tenant_id', '=', 'm.tenant_id').onRef('r.id', '=', 'mr.role_id'))
    .select('m.id')
    .where('m.tenant_id', '=', sql.ref<string>('o.tenant_id'))
    .where('m.organization_id', '=', sql.ref<string>('o.id'))
    .where('r.is_owner', '=', 1)
    .where(isActive);

/** Whether the person or the client of membership `m` is active. */
const isActive = sql<boolean>`(exists (select 1 from users u
    where u.tenant_id = m.tenant_id and u.id = m.subject_id and u.status = 'active')
  or exists (select 1 from clients c
    where c.tenant_id = m.tenant_id and c.id = m.subject_id and c.status = 'active'))`;
