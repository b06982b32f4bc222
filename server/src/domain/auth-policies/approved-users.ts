/** Who is approved for a policy, and who is no more. */
import { referenceNotFound } from '../../kernel/errors.ts';
import type { Tx } from '../../storage/database.ts';
import type { Schema } from '../../storage/schema.ts';
import { chunksOf, inChunks } from '../chunks.ts';
import type { Context } from '../context.ts';
import { recordChanges } from '../logs/record-change.ts';
import { assertWholeTenant } from '../organizations/reach.ts';
import { endEverythingOfPolicy } from '../sessions/end.ts';
import { authPolicyOf } from './policy.ts';
import { loadPolicyRow } from './read-policies.ts';
import { policyUserRows } from './read-policy-users.ts';
import { assertMayLetIn } from './recognition.ts';

/**
 * Approves users: all of them or none; who is approved already stays so, who awaits approval altogether becomes active.
 * Throws `entity.not_found` (the policy), `entity.reference_not_found` naming `userIds.<index>`, `auth.exceeds_own`,
 * `auth.organization_token`.
 */
export async function addPolicyUsers(ctx: Context, policyId: string, userIds: readonly string[]): Promise<void> {
  assertWholeTenant(ctx, 'approve users');
  const { tenantId } = ctx.site;
  await ctx.db.transact(async (trx) => {
    const policy = authPolicyOf(await loadPolicyRow(ctx, trx, policyId));
    const statuses = await statusesOf(ctx, trx, userIds);
    const missing = userIds.findIndex((id) => !statuses.has(id));
    if (missing >= 0) throw referenceNotFound('user', `userIds.${missing}`);
    const approved = new Set(await idsAmong(ctx, trx, policyId, [...statuses.keys()], 'approved'));
    const added = [...statuses.keys()].filter((id) => !approved.has(id));
    if (added.length > 0) await assertMayLetIn(ctx, trx, policy);
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
  status?: 'approved',
): Promise<string[]> {
  const rows = await inChunks(userIds, (part) =>
    policyUserRows(ctx, trx, policyId, { status }).where('user_id', 'in', part).execute(),
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
