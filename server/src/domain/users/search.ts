import { type RawBuilder, type SqlBool, sql } from 'kysely';
import {
  inRange,
  matchesText,
  type NumberRange,
  type Search,
  searchCondition,
  type TextMatch,
  textCondition,
} from '../search.ts';
import { emailKeyOf, foldCase } from './identity.ts';
import { type MetadataField, metadataTerm, type NameField, termValue } from './terms.ts';
import type { UserStatus } from './user.ts';

/** One condition on a user. `present`: the field has a value. Names, e-mail and username are compared without case. */
export type UserTerm =
  | {
      readonly field: 'id' | 'email' | 'username' | 'phone' | NameField;
      readonly value: string;
      readonly prefix: boolean;
    }
  | {
      readonly field: MetadataField;
      readonly path: readonly string[];
      readonly value: string;
      readonly prefix: boolean;
    }
  | { readonly field: MetadataField; readonly path: readonly string[]; readonly present: true }
  | { readonly field: keyof typeof columns | NameField; readonly present: true }
  | { readonly field: MatchedField; readonly match: TextMatch }
  | { readonly field: 'emailVerified' | 'phoneVerified'; readonly is: boolean }
  | { readonly field: 'status'; readonly among: readonly UserStatus[] }
  | { readonly field: 'createdAt' | 'updatedAt' | 'lastLoginAt' | 'loginsCount'; readonly range: NumberRange };

export type UserSearch = Search<UserTerm>;

type MatchedField = 'id' | 'email' | 'username' | 'phone' | 'name';

const columns = {
  id: 'id',
  email: 'email_key',
  username: 'username_key',
  phone: 'phone',
  picture: 'picture',
  emailVerified: 'email_verified',
  phoneVerified: 'phone_verified',
  createdAt: 'created_at',
  updatedAt: 'updated_at',
  lastLoginAt: 'last_login_at',
  loginsCount: 'logins_count',
} as const;

/** The condition of a search on rows of `users`. */
export const userCondition = (search: UserSearch): RawBuilder<SqlBool> => searchCondition(search, conditionOf);

function conditionOf(term: UserTerm): RawBuilder<SqlBool> {
  if ('among' in term) {
    return term.among.length === 0 ? sql<SqlBool>`1 = 0` : sql<SqlBool>`users.status in (${sql.join(term.among)})`;
  }
  if ('match' in term) return matches(term.field, term.match);
  if ('range' in term) return inRange(columnOf(term.field), term.range);
  if ('is' in term) return sql<SqlBool>`${sql.ref(columnOf(term.field))} = ${term.is ? 1 : 0}`;
  if ('path' in term) {
    const field = metadataTerm(term.field, term.path);
    return 'present' in term
      ? hasTerm(field)
      : hasTerm(field, matchesText('t.value', storedValueOf(term), term.prefix));
  }
  if ('present' in term) {
    return isColumn(term.field) ? sql<SqlBool>`${sql.ref(columnOf(term.field))} is not null` : hasTerm(term.field);
  }
  if (isColumn(term.field)) return matchesText(columnOf(term.field), keyOf(term.field, term), term.prefix);
  const value = foldCase(term.value);
  return hasTerm(term.field, matchesText('t.value', storedValueOf({ ...term, value }), term.prefix));
}

const isColumn = (field: string): field is keyof typeof columns => Object.hasOwn(columns, field);
const columnOf = (field: keyof typeof columns): string => `users.${columns[field]}`;

/** The canonical form of a text to look for in a column; of a prefix, what can be folded without its rest. */
function keyOf(field: string, { value, prefix }: { value: string; prefix: boolean }): string {
  if (field === 'email' && !prefix) return emailKeyOf(value);
  return field === 'email' || field === 'username' ? foldCase(value) : value;
}

const storedValueOf = (term: { value: string; prefix: boolean }): string =>
  term.prefix ? term.value : termValue(term.value);

const hasTerm = (field: string, matches?: RawBuilder<SqlBool>): RawBuilder<SqlBool> => sql<SqlBool>`exists (
  select 1 from user_terms as t where t.tenant_id = users.tenant_id and t.user_id = users.id and t.field = ${field}
  ${matches === undefined ? sql`` : sql`and ${matches}`})`;

/** A name without regard to case is found among the terms, where it is folded. */
function matches(field: MatchedField, match: TextMatch): RawBuilder<SqlBool> {
  if (field === 'name' && !match.caseSensitive) {
    return hasTerm('name', textCondition(sql.ref('t.value'), sql.ref('t.value'), match));
  }
  const [shown, folded] = shownAndFolded[field];
  return textCondition(shown, folded, match);
}

const phone = sql`substr(users.phone, 2)`;
const shownAndFolded = {
  id: [sql.ref('users.id'), sql`lower(users.id)`],
  email: [sql.ref('users.email'), sql.ref('users.email_key')],
  username: [sql.ref('users.username'), sql.ref('users.username_key')],
  phone: [phone, phone],
  name: [sql.ref('users.name'), sql`lower(users.name)`],
} as const;
