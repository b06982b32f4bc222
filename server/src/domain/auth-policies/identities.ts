/** Who a user is upstream. A policy, its issuer and its subject tell people apart, byte for byte. */
import { DomainError, notFound } from '../../kernel/errors.ts';
import type { Queryable, Tx } from '../../storage/database.ts';
import type { Schema } from '../../storage/schema.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';

/** Names somebody upstream. */
export interface IdentityKey {
  readonly policyId: string;
  readonly issuer: string;
  readonly subject: string;
}

export type LinkedBy = Schema['identities']['linked_by'];

export interface Identity extends IdentityKey {
  readonly userId: string;
  /** An administrator, the sign-in that made the user, or a name that the upstream told and the policy trusts. */
  readonly linkedBy: LinkedBy;
  /** What the person was called there at the latest sign-in. */
  readonly username: string | null;
  readonly email: string | null;
  /** Milliseconds. */
  readonly createdAt: number;
  readonly lastUsedAt: number;
}

const identityOf = (row: Schema['identities']): Identity => ({
  policyId: row.policy_id,
  issuer: row.issuer,
  subject: row.subject,
  userId: row.user_id,
  linkedBy: row.linked_by,
  username: row.username,
  email: row.email,
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at,
});

const columnsOf = (ctx: Context, { policyId, issuer, subject }: IdentityKey) => ({
  tenant_id: ctx.site.tenantId,
  policy_id: policyId,
  issuer,
  subject,
});

const rowOf = (ctx: Context, db: Queryable, key: IdentityKey) =>
  db
    .selectFrom('identities')
    .selectAll()
    .where((eb) => eb.and(columnsOf(ctx, key)))
    .executeTakeFirst();

/** Undefined when nobody here is that. */
export async function findIdentity(ctx: Context, db: Queryable, key: IdentityKey): Promise<Identity | undefined> {
  const row = await rowOf(ctx, db, key);
  return row === undefined ? undefined : identityOf(row);
}

/** What the upstream calls the person just now. */
export interface UpstreamNames {
  readonly username: string | null;
  readonly email: string | null;
}

/** Links a user. Throws `entity.exists` (of thing `identity`) when somebody is linked already. */
export async function linkIdentity(
  ctx: Context,
  trx: Tx,
  key: IdentityKey,
  { userId, linkedBy }: Pick<Identity, 'userId' | 'linkedBy'>,
  names: UpstreamNames = { username: null, email: null },
): Promise<void> {
  if ((await rowOf(ctx, trx, key)) !== undefined) {
    throw new DomainError('entity.exists', 'This identity is linked to a user already.', {
      path: 'subject',
      data: { thing: 'identity' },
    });
  }
  const now = ctx.clock.now();
  await trx
    .insertInto('identities')
    .values({
      ...columnsOf(ctx, key),
      user_id: userId,
      linked_by: linkedBy,
      ...cut(names),
      created_at: now,
      last_used_at: now,
    })
    .execute();
  await recordChange(ctx, trx, 'identity.linked', key.policyId, { userId, details: { issuer: key.issuer, linkedBy } });
}

/** An administrator stands for a link that was made otherwise. */
export async function confirmIdentity(ctx: Context, trx: Tx, key: IdentityKey, userId: string): Promise<void> {
  const linkedBy = 'administrator';
  await trx
    .updateTable('identities')
    .set({ linked_by: linkedBy })
    .where((eb) => eb.and(columnsOf(ctx, key)))
    .execute();
  await recordChange(ctx, trx, 'identity.linked', key.policyId, { userId, details: { issuer: key.issuer, linkedBy } });
}

/** Notes that somebody signed in by it, and what it is called by now. */
export async function noteIdentityUse(ctx: Context, trx: Tx, key: IdentityKey, names: UpstreamNames): Promise<void> {
  await trx
    .updateTable('identities')
    .set({ ...cut(names), last_used_at: ctx.clock.now() })
    .where((eb) => eb.and(columnsOf(ctx, key)))
    .execute();
}

/** An upstream's names are for showing: endless ones are cut. */
const cut = ({ username, email }: UpstreamNames): UpstreamNames => ({
  username: username?.slice(0, 320) ?? null,
  email: email?.slice(0, 320) ?? null,
});

/** In order of the policies. */
export async function listIdentitiesOfUser(ctx: Context, db: Queryable, userId: string): Promise<Identity[]> {
  const rows = await db
    .selectFrom('identities')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('user_id', '=', userId)
    .orderBy('policy_id')
    .orderBy('issuer')
    .orderBy('subject')
    .limit(1000)
    .execute();
  return rows.map(identityOf);
}

/** Unlinks a user. Throws `entity.not_found`. */
export async function unlinkIdentity(ctx: Context, trx: Tx, key: IdentityKey, userId: string): Promise<void> {
  const { numDeletedRows } = await trx
    .deleteFrom('identities')
    .where((eb) => eb.and(columnsOf(ctx, key)))
    .where('user_id', '=', userId)
    .executeTakeFirst();
  if (numDeletedRows === 0n) throw notFound('identity');
  await recordChange(ctx, trx, 'identity.unlinked', key.policyId, { userId, details: { issuer: key.issuer } });
}
