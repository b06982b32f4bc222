/**
 * The advanced search of Logto's lists, read into the domain's terms:
 *
 *   search=%x%              in any of the list's fields
 *   search.name=x%          in one of them; repeated, any of the values
 *   mode, mode.name         like (`%` stands for any text; the default) or exact
 *   joint                   or (the default) or and: how the conditions above are joined
 *   isCaseSensitive         false by default
 *
 * `search_params[search.name]=…`, as `@logto/api` writes it, says the same.
 */
import type { Search, TextMatch } from '../../../domain/search.ts';
import { DomainError } from '../../../kernel/errors.ts';

/** One condition: a field of the list, and what it must match. */
export interface MatchTerm<Field extends string> {
  readonly field: Field;
  readonly match: TextMatch;
}

type Words = Map<string, string[]>;

const searchWords = /^(search|mode)(\.|$)|^(joint|isCaseSensitive)$/;

/**
 * What a query searches for; undefined: nothing. `fields` names the domain's field of each of the list's. Throws
 * `input.invalid` naming the parameter.
 */
export function searchOf<Field extends string>(
  query: object,
  fields: Readonly<Record<string, Field>>,
): Search<MatchTerm<Field>> | undefined {
  const words = wordsOf(query);
  const read = readersOf(words, fields);
  const joined = read.joint();
  const caseSensitive = read.caseSensitive();
  const conditions: Search<MatchTerm<Field>>[] = [];
  for (const [word, values] of words) {
    if (word !== 'search' && !word.startsWith('search.')) continue;
    const names = word === 'search' ? Object.keys(fields) : [read.fieldOf(word)];
    for (const name of names) {
      const field = fields[name] as Field;
      const like = read.isLike(name);
      const terms = values.map((text) => {
        if (text === '') throw wrong(word, 'A search needs a text.');
        return { term: { field, match: { text, like, caseSensitive } } };
      });
      conditions.push({ any: terms });
    }
  }
  if (conditions.length === 0) return undefined;
  return joined === 'and' ? { all: conditions } : { any: conditions };
}

/** The parameters of a search by name, whichever way they are written. */
function wordsOf(query: object): Words {
  const words: Words = new Map();
  for (const [key, value] of Object.entries(query)) {
    const wrapped = /^search_params\[(.+)\]$/.exec(key)?.[1];
    const word = wrapped ?? key;
    if (!searchWords.test(word)) {
      if (wrapped !== undefined || key.startsWith('search_params')) throw wrong('search_params', 'It is not known.');
      continue;
    }
    words.set(word, [...(words.get(word) ?? []), ...([value].flat() as string[])]);
  }
  return words;
}

function readersOf(words: Words, fields: Readonly<Record<string, string>>) {
  const fieldOf = (word: string): string => {
    const name = word.slice(word.indexOf('.') + 1);
    if (!Object.hasOwn(fields, name)) throw wrong(word, `The fields are ${Object.keys(fields).join(', ')}.`);
    return name;
  };
  const one = (word: string, choices: readonly string[], missing: string): string => {
    const [value = missing, ...more] = words.get(word) ?? [];
    if (more.length === 0 && choices.includes(value)) return value;
    const hint = /^(posix|similar_to)$/.test(value) ? ' Regular expressions are not possible.' : '';
    throw wrong(word, `It is one of ${choices.join(', ')}.${hint}`);
  };
  const modes = ['like', 'exact'];
  const modeOfAll = one('mode', modes, 'like');
  for (const word of words.keys()) if (word.startsWith('mode.')) one(`mode.${fieldOf(word)}`, modes, modeOfAll);
  return {
    fieldOf,
    isLike: (name: string) => one(`mode.${name}`, modes, modeOfAll) === 'like',
    joint: () => one('joint', ['or', 'and'], 'or'),
    caseSensitive: () => one('isCaseSensitive', ['true', 'false'], 'false') === 'true',
  };
}

const wrong = (path: string, message: string): DomainError =>
  new DomainError('input.invalid', message, { path, data: { part: 'querystring' } });
