/** Whom a policy lets in where it asks for approval, and who waits for that, as they are listed. */
import type { Queryable } from '../../storage/database.ts';
import type { Schema } from '../../storage/schema.ts';
import { inChunks } from '../chunks.ts';
import type { Context } from '../context.ts';
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

/** The rows of a policy. */
export const policyUserRows = (ctx: Context, db: Queryable, policyId: string, { status }: PolicyUserFilter) => {
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

/** A page by position. Throws `entity.not_found`, `auth.organization_token`. */
export async function listPolicyUsers(
  ctx: Context,
  policyId: string,
  filter: PolicyUserFilter,
  range: OffsetRange,
): Promise<OffsetPage<PolicyUser>> {
  assertWholeTenant(ctx, 'read whom an auth policy lets in');
  await loadPolicyRow(ctx, ctx.db.read, policyId);
  const page = await offsetPage<PolicyUserRow>(policyUserRows(ctx, ctx.db.reports, policyId, filter), range, (query) =>
    orderOf(filter).reduce((ordered, column) => ordered.orderBy(column), query),
  );
  return mapPage(page, await withUsers(ctx, page.items));
}

/** The same by key. Throws `entity.not_found`, `input.cursor_invalid`, `auth.organization_token`. */
export async function listPolicyUsersByKey(
  ctx: Context,
  policyId: string,
  filter: PolicyUserFilter,
  range: KeysetRange,
): Promise<KeysetPage<PolicyUser>> {
  assertWholeTenant(ctx, 'read whom an auth policy lets in');
  await loadPolicyRow(ctx, ctx.db.read, policyId);
  const list = `auth policy users ${policyId} ${filter.status ?? ''}`;
  const query = policyUserRows(ctx, ctx.db.read, policyId, filter);
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
