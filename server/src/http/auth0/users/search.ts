import type { Search } from '../../../domain/search.ts';
import type { UserOrder } from '../../../domain/users/read-users.ts';
import type { UserSearch, UserTerm } from '../../../domain/users/search.ts';
import { longestTerm, type MetadataField } from '../../../domain/users/terms.ts';
import { invalidQuery } from '../errors.ts';
import { parseLucene, type Value } from '../query/lucene.ts';
import { mapSearch, rangeOf } from '../query/values.ts';
import { connection, storedUserId } from './ids.ts';

/** `q` of the users list in the domain's words. Throws `input.invalid` naming `q`. */
export const searchOf = (q: string): UserSearch =>
  mapSearch(parseLucene(q, 'q'), ({ field, value }) => meaningOf(field, value));

const textFields = {
  user_id: 'id',
  'identities.user_id': 'id',
  email: 'email',
  username: 'username',
  phone_number: 'phone',
  name: 'name',
  nickname: 'nickname',
  given_name: 'givenName',
  family_name: 'familyName',
} as const;

const flagFields = { email_verified: 'emailVerified', phone_verified: 'phoneVerified' } as const;
const dateFields = { created_at: 'createdAt', updated_at: 'updatedAt', last_login: 'lastLoginAt' } as const;

const term = (meaning: UserTerm): Search<UserTerm> => ({ term: meaning });
const nobody: UserSearch = term({ field: 'status', among: [] });
const everybody: UserSearch = { not: nobody };

function meaningOf(field: string, value: Value): UserSearch {
  if (field === '_exists_') return meaningOf(textOf(field, value).value, { present: true });
  if (isOf(textFields, field)) return textTerm(field, value);
  if (isOf(flagFields, field))
    return 'present' in value ? everybody : term({ field: flagFields[field], is: flagOf(field, value) });
  if (field === 'blocked') {
    if ('present' in value) return everybody;
    return term({ field: 'status', among: flagOf(field, value) ? ['blocked', 'awaiting_approval'] : ['active'] });
  }
  if (isOf(dateFields, field)) return rangeTerm(dateFields[field], rangeOf(value, 'date', 'q'));
  if (field === 'logins_count') return rangeTerm('loginsCount', rangeOf(value, 'number', 'q'));
  if (field === 'identities.connection') return constantTerm(field, value, connection);
  if (field === 'identities.provider') return constantTerm(field, value, 'auth0');
  const metadata = /^(user|app)_metadata\.(.+)$/.exec(field);
  if (metadata !== null) return metadataTerm(`${metadata[1] as 'user' | 'app'}Metadata`, metadata[2] as string, value);
  throw invalidQuery('q', `The field ${field.slice(0, 64)} can not be searched`);
}

function textTerm(field: keyof typeof textFields, value: Value): UserSearch {
  if ('present' in value) return term({ field: textFields[field], present: true });
  const text = textOf(field, value);
  return term({
    field: textFields[field],
    ...text,
    value: field.endsWith('user_id') ? storedUserId(text.value) : text.value,
  });
}

function metadataTerm(field: MetadataField, path: string, value: Value): UserSearch {
  const keys = path.split('.');
  return term({ field, path: keys, ...('present' in value ? value : textOf(path, value)) });
}

/** No range means that the field only has to have a value. */
const rangeTerm = (
  field: 'createdAt' | 'updatedAt' | 'lastLoginAt' | 'loginsCount',
  range: ReturnType<typeof rangeOf>,
): UserSearch => term({ field, range: range ?? {} });

/** A field that has the same value for everybody. */
function constantTerm(field: string, value: Value, constant: string): UserSearch {
  if ('present' in value) return everybody;
  const text = textOf(field, value);
  const fits = text.prefix ? constant.startsWith(text.value) : constant === text.value;
  return fits ? everybody : nobody;
}

function textOf(field: string, value: Value): { value: string; prefix: boolean } {
  if ('text' in value) return { value: value.text, prefix: false };
  if (!('prefix' in value)) throw invalidQuery('q', `The field ${field.slice(0, 64)} has no ranges`);
  if (value.prefix.length > longestTerm) throw invalidQuery('q', `At most ${longestTerm} characters go before a *`);
  return { value: value.prefix, prefix: true };
}

function flagOf(field: string, value: Value): boolean {
  if (!('text' in value) || !/^(true|false)$/.test(value.text)) throw invalidQuery('q', `${field} is true or false`);
  return value.text === 'true';
}

const isOf = <T extends object>(table: T, field: string): field is keyof T & string => Object.hasOwn(table, field);

const sortFields: Record<string, UserOrder['field']> = {
  user_id: 'id',
  email: 'email',
  username: 'username',
  name: 'name',
  created_at: 'createdAt',
  updated_at: 'updatedAt',
  last_login: 'lastLoginAt',
  logins_count: 'loginsCount',
};

/** `sort=field:1` or `field:-1`. Throws `input.invalid` naming `sort`. */
export function orderOf(sort: string): UserOrder {
  const [, name = '', direction] = /^([a-z_]+):(-?1)$/.exec(sort) ?? [];
  const field = isOf(sortFields, name) ? sortFields[name] : undefined;
  if (field === undefined) {
    throw invalidQuery('sort', `Expected field:1 or field:-1, of the fields ${Object.keys(sortFields).join(', ')}`);
  }
  return { field, descending: direction === '-1' };
}
