import { type SelectQueryBuilder, sql } from 'kysely';
import type { Context } from './context.ts';

/** A page by position; costs a count and a walk over what is skipped, so it runs beside the reports. */
export interface OffsetPage<T> {
  readonly items: T[];
  readonly total: number;
  /** Rows skipped. */
  readonly start: number;
  /** Rows asked for. */
  readonly limit: number;
}

/** A page by key: costs the same at ten rows and at ten million. */
export interface KeysetPage<T> {
  readonly items: T[];
  /** Opaque cursor of the next page; absent on the last one. */
  readonly next?: string;
}

export interface OffsetRange {
  readonly start: number;
  readonly limit: number;
}

export interface KeysetRange {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: pages are cut of queries over any table
type AnyQuery<Row> = SelectQueryBuilder<any, any, Row>;

/** In order of creation. */
const byCreation = <Row>(query: AnyQuery<Row>): AnyQuery<Row> => query.orderBy('created_at').orderBy('id');

/** Cuts a page by position out of `query`, in order of creation or as told. The query is built over `ctx.db.reports`. */
export async function offsetPage<Row>(
  query: AnyQuery<Row>,
  range: OffsetRange,
  ordered: (query: AnyQuery<Row>) => AnyQuery<Row> = byCreation,
): Promise<OffsetPage<Row>> {
  const [counted, items] = await Promise.all([
    query.clearSelect().select(sql<number>`count(*)`.as('total')).executeTakeFirstOrThrow(),
    ordered(query).limit(range.limit).offset(range.start).execute(),
  ]);
  return { items, total: Number((counted as { total: number }).total), ...range };
}

/**
 * Cuts a page by key out of `query`, in order of creation or of the `columns` given, which must be unique together and
 * have an index. `list` names the list its cursors belong to.
 */
export async function keysetPage<Row>(
  ctx: Context,
  list: string,
  query: AnyQuery<Row>,
  range: KeysetRange,
  columns: readonly (keyof Row & string)[] = ['created_at', 'id'] as never,
): Promise<KeysetPage<Row>> {
  const name = `${ctx.site.tenantId} ${list}`;
  let from = query;
  if (range.cursor !== undefined) {
    const position = ctx.cursors.open(name, range.cursor, 'from');
    from = from.where(sql<boolean>`(${sql.join(columns.map((column) => sql.ref(column)))}) > (${sql.join(position)})`);
  }
  for (const column of columns) from = from.orderBy(column);
  // One row more than asked tells whether there is a next page.
  const rows = await from.limit(range.limit + 1).execute();
  const items = rows.slice(0, range.limit);
  const last = items.at(-1);
  return rows.length > range.limit && last !== undefined
    ? {
        items,
        next: ctx.cursors.seal(
          name,
          columns.map((column) => last[column] as string | number),
        ),
      }
    : { items };
}

/** The same page with its rows mapped. */
export const mapPage = <A, B, P extends { items: A[] }>(page: P, items: B[]): Omit<P, 'items'> & { items: B[] } => ({
  ...page,
  items,
});
