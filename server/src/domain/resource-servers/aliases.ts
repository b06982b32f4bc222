/** Further identifiers of the native management audience, registered by people: `https://api.example.com` and the like. */
import { DomainError, invalid } from '../../kernel/errors.ts';
import type { Queryable, Tx } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import { assertWholeTenant } from '../organizations/reach.ts';
import { isReservedIdentifier, systemIdentifiers } from '../tenants/sites.ts';
import { findRow, loadResourceServer } from './read-resource-servers.ts';

/** Most aliases of one audience. */
const maximumAliases = 100;
const longestAlias = 600;

/** The registered aliases of a resource server, in their order. */
export async function listAliases(ctx: Context, db: Queryable, resourceServerId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('resource_server_aliases')
    .select('alias')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('resource_server_id', '=', resourceServerId)
    .execute();
  return rows.map(({ alias }) => alias).sort();
}

/**
 * Makes the registered aliases of the native management audience exactly these; what it is called anyway may be among
 * them. A token for one that goes is refused with the next request. Throws `input.invalid`, `resource_server.reserved`,
 * `entity.exists` (of thing `resource server`), `resource_server.system` (another resource server).
 */
export async function replaceAliases(ctx: Context, idOrIdentifier: string, aliases: readonly string[]): Promise<void> {
  assertWholeTenant(ctx, 'change resource servers');
  await ctx.db.transact(async (trx) => {
    const api = await loadResourceServer(ctx, trx, idOrIdentifier);
    const system = ctx.systemApis.find(({ kind }) => kind === api.systemKind);
    if (system === undefined || system.kind !== 'api') {
      throw invalid('aliases', 'Only the native management API has aliases.');
    }
    const known = systemIdentifiers(ctx.site, system);
    const wanted = [...new Set(aliases)].filter((alias) => !known.includes(alias));
    if (wanted.length > maximumAliases) throw invalid('aliases', `At most ${maximumAliases} aliases are possible.`);
    for (const alias of wanted) await assertAlias(ctx, trx, alias, `aliases.${aliases.indexOf(alias)}`);
    await trx
      .deleteFrom('resource_server_aliases')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('resource_server_id', '=', api.id)
      .execute();
    if (wanted.length > 0) {
      const of = { tenant_id: ctx.site.tenantId, resource_server_id: api.id };
      await trx
        .insertInto('resource_server_aliases')
        .values(wanted.map((alias) => ({ ...of, alias })))
        .execute();
    }
    await recordChange(ctx, trx, 'resource_server.updated', api.id, {
      audience: api.identifier,
      details: { aliases: wanted },
    });
  });
}

async function assertAlias(ctx: Context, trx: Tx, alias: string, path: string): Promise<void> {
  if (alias.length > longestAlias || !/^[\x21-\x7e]+$/.test(alias) || !URL.canParse(alias) || alias.includes('#')) {
    throw invalid(path, `An alias is an absolute URI without fragment, of at most ${longestAlias} characters.`);
  }
  if (isReservedIdentifier(ctx.sites, ctx.systemApis, alias) && !isApiHost(ctx, alias)) {
    throw new DomainError('resource_server.reserved', 'This identifier is reserved.', { path });
  }
  if ((await findRow(ctx, trx, alias)) === undefined) return;
  throw new DomainError('entity.exists', 'A resource server with this identifier exists already.', {
    path,
    data: { thing: 'resource server' },
  });
}

/** `https://api.example.com`, a further host of the server, speaks for its management API, unless that is an issuer. */
function isApiHost(ctx: Context, alias: string): boolean {
  const url = new URL(alias);
  const site = ctx.sites.ofHost(url.host);
  return (
    site !== undefined &&
    /^https?:$/.test(url.protocol) &&
    url.hostname.startsWith('api.') &&
    url.pathname === '/' &&
    url.search === '' &&
    alias !== site.issuer
  );
}

/** Refuses an identifier that is an alias already. Throws `resource_server.reserved`. */
export async function assertNoAlias(ctx: Context, trx: Tx, identifier: string): Promise<void> {
  const row = await trx
    .selectFrom('resource_server_aliases')
    .select('alias')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('alias', '=', identifier)
    .executeTakeFirst();
  if (row === undefined) return;
  throw new DomainError('resource_server.reserved', 'This identifier is an alias of the management API.', {
    path: 'identifier',
  });
}
