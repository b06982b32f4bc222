import { type Static, Type } from 'typebox';
import type { KeysetPage, KeysetRange, OffsetPage, OffsetRange } from '../../domain/paging.ts';

/** Lists of this dialect: offset pages (bare array, or an object with totals) and checkpoint pages. */
export const offsetQuery = {
  page: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000 })),
  per_page: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  include_totals: Type.Optional(Type.Boolean()),
};

export const checkpointQuery = {
  from: Type.Optional(Type.String({ maxLength: 1000 })),
  take: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
};

export const fieldsQuery = {
  fields: Type.Optional(Type.String({ maxLength: 1000, description: 'Fields, separated by commas.' })),
  include_fields: Type.Optional(Type.Boolean({ description: 'Whether `fields` are shown (default) or left out.' })),
};

const offset = Type.Object(offsetQuery);
const checkpoint = Type.Object(checkpointQuery);
type OffsetQuery = Static<typeof offset>;
type CheckpointQuery = Static<typeof checkpoint>;

const defaultPageSize = 50;

export const offsetRange = ({ page = 0, per_page = defaultPageSize }: OffsetQuery): OffsetRange => ({
  start: page * per_page,
  limit: per_page,
});

export const keysetRange = ({ from, take = defaultPageSize }: CheckpointQuery): KeysetRange => ({
  limit: take,
  cursor: from === '' ? undefined : from,
});

/** `take` or `from` ask for a checkpoint page, whatever else the query says (SDKs send `include_totals` beside). */
export const wantsCheckpoint = (query: CheckpointQuery): boolean =>
  query.take !== undefined || query.from !== undefined;

/** An offset page: with totals an object, otherwise a bare array. */
export function offsetBody<T>(
  plural: string,
  query: OffsetQuery,
  page: OffsetPage<unknown>,
  items: T[],
  withLength = false,
) {
  if (query.include_totals !== true) return items;
  const { start, limit, total } = page;
  return { start, limit, ...(withLength ? { length: items.length } : {}), total, [plural]: items };
}

/** A checkpoint page; no `next` on the last one. */
export const checkpointBody = <T>(plural: string, page: KeysetPage<unknown>, items: T[]) => ({
  [plural]: items,
  ...(page.next === undefined ? {} : { next: page.next }),
});

/** Keeps, or with `include_fields=false` leaves out, the named fields. */
export function selectFields<T extends object>(
  query: { fields?: string; include_fields?: boolean },
  body: T,
): Partial<T> {
  if (query.fields === undefined || query.fields === '') return body;
  const named = new Set(query.fields.split(',').map((field) => field.trim()));
  const kept = Object.entries(body).filter(([field]) => named.has(field) === (query.include_fields ?? true));
  return Object.fromEntries(kept) as Partial<T>;
}

/** Leaves out what is null or undefined: unset optionals are absent in this dialect. */
export const withoutUnset = <T extends object>(body: T): T =>
  Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined && value !== null)) as T;

/** Merges metadata key by key; null deletes a key. */
export function mergeMetadata<V>(before: Record<string, V>, change: Record<string, V | null>): Record<string, V> {
  const merged = new Map(Object.entries(before));
  for (const [key, value] of Object.entries(change)) {
    if (value === null) merged.delete(key);
    else merged.set(key, value);
  }
  return Object.fromEntries(merged);
}

/** Merges this dialect's own fields over the stored ones; null unsets a field. */
export const mergeExtras = (
  before: Record<string, unknown>,
  change: Record<string, unknown>,
): Record<string, unknown> =>
  mergeMetadata(before, Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)));
