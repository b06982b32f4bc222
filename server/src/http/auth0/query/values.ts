import type { NumberRange, Search } from '../../../domain/search.ts';
import { invalidQuery } from '../errors.ts';
import type { Bound, Value } from './lucene.ts';

/** Replaces each term of a search by what it means. */
export function mapSearch<A, B>(search: Search<A>, meaningOf: (term: A) => Search<B>): Search<B> {
  if ('term' in search) return meaningOf(search.term);
  if ('not' in search) return { not: mapSearch(search.not, meaningOf) };
  if ('all' in search) return { all: search.all.map((part) => mapSearch(part, meaningOf)) };
  return { any: search.any.map((part) => mapSearch(part, meaningOf)) };
}

/** The milliseconds a date of this precision spans: a day, a minute, a second, a millisecond. */
function spanOf(text: string, parameter: string): [start: number, end: number] {
  const match = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?$/.exec(text);
  const [, time, seconds, fraction, zone] = match ?? [];
  const start = match === null ? Number.NaN : Date.parse(time !== undefined && zone === undefined ? `${text}Z` : text);
  // Date.parse takes 31 February for 2 March.
  const day = Number.isNaN(start) ? '' : new Date(`${text.slice(0, 10)}T00:00:00Z`).toISOString();
  if (!day.startsWith(text.slice(0, 10)) || start < 0)
    throw invalidQuery(parameter, `${text.slice(0, 40)} is not a date (ISO 8601)`);
  const length = time === undefined ? 86_400_000 : seconds === undefined ? 60_000 : fraction === undefined ? 1000 : 1;
  return [start, start + length];
}

function numberSpan(text: string, parameter: string): [start: number, end: number] {
  if (!/^\d{1,15}$/.test(text)) throw invalidQuery(parameter, `${text.slice(0, 40)} is not a whole number`);
  return [Number(text), Number(text) + 1];
}

/** The range of a value of a date or number field; undefined when the value only asks whether there is one. */
export function rangeOf(value: Value, kind: 'date' | 'number', parameter: string): NumberRange | undefined {
  const span = (text: string) => (kind === 'date' ? spanOf(text, parameter) : numberSpan(text, parameter));
  if ('present' in value) return undefined;
  if ('prefix' in value) throw invalidQuery(parameter, `A ${kind} can not end in *`);
  if ('text' in value) return { atLeast: span(value.text)[0], below: span(value.text)[1] };
  const after = ({ text, inclusive }: Bound) => span(text)[inclusive ? 0 : 1];
  const before = ({ text, inclusive }: Bound) => span(text)[inclusive ? 1 : 0];
  return {
    ...(value.from === undefined ? {} : { atLeast: after(value.from) }),
    ...(value.to === undefined ? {} : { below: before(value.to) }),
  };
}
