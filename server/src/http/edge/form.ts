import { type DomainError, malformed } from '../../kernel/errors.ts';
import { decodeUtf8, echoName } from './text.ts';

/** More than any request of the protocols needs; it bounds the work one request can ask for. */
const maxParameters = 250;

/**
 * Reads an `application/x-www-form-urlencoded` body, or a query string without its `?`, of the protocol endpoints.
 *
 * A body is given as its bytes. A string stands for part of a URL, so it holds ASCII only (RFC 3986 §2). A parameter
 * without `=` has an empty value; empty pieces between two `&` are skipped, as the URL Standard has it.
 *
 * Throws `input.malformed`, with the parameter's name as `path` where there is one: bytes or percent-encoding that are
 * not valid UTF-8, broken percent-encoding, a NUL character, more than 250 parameters, and a repeated name other than
 * `resource` (RFC 6749 §3.1 and §3.2: parameters must not be included more than once).
 */
export function parseForm(body: Buffer | string): Form {
  const parameters = new Form();
  eachParameter(body, (name, value) => {
    if (name === 'resource') parameters.resources.push(value);
    else if (parameters.has(name)) throw refused(name, 'is repeated');
    parameters.set(name, value);
  });
  return parameters;
}

/** The parameters of a form. `resource` alone may be repeated, and only where a request says so (RFC 8707 §2). */
export class Form extends Map<string, string> {
  readonly resources: string[] = [];

  /** Throws `input.malformed` where one resource is the most there may be. */
  assertOneResource(): void {
    if (this.resources.length > 1) throw refused('resource', 'is repeated');
  }
}

/**
 * Reads the query string of a management API, without its `?`: as `parseForm`, but a repeated name gives an array in
 * the order of the request. The object has no prototype, so a name like `__proto__` is a name like any other.
 */
export function parseQuery(text: string): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = Object.create(null);
  eachParameter(text, (name, value) => {
    const before = query[name];
    if (before === undefined) query[name] = value;
    else if (typeof before === 'string') query[name] = [before, value];
    else before.push(value);
  });
  return query;
}

/** Cuts the text up and hands out each decoded parameter. */
function eachParameter(body: Buffer | string, add: (name: string, value: string) => void): void {
  const text = typeof body === 'string' ? asciiOnly(body) : decodeUtf8(body);
  // Asked once of the whole text, so that the usual request (no escapes) pays for two slices a parameter and no more.
  const encoded = text.includes('%') || text.includes('+');
  const mayHoldNul = text.includes('\0') || (encoded && text.includes('%00'));

  let count = 0;
  for (let start = 0; start < text.length; ) {
    const next = text.indexOf('&', start);
    const end = next === -1 ? text.length : next;
    if (end > start) {
      count += 1;
      if (count > maxParameters) throw malformed(`The request has more than ${maxParameters} parameters.`);
      const equals = text.indexOf('=', start);
      const nameEnd = equals === -1 || equals > end ? end : equals;
      let name = text.slice(start, nameEnd);
      let value = text.slice(nameEnd + 1, end);
      if (encoded) {
        name = decode(name, undefined);
        value = decode(value, name);
      }
      if (mayHoldNul && (name.includes('\0') || value.includes('\0'))) throw refused(name, 'holds a NUL character');
      add(name, value);
    }
    start = end + 1;
  }
}

/** Undoes `+` and percent-encoding; `name` is the parameter a value belongs to, undefined while reading the name. */
function decode(text: string, name: string | undefined): string {
  const spaced = text.includes('+') ? text.replace(/\+/g, ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    // ECMA-262 has it refuse broken escapes and every byte sequence that is not UTF-8, overlong forms included.
    return decodeURIComponent(spaced);
  } catch {
    if (name === undefined) throw malformed('The name of a parameter is not valid percent-encoded UTF-8.');
    throw refused(name, 'is not valid percent-encoded UTF-8');
  }
}

/** Whoever made the string may have read the bytes as Latin-1 or as UTF-8; only ASCII is the same in both. */
function asciiOnly(text: string): string {
  if (/\P{ASCII}/u.test(text)) throw malformed('The query has a character that must be percent-encoded.');
  return text;
}

function refused(name: string, what: string): DomainError {
  const echoed = echoName(name);
  return malformed(`The parameter "${echoed}" ${what}.`, echoed);
}
