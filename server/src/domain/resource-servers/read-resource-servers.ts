/** Resource servers read: one, by id or by identifier, or pages of them, with their scopes. */
import { notFound } from '../../kernel/errors.ts';
import type { Queryable } from '../../storage/database.ts';
import { chunksOf, inChunks } from '../chunks.ts';
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
import { storedIdentifierOf } from '../tenants/sites.ts';
import { type ResourceServer, type ResourceServerRow, resourceServerOf, type Scope } from './resource-server.ts';
import { scopesOf } from './scopes.ts';

/** A page of resource servers; with `identifiers`, only those, the system ones by any of their names. */
export async function listResourceServers(
  ctx: Context,
  filter: { identifiers?: readonly string[]; withoutNativeManagement?: boolean },
  range: OffsetRange,
): Promise<OffsetPage<ResourceServer>> {
  let query = ctx.db.reports.selectFrom('resource_servers').selectAll().where('tenant_id', '=', ctx.site.tenantId);
  if (filter.identifiers !== undefined) {
    query = query.where(
      'identifier',
      'in',
      filter.identifiers.map((identifier) => storedIdentifierOf(ctx, identifier)),
    );
  } else if (filter.withoutNativeManagement) {
    query = query.where((eb) => eb.or([eb('system_kind', 'is', null), eb('system_kind', '<>', 'api')]));
  }
  const page = await offsetPage<ResourceServerRow>(query, range);
  return mapPage(page, await withScopes(ctx, page.items));
}

/** A page of all resource servers by key, in order of creation. Throws `input.cursor_invalid`. */
export async function listResourceServersByKey(ctx: Context, range: KeysetRange): Promise<KeysetPage<ResourceServer>> {
  const query = ctx.db.read.selectFrom('resource_servers').selectAll().where('tenant_id', '=', ctx.site.tenantId);
  const page = await keysetPage<ResourceServerRow>(ctx, 'resource servers', query, range);
  return mapPage(page, await withScopes(ctx, page.items));
}

async function withScopes(ctx: Context, rows: readonly ResourceServerRow[]): Promise<ResourceServer[]> {
  const scopes = new Map<string, Scope[]>();
  for (const part of chunksOf(rows)) {
    const ids = part.map(({ id }) => id);
    for (const [id, list] of await scopesOf(ctx.db.read, ctx.site.tenantId, ids)) scopes.set(id, list);
  }
  return rows.map((row) => resourceServerOf(ctx, row, scopes.get(row.id) ?? []));
}

/** Resource servers by their ids, without their scopes. */
export async function resourceServersById(
  ctx: Context,
  ids: readonly string[],
): Promise<Map<string, Omit<ResourceServer, 'scopes'>>> {
  const rows = await inChunks([...new Set(ids)], (chunk) =>
    ctx.db.read
      .selectFrom('resource_servers')
      .selectAll()
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', 'in', chunk)
      .execute(),
  );
  return new Map(rows.map((row) => [row.id, resourceServerOf(ctx, row, [])]));
}

/** One resource server, by id or identifier; throws `entity.not_found`. */
export async function getResourceServer(ctx: Context, idOrIdentifier: string): Promise<ResourceServer> {
  return loadResourceServer(ctx, ctx.db.read, idOrIdentifier);
}

/** Loads one, by id, identifier or registered alias, inside a transaction or not; throws `entity.not_found`. */
export async function loadResourceServer(ctx: Context, db: Queryable, idOrIdentifier: string): Promise<ResourceServer> {
  const row = (await findRow(ctx, db, idOrIdentifier)) ?? (await findRowOfAlias(ctx, db, idOrIdentifier));
  if (row === undefined) throw notFound('resource server');
  const scopes = await scopesOf(db, ctx.site.tenantId, [row.id]);
  return resourceServerOf(ctx, row, scopes.get(row.id) ?? []);
}

/** Its row; a path segment or an audience may be either, and the two can not be mistaken for each other. */
export function findRow(ctx: Context, db: Queryable, idOrIdentifier: string): Promise<ResourceServerRow | undefined> {
  return db
    .selectFrom('resource_servers')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where((eb) =>
      eb.or([eb('id', '=', idOrIdentifier), eb('identifier', '=', storedIdentifierOf(ctx, idOrIdentifier))]),
    )
    .executeTakeFirst();
}

const findRowOfAlias = (ctx: Context, db: Queryable, alias: string): Promise<ResourceServerRow | undefined> =>
  db
    .selectFrom('resource_server_aliases as a')
    .innerJoin('resource_servers as r', (join) =>
      join.onRef('r.tenant_id', '=', 'a.tenant_id').onRef('r.id', '=', 'a.resource_server_id'),
    )
    .selectAll('r')
    .where('a.tenant_id', '=', ctx.site.tenantId)
    .where('a.alias', '=', alias)
    .executeTakeFirst();
