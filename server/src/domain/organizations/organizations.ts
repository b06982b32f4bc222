/** Organizations: created below a parent, changed, suspended, deleted. Moving is `move.ts`; members are `memberships/`. */
import { DomainError } from '../../kernel/errors.ts';
import { randomAlphanumeric } from '../../kernel/random.ts';
import type { Tx } from '../../storage/database.ts';
import { assertAdministratorRemains } from '../access/management-scopes.ts';
import { assertMayListPolicies } from '../auth-policies/references.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import type { Organization, OrganizationRow } from './organization.ts';
import { organizationOf } from './organization.ts';
import { watchOwners } from './owners.ts';
import { assertWholeTenant, isDelegated, ownOrganization } from './reach.ts';
import { loadRow } from './read-organizations.ts';
import { releaseOwned } from './release.ts';
import { columnsOf, type OrganizationSettings, settingsOf } from './settings.ts';
import { freeSlug } from './slug.ts';
import { depthOf, maximumDepth, pathBelow, withinSubtree } from './tree.ts';

/**
 * Creates an organization, a root unless it has a parent; of a delegated caller, below its own organization unless told.
 * Throws `entity.not_found` (the parent), `entity.exists` (the slug), `organization.too_deep`, `input.invalid`,
 * `entity.reference_not_found` (an auth policy), `auth.organization_token` (a delegated caller names a slug or policies).
 */
export async function createOrganization(
  ctx: Context,
  input: { name: string; parentId?: string | null } & Partial<OrganizationSettings>,
): Promise<Organization> {
  const settings = settingsOf(input);
  if (input.slug !== undefined) assertWholeTenant(ctx, 'choose a slug');
  const parentId = input.parentId ?? ownOrganization(ctx)?.id ?? null;
  const id = `org_${randomAlphanumeric(ctx.random, 16)}`;
  return ctx.db.transact(async (trx) => {
    const parent = parentId === null ? undefined : await loadRow(ctx, trx, parentId, 'parentId');
    const path = pathBelow(parent?.path, id);
    if (depthOf(path) > maximumDepth) throw tooDeep();
    await assertMayListPolicies(ctx, trx, { before: null, after: settings.authPolicyIds });
    const now = ctx.clock.now();
    const row: OrganizationRow = {
      tenant_id: ctx.site.tenantId,
      id,
      parent_id: parent?.id ?? null,
      path,
      slug: await freeSlug(ctx, trx, settings.name, input.slug, isDelegated(ctx)),
      ...columnsOf(settings),
      created_at: now,
      updated_at: now,
    };
    await trx.insertInto('organizations').values(row).execute();
    await recordChange(ctx, trx, 'organization.created', id, { details: { parent: row.parent_id } });
    return organizationOf(ctx, row);
  });
}

/**
 * Changes an organization; what is absent stays. Suspending stops its whole subtree with the next request. Throws
 * `entity.not_found`, `entity.exists` (the slug), `input.invalid`, `entity.reference_not_found` (an auth policy),
 * `auth.organization_token` (a delegated caller changes a slug, policies, or the status of its own organization).
 */
export async function updateOrganization(
  ctx: Context,
  id: string,
  changeOf: (before: Organization) => Partial<OrganizationSettings>,
): Promise<Organization> {
  return ctx.db.transact(async (trx) => {
    const row = await loadRow(ctx, trx, id);
    const before = organizationOf(ctx, row);
    const change = Object.fromEntries(Object.entries(changeOf(before)).filter(([, value]) => value !== undefined));
    const settings = settingsOf({ ...before, ...change });
    if (settings.slug !== before.slug) assertWholeTenant(ctx, 'choose a slug');
    if (settings.status !== before.status) assertNotOwn(ctx, id, 'suspend or resume its own organization');
    await assertMayListPolicies(ctx, trx, { before: before.authPolicyIds, after: settings.authPolicyIds });
    const slug = settings.slug === before.slug ? row.slug : await freeSlug(ctx, trx, '', settings.slug, false);
    const after: OrganizationRow = { ...row, ...columnsOf(settings), slug, updated_at: ctx.clock.now() };
    const { tenant_id: _, id: __, ...columns } = after;
    await trx
      .updateTable('organizations')
      .set(columns)
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', '=', id)
      .execute();
    await recordChange(ctx, trx, 'organization.updated', id, { details: { fields: Object.keys(change) } });
    return organizationOf(ctx, after);
  });
}

/**
 * Deletes an organization with its members, invitations and the clients it owns; the users it owns become its parent's.
 * While it has children it stays, unless `cascade` takes them with it. Throws `entity.not_found`,
 * `organization.has_children`, `auth.organization_token` (a delegated caller deletes its own), `organization.last_owner`
 * and `client.last_administrator` (of what one of its clients was elsewhere).
 */
export async function deleteOrganization(ctx: Context, id: string, options: { cascade?: boolean } = {}): Promise<void> {
  await ctx.db.transact(async (trx) => {
    const row = await loadRow(ctx, trx, id);
    assertNotOwn(ctx, id, 'delete its own organization');
    if (options.cascade !== true && (await hasChildren(ctx, trx, id))) {
      throw new DomainError('organization.has_children', 'The organization has children; delete or move them first.');
    }
    const assertOwnersRemain = await watchOwners(ctx, trx, { clientsOwnedBelow: row.path });
    const clients = await releaseOwned(ctx, trx, row);
    const { numDeletedRows } = await trx
      .deleteFrom('organizations')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where(withinSubtree('path', row.path))
      .executeTakeFirstOrThrow();
    await assertOwnersRemain();
    if (clients.length > 0) await assertAdministratorRemains(ctx, trx);
    for (const clientId of clients) await recordChange(ctx, trx, 'client.deleted', clientId);
    await recordChange(ctx, trx, 'organization.deleted', id, { details: { organizations: Number(numDeletedRows) } });
  });
}

async function hasChildren(ctx: Context, trx: Tx, id: string): Promise<boolean> {
  const child = await trx
    .selectFrom('organizations')
    .select('id')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('parent_id', '=', id)
    .limit(1)
    .executeTakeFirst();
  return child !== undefined;
}

/** The top of its reach is not a delegated caller's to end. */
export function assertNotOwn(ctx: Context, id: string, what: string): void {
  if (ownOrganization(ctx)?.id === id) assertWholeTenant(ctx, what);
}

/** The error for a tree that would have more levels than it may. */
export const tooDeep = (): DomainError =>
  new DomainError('organization.too_deep', `A tree of organizations is at most ${maximumDepth} levels deep.`, {
    path: 'parentId',
  });
