import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely';
import { foldCase } from './users/identity.ts';

/** A typed search over one kind of thing: terms joined by and, or, not. A dialect parses its own words into it. */
export type Search<Term> =
  | { readonly all: readonly Search<Term>[] }
  | { readonly any: readonly Search<Term>[] }
  | { readonly not: Search<Term> }
  | { readonly term: Term };

/** Whole numbers (or milliseconds) from `atLeast` up to but not including `below`; either end may be open. */
export interface NumberRange {
  readonly atLeast?: number;
  readonly below?: number;
}

/**
 * The SQL condition of a search; `conditionOf` writes one term with bound parameters, and gives true or false, never
 * null, for every row: `not` would lose a row whose column is null.
 */
export function searchCondition<Term>(
  search: Search<Term>,
  conditionOf: (term: Term) => RawBuilder<SqlBool> | Expression<SqlBool>,
): RawBuilder<SqlBool> {
  const write = (part: Search<Term>): RawBuilder<SqlBool> => {
    if ('term' in part) return sql<SqlBool>`(${conditionOf(part.term)})`;
    if ('not' in part) return sql<SqlBool>`(not ${write(part.not)})`;
    const [parts, word] = 'all' in part ? [part.all, sql` and `] : [part.any, sql` or `];
    return sql<SqlBool>`(${sql.join(parts.map(write), word)})`;
  };
  return write(search);
}

/** Whether a column that may be null lies in a range; null lies in none. */
export function inRange(column: string, range: NumberRange): RawBuilder<SqlBool> {
  const ref = sql.ref(column);
  const parts = [sql<SqlBool>`${ref} is not null`];
  if (range.atLeast !== undefined) parts.push(sql<SqlBool>`${ref} >= ${range.atLeast}`);
  if (range.below !== undefined) parts.push(sql<SqlBool>`${ref} < ${range.below}`);
  return sql<SqlBool>`${sql.join(parts, sql` and `)}`;
}

/** Whether a column that may be null holds a text, or begins with it. Its collation must be by code point. */
export function matchesText(column: string, value: string, prefix: boolean): RawBuilder<SqlBool> {
  const ref = sql.ref(column);
  return prefix
    ? // A range, so that an index serves it: every text that begins with `value` sorts below the last code point after it.
      sql<SqlBool>`${ref} is not null and ${ref} >= ${value} and ${ref} < ${`${value}\u{10ffff}`}`
    : sql<SqlBool>`${ref} is not null and ${ref} = ${value}`;
}

/**
 * Whether a column that may be null contains a text, compared as both are written. Both engines have `replace`, and
 * neither reads a wildcard in the text.
 */
export const containsText = (column: Expression<unknown>, part: string): RawBuilder<SqlBool> =>
  sql<SqlBool>`coalesce(replace(${column}, ${part}, '') <> ${column}, 1 = 0)`;

/** How a text is compared: as a whole, or with `%` standing for any text; with regard to case or without. */
export interface TextMatch {
  readonly text: string;
  readonly like: boolean;
  readonly caseSensitive: boolean;
}

/** The condition that a column that may be null holds a text; `folded` is its form without regard to case. */
export function textCondition(
  shown: Expression<unknown>,
  folded: Expression<unknown>,
  match: TextMatch,
): RawBuilder<SqlBool> {
  const { text, like, caseSensitive } = match;
  const wanted = caseSensitive ? text : foldCase(text);
  if (!like) return sql<SqlBool>`${shown} is not null and ${caseSensitive ? shown : folded} = ${wanted}`;
  const parts = [sql<SqlBool>`${shown} is not null`, likePattern(folded, foldCase(text))];
  if (caseSensitive) parts.push(...sameCase(shown, text));
  return sql<SqlBool>`${sql.join(parts, sql` and `)}`;
}

const likePattern = (column: Expression<unknown>, pattern: string): RawBuilder<SqlBool> =>
  sql<SqlBool>`${column} like ${pattern.replace(/[\\_]/g, '\\$&')} escape '\\'`;

/** SQLite's LIKE knows no case: beside it, the pieces between the wildcards must be there as they are written. */
function* sameCase(column: Expression<unknown>, pattern: string): Generator<RawBuilder<SqlBool>> {
  const pieces = pattern.split('%');
  const [first = '', last = ''] = [pieces[0], pieces.at(-1)];
  if (pieces.length === 1) yield sql<SqlBool>`${column} = ${pattern}`;
  if (first !== '') yield sql<SqlBool>`substr(${column}, 1, ${[...first].length}) = ${first}`;
  if (last !== '') yield sql<SqlBool>`substr(${column}, length(${column}) - ${[...last].length - 1}) = ${last}`;
  for (const piece of pieces.slice(1, -1)) {
    if (piece !== '') yield containsText(column, piece);
  }
}
