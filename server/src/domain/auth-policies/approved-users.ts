/** Whom a policy lets in where it asks for approval, and who waits for that. */
import { referenceNotFound } from '../../kernel/errors.ts';
import type { Tx } from '../../storage/database.ts';
import type { Schema } from '../../storage/schema.ts';
import { chunksOf, inChunks } from '../chunks.ts';
import type { Context } from '../context.ts';
import { recordChanges } from '../logs/record-change.ts';
import { assertWholeTenant } from '../organizations/reach.ts';
import {
  type KeysetPage,
  type KeysetRange,
  keysetPage,
  mapPage,
  type OffsetPage,
  type OffsetRange,
  offsetPage,
} from '../paging.ts';
import { endEverythingOfPolicy } from '../sessions/end.ts';
import { loadPolicyRow } from './read-policies.ts';

type Status = Schema['auth_policy_users']['status'];

export interface PolicyUserFilter {
  readonly status?: Status | undefined;
}

/** A user that a policy lets in, or that asked for it. Times in milliseconds. */
export interface PolicyUser {
  readonly id: string;
  readonly email: string | null;
  readonly username: string | null;
  readonly name: string | null;
  readonly picture: string | null;
  readonly status: Status;
  readonly createdAt: number;
  readonly updatedAt: number;
}

type PolicyUserRow = Schema['auth_policy_users'];

/** Most users of a policy that are read at once. */
export const mostPolicyUsers = 10_000;

const rowsOf = (ctx: Context, db: Pick<Tx, 'selectFrom'>, policyId: string, { status }: PolicyUserFilter) => {
  const rows = db
    .selectFrom('auth_policy_users')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('policy_id', '=', policyId);
  return status === undefined ? rows : rows.where('status', '=', status);
};

/** Those of one status in the order in which they came; all of them in the order of their ids. */
const orderOf = ({ status }: PolicyUserFilter) =>
  status === undefined ? (['user_id'] as const) : (['created_at', 'user_id'] as const);

/** A page by position. Throws `entity.not_found`. */
export async function listPolicyUsers(
  ctx: Context,
  policyId: string,
  filter: PolicyUserFilter,
  range: OffsetRange,
): Promise<OffsetPage<PolicyUser>> {
  await loadPolicyRow(ctx, ctx.db.read, policyId);
  const page = await offsetPage<PolicyUserRow>(rowsOf(ctx, ctx.db.reports, policyId, filter), range, (query) =>
    orderOf(filter).reduce((ordered, column) => ordered.orderBy(column), query),
  );
  return mapPage(page, await withUsers(ctx, page.items));
}

/** The same by key. Throws `entity.not_found`, `input.cursor_invalid`. */
export async function listPolicyUsersByKey(
  ctx: Context,
  policyId: string,
  filter: PolicyUserFilter,
  range: KeysetRange,
): Promise<KeysetPage<PolicyUser>> {
  await loadPolicyRow(ctx, ctx.db.read, policyId);
  const list = `auth policy users ${policyId} ${filter.status ?? ''}`;
  const query = rowsOf(ctx, ctx.db.read, policyId, filter);
  const page = await keysetPage<PolicyUserRow>(ctx, list, query, range, orderOf(filter));
  return mapPage(page, await withUsers(ctx, page.items));
}

async function withUsers(ctx: Context, rows: readonly PolicyUserRow[]): Promise<PolicyUser[]> {
  const users = await inChunks(rows, (part) =>
    ctx.db.read
      .selectFrom('users')
      .select(['id', 'email', 'username', 'name', 'picture'])
      .where('tenant_id', '=', ctx.site.tenantId)
      .where(
        'id',
        'in',
        part.map(({ user_id }) => user_id),
      )
      .execute(),
  );
  const byId = new Map(users.map((user) => [user.id, user]));
  return rows.flatMap(({ user_id, status, created_at, updated_at }) => {
    const user = byId.get(user_id);
    return user === undefined ? [] : [{ ...user, status, createdAt: created_at, updatedAt: updated_at }];
  });
}

/** The ids of the approved users, in order, at most 10 000. Throws `entity.not_found`. */
export async function listAllPolicyUserIds(ctx: Context, policyId: string): Promise<string[]> {
  await loadPolicyRow(ctx, ctx.db.read, policyId);
  const rows = await rowsOf(ctx, ctx.db.read, policyId, { status: 'approved' })
    .orderBy('created_at')
    .orderBy('user_id')
    .limit(mostPolicyUsers)
    .execute();
  return rows.map(({ user_id }) => user_id);
}

/**
 * Approves users: all of them or none; who is approved already stays so, who awaits approval altogether becomes active.
 * Throws `entity.not_found` (the policy), `entity.reference_not_found` naming `userIds.<index>`,
 * `auth.organization_token`.
 */
export async function addPolicyUsers(ctx: Context, policyId: string, userIds: readonly string[]): Promise<void> {
  assertWholeTenant(ctx, 'approve users');
  const { tenantId } = ctx.site;
  await ctx.db.transact(async (trx) => {
    await loadPolicyRow(ctx, trx, policyId);
    const statuses = await statusesOf(ctx, trx, userIds);
    const missing = userIds.findIndex((id) => !statuses.has(id));
    if (missing >= 0) throw referenceNotFound('user', `userIds.${missing}`);
    const approved = new Set(await idsAmong(ctx, trx, policyId, [...statuses.keys()], 'approved'));
    const added = [...statuses.keys()].filter((id) => !approved.has(id));
    const now = ctx.clock.now();
    const columns = { tenant_id: tenantId, policy_id: policyId, status: 'approved', updated_at: now } as const;
    for (const part of chunksOf(added, rowsOfStatement)) {
      await trx
        .insertInto('auth_policy_users')
        .values(part.map((user_id) => ({ ...columns, user_id, created_at: now })))
        .onConflict((conflict) =>
          conflict.columns(['tenant_id', 'policy_id', 'user_id']).doUpdateSet({ status: 'approved', updated_at: now }),
        )
        .execute();
    }
    await activate(
      ctx,
      trx,
      [...statuses].flatMap(([id, status]) => (status === 'awaiting_approval' ? [id] : [])),
    );
    await recordUsers(ctx, trx, 'auth_policy_user.approved', policyId, added);
  });
}

/** Each engine bounds the parameters of a statement. */
const rowsOfStatement = 100;

/**
 * Takes approval away, or rejects a request, and says of whom there was one. Where the policy asks for approval, what the
 * user began by it ends. Throws `entity.not_found` (the policy), `auth.organization_token`.
 */
export async function removePolicyUsers(ctx: Context, policyId: string, userIds: readonly string[]): Promise<string[]> {
  assertWholeTenant(ctx, 'take approval from users');
  return ctx.db.transact(async (trx) => {
    const policy = await loadPolicyRow(ctx, trx, policyId);
    const removed = await idsAmong(ctx, trx, policyId, [...new Set(userIds)]);
    for (const part of chunksOf(removed)) {
      await trx
        .deleteFrom('auth_policy_users')
        .where('tenant_id', '=', ctx.site.tenantId)
        .where('policy_id', '=', policyId)
        .where('user_id', 'in', part)
        .execute();
    }
    await recordUsers(ctx, trx, 'auth_policy_user.removed', policyId, removed);
    if (policy.check_user_approved === 1) {
      for (const userId of removed) await endEverythingOfPolicy(ctx, trx, policyId, userId);
    }
    return removed;
  });
}

const recordUsers = (
  ctx: Context,
  trx: Tx,
  kind: 'auth_policy_user.approved' | 'auth_policy_user.removed',
  policyId: string,
  userIds: readonly string[],
): Promise<void> =>
  recordChanges(
    ctx,
    trx,
    userIds.map((userId) => ({ kind, target: policyId, userId, details: { userId } })),
  );

/** The statuses of those that there are, each once, in the order given. */
async function statusesOf(
  ctx: Context,
  trx: Tx,
  userIds: readonly string[],
): Promise<Map<string, Schema['users']['status']>> {
  const rows = await inChunks([...new Set(userIds)], (part) =>
    trx
      .selectFrom('users')
      .select(['id', 'status'])
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', 'in', part)
      .execute(),
  );
  return new Map(rows.map(({ id, status }) => [id, status]));
}

async function idsAmong(
  ctx: Context,
  trx: Tx,
  policyId: string,
  userIds: readonly string[],
  status?: Status,
): Promise<string[]> {
  const rows = await inChunks(userIds, (part) =>
    rowsOf(ctx, trx, policyId, { status }).where('user_id', 'in', part).execute(),
  );
  return rows.map(({ user_id }) => user_id);
}

async function activate(ctx: Context, trx: Tx, userIds: readonly string[]): Promise<void> {
  for (const part of chunksOf(userIds)) {
    await trx
      .updateTable('users')
      .set({ status: 'active', updated_at: ctx.clock.now() })
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', 'in', part)
      .where('status', '=', 'awaiting_approval')
      .execute();
  }
  await recordChanges(
    ctx,
    trx,
    userIds.map((userId) => ({
      kind: 'user.updated',
      target: userId,
      userId,
      details: { fields: ['status'] },
    })),
  );
}
