/** Scopes of a resource server one by one, each with its id: added, changed, removed without the rest of the list. */
import { sql } from 'kysely';
import { DomainError, invalid, notFound } from '../../kernel/errors.ts';
import { randomAlphanumeric } from '../../kernel/random.ts';
import { isScopeToken } from '../../kernel/text.ts';
import type { Queryable, Tx } from '../../storage/database.ts';
import type { Schema } from '../../storage/schema.ts';
import { inChunks } from '../chunks.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
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
import { loadResourceServer } from './read-resource-servers.ts';
import type { ResourceServer } from './resource-server.ts';
import { maximumScopes } from './scopes.ts';

/** A scope as it is stored. */
export interface StoredScope {
  id: string;
  resourceServerId: string;
  value: string;
  description: string | null;
}

type ScopeRow = Schema['scopes'];

const storedScopeOf = (row: Omit<ScopeRow, 'tenant_id' | 'position'>): StoredScope => ({
  id: row.id,
  resourceServerId: row.resource_server_id,
  value: row.value,
  description: row.description,
});

/** Every scope of several resource servers, each list in its order. */
export async function storedScopesOf(
  ctx: Context,
  db: Queryable,
  resourceServerIds: readonly string[],
): Promise<Map<string, StoredScope[]>> {
  const scopes = new Map<string, StoredScope[]>(resourceServerIds.map((id) => [id, []]));
  const rows = await inChunks(resourceServerIds, (chunk) =>
    scopeRows(ctx, db).where('resource_server_id', 'in', chunk).orderBy('position').orderBy('id').execute(),
  );
  for (const row of rows) scopes.get(row.resource_server_id)?.push(storedScopeOf(row));
  return scopes;
}

const order = ['resource_server_id', 'position', 'id'] as const;

/** Scopes of one resource server, or of one role. */
export type ScopeFilter = ({ readonly resourceServerId: string } | { readonly roleId: string }) & {
  /** Case-insensitive part of the value. */
  readonly contains?: string | undefined;
};

/** A page of scopes by position, each resource server's in their order. */
export async function listScopes(
  ctx: Context,
  filter: ScopeFilter,
  range: OffsetRange,
): Promise<OffsetPage<StoredScope>> {
  const page = await offsetPage<ScopeRow>(filtered(ctx, ctx.db.reports, filter), range, (query) =>
    order.reduce((ordered, column) => ordered.orderBy(column), query),
  );
  return mapPage(page, page.items.map(storedScopeOf));
}

/** The same by key. Throws `input.cursor_invalid`. */
export async function listScopesByKey(
  ctx: Context,
  filter: ScopeFilter,
  range: KeysetRange,
): Promise<KeysetPage<StoredScope>> {
  const query = filtered(ctx, ctx.db.read, filter);
  const page = await keysetPage<ScopeRow>(ctx, `scopes ${JSON.stringify(filter)}`, query, range, order);
  return mapPage(page, page.items.map(storedScopeOf));
}

function filtered(ctx: Context, db: Queryable, filter: ScopeFilter) {
  const given = db.selectFrom('role_scopes').select('scope_id').where('tenant_id', '=', ctx.site.tenantId);
  const query =
    'roleId' in filter
      ? scopeRows(ctx, db).where('id', 'in', given.where('role_id', '=', filter.roleId))
      : scopeRows(ctx, db).where('resource_server_id', '=', filter.resourceServerId);
  if (filter.contains === undefined) return query;
  return query.where(containsText(sql`lower(value)`, filter.contains.toLowerCase()));
}

const scopeRows = (ctx: Context, db: Queryable) =>
  db.selectFrom('scopes').selectAll().where('tenant_id', '=', ctx.site.tenantId);

/**
 * Adds a scope at the end of the list. Throws `entity.not_found` (of thing `resource server`), `entity.exists` (of thing
 * `scope`), `resource_server.system`, `input.invalid`.
 */
export async function addScope(
  ctx: Context,
  resourceServer: string,
  scope: { value: string; description: string | null },
): Promise<StoredScope> {
  assertValue(scope.value);
  return ctx.db.transact(async (trx) => {
    const api = await loadOwnApi(ctx, trx, resourceServer);
    if (api.scopes.length >= maximumScopes) throw invalid('name', `At most ${maximumScopes} scopes are possible.`);
    assertFree(api, scope.value);
    const { last } = await trx
      .selectFrom('scopes')
      .select((eb) => eb.fn.max('position').as('last'))
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('resource_server_id', '=', api.id)
      .executeTakeFirstOrThrow();
    const row: ScopeRow = {
      tenant_id: ctx.site.tenantId,
      id: randomAlphanumeric(ctx.random, 21),
      resource_server_id: api.id,
      ...scope,
      position: last === null ? 0 : Number(last) + 1,
    };
    await trx.insertInto('scopes').values(row).execute();
    await recordScopes(ctx, trx, api, { added: [scope.value] });
    return storedScopeOf(row);
  });
}

/** Renames or describes a scope; its id, and so its grants and roles, stay. Throws as `addScope` does. */
export async function updateScope(
  ctx: Context,
  resourceServer: string,
  scopeId: string,
  change: { value?: string | undefined; description?: string | null | undefined },
): Promise<StoredScope> {
  if (change.value !== undefined) assertValue(change.value);
  return ctx.db.transact(async (trx) => {
    const api = await loadOwnApi(ctx, trx, resourceServer);
    const before = await loadScope(ctx, trx, api.id, scopeId);
    const value = change.value ?? before.value;
    const description = change.description === undefined ? before.description : change.description;
    if (value !== before.value) assertFree(api, value);
    await trx
      .updateTable('scopes')
      .set({ value, description })
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', '=', scopeId)
      .execute();
    await recordScopes(ctx, trx, api, { changed: [value] });
    return { ...before, value, description };
  });
}

/** Removes a scope, and with it what grants and roles gave of it. Throws `entity.not_found`, `resource_server.system`. */
export async function removeScope(ctx: Context, resourceServer: string, scopeId: string): Promise<void> {
  await ctx.db.transact(async (trx) => {
    const api = await loadOwnApi(ctx, trx, resourceServer);
    const { value } = await loadScope(ctx, trx, api.id, scopeId);
    await trx.deleteFrom('scopes').where('tenant_id', '=', ctx.site.tenantId).where('id', '=', scopeId).execute();
    await recordScopes(ctx, trx, api, { removed: [value] });
  });
}

/** One scope of a resource server. Throws `entity.not_found`. */
export async function loadScope(
  ctx: Context,
  db: Queryable,
  resourceServerId: string,
  scopeId: string,
): Promise<StoredScope> {
  const row = await scopeRows(ctx, db)
    .where('resource_server_id', '=', resourceServerId)
    .where('id', '=', scopeId)
    .executeTakeFirst();
  if (row === undefined) throw notFound('scope');
  return storedScopeOf(row);
}

/** The scopes of a management audience are the server's own. */
async function loadOwnApi(ctx: Context, trx: Tx, resourceServer: string): Promise<ResourceServer> {
  const api = await loadResourceServer(ctx, trx, resourceServer);
  if (api.systemKind === null) return api;
  throw new DomainError('resource_server.system', 'Scopes of a system resource server can not be changed.');
}

function assertValue(value: string): void {
  if (/\s/.test(value)) {
    throw new DomainError('input.invalid', 'A scope has no space.', {
      path: 'name',
      data: { rule: 'scope_without_space' },
    });
  }
  if (value.length <= 280 && isScopeToken(value)) return;
  throw invalid('name', 'A scope has 1 to 280 printable ASCII characters without space, quote and backslash.');
}

function assertFree(api: ResourceServer, value: string): void {
  if (!api.scopes.some((scope) => scope.value === value)) return;
  throw new DomainError('entity.exists', 'The resource server has a scope of this name already.', {
    path: 'name',
    data: { thing: 'scope' },
  });
}

const recordScopes = (ctx: Context, trx: Tx, api: ResourceServer, scopes: Record<string, string[]>) =>
  recordChange(ctx, trx, 'resource_server.updated', api.id, { audience: api.identifier, details: { scopes } });
