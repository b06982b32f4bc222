import { type DomainError, malformed } from '../../kernel/errors.ts';
import { echoName } from './text.ts';

/** Deepest nesting of objects and arrays; a scalar at the top has depth 0. */
const maxDepth = 32;

/** The largest double has 309 digits; a shorter number without an exponent can not overflow. */
const safeNumberLength = 308;

/** An open object or array. Levels are used again, so that a body of many small objects allocates few sets. */
interface Level {
  /** The name being read in an object, the index in an array. */
  key: string | number;
  /** Names seen so far in an object. */
  readonly names: Set<string>;
}

/** What is wrong with text that is not JSON; it quotes nothing of the text, which may hold a secret. */
export const notJson = (): DomainError => malformed('The body is not valid JSON.');

/**
 * Checks what `JSON.parse` lets pass: repeated names, depth, names that could reach a prototype, NUL and lone
 * surrogates, overflowing numbers. It runs before `JSON.parse`, which is slow on deep nesting, and so must stand any
 * text; whether the text is JSON is left to `JSON.parse`. One pass, no recursion. Throws `input.malformed`.
 */
export function checkJson(text: string): void {
  new JsonCheck(text).run();
}

class JsonCheck {
  readonly #text: string;
  readonly #levels: Level[] = [];
  #at = 0;
  #depth = 0;
  #level: Level | undefined;
  /** The next string is a name, not a value. */
  #nameIsNext = false;

  constructor(text: string) {
    this.#text = text;
  }

  run(): void {
    for (; this.#at < this.#text.length; this.#at += 1) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit === 0x22) this.#string();
      else if (unit === 0x7b) this.#open('');
      else if (unit === 0x5b) this.#open(0);
      else if (unit === 0x7d || unit === 0x5d) this.#close();
      else if (unit === 0x2c) this.#comma();
      else if (unit === 0x2d || (unit >= 0x30 && unit <= 0x39)) this.#number();
    }
  }

  #open(key: string | number): void {
    if (this.#depth === maxDepth) throw this.#refused(`is nested deeper than ${maxDepth} levels`);
    let level = this.#levels[this.#depth];
    if (level === undefined) {
      level = { key, names: new Set() };
      this.#levels.push(level);
    } else {
      level.key = key;
      if (level.names.size > 0) level.names.clear();
    }
    this.#level = level;
    this.#depth += 1;
    this.#nameIsNext = typeof key === 'string';
  }

  #close(): void {
    if (this.#depth === 0) throw notJson();
    this.#depth -= 1;
    this.#level = this.#levels[this.#depth - 1];
    this.#nameIsNext = false;
  }

  #comma(): void {
    if (typeof this.#level?.key === 'number') this.#level.key += 1;
    else this.#nameIsNext = true;
  }

  /** Reads a string up to its closing quote. */
  #string(): void {
    const start = this.#at;
    let escaped = false;
    let escapedUnit = false;
    let end = start + 1;
    for (; end < this.#text.length; end += 1) {
      const unit = this.#text.charCodeAt(end);
      if (unit === 0x22) break;
      if (unit === 0x5c) {
        escaped = true;
        end += 1;
        if (this.#text.charCodeAt(end) === 0x75) escapedUnit = true;
      }
    }
    this.#at = end;
    // Only a \u escape can make a NUL or a lone surrogate: a raw NUL is no JSON, and the bytes were UTF-8.
    if (!this.#nameIsNext && !escapedUnit) return;
    const raw = this.#text.slice(start + 1, end);
    const value = escaped ? unescaped(raw) : raw;
    if (this.#nameIsNext) this.#name(value);
    if (!escapedUnit) return;
    if (value.includes('\0')) throw this.#refused('holds a NUL character');
    if (!value.isWellFormed()) throw this.#refused('holds half a character (a lone surrogate)');
  }

  #name(name: string): void {
    const level = this.#level;
    if (level === undefined) return;
    this.#nameIsNext = false;
    level.key = name;
    if (level.names.has(name)) throw this.#refused('is repeated');
    level.names.add(name);
    // Code that copies such a field into an object would change the prototype of that object, or of every object.
    const holder = this.#levels[this.#depth - 2];
    if (name === '__proto__' || (name === 'prototype' && holder?.key === 'constructor')) {
      throw this.#refused('has a name that is not allowed');
    }
  }

  #number(): void {
    const start = this.#at;
    let exponent = false;
    let end = start + 1;
    for (; end < this.#text.length; end += 1) {
      const unit = this.#text.charCodeAt(end);
      if (unit === 0x65 || unit === 0x45) exponent = true;
      else if (unit !== 0x2b && unit !== 0x2d && unit !== 0x2e && !(unit >= 0x30 && unit <= 0x39)) break;
    }
    this.#at = end - 1;
    if (!exponent && end - start <= safeNumberLength) return;
    const value = Number(this.#text.slice(start, end));
    if (Number.isNaN(value)) throw notJson();
    if (!Number.isFinite(value)) throw this.#refused('is a number too large');
  }

  /** The error for what is being read, with its dotted path. */
  #refused(what: string): DomainError {
    const path = this.#levels
      .slice(0, this.#depth)
      .map(({ key }) => echoName(String(key)))
      .join('.');
    return path === '' ? malformed(`The body ${what}.`) : malformed(`The field "${path}" ${what}.`, path);
  }
}

function unescaped(raw: string): string {
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    throw notJson();
  }
}
