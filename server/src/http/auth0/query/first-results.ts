import type { OffsetPage } from '../../../domain/paging.ts';
import { invalidQuery } from '../errors.ts';

/** How many results of a search can be paged through. */
const reachable = 1000;

/**
 * Refuses a page that would show results beyond the first thousand. A page behind the last result is empty as on every
 * list: clients walk on until they see an empty one.
 */
export function assertReachable(page: OffsetPage<unknown>): void {
  if (page.start + page.limit > reachable && page.total > Math.max(page.start, reachable)) {
    throw invalidQuery('page', `You can only page through the first ${reachable} records; narrow the search`);
  }
}
