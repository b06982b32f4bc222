/**
 * Signing keys: for each algorithm a tenant signs with there is one current key, one next (published ahead, so that
 * verifiers know it before it signs), and previous ones (published until they are revoked).
 */
import type { KeyObject } from 'node:crypto';
import { certificateDetails, selfSignedCertificate } from '../../kernel/certificates.ts';
import { DomainError, invalid, notFound } from '../../kernel/errors.ts';
import { type AsymmetricAlgorithm, generateKeys, publicJwk } from '../../kernel/jwa.ts';
import { randomBase64Url } from '../../kernel/random.ts';
import type { Queryable, Tx } from '../../storage/database.ts';
import type { Schema } from '../../storage/schema.ts';
import { defineStatement } from '../../storage/statement.ts';
import type { Context, Services } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import { privateKeyContext } from './key-store.ts';

type SigningKeyRow = Schema['signing_keys'];

export interface SigningKey {
  kid: string;
  alg: AsymmetricAlgorithm;
  state: SigningKeyRow['state'];
  publicJwk: Record<string, unknown>;
  /** PEM. */
  certificate: string | null;
  createdAt: number;
  currentSince: number | null;
  currentUntil: number | null;
  revokedAt: number | null;
}

const signingKeyOf = (row: SigningKeyRow): SigningKey => ({
  kid: row.kid,
  alg: row.alg as AsymmetricAlgorithm,
  state: row.state,
  publicJwk: JSON.parse(row.public_jwk) as Record<string, unknown>,
  certificate: row.certificate,
  createdAt: row.created_at,
  currentSince: row.current_since,
  currentUntil: row.current_until,
  revokedAt: row.revoked_at,
});

const certificateYears = 10;

/** Makes a key pair in the given state; slow for RSA, so never inside a transaction. */
export async function makeSigningKey(
  services: Pick<Services, 'clock' | 'random' | 'cipher' | 'sites'>,
  tenantId: string,
  alg: AsymmetricAlgorithm,
  state: 'current' | 'next',
): Promise<SigningKeyRow> {
  const now = services.clock.now();
  const kid = randomBase64Url(services.random, 16);
  const { publicKey, privateKey } = await generateKeys(alg);
  const certificate = await certificateOf(services, tenantId, alg, publicKey, privateKey);
  const { x5c, x5t } = certificateDetails(certificate);
  return {
    tenant_id: tenantId,
    kid,
    alg,
    state,
    public_jwk: JSON.stringify({ ...publicJwk(publicKey, kid, alg), x5t, x5c: [x5c] }),
    private_key: services.cipher.encrypt(
      privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      privateKeyContext(tenantId, kid),
    ),
    certificate,
    created_at: now,
    current_since: state === 'current' ? now : null,
    current_until: null,
    revoked_at: null,
  };
}

function certificateOf(
  services: Pick<Services, 'clock' | 'random' | 'sites'>,
  tenantId: string,
  algorithm: AsymmetricAlgorithm,
  publicKey: KeyObject,
  privateKey: KeyObject,
): Promise<string> {
  const notBefore = services.clock.now();
  return selfSignedCertificate({
    publicKey,
    privateKey,
    algorithm,
    commonName: services.sites.ofTenant(tenantId).host.slice(0, 64),
    notBefore,
    notAfter: notBefore + certificateYears * 365 * 86_400_000,
    serial: services.random(16),
  });
}

/** The current and next key of an algorithm, when the tenant has none yet; otherwise nothing. */
export async function ensureSigningKeys(ctx: Context, alg: AsymmetricAlgorithm): Promise<SigningKeyRow[]> {
  const existing = await ctx.db.read
    .selectFrom('signing_keys')
    .select('kid')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('alg', '=', alg)
    .where('state', '=', 'current')
    .executeTakeFirst();
  if (existing !== undefined) return [];
  return Promise.all([
    makeSigningKey(ctx, ctx.site.tenantId, alg, 'current'),
    makeSigningKey(ctx, ctx.site.tenantId, alg, 'next'),
  ]);
}

/** Stores new keys; where another request was faster for the same algorithm, its keys stay. */
export async function insertSigningKeys(trx: Tx, keys: readonly SigningKeyRow[]): Promise<void> {
  for (const key of keys) {
    await trx
      .insertInto('signing_keys')
      .values(key)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}

/** Every key of the tenant: current first, then next, previous, revoked; newest first within each. */
export async function listSigningKeys(ctx: Context): Promise<SigningKey[]> {
  const rows = await ctx.db.read
    .selectFrom('signing_keys')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .orderBy('created_at', 'desc')
    .execute();
  const order = ['current', 'next', 'previous', 'revoked'];
  return rows.map(signingKeyOf).sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
}

/** Throws `entity.not_found`. */
export async function getSigningKey(ctx: Context, kid: string): Promise<SigningKey> {
  return loadKey(ctx, ctx.db.read, kid);
}

const publishedKeyRows = defineStatement<{ tenantId: string }, { public_jwk: string }>(
  'published_keys',
  `select public_jwk from signing_keys where tenant_id = :tenantId and state <> 'revoked' order by state, created_at desc`,
);

const currentAlgorithms = defineStatement<{ tenantId: string }, { alg: string }>(
  'current_algorithms',
  `select alg from signing_keys where tenant_id = :tenantId and state = 'current' order by alg`,
);

/** The public keys to verify tokens with: current, next, previous (RFC 7517 §5). */
export async function publishedKeys(ctx: Pick<Context, 'db' | 'site'>): Promise<Record<string, unknown>[]> {
  const rows = await ctx.db.run(publishedKeyRows, { tenantId: ctx.site.tenantId });
  return rows.map((row) => JSON.parse(row.public_jwk) as Record<string, unknown>);
}

/** Algorithms the tenant signs with today. */
export async function signingAlgorithms(ctx: Pick<Context, 'db' | 'site'>): Promise<string[]> {
  const rows = await ctx.db.run(currentAlgorithms, { tenantId: ctx.site.tenantId });
  return rows.map(({ alg }) => alg);
}

/** Rotates the keys of each algorithm: next → current → previous, with a new next. Returns the new current keys. */
export async function rotateSigningKeys(ctx: Context): Promise<SigningKey[]> {
  const algorithms = (await signingAlgorithms(ctx)) as AsymmetricAlgorithm[];
  const fresh = await Promise.all(algorithms.map((alg) => makeSigningKey(ctx, ctx.site.tenantId, alg, 'next')));
  return ctx.db.transact(async (trx) => {
    const now = ctx.clock.now();
    const rotated: SigningKey[] = [];
    for (const key of fresh) {
      const ofAlgorithm = trx
        .updateTable('signing_keys')
        .where('tenant_id', '=', ctx.site.tenantId)
        .where('alg', '=', key.alg);
      await ofAlgorithm.set({ state: 'previous', current_until: now }).where('state', '=', 'current').execute();
      const promoted = await ofAlgorithm
        .set({ state: 'current', current_since: now })
        .where('state', '=', 'next')
        .returningAll()
        .executeTakeFirstOrThrow();
      await trx.insertInto('signing_keys').values(key).execute();
      await recordChange(ctx, trx, 'signing_key.rotated', promoted.kid, { details: { alg: key.alg } });
      rotated.push(signingKeyOf(promoted));
    }
    return rotated;
  });
}

/** Revokes a previous key: tokens it signed are refused at once. Throws `entity.not_found`, `input.invalid`. */
export async function revokeSigningKey(ctx: Context, kid: string): Promise<SigningKey> {
  return ctx.db.transact(async (trx) => {
    const key = await loadKey(ctx, trx, kid);
    if (key.state === 'current' || key.state === 'next') {
      throw invalid('kid', `The ${key.state} signing key can not be revoked; rotate the keys first.`);
    }
    if (key.state === 'revoked') throw new DomainError('entity.in_use', 'The signing key is revoked already.');
    await trx
      .updateTable('signing_keys')
      .set({ state: 'revoked', revoked_at: ctx.clock.now() })
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('kid', '=', kid)
      .where('state', '=', 'previous')
      .execute();
    await recordChange(ctx, trx, 'signing_key.revoked', kid, { details: { alg: key.alg } });
    return loadKey(ctx, trx, kid);
  });
}

async function loadKey(ctx: Context, db: Queryable, kid: string): Promise<SigningKey> {
  const row = await db
    .selectFrom('signing_keys')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('kid', '=', kid)
    .executeTakeFirst();
  if (row === undefined) throw notFound('signing key');
  return signingKeyOf(row);
}
