/** Organization scopes: the permissions that roles give inside organizations; the same ones in every organization. */
import { sql } from 'kysely';
import { DomainError, invalid, notFound } from '../../kernel/errors.ts';
import { randomAlphanumeric } from '../../kernel/random.ts';
import { isScopeToken } from '../../kernel/text.ts';
import type { Queryable, Tx } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import { assertWholeTenant } from '../organizations/reach.ts';
import {
  type KeysetPage,
  type KeysetRange,
  keysetPage,
  mapPage,
  type OffsetPage,
  type OffsetRange,
  offsetPage,
} from '../paging.ts';
import { containsText } from '../search.ts';
import { type OrganizationScope, type OrganizationScopeRow, organizationScopeOf } from './organization-scope.ts';

/** Longest name, in characters. */
const longestName = 280;

/** Which organization scopes are asked for. */
export interface OrganizationScopeFilter {
  /** Case-insensitive part of the name. */
  contains?: string | undefined;
  /** Those of one role. */
  ofRole?: string | undefined;
}

/** A page by position, in order of creation. */
export async function listOrganizationScopes(
  ctx: Context,
  filter: OrganizationScopeFilter,
  range: OffsetRange,
): Promise<OffsetPage<OrganizationScope>> {
  const page = await offsetPage<OrganizationScopeRow>(filtered(ctx, ctx.db.reports, filter), range);
  return mapPage(page, page.items.map(organizationScopeOf));
}

/** A page by key. Throws `input.cursor_invalid`. */
export async function listOrganizationScopesByKey(
  ctx: Context,
  filter: OrganizationScopeFilter,
  range: KeysetRange,
): Promise<KeysetPage<OrganizationScope>> {
  const list = `organization scopes ${JSON.stringify(filter)}`;
  const page = await keysetPage<OrganizationScopeRow>(ctx, list, filtered(ctx, ctx.db.read, filter), range);
  return mapPage(page, page.items.map(organizationScopeOf));
}

function filtered(ctx: Context, db: Queryable, { contains, ofRole }: OrganizationScopeFilter) {
  let query = rows(ctx, db);
  if (contains !== undefined) {
    query = query.where(containsText(sql`lower(name)`, contains.toLowerCase()));
  }
  if (ofRole !== undefined) {
    const given = db
      .selectFrom('role_organization_scopes')
      .select('organization_scope_id')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('role_id', '=', ofRole);
    query = query.where('id', 'in', given);
  }
  return query;
}

const rows = (ctx: Context, db: Queryable) =>
  db.selectFrom('organization_scopes').selectAll().where('tenant_id', '=', ctx.site.tenantId);

/** Throws `entity.not_found`. */
export const getOrganizationScope = (ctx: Context, id: string): Promise<OrganizationScope> =>
  loadOrganizationScope(ctx, ctx.db.read, id);

async function loadOrganizationScope(ctx: Context, db: Queryable, id: string): Promise<OrganizationScope> {
  const row = await rows(ctx, db).where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw notFound('organization scope');
  return organizationScopeOf(row);
}

/** Throws `entity.exists` (of thing `organization scope`), `input.invalid`, `auth.organization_token`. */
export async function createOrganizationScope(
  ctx: Context,
  { name, description = null }: { name: string; description?: string | null | undefined },
): Promise<OrganizationScope> {
  assertWholeTenant(ctx, 'change the organization template');
  assertName(name);
  return ctx.db.transact(async (trx) => {
    await assertNameFree(ctx, trx, name);
    const row: OrganizationScopeRow = {
      tenant_id: ctx.site.tenantId,
      id: randomAlphanumeric(ctx.random, 21),
      name,
      description,
      created_at: ctx.clock.now(),
    };
    await trx.insertInto('organization_scopes').values(row).execute();
    await recordChange(ctx, trx, 'organization_scope.created', row.id, { details: { name } });
    return organizationScopeOf(row);
  });
}

/** Renames or describes; the roles that give it go on. Throws as creating does, and `entity.not_found`. */
export async function updateOrganizationScope(
  ctx: Context,
  id: string,
  change: { name?: string | undefined; description?: string | null | undefined },
): Promise<OrganizationScope> {
  assertWholeTenant(ctx, 'change the organization template');
  if (change.name !== undefined) assertName(change.name);
  return ctx.db.transact(async (trx) => {
    const before = await loadOrganizationScope(ctx, trx, id);
    const name = change.name ?? before.name;
    const description = change.description === undefined ? before.description : change.description;
    if (name !== before.name) await assertNameFree(ctx, trx, name);
    await trx
      .updateTable('organization_scopes')
      .set({ name, description })
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', '=', id)
      .execute();
    await recordChange(ctx, trx, 'organization_scope.updated', id, { details: { name } });
    return { ...before, name, description };
  });
}

/** Takes it out of every role as well. Throws `entity.not_found`, `auth.organization_token`. */
export async function deleteOrganizationScope(ctx: Context, id: string): Promise<void> {
  assertWholeTenant(ctx, 'change the organization template');
  await ctx.db.transact(async (trx) => {
    const { name } = await loadOrganizationScope(ctx, trx, id);
    await trx
      .deleteFrom('organization_scopes')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', '=', id)
      .execute();
    await recordChange(ctx, trx, 'organization_scope.deleted', id, { details: { name } });
  });
}

function assertName(name: string): void {
  if (name.length <= longestName && isScopeToken(name)) return;
  throw invalid(
    'name',
    `A scope has 1 to ${longestName} printable ASCII characters without space, quote and backslash.`,
  );
}

/** The unique constraint has the last word. */
async function assertNameFree(ctx: Context, trx: Tx, name: string): Promise<void> {
  const taken = await rows(ctx, trx).where('name', '=', name).executeTakeFirst();
  if (taken === undefined) return;
  throw new DomainError('entity.exists', 'An organization scope of this name exists already.', {
    path: 'name',
    data: { thing: 'organization scope' },
  });
}
