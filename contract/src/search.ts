import { type Static, Type } from 'typebox';

const text = Type.Union([
  Type.String({ maxLength: 512 }),
  Type.Array(Type.String({ maxLength: 512 }), { maxItems: 20 }),
]);
const optional = (description: string) => Type.Optional({ ...text, description });

/**
 * Advanced search. `search.<field>` and `mode.<field>` are written so, or as `search_params[search.<field>]`; `docs/`
 * names the fields of each list.
 */
export const SearchQuery = Type.Object({
  search: optional('Found in any of the fields; `%` stands for any text.'),
  mode: optional('`like` (the default) or `exact`; `mode.<field>` for one field.'),
  joint: optional('`or` (the default) or `and`: how several conditions are joined.'),
  isCaseSensitive: optional('`true` or `false` (the default).'),
});
export type SearchQuery = Static<typeof SearchQuery>;
