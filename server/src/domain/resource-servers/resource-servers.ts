/**
 * Resource servers: the protected APIs of a tenant, with their scopes and the settings of their tokens. The two system
 * ones (management audiences) are listed and read here like the others, but can't be deleted nor their scopes changed.
 */
import { DomainError, invalid, notFound } from '../../kernel/errors.ts';
import { type AsymmetricAlgorithm, asymmetricAlgorithms, type SigningAlgorithm } from '../../kernel/jwa.ts';
import { randomHex } from '../../kernel/random.ts';
import type { Extras } from '../clients/client.ts';
import type { Context } from '../context.ts';
import { ensureSigningKeys, insertSigningKeys } from '../keys/keys.ts';
import { recordChange } from '../logs/record-change.ts';
import { isReservedIdentifier } from '../tenants/sites.ts';
import { assertNoAlias } from './aliases.ts';
import { findRow, loadResourceServer } from './read-resource-servers.ts';
import { type ResourceServer, type Scope, signingSecretContext, type TokenDialect } from './resource-server.ts';
import { assertScopes, replaceScopes } from './scopes.ts';

/** Longest life of an access token, in seconds: 30 days. */
export const maximumTokenLifetimeSeconds = 2_592_000;

export interface ResourceServerSettings {
  name: string;
  scopes: Scope[];
  signingAlg: SigningAlgorithm;
  /** HS256 only, at least 32 characters; made by the server when it is absent. */
  signingSecret: string | undefined;
  tokenLifetimeSeconds: number;
  tokenDialect: TokenDialect;
  clientPolicy: ResourceServer['clientPolicy'];
  userPolicy: ResourceServer['userPolicy'];
  extras: Extras;
}

/** A change; `extras` is made of what is stored at that moment, so that of two changes at once neither is lost. */
export type ResourceServerChange = Partial<Omit<ResourceServerSettings, 'extras'>> & {
  extras?: (stored: Extras) => Extras;
};

/**
 * Creates a resource server. Throws `entity.exists`, `resource_server.reserved`, `input.invalid`, `secret.weak`.
 */
export async function createResourceServer(
  ctx: Context,
  input: { identifier: string } & Partial<ResourceServerSettings>,
): Promise<ResourceServer> {
  const settings = settingsOf(input);
  assertIdentifier(ctx, input.identifier);
  assertScopes(settings.scopes, 'scopes');
  const signingSecret = signingSecretOf(ctx, settings.signingAlg, input.signingSecret);
  const newKeys = await missingKeys(ctx, settings.signingAlg);
  const id = randomHex(ctx.random, 12);
  return ctx.db.transact(async (trx) => {
    if (await findRow(ctx, trx, input.identifier)) {
      throw new DomainError('entity.exists', 'A resource server with this identifier exists already.', {
        path: 'identifier',
        data: { thing: 'resource server' },
      });
    }
    await assertNoAlias(ctx, trx, input.identifier);
    const now = ctx.clock.now();
    await insertSigningKeys(trx, newKeys);
    await trx
      .insertInto('resource_servers')
      .values({
        tenant_id: ctx.site.tenantId,
        id,
        identifier: input.identifier,
        system_kind: null,
        ...columnsOf(settings),
        signing_secret: sealSigningSecret(ctx, id, signingSecret),
        created_at: now,
        updated_at: now,
      })
      .execute();
    await replaceScopes(ctx, trx, ctx.site.tenantId, id, settings.scopes);
    await recordChange(ctx, trx, 'resource_server.created', id, { audience: input.identifier });
    return withSecret(await loadResourceServer(ctx, trx, id), signingSecret);
  });
}

/**
 * Changes a resource server; what is absent stays. Throws `entity.not_found`, `resource_server.system`,
 * `input.invalid`, `secret.weak`.
 */
export async function updateResourceServer(
  ctx: Context,
  idOrIdentifier: string,
  change: ResourceServerChange,
): Promise<ResourceServer> {
  if (change.scopes !== undefined) assertScopes(change.scopes, 'scopes');
  const newKeys = change.signingAlg === undefined ? [] : await missingKeys(ctx, change.signingAlg);
  return ctx.db.transact(async (trx) => {
    const before = await loadResourceServer(ctx, trx, idOrIdentifier);
    if (before.systemKind !== null) assertSystemUnchanged(before, change);
    const settings: ResourceServerSettings = {
      ...before,
      ...defined(change),
      signingSecret: change.signingSecret,
      extras: change.extras?.(before.extras) ?? before.extras,
    };
    assertTokenSettings(settings);
    const becomesSymmetric = settings.signingAlg === 'HS256' && before.signingAlg !== 'HS256';
    const signingSecret =
      change.signingSecret !== undefined || becomesSymmetric
        ? signingSecretOf(ctx, settings.signingAlg, change.signingSecret)
        : undefined;
    await insertSigningKeys(trx, newKeys);
    await trx
      .updateTable('resource_servers')
      .set({
        ...columnsOf(settings),
        ...(signingSecret === undefined ? {} : { signing_secret: sealSigningSecret(ctx, before.id, signingSecret) }),
        ...(settings.signingAlg === 'HS256' ? {} : { signing_secret: null }),
        updated_at: ctx.clock.now(),
      })
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', '=', before.id)
      .execute();
    if (change.scopes !== undefined) await replaceScopes(ctx, trx, ctx.site.tenantId, before.id, change.scopes);
    await recordChange(ctx, trx, 'resource_server.updated', before.id, { audience: before.identifier });
    return withSecret(await loadResourceServer(ctx, trx, before.id), signingSecret);
  });
}

/** Deletes a resource server with its scopes and grants. Throws `entity.not_found`, `resource_server.system`. */
export async function deleteResourceServer(ctx: Context, idOrIdentifier: string): Promise<void> {
  await ctx.db.transact(async (trx) => {
    const row = await findRow(ctx, trx, idOrIdentifier);
    if (row === undefined) throw notFound('resource server');
    if (row.system_kind !== null) throw systemError('A system resource server can not be deleted.');
    // A client that was this API goes on as a client; only the link ends.
    await trx
      .updateTable('clients')
      .set({ resource_server_id: null })
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('resource_server_id', '=', row.id)
      .execute();
    // Nothing can be asked for by default that does not exist.
    await trx
      .updateTable('tenants')
      .set({ default_audience: null })
      .where('id', '=', ctx.site.tenantId)
      .where('default_audience', '=', row.identifier)
      .execute();
    await trx
      .deleteFrom('resource_servers')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', '=', row.id)
      .execute();
    await recordChange(ctx, trx, 'resource_server.deleted', row.id, { audience: row.identifier });
  });
}

const defined = <T extends object>(input: T): Partial<T> =>
  Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as Partial<T>;

function settingsOf(input: { identifier: string } & Partial<ResourceServerSettings>): ResourceServerSettings {
  const settings: ResourceServerSettings = {
    name: input.name ?? input.identifier,
    scopes: input.scopes ?? [],
    signingAlg: input.signingAlg ?? 'RS256',
    signingSecret: input.signingSecret,
    tokenLifetimeSeconds: input.tokenLifetimeSeconds ?? 86_400,
    tokenDialect: input.tokenDialect ?? 'access_token',
    clientPolicy: input.clientPolicy ?? 'require_client_grant',
    userPolicy: input.userPolicy ?? 'allow_all',
    extras: input.extras ?? {},
  };
  assertTokenSettings(settings);
  return settings;
}

function assertTokenSettings(settings: ResourceServerSettings): void {
  if (settings.tokenLifetimeSeconds < 0 || settings.tokenLifetimeSeconds > maximumTokenLifetimeSeconds) {
    throw invalid('tokenLifetimeSeconds', `A token lives 0 to ${maximumTokenLifetimeSeconds} seconds.`);
  }
  if (settings.signingSecret !== undefined && settings.signingAlg !== 'HS256') {
    throw invalid('signingSecret', 'A signing secret goes with HS256 only.');
  }
}

function columnsOf(settings: ResourceServerSettings) {
  return {
    name: settings.name,
    signing_alg: settings.signingAlg,
    token_lifetime_seconds: settings.tokenLifetimeSeconds,
    token_dialect: settings.tokenDialect,
    client_policy: settings.clientPolicy,
    user_policy: settings.userPolicy,
    extras: JSON.stringify(settings.extras),
  };
}

function assertIdentifier(ctx: Context, identifier: string): void {
  if (identifier.trim() !== identifier || identifier.length === 0 || identifier.length > 600) {
    throw invalid('identifier', 'An identifier has 1 to 600 characters and no space at its ends.');
  }
  // A path segment is read as id or identifier: the two must not be mistaken for each other.
  if (/^[0-9a-f]{24}$/.test(identifier)) throw invalid('identifier', 'An identifier can not look like an id.');
  if (isReservedIdentifier(ctx.sites, ctx.systemApis, identifier)) {
    throw new DomainError('resource_server.reserved', 'This identifier is reserved.', { path: 'identifier' });
  }
}

/** Of a system resource server only what does not weaken it can be changed: its name stays, its scopes, its algorithm. */
function assertSystemUnchanged(before: ResourceServer, change: ResourceServerChange): void {
  if (change.scopes !== undefined)
    throw systemError('Scopes of a system resource server can not be changed.', 'scopes');
  const fixed = ['name', 'signingAlg', 'tokenDialect', 'clientPolicy', 'userPolicy'] as const;
  for (const field of fixed) {
    if (change[field] !== undefined && change[field] !== before[field]) {
      throw systemError('Of a system resource server only the token lifetime can be changed.', field);
    }
  }
}

const systemError = (message: string, path?: string): DomainError =>
  new DomainError('resource_server.system', message, path === undefined ? {} : { path });

function signingSecretOf(ctx: Context, alg: SigningAlgorithm, given: string | undefined): string | undefined {
  if (alg !== 'HS256') return undefined;
  if (given === undefined) return randomHex(ctx.random, 32);
  // An HMAC key shorter than the hash is weaker than the hash (RFC 7518 §3.2).
  if (Buffer.byteLength(given) < 32 || new Set(given).size < 16) {
    throw new DomainError('secret.weak', 'A signing secret needs at least 32 bytes, 16 of its characters distinct.', {
      path: 'signingSecret',
    });
  }
  return given;
}

/** A new signing secret is shown once: without it nobody can verify the tokens. */
const withSecret = (api: ResourceServer, signingSecret: string | undefined): ResourceServer =>
  signingSecret === undefined ? api : { ...api, signingSecret };

const sealSigningSecret = (ctx: Context, id: string, secret: string | undefined): string | null =>
  secret === undefined ? null : ctx.cipher.encrypt(secret, signingSecretContext(ctx.site.tenantId, id));

/** Keys for an algorithm the tenant has not signed with yet, made before the transaction. */
const missingKeys = (ctx: Context, alg: SigningAlgorithm) =>
  asymmetricAlgorithms.includes(alg as AsymmetricAlgorithm) ? ensureSigningKeys(ctx, alg as AsymmetricAlgorithm) : [];
