/** Numbers about the use of a tenant. There are no sign-ins yet, so nobody has signed in. */
import { sql } from 'kysely';
import type { Context } from './context.ts';

/** A day, in milliseconds. */
export const dayMs = 86_400_000;

/** What happened on one day. */
export interface DayNumbers {
  /** Start of the day (UTC), milliseconds. */
  day: number;
  logins: number;
  /** Users created on that day. */
  signups: number;
}

/** A user counts as active for this long after a sign-in. */
const activeForMs = 30 * dayMs;

/** The numbers of each day (UTC) from `from` to `to`, both included; `from` and `to` lie at the start of a day. */
export async function dailyNumbers(ctx: Context, from: number, to: number): Promise<DayNumbers[]> {
  const day = sql<number>`created_at / ${sql.lit(dayMs)}`;
  const rows = await ctx.db.reports
    .selectFrom('users')
    .select([day.as('day'), sql<number>`count(*)`.as('signups')])
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('created_at', '>=', from)
    .where('created_at', '<', to + dayMs)
    .groupBy(day)
    .execute();
  const signups = new Map(rows.map((row) => [Number(row.day), Number(row.signups)]));
  const days = Array.from({ length: (to - from) / dayMs + 1 }, (_, index) => from + index * dayMs);
  return days.map((start) => ({ day: start, logins: 0, signups: signups.get(start / dayMs) ?? 0 }));
}

/** How many users signed in within the last 30 days. */
export async function activeUsers(ctx: Context): Promise<number> {
  const { users } = await ctx.db.reports
    .selectFrom('users')
    .select(sql<number>`count(*)`.as('users'))
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('last_login_at', '>=', ctx.clock.now() - activeForMs)
    .executeTakeFirstOrThrow();
  return Number(users);
}

/** How many users were created, or last signed in, on each day (UTC) from `from` to `to`, both at the start of a day. */
export async function usersByDay(
  ctx: Context,
  column: 'created_at' | 'last_login_at',
  from: number,
  to: number,
): Promise<(day: number) => number> {
  const day = sql<number>`${sql.ref(column)} / ${sql.lit(dayMs)}`;
  const rows = await ctx.db.reports
    .selectFrom('users')
    .select([day.as('day'), sql<number>`count(*)`.as('users')])
    .where('tenant_id', '=', ctx.site.tenantId)
    .where(column, '>=', from)
    .where(column, '<', to + dayMs)
    .groupBy(day)
    .execute();
  const counts = new Map(rows.map((row) => [Number(row.day), Number(row.users)]));
  return (start) => counts.get(start / dayMs) ?? 0;
}

/** All users of the tenant. */
export async function totalUsers(ctx: Context): Promise<number> {
  const { users } = await ctx.db.reports
    .selectFrom('users')
    .select(sql<number>`count(*)`.as('users'))
    .where('tenant_id', '=', ctx.site.tenantId)
    .executeTakeFirstOrThrow();
  return Number(users);
}
