/**
 * Clients read: one, or pages of them, with the keys their authentication refers to. A delegated caller finds those that
 * its subtree owns, whether it reads or changes them.
 */
import { sql } from 'kysely';
import { notFound } from '../../kernel/errors.ts';
import type { Queryable } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import { isDelegated, organizationInReach } from '../organizations/reach.ts';
import {
  type KeysetPage,
  type KeysetRange,
  keysetPage,
  mapPage,
  type OffsetPage,
  type OffsetRange,
  offsetPage,
} from '../paging.ts';
import { type Search, searchCondition, type TextMatch, textCondition } from '../search.ts';
import { type Client, type ClientRow, clientOf } from './client.ts';

/** A client with what it proves itself by. `keyIds`: the keys or certificates its authentication refers to. */
export interface ClientWithKeys extends Client {
  keyIds: string[];
  /** Identifier of the API this client is, if it is one. */
  resourceServer: string | null;
  /** Only in the answer that made it. */
  secret?: string;
}

export interface ClientFilter {
  type?: Client['type'] | undefined;
  firstParty?: boolean;
  /** Case-insensitive part of the name. */
  nameContains?: string;
  /** Of one of these types; null stands for a client that names none. */
  types?: readonly Client['type'][] | undefined;
  search?: ClientSearch | undefined;
  /** Without who has this tenant-wide role. */
  withoutRoleId?: string | undefined;
  /** Without the direct members of this organization. */
  withoutOrganizationId?: string | undefined;
}

export type ClientSearch = Search<{ readonly field: 'id' | 'name' | 'description'; readonly match: TextMatch }>;

export async function listClients(
  ctx: Context,
  filter: ClientFilter,
  range: OffsetRange,
): Promise<OffsetPage<ClientWithKeys>> {
  const page = await offsetPage<ClientRow>(filtered(ctx, ctx.db.reports, filter), range);
  return mapPage(page, await withKeys(ctx, ctx.db.read, page.items));
}

export async function listClientsByKey(
  ctx: Context,
  filter: ClientFilter,
  range: KeysetRange,
): Promise<KeysetPage<ClientWithKeys>> {
  // A search may pass over many rows, and no index has both the subtree and the order: not on the hot connection.
  const isPlain = !isDelegated(ctx) && Object.values(filter).every((value) => value === undefined);
  const query = filtered(ctx, isPlain ? ctx.db.read : ctx.db.reports, filter);
  const page = await keysetPage<ClientRow>(ctx, `clients ${JSON.stringify(filter)}`, query, range);
  return mapPage(page, await withKeys(ctx, ctx.db.read, page.items));
}

/** Throws `entity.not_found`. */
export const getClient = (ctx: Context, id: string): Promise<ClientWithKeys> => loadClient(ctx, ctx.db.read, id);

/** Loads one, inside a transaction or not; throws `entity.not_found`. */
export async function loadClient(ctx: Context, db: Queryable, id: string): Promise<ClientWithKeys> {
  const row = await db
    .selectFrom('clients')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', '=', id)
    .where(organizationInReach(ctx, 'owner_organization_id'))
    .executeTakeFirst();
  const [client] = row === undefined ? [] : await withKeys(ctx, db, [row]);
  if (client === undefined) throw notFound('client');
  return client;
}

/** Throws `entity.not_found` when there is no such client. */
export async function assertClient(ctx: Context, db: Queryable, clientId: string): Promise<void> {
  const row = await db
    .selectFrom('clients')
    .select('id')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', '=', clientId)
    .where(organizationInReach(ctx, 'owner_organization_id'))
    .executeTakeFirst();
  if (row === undefined) throw notFound('client');
}

async function withKeys(ctx: Context, db: Queryable, rows: readonly ClientRow[]): Promise<ClientWithKeys[]> {
  if (rows.length === 0) return [];
  const keys = await db
    .selectFrom('credentials')
    .select(['client_id', 'id'])
    .where('tenant_id', '=', ctx.site.tenantId)
    .where(
      'client_id',
      'in',
      rows.map(({ id }) => id),
    )
    .where('kind', 'in', ['key', 'certificate'])
    .where('enabled', '=', 1)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  const linked = await identifiersOf(ctx, db, rows);
  return rows.map((row) => ({
    ...clientOf(row),
    resourceServer: linked.get(row.resource_server_id ?? '') ?? null,
    keyIds: keys.filter((key) => key.client_id === row.id).map(({ id }) => id),
  }));
}

async function identifiersOf(ctx: Context, db: Queryable, rows: readonly ClientRow[]): Promise<Map<string, string>> {
  const ids = rows.flatMap(({ resource_server_id }) => resource_server_id ?? []);
  if (ids.length === 0) return new Map();
  const apis = await db
    .selectFrom('resource_servers')
    .select(['id', 'identifier'])
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', 'in', ids)
    .execute();
  return new Map(apis.map(({ id, identifier }) => [id, identifier]));
}

function filtered(ctx: Context, db: Queryable, filter: ClientFilter) {
  const { types, search, withoutRoleId, withoutOrganizationId } = filter;
  let query = db
    .selectFrom('clients')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where(organizationInReach(ctx, 'owner_organization_id'));
  if (filter.type !== undefined) query = query.where('type', '=', filter.type as string);
  if (filter.firstParty !== undefined) query = query.where('first_party', '=', filter.firstParty ? 1 : 0);
  if (filter.nameContains !== undefined) {
    const part = filter.nameContains.toLowerCase().replace(/[\\%_]/g, '\\$&');
    query = query.where(sql<boolean>`lower(name) like ${`%${part}%`} escape '\\'`);
  }
  if (types !== undefined) query = query.where(ofTypes(types));
  if (search !== undefined) query = query.where(clientCondition(search));
  if (withoutRoleId !== undefined) {
    query = query.where(
      sql<boolean>`not exists (select 1 from role_assignments a where a.tenant_id = clients.tenant_id
        and a.subject_id = clients.id and a.role_id = ${withoutRoleId})`,
    );
  }
  if (withoutOrganizationId !== undefined) {
    query = query.where(
      sql<boolean>`not exists (select 1 from memberships m where m.tenant_id = clients.tenant_id
        and m.subject_id = clients.id and m.organization_id = ${withoutOrganizationId}
        and ${organizationInReach(ctx, 'm.organization_id')})`,
    );
  }
  return query;
}

function ofTypes(types: readonly Client['type'][]) {
  const named = types.filter((type) => type !== null);
  const parts = [
    ...(named.length > 0 ? [sql<boolean>`(type is not null and type in (${sql.join(named)}))`] : []),
    ...(types.includes(null) ? [sql<boolean>`type is null`] : []),
  ];
  return parts.length === 0 ? sql<boolean>`1 = 0` : sql<boolean>`(${sql.join(parts, sql` or `)})`;
}

/** The condition of a search on rows of `clients`. */
export const clientCondition = (search: ClientSearch) =>
  searchCondition(search, ({ field, match }) => matches(field, match));

/** SQLite folds the case of ASCII letters only. */
const matches = (field: 'id' | 'name' | 'description', match: TextMatch) =>
  textCondition(sql.ref(`clients.${field}`), sql`lower(${sql.ref(`clients.${field}`)})`, match);
