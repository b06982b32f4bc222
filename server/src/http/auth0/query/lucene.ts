/**
 * The part of Lucene's query language that Auth0's searches take: `field:value`, `"phrases"`, a `*` at the end,
 * `[a TO b]`, `>`, AND, OR, NOT or `-`, parentheses. What is outside it is refused by name, never guessed.
 */
import type { Search } from '../../../domain/search.ts';
import { invalidQuery } from '../errors.ts';

/** One end of a range; `inclusive` as its bracket or sign says. */
export interface Bound {
  readonly text: string;
  readonly inclusive: boolean;
}

export type Value =
  | { readonly text: string }
  | { readonly prefix: string }
  | { readonly present: true }
  | { readonly from: Bound | undefined; readonly to: Bound | undefined };

/** `field:value`, before it is known what the field is. */
export interface Clause {
  readonly field: string;
  readonly value: Value;
}

const mostClauses = 50;
const deepest = 20;

/**
 * Parses the query parameter `parameter`; AND binds tighter than OR, and a NOT or `-` may follow without AND. Throws
 * `input.invalid` naming the parameter.
 */
export function parseLucene(text: string, parameter: string): Search<Clause> {
  return new Parser(text, parameter).parse();
}

class Parser {
  readonly #text: string;
  readonly #parameter: string;
  #at = 0;
  #clauses = 0;
  #depth = 0;

  constructor(text: string, parameter: string) {
    this.#text = text;
    this.#parameter = parameter;
  }

  parse(): Search<Clause> {
    const search = this.#or(undefined);
    if (this.#rest() !== '') throw this.#refused('expected AND, OR or the end');
    return search;
  }

  #or(field: string | undefined): Search<Clause> {
    const parts = [this.#and(field)];
    while (this.#word(/^(OR\b|\|\|)/)) parts.push(this.#and(field));
    return parts.length === 1 ? (parts[0] as Search<Clause>) : { any: parts };
  }

  #and(field: string | undefined): Search<Clause> {
    const parts = [this.#not(field)];
    while (this.#word(/^(AND\b|&&)/) || /^(NOT\s|-|!)/.test(this.#rest())) parts.push(this.#not(field));
    return parts.length === 1 ? (parts[0] as Search<Clause>) : { all: parts };
  }

  #not(field: string | undefined): Search<Clause> {
    if (this.#word(/^(NOT\s|-|!)/)) return { not: this.#primary(field) };
    this.#word(/^\+/);
    return this.#primary(field);
  }

  #primary(field: string | undefined): Search<Clause> {
    if (this.#word(/^\(/)) return this.#group(field);
    if (field !== undefined) return this.#clause(field);
    const name = this.#bare(/[\s:()"[\]{}]/);
    if (name.text === '' || name.wild || !this.#word(/^:/, false)) throw this.#refused('expected field:value');
    if (this.#word(/^\(/)) return this.#group(name.text);
    return this.#clause(name.text);
  }

  #group(field: string | undefined): Search<Clause> {
    this.#depth += 1;
    if (this.#depth > deepest) throw this.#refused(`is nested deeper than ${deepest} levels`);
    const inner = this.#or(field);
    if (!this.#word(/^\)/)) throw this.#refused('expected )');
    this.#depth -= 1;
    return inner;
  }

  #clause(field: string): Search<Clause> {
    this.#clauses += 1;
    if (this.#clauses > mostClauses) throw this.#refused(`has more than ${mostClauses} conditions`);
    return { term: { field, value: this.#value() } };
  }

  #value(): Value {
    const quote = this.#quoted();
    if (quote !== undefined) return { text: quote };
    const sign = /^(>=|<=|>|<)/.exec(this.#rest())?.[0];
    if (sign !== undefined) {
      this.#at += sign.length;
      const bound = { text: this.#quoted() ?? this.#plain(), inclusive: sign.endsWith('=') };
      return sign.startsWith('>') ? { from: bound, to: undefined } : { from: undefined, to: bound };
    }
    if (/^[[{]/.test(this.#rest())) return this.#range();
    const { text, wild } = this.#bare(/[\s()"[\]{}]/);
    if (wild) return text === '' ? { present: true } : { prefix: text };
    if (text === '' || /^(AND|OR|NOT)$/.test(text)) throw this.#refused('expected a value');
    return { text };
  }

  #range(): Value {
    const open = this.#text[this.#at++];
    const from = this.#bound();
    if (!this.#word(/^TO\s/)) throw this.#refused('expected TO');
    const to = this.#bound();
    const close = /^[\]}]/.exec(this.#rest())?.[0];
    if (close === undefined) throw this.#refused('expected ]');
    this.#at += 1;
    return {
      from: from === '*' ? undefined : { text: from, inclusive: open === '[' },
      to: to === '*' ? undefined : { text: to, inclusive: close === ']' },
    };
  }

  #bound(): string {
    this.#skipSpace();
    if (this.#word(/^\*/)) return '*';
    return this.#quoted() ?? this.#plain();
  }

  #plain(): string {
    const { text, wild } = this.#bare(/[\s()"[\]{}]/);
    if (text === '' || wild) throw this.#refused('expected a value');
    return text;
  }

  /** Text up to one of the characters that end it; a backslash takes the next character as it is. */
  #bare(end: RegExp): { text: string; wild: boolean } {
    let text = '';
    for (let wild = false; ; this.#at += 1) {
      const character = this.#text[this.#at];
      if (character === undefined || end.test(character)) return { text, wild };
      if (wild) throw this.#refused('a * may only stand at the end of a value');
      if (character === '?' || character === '~' || character === '^' || character === '/') {
        throw this.#refused(`has an operator that is not supported (write \\${character} for the character)`);
      }
      if (character === '*') wild = true;
      else if (character === '\\') text += this.#escaped();
      else text += character;
    }
  }

  #quoted(): string | undefined {
    if (this.#text[this.#at] !== '"') return undefined;
    let text = '';
    for (this.#at += 1; ; this.#at += 1) {
      const character = this.#text[this.#at];
      if (character === undefined) throw this.#refused('a quotation has no end');
      if (character === '"') break;
      text += character === '\\' ? this.#escaped() : character;
    }
    this.#at += 1;
    if (text === '') throw this.#refused('expected a value');
    return text;
  }

  #escaped(): string {
    this.#at += 1;
    const character = this.#text[this.#at];
    if (character === undefined) throw this.#refused('a backslash stands at the end');
    return character;
  }

  /** Takes what the pattern matches here, if it does; blanks before it do not count. */
  #word(pattern: RegExp, blanks = true): boolean {
    if (blanks) this.#skipSpace();
    const match = pattern.exec(this.#text.slice(this.#at));
    if (match === null) return false;
    this.#at += match[0].length;
    if (blanks) this.#skipSpace();
    return true;
  }

  #rest(): string {
    return this.#text.slice(this.#at);
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }

  #refused(what: string) {
    return invalidQuery(this.#parameter, `The search is not understood at character ${this.#at + 1}: ${what}`);
  }
}
