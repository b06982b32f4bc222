import { type Static, Type } from 'typebox';

/**
 * Paging of the native API: by page number (`page`, from 1) with `Total-Number`, or by `cursor`, which costs the same
 * at any depth. Either way `Link` has the next page.
 */
export const PagingQuery = Type.Object({
  page: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000, description: 'Page number, from 1.' })),
  page_size: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: 'Items a page; 20 when absent.' })),
  cursor: Type.Optional(
    Type.String({ maxLength: 1000, description: 'Where to go on; empty: from the beginning. From `Link` rel=next.' }),
  ),
});
export type PagingQuery = Static<typeof PagingQuery>;
