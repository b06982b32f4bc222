/** Organizations read: one, pages of them, the way up, the subtree. */
import { sql } from 'kysely';
import { DomainError, notFound } from '../../kernel/errors.ts';
import type { Queryable } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import {
  type KeysetPage,
  type KeysetRange,
  keysetPage,
  mapPage,
  type OffsetPage,
  type OffsetRange,
  offsetPage,
} from '../paging.ts';
import { containsText, matchesText } from '../search.ts';
import { foldCase } from '../users/identity.ts';
import { type Organization, type OrganizationRow, organizationOf } from './organization.ts';
import { isDelegated, ownOrganization, pathInReach, reachesPath } from './reach.ts';
import { idsOfPath, withinSubtree } from './tree.ts';

/** Which organizations are asked for; what is absent does not matter. */
export interface OrganizationFilter {
  /** Children of one organization; null: roots (of a delegated caller: its own organization). */
  parentId?: string | null;
  /** Everything below this organization, itself included. */
  subtreeOf?: string;
  /** Beginning of the name, without regard to case. */
  namePrefix?: string;
  /** Case-insensitive part of the name, or of the id. */
  contains?: string;
}

const sortColumns = { createdAt: 'created_at', slug: 'slug', name: 'name_key' } as const;

/** What a page by position is sorted by. */
export interface OrganizationOrder {
  readonly field: keyof typeof sortColumns;
  readonly descending: boolean;
}

/** A page by position, in order of creation unless told. Throws `entity.not_found` (of the parent or top). */
export async function listOrganizations(
  ctx: Context,
  filter: OrganizationFilter,
  range: OffsetRange,
  order: OrganizationOrder = { field: 'createdAt', descending: false },
): Promise<OffsetPage<Organization>> {
  const direction = order.descending ? 'desc' : 'asc';
  const page = await offsetPage<OrganizationRow>(await filtered(ctx, ctx.db.reports, filter), range, (query) =>
    query.orderBy(sortColumns[order.field], direction).orderBy('id', direction),
  );
  return mapPage(
    page,
    page.items.map((row) => organizationOf(ctx, row)),
  );
}

/**
 * A page by key: in order of creation; a subtree in order of its paths, so that a page costs the same however large the
 * tenant is; by beginning of the name in order of the names. Throws `entity.not_found`, `input.cursor_invalid`.
 */
export async function listOrganizationsByKey(
  ctx: Context,
  filter: OrganizationFilter,
  range: KeysetRange,
): Promise<KeysetPage<Organization>> {
  const [order, columns] = orderOf(ctx, filter);
  const { parentId, subtreeOf, namePrefix, contains } = filter;
  // As an object: in a list, roots (null) would read as no parent asked for (undefined).
  const list = `organizations ${order} ${JSON.stringify({ parentId, subtreeOf, namePrefix, contains })}`;
  const continued = range.cursor !== undefined;
  const query = await filtered(ctx, isSearch(ctx, filter) ? ctx.db.reports : ctx.db.read, filter, { continued });
  const page = await keysetPage<OrganizationRow>(ctx, list, query, range, columns);
  return mapPage(
    page,
    page.items.map((row) => organizationOf(ctx, row)),
  );
}

/** Whether rows may have to be passed over: no index has both the name and the place in the tree. */
const isSearch = (ctx: Context, { contains, namePrefix, parentId, subtreeOf }: OrganizationFilter): boolean =>
  contains !== undefined ||
  (namePrefix !== undefined && (isDelegated(ctx) || parentId !== undefined || subtreeOf !== undefined)) ||
  (subtreeOf !== undefined && parentId !== undefined);

function orderOf(ctx: Context, filter: OrganizationFilter): [string, (keyof OrganizationRow)[]] {
  if (filter.namePrefix !== undefined) return ['name', ['name_key', 'id']];
  const isSubtree = filter.subtreeOf !== undefined || (isDelegated(ctx) && !filter.parentId);
  return isSubtree ? ['path', ['path']] : ['created', ['created_at', 'id']];
}

async function filtered(ctx: Context, db: Queryable, filter: OrganizationFilter, page: { continued?: boolean } = {}) {
  let query = db.selectFrom('organizations').selectAll().where('tenant_id', '=', ctx.site.tenantId);
  // What is named is loaded first, so it is in reach, and all below it; one range of paths is enough for an index.
  if (!filter.parentId && filter.subtreeOf === undefined) query = query.where(pathInReach(ctx, 'path', page));
  if (filter.parentId === null) {
    const own = ownOrganization(ctx);
    query = own === undefined ? query.where('parent_id', 'is', null) : query.where('id', '=', own.id);
  } else if (filter.parentId !== undefined) {
    query = query.where('parent_id', '=', (await loadRow(ctx, ctx.db.read, filter.parentId)).id);
  }
  if (filter.subtreeOf !== undefined) {
    query = query.where(withinSubtree('path', (await loadRow(ctx, ctx.db.read, filter.subtreeOf)).path, page));
  }
  if (filter.namePrefix !== undefined) query = query.where(nameBegins(foldCase(filter.namePrefix), page));
  if (filter.contains) {
    const [part, id] = [foldCase(filter.contains), filter.contains.toLowerCase()];
    query = query.where((eb) => eb.or([containsText(sql`name_key`, part), containsText(sql`lower(id)`, id)]));
  }
  return query;
}

/** As for paths: after a cursor the index takes the cursor's bound. */
const nameBegins = (prefix: string, { continued = false }: { continued?: boolean }) =>
  continued
    ? sql<boolean>`(name_key || '') >= ${prefix} and name_key < ${`${prefix}\u{10ffff}`}`
    : matchesText('name_key', prefix, true);

/** Throws `entity.not_found`. */
export const getOrganization = async (ctx: Context, id: string): Promise<Organization> =>
  organizationOf(ctx, await loadRow(ctx, ctx.db.read, id));

/** By its slug; throws `entity.not_found`. */
export async function getOrganizationBySlug(ctx: Context, slug: string): Promise<Organization> {
  const row = await rowWhere(ctx, ctx.db.read, 'slug', slug.toLowerCase());
  if (row === undefined) throw notFound('organization');
  return organizationOf(ctx, row);
}

/** From the root (of a delegated caller: its own organization) down to the parent. Throws `entity.not_found`. */
export async function listAncestors(ctx: Context, id: string): Promise<Organization[]> {
  const { path } = await loadRow(ctx, ctx.db.read, id);
  const rows = await ctx.db.read
    .selectFrom('organizations')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', 'in', idsOfPath(path))
    .where('id', '<>', id)
    .where(pathInReach(ctx, 'path'))
    .orderBy('path')
    .execute();
  return rows.map((row) => organizationOf(ctx, row));
}

/** Most organizations that the tree of one shows. */
const largestTree = 1000;

/**
 * The subtree of one organization, itself first, each before what is below it; of more than `largestTree` the first
 * ones, `truncated`. Throws `entity.not_found`.
 */
export async function listSubtree(
  ctx: Context,
  id: string,
): Promise<{ organizations: Organization[]; truncated: boolean }> {
  const query = await filtered(ctx, ctx.db.read, { subtreeOf: id });
  const rows = await query
    .orderBy('path')
    .limit(largestTree + 1)
    .execute();
  return {
    organizations: rows.slice(0, largestTree).map((row) => organizationOf(ctx, row)),
    truncated: rows.length > largestTree,
  };
}

/**
 * The row of one organization in the caller's reach, inside a transaction or not: every verb that names an organization
 * begins here. Throws `entity.not_found`, naming `path` when a field of the request has the id.
 */
export async function loadRow(ctx: Context, db: Queryable, id: string, path?: string): Promise<OrganizationRow> {
  const row = await rowWhere(ctx, db, 'id', id);
  if (row !== undefined) return row;
  const missing = notFound('organization');
  throw path === undefined ? missing : new DomainError(missing.code, missing.message, { path, data: missing.data });
}

async function rowWhere(ctx: Context, db: Queryable, column: 'id' | 'slug', value: string) {
  const row = await db
    .selectFrom('organizations')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where(column, '=', value)
    .executeTakeFirst();
  return row !== undefined && reachesPath(ctx, row.path) ? row : undefined;
}
