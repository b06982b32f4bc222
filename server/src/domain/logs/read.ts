/** Reading the log: by position (for those who follow it), by search, one event. */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { notFound } from '../../kernel/errors.ts';
import type { LogEventTable } from '../../storage/schema.ts';
import type { Context } from '../context.ts';
import {
  type KeysetPage,
  type KeysetRange,
  mapPage,
  type OffsetPage,
  type OffsetRange,
  offsetPage,
} from '../paging.ts';
import { matchesText, type NumberRange, type Search, searchCondition } from '../search.ts';
import type { LogKind } from './kinds.ts';
import { logEventOf, type StoredLogEvent } from './log-event.ts';

/** Who follows the log must miss nothing: an event with an earlier id may still be on its way to the disk. */
const settledAfterMs = 2000;

/** One condition on a log event. */
export type LogTerm =
  | { readonly field: 'kind'; readonly among: readonly LogKind[] }
  | { readonly field: keyof typeof columns; readonly value: string }
  | { readonly field: 'at'; readonly range: NumberRange };

export type LogSearch = Search<LogTerm>;

const columns = {
  id: 'id',
  clientId: 'client_id',
  clientName: 'client_name',
  userId: 'user_id',
  audience: 'audience',
  ip: 'ip',
  host: 'host',
} as const;

/**
 * Up to `limit` events after the position `after` (an event's id, or any earlier digits), oldest first, and none younger
 * than two seconds.
 */
export async function logEventsAfter(ctx: Context, after: string, limit: number): Promise<StoredLogEvent[]> {
  const rows = await ctx.db.read
    .selectFrom('log_events')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', '>', after)
    .where('id', '<', positionAt(ctx.clock.now() - settledAfterMs))
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(logEventOf);
}

/** A page of the events a search finds, newest first unless told. */
export async function searchLogEvents(
  ctx: Context,
  filter: { search?: LogSearch; oldestFirst?: boolean },
  range: OffsetRange,
): Promise<OffsetPage<StoredLogEvent>> {
  let query = ctx.db.reports.selectFrom('log_events').selectAll().where('tenant_id', '=', ctx.site.tenantId);
  if (filter.search !== undefined) query = query.where(searchCondition(filter.search, conditionOf));
  const page = await offsetPage<LogEventTable>(query, range, (unordered) =>
    unordered.orderBy('id', filter.oldestFirst === true ? 'asc' : 'desc'),
  );
  return mapPage(page, page.items.map(logEventOf));
}

/** The same page; what is found is counted up to `most` and one more, so that the count costs no more than that. */
export async function searchLogEventsCapped(
  ctx: Context,
  search: LogSearch,
  range: OffsetRange,
  most: number,
): Promise<OffsetPage<StoredLogEvent>> {
  const found = ctx.db.reports
    .selectFrom('log_events')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where(searchCondition(search, conditionOf));
  const [rows, counted] = await Promise.all([
    found.selectAll().orderBy('id', 'desc').limit(range.limit).offset(range.start).execute(),
    ctx.db.reports
      .selectFrom(
        found
          .select('id')
          .limit(most + 1)
          .as('some'),
      )
      .select(sql<number>`count(*)`.as('total'))
      .executeTakeFirstOrThrow(),
  ]);
  return { items: rows.map(logEventOf), total: Number(counted.total), ...range };
}

/** The events a search finds, newest first, by cursor; beside the reports, as a search may pass over many. */
export async function logEventsBefore(
  ctx: Context,
  search: LogSearch,
  range: KeysetRange,
): Promise<KeysetPage<StoredLogEvent>> {
  const name = `${ctx.site.tenantId} logs`;
  let query = ctx.db.reports
    .selectFrom('log_events')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where(searchCondition(search, conditionOf));
  if (range.cursor !== undefined) {
    query = query.where('id', '<', String(ctx.cursors.open(name, range.cursor, 'cursor')[0]));
  }
  const rows = await query
    .orderBy('id', 'desc')
    .limit(range.limit + 1)
    .execute();
  const items = rows.slice(0, range.limit).map(logEventOf);
  const last = items.at(-1);
  return rows.length > range.limit && last ? { items, next: ctx.cursors.seal(name, [last.id]) } : { items };
}

/** Throws `entity.not_found`. */
export async function getLogEvent(ctx: Context, id: string): Promise<StoredLogEvent> {
  const row = await ctx.db.read
    .selectFrom('log_events')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', '=', id)
    .executeTakeFirst();
  if (row === undefined) throw notFound('log event');
  return logEventOf(row);
}

function conditionOf(term: LogTerm): RawBuilder<SqlBool> {
  if ('value' in term) return matchesText(columns[term.field], term.value, false);
  if ('among' in term) return term.among.length === 0 ? sql`1 = 0` : sql`kind in (${sql.join(term.among)})`;
  // Ids begin with their time, and are what the table is ordered by.
  const parts = [sql<SqlBool>`1 = 1`];
  if (term.range.atLeast !== undefined) parts.push(sql`id >= ${positionAt(term.range.atLeast)}`);
  if (term.range.below !== undefined) parts.push(sql`id < ${positionAt(term.range.below)}`);
  return sql<SqlBool>`${sql.join(parts, sql` and `)}`;
}

/** The position before every event of this millisecond. */
const positionAt = (milliseconds: number): string => Math.max(0, milliseconds).toString().padStart(15, '0');
