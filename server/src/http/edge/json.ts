import { malformed } from '../../kernel/errors.ts';
import { checkJson, notJson } from './json-check.ts';
import { decodeUtf8 } from './text.ts';

/**
 * Reads a JSON body (RFC 8259) by one strict rule for every surface. Scalars and arrays at the top are read too; the
 * schema of the route refuses them.
 *
 * Throws `input.malformed`, with the dotted path where one field is at fault: bytes that are not UTF-8, a byte order
 * mark (RFC 8259 §8.1), text that is not JSON, a repeated name (§4), nesting deeper than 32, a name that could reach a
 * prototype, a NUL character or a lone surrogate in a string (no database stores them alike), and a number too large
 * for a double (§6).
 */
export function parseJson(body: Buffer): unknown {
  const text = decodeUtf8(body);
  if (text.charCodeAt(0) === 0xfeff) throw malformed('The body begins with a byte order mark.');
  checkJson(text);
  try {
    return JSON.parse(text);
  } catch {
    // The engine's own message quotes the body, which may hold a secret: it goes nowhere, not even into the log.
    throw notJson();
  }
}
