import type { AccountsPaging } from '@sekisho/contract';
import type { KeysetPage, KeysetRange } from '../../domain/paging.ts';

const defaultLimit = 50;

/** Where a list is to go on, and how far. */
export const rangeOf = ({ limit = defaultLimit, cursor }: AccountsPaging): KeysetRange => ({ limit, cursor });

/** Every list: what it holds, and the cursor of the next page. */
export const pageBody = <T, B>({ items, next }: KeysetPage<T>, body: (item: T) => B) => ({
  data: items.map(body),
  next: next ?? null,
});
