/**
 * API keys: what lets a program act with part of what its maker may at the native management API. A key can't be
 * changed, only ended; and it ends with its maker.
 */
import { invalid, notFound } from '../../kernel/errors.ts';
import { randomAlphanumeric } from '../../kernel/random.ts';
import { hashSecret } from '../../kernel/secrets.ts';
import type { Tx } from '../../storage/database.ts';
import type { Schema } from '../../storage/schema.ts';
import { assertHolds, exceedsOwn } from '../access/management-scopes.ts';
import type { Actor, Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import { assertWholeTenant } from '../organizations/reach.ts';
import { expandScopes, type SystemApi, systemScopesOf } from '../resource-servers/system.ts';
import { defaultTenantId } from '../tenants/sites.ts';

export interface ApiKey {
  readonly id: string;
  readonly label: string;
  /** How its value begins. */
  readonly prefix: string;
  /** Of the native management API. */
  readonly scopes: readonly string[];
  /** Who made it: a client, for itself or for a person. */
  readonly clientId: string;
  readonly userId: string | null;
  /** Milliseconds. */
  readonly createdAt: number;
  readonly expiresAt: number;
  /** Exact to a minute; null: never. */
  readonly lastUsedAt: number | null;
}

export interface NewApiKey {
  readonly label: string;
  readonly scopes: readonly string[];
  readonly expiresAt: number;
}

/** Most that a tenant has at once, so that all are listed. */
const mostKeys = 100;
/** Shortest and longest life, in milliseconds: a minute, a year. */
const shortestLifeMs = 60_000;
const longestLifeMs = 366 * 86_400_000;
/** Of what comes after `key_`: 256 bits. */
const valueLength = 43;
/** Of what a listing shows, `key_` included. */
const prefixLength = 10;

/**
 * Makes a key that acts as the caller, with scopes that the caller's token carries and its decision of today allows. Its
 * value is told once. Throws `input.invalid`, `auth.exceeds_own`, `auth.organization_token`.
 */
export async function createApiKey(
  ctx: Context,
  { label, scopes, expiresAt }: NewApiKey,
): Promise<{ apiKey: ApiKey; value: string }> {
  assertWholeTenant(ctx, 'make API keys');
  const { actor } = ctx;
  if (actor.kind !== 'client') throw new Error('an API key acts as its maker, and the server is none');
  const api = nativeApiOf(ctx);
  const now = ctx.clock.now();
  assertLifetime(now, expiresAt);
  assertScopesExist(ctx, api, scopes);
  assertCarries(actor, api, scopes);
  const value = `key_${randomAlphanumeric(ctx.random, valueLength)}`;
  const row: Schema['api_keys'] = {
    tenant_id: ctx.site.tenantId,
    id: `apk_${randomAlphanumeric(ctx.random, 22)}`,
    key_hash: hashSecret(value),
    prefix: value.slice(0, prefixLength),
    label,
    scopes: JSON.stringify([...new Set(scopes)]),
    client_id: actor.clientId,
    user_id: actor.userId ?? null,
    created_at: now,
    expires_at: expiresAt,
    last_used_at: null,
  };
  await ctx.db.transact(async (trx) => {
    await assertHolds(ctx, trx, api, scopes);
    await assertRoom(ctx, trx, now);
    await trx.insertInto('api_keys').values(row).execute();
    const details = { label, prefix: row.prefix, scopes: [...new Set(scopes)], expiresAt };
    await recordChange(ctx, trx, 'api_key.created', row.id, { details });
  });
  return { apiKey: apiKeyOf(row), value };
}

/** The API that the scopes of keys are scopes of. */
function nativeApiOf({ systemApis }: Pick<Context, 'systemApis'>): SystemApi {
  const api = systemApis.find(({ kind }) => kind === 'api');
  if (api === undefined) throw new Error('there is no native management API');
  return api;
}

function assertLifetime(now: number, expiresAt: number): void {
  if (expiresAt >= now + shortestLifeMs && expiresAt <= now + longestLifeMs) return;
  throw invalid(
    'expiresAt',
    'The time, in milliseconds since 1970, must be at least a minute ahead, and within a year.',
  );
}

function assertScopesExist({ site }: Context, api: SystemApi, scopes: readonly string[]): void {
  if (scopes.length === 0) throw invalid('scopes', 'A key needs at least one scope.');
  const known = new Set(systemScopesOf(api, site.tenantId === defaultTenantId).map(({ value }) => value));
  const unknown = scopes.findIndex((scope) => !known.has(scope));
  if (unknown !== -1) throw invalid(`scopes.${unknown}`, 'The management API has no such scope.');
}

/** A token that was made narrow on purpose makes no key that is wider, whatever its client holds. */
function assertCarries(actor: Actor & { kind: 'client' }, api: SystemApi, scopes: readonly string[]): void {
  const exceeding = [...expandScopes(api, scopes)].filter((scope) => !actor.scopes.has(scope));
  if (exceeding.length > 0) throw exceedsOwn(exceeding);
}

async function assertRoom(ctx: Context, trx: Tx, now: number): Promise<void> {
  const existing = await trx
    .selectFrom('api_keys')
    .select('id')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('expires_at', '>', now)
    .execute();
  if (existing.length >= mostKeys) throw invalid('label', `There are at most ${mostKeys} API keys; end one first.`);
}

/** Those that are not over, the latest first. Throws `auth.organization_token`. */
export async function listApiKeys(ctx: Context): Promise<ApiKey[]> {
  assertWholeTenant(ctx, 'read API keys');
  const rows = await ctx.db.read
    .selectFrom('api_keys')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('expires_at', '>', ctx.clock.now())
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(mostKeys)
    .execute();
  return rows.map(apiKeyOf);
}

/** Ends one at once. Throws `entity.not_found`, `auth.organization_token`. */
export async function deleteApiKey(ctx: Context, id: string): Promise<void> {
  assertWholeTenant(ctx, 'end API keys');
  await ctx.db.transact(async (trx) => {
    const row = await trx
      .deleteFrom('api_keys')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', '=', id)
      .returning(['label', 'prefix'])
      .executeTakeFirst();
    if (row === undefined) throw notFound('API key');
    await recordChange(ctx, trx, 'api_key.deleted', id, { details: { label: row.label, prefix: row.prefix } });
  });
}

/** Maps a row. */
export const apiKeyOf = (row: Schema['api_keys']): ApiKey => ({
  id: row.id,
  label: row.label,
  prefix: row.prefix,
  scopes: JSON.parse(row.scopes) as string[],
  clientId: row.client_id,
  userId: row.user_id,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  lastUsedAt: row.last_used_at,
});
