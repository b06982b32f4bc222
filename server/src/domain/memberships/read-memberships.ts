/**
 * Members read: one, pages of an organization's, the organizations of a user or client. With `inherited` a list has the
 * memberships above that count here too: the organization's own first, then the nearest ancestor's, each in order of
 * creation. A subject that is a member here and above is listed once for each.
 */
import { sql } from 'kysely';
import { notFound } from '../../kernel/errors.ts';
import type { Queryable } from '../../storage/database.ts';
import type { SubjectKind } from '../../storage/schema.ts';
import type { Context } from '../context.ts';
import { loadRow } from '../organizations/read-organizations.ts';
import {
  type KeysetPage,
  type KeysetRange,
  mapPage,
  type OffsetPage,
  type OffsetRange,
  offsetPage,
} from '../paging.ts';
import { matchesMember } from './find.ts';
import { findMembership, type MemberKey, wayUp } from './load-memberships.ts';
import { type Membership, type MembershipRow, membershipsOf } from './membership.ts';

/** Which members are asked for. */
export interface MemberFilter {
  kind?: SubjectKind | undefined;
  /** With this role. */
  roleId?: string | undefined;
  /** Case-insensitive part of what the user or client is known by. */
  contains?: string | undefined;
  /** With the memberships above that count here. */
  inherited?: boolean | undefined;
}

/** A page by position. Throws `entity.not_found` (the organization). */
export async function listMembers(
  ctx: Context,
  organizationId: string,
  filter: MemberFilter,
  range: OffsetRange,
): Promise<OffsetPage<Membership>> {
  const way = await wayOf(ctx, organizationId);
  const ids = filter.inherited === true ? way.ids : [organizationId];
  const nearness = sql`case ${sql.join(
    ids.map((id, distance) => sql`when organization_id = ${id} then ${sql.lit(distance)}`),
    sql` `,
  )} end`;
  const query = filtered(ctx, ctx.db.reports, way.organizationId, ids, filter);
  const page = await offsetPage<MembershipRow>(query, range, (unordered) =>
    unordered.orderBy(nearness).orderBy('created_at').orderBy('id'),
  );
  return mapPage(page, await membershipsOf(ctx, ctx.db.read, page.items, way));
}

/**
 * A page by key: each organization on the way up is one range of an index, so that a page costs the same however many
 * members there are. Throws `entity.not_found`, `input.cursor_invalid`.
 */
export async function listMembersByKey(
  ctx: Context,
  organizationId: string,
  filter: MemberFilter,
  { limit, cursor }: KeysetRange,
): Promise<KeysetPage<Membership>> {
  const way = await wayOf(ctx, organizationId);
  const list = `${ctx.site.tenantId} members ${JSON.stringify([organizationId, filter])}`;
  // By distance, not by id: a cursor can be read, and tells no caller what lies above its reach.
  const [from, ...position] = cursor === undefined ? [0] : ctx.cursors.open(list, cursor, 'from');
  const ids = filter.inherited === true ? way.ids : [organizationId];
  // A search is no short read.
  const db = filter.contains === undefined ? ctx.db.read : ctx.db.reports;
  const rows: MembershipRow[] = [];
  for (const [distance, id] of ids.entries()) {
    if (distance < Number(from)) continue;
    let query = filtered(ctx, db, way.organizationId, [id], filter);
    if (distance === from && position.length > 0) {
      query = query.where(sql<boolean>`(created_at, id) > (${sql.join(position)})`);
    }
    rows.push(
      ...(await query
        .orderBy('created_at')
        .orderBy('id')
        .limit(limit + 1 - rows.length)
        .execute()),
    );
    if (rows.length > limit) break;
  }
  const items = await membershipsOf(ctx, ctx.db.read, rows.slice(0, limit), way);
  const last = rows[limit - 1];
  if (rows.length <= limit || last === undefined) return { items };
  return { items, next: ctx.cursors.seal(list, [ids.indexOf(last.organization_id), last.created_at, last.id]) };
}

const wayOf = async (ctx: Context, organizationId: string) =>
  wayUp(ctx, await loadRow(ctx, ctx.db.read, organizationId));

function filtered(
  ctx: Context,
  db: Queryable,
  organizationId: string,
  ids: readonly string[],
  { kind, roleId, contains }: MemberFilter,
) {
  let query = db
    .selectFrom('memberships')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('organization_id', 'in', ids);
  if (ids.some((id) => id !== organizationId)) {
    query = query.where((eb) =>
      eb.or([eb('organization_id', '=', organizationId), eb('this_organization_only', '=', 0)]),
    );
  }
  if (kind !== undefined) query = query.where('subject_kind', '=', kind);
  if (roleId !== undefined) {
    query = query.where(({ exists, selectFrom }) =>
      exists(
        selectFrom('membership_roles as mr')
          .select('mr.role_id')
          .whereRef('mr.tenant_id', '=', 'memberships.tenant_id')
          .whereRef('mr.membership_id', '=', 'memberships.id')
          .where('mr.role_id', '=', roleId),
      ),
    );
  }
  if (contains !== undefined) query = query.where(matchesMember(ctx, contains));
  return query;
}

/** A membership held in the organization, or above it where it counts. Throws `entity.not_found`. */
export async function getMember(ctx: Context, organizationId: string, key: MemberKey): Promise<Membership> {
  const organization = await loadRow(ctx, ctx.db.read, organizationId);
  const row = await findMembership(ctx, ctx.db.read, organization, key);
  if (row === undefined) throw notFound('member');
  const [membership] = await membershipsOf(ctx, ctx.db.read, [row], wayUp(ctx, organization));
  return membership as Membership;
}
