import type { LogSearch } from '../../../domain/logs/read.ts';
import { invalidQuery } from '../errors.ts';
import { parseLucene, type Value } from '../query/lucene.ts';
import { mapSearch, rangeOf } from '../query/values.ts';
import { storedUserId } from '../users/ids.ts';
import { kindsOfType } from './types.ts';

const textFields = {
  _id: 'id',
  log_id: 'id',
  client_id: 'clientId',
  client_name: 'clientName',
  user_id: 'userId',
  audience: 'audience',
  ip: 'ip',
  hostname: 'host',
} as const;

/** `search` (or `q`) of the log list in the domain's words. Throws `input.invalid` naming `parameter`. */
export const searchOf = (text: string, parameter: string): LogSearch =>
  mapSearch(parseLucene(text, parameter), ({ field, value }) => meaningOf(field, value, parameter));

function meaningOf(field: string, value: Value, parameter: string): LogSearch {
  if (field === 'date') return { term: { field: 'at', range: rangeOf(value, 'date', parameter) ?? {} } };
  const isText = Object.hasOwn(textFields, field);
  if (field !== 'type' && !isText) throw invalidQuery(parameter, `The field ${field.slice(0, 64)} can not be searched`);
  if (!('text' in value)) throw invalidQuery(parameter, `The field ${field} takes a whole value only`);
  if (field === 'type') return { term: { field: 'kind', among: kindsOfType(value.text) } };
  const text = field === 'user_id' ? storedUserId(value.text) : value.text;
  return { term: { field: textFields[field as keyof typeof textFields], value: text } };
}

/** `sort=date:1` or `date:-1` (newest first, as without). Throws `input.invalid` naming `sort`. */
export function oldestFirst(sort: string | undefined): boolean {
  const direction = /^date:(-?1)$/.exec(sort ?? 'date:-1')?.[1];
  if (direction === undefined) throw invalidQuery('sort', 'Expected date:1 or date:-1');
  return direction === '1';
}
