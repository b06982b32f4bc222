import type { PagingQuery } from '@sekisho/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { KeysetPage, KeysetRange, OffsetPage, OffsetRange } from '../../domain/paging.ts';

const defaultPageSize = 20;
/** Most items of a list that is asked for without paging. */
const mostItems = 10_000;

export interface PagedList<T> {
  byKey(range: KeysetRange): Promise<KeysetPage<T>>;
  /** `capped`: there are more than `total` says, so that the last page is not known. */
  byOffset(range: OffsetRange): Promise<OffsetPage<T> & { readonly capped?: boolean }>;
}

/**
 * Answers a list: by `cursor` when the query has one, otherwise by page number with `Total-Number`; `Link` names the
 * next page (RFC 8288).
 */
export async function sendPage<T, B>(
  request: FastifyRequest<{ Querystring: PagingQuery }>,
  reply: FastifyReply,
  list: PagedList<T>,
  body: (item: T) => B,
): Promise<B[]> {
  const { page = 1, page_size: limit = defaultPageSize, cursor } = request.query;
  if (cursor !== undefined) {
    const found = await list.byKey({ limit, cursor: cursor === '' ? undefined : cursor });
    if (found.next !== undefined) reply.header('link', link(request, { cursor: found.next }, 'next'));
    return found.items.map(body);
  }
  const found = await list.byOffset({ start: (page - 1) * limit, limit });
  const last = Math.max(1, Math.ceil(found.total / limit));
  const links = [link(request, { page: 1 }, 'first')];
  if (page > 1) links.push(link(request, { page: found.capped ? page - 1 : Math.min(page - 1, last) }, 'prev'));
  if (found.capped) reply.header('total-number-is-capped', 'true');
  else links.push(link(request, { page: last }, 'last'));
  if (!found.capped && page < last) links.push(link(request, { page: page + 1 }, 'next'));
  reply.header('total-number', String(found.total)).header('link', links.join(', '));
  return found.items.map(body);
}

/**
 * Answers a list that is whole unless paging is asked for: without `page`, `page_size` and `cursor` everything, and no
 * paging headers. Of more than 10 000 items `Link` says where to go on, by cursor.
 */
export async function sendOptionalPage<T, B>(
  request: FastifyRequest<{ Querystring: PagingQuery }>,
  reply: FastifyReply,
  list: PagedList<T>,
  body: (item: T) => B,
): Promise<B[]> {
  const { page, page_size: limit, cursor } = request.query;
  if (page !== undefined || limit !== undefined || cursor !== undefined) return sendPage(request, reply, list, body);
  const found = await list.byKey({ limit: mostItems });
  if (found.next !== undefined) reply.header('link', link(request, { cursor: found.next }, 'next'));
  return found.items.map(body);
}

/** A link to the same list at another place; built from the tenant's own origin, not from a header. */
function link(request: FastifyRequest, place: Record<string, string | number>, rel: string): string {
  const url = new URL(request.url, request.site.origin);
  for (const [name, value] of Object.entries(place)) url.searchParams.set(name, String(value));
  return `<${url.href}>; rel="${rel}"`;
}
