/** Clients read: one, or pages of them, with the keys their authentication refers to. */
import { sql } from 'kysely';
import { notFound } from '../../kernel/errors.ts';
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
import { type Client, type ClientRow, clientOf } from './client.ts';

/** A client with what it proves itself by. `keyIds`: the keys its authentication refers to. */
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
}

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
  const page = await keysetPage<ClientRow>(ctx, 'clients', filtered(ctx, ctx.db.read, filter), range);
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
    .where('kind', '=', 'key')
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
  let query = db.selectFrom('clients').selectAll().where('tenant_id', '=', ctx.site.tenantId);
  if (filter.type !== undefined) query = query.where('type', '=', filter.type as string);
  if (filter.firstParty !== undefined) query = query.where('first_party', '=', filter.firstParty ? 1 : 0);
  if (filter.nameContains !== undefined) {
    const part = filter.nameContains.toLowerCase().replace(/[\\%_]/g, '\\$&');
    query = query.where(sql<boolean>`lower(name) like ${`%${part}%`} escape '\\'`);
  }
  return query;
}
