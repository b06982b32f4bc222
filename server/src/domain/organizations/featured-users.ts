/** Who is in an organization, at a glance: how many users are its direct members, and the first of them. */
import { sql } from 'kysely';
import type { Context } from '../context.ts';

/** The direct members of one organization that are users. */
export interface FeaturedUsers {
  readonly count: number;
  /** At most three, the longest there first. */
  readonly users: readonly { readonly id: string; readonly name: string | null; readonly picture: string | null }[];
}

const mostFeatured = 3;

/** For each organization of a page. The caller has read the organizations, so they are in its reach. */
export async function featuredUsers(
  ctx: Context,
  organizationIds: readonly string[],
): Promise<Map<string, FeaturedUsers>> {
  if (organizationIds.length === 0) return new Map();
  const [counts, users] = await Promise.all([countUsers(ctx, organizationIds), firstUsers(ctx, organizationIds)]);
  return new Map(
    organizationIds.map((id) => [
      id,
      {
        count: counts.get(id) ?? 0,
        users: users
          .filter(({ organizationId }) => organizationId === id)
          .map(({ id, name, picture }) => ({ id, name, picture })),
      },
    ]),
  );
}

async function countUsers(ctx: Context, ids: readonly string[]): Promise<Map<string, number>> {
  const rows = await ctx.db.reports
    .selectFrom('memberships')
    .select(['organization_id', sql<number>`count(*)`.as('count')])
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('subject_kind', '=', 'user')
    .where('organization_id', 'in', ids)
    .groupBy('organization_id')
    .execute();
  return new Map(rows.map(({ organization_id, count }) => [organization_id, Number(count)]));
}

interface FirstUser {
  organizationId: string;
  id: string;
  name: string | null;
  picture: string | null;
}

/** One short walk along an index for each organization, all in one statement. */
async function firstUsers(ctx: Context, ids: readonly string[]): Promise<FirstUser[]> {
  const { tenantId } = ctx.site;
  const firstOf = (id: string) => sql`select * from (
    select m.organization_id as "organizationId", u.id as id, u.name as name, u.picture as picture
    from memberships m join users u on u.tenant_id = m.tenant_id and u.id = m.subject_id
    where m.tenant_id = ${tenantId} and m.organization_id = ${id} and m.subject_kind = 'user'
    order by m.created_at, m.id limit ${sql.lit(mostFeatured)}) first_users`;
  const { rows } = await sql<FirstUser>`${sql.join(ids.map(firstOf), sql` union all `)}`.execute(ctx.db.reports);
  return rows;
}
