/**
 * Distinguished names (X.501) in one canonical text, so that two are compared as text: RFC 4514 with the last part first,
 * no optional spaces, attributes of one part sorted, known types by their short name and others by number. Values keep
 * their case: a client is never found under a name that only resembles its own.
 */
import { elements } from './der.ts';

/** RFC 4514 §3, and further ones that certificates of organizations carry. */
const typeNames: readonly [name: string, identifier: string][] = [
  ['CN', '2.5.4.3'],
  ['SN', '2.5.4.4'],
  ['serialNumber', '2.5.4.5'],
  ['C', '2.5.4.6'],
  ['L', '2.5.4.7'],
  ['ST', '2.5.4.8'],
  ['STREET', '2.5.4.9'],
  ['O', '2.5.4.10'],
  ['OU', '2.5.4.11'],
  ['title', '2.5.4.12'],
  ['GN', '2.5.4.42'],
  ['organizationIdentifier', '2.5.4.97'],
  ['UID', '0.9.2342.19200300.100.1.1'],
  ['DC', '0.9.2342.19200300.100.1.25'],
  ['emailAddress', '1.2.840.113549.1.9.1'],
];
const nameOfType = new Map(typeNames.map(([name, identifier]) => [identifier, name]));
const typeOfName = new Map(typeNames.map(([name, identifier]) => [name.toLowerCase(), identifier]));

/** `type` is an object identifier; `value` a text, or `#` and the value's DER in hexadecimal. */
interface Attribute {
  type: string;
  value: { text: string } | { der: Buffer };
}

/** The canonical text of a name in DER (the content of its SEQUENCE). Throws an `Error` for what is no name. */
export const nameOfDer = (der: Buffer): string =>
  written(
    elements(der)
      .map(({ content }) => partOf(content))
      .reverse(),
  );

/** The canonical text of a name as people write it (RFC 4514); undefined when it is none, or an empty one. */
export function canonicalName(text: string): string | undefined {
  const parts = read(text);
  return parts === undefined ? undefined : written(parts);
}

const written = (parts: readonly Attribute[][]): string =>
  parts.map((attributes) => attributes.map(attributeText).sort().join('+')).join(',');

function attributeText({ type, value }: Attribute): string {
  const text = 'text' in value ? escapedValue(value.text) : `#${value.der.toString('hex')}`;
  return `${nameOfType.get(type) ?? type}=${text}`;
}

/** A value as it stands in a name (RFC 4514 §2.4). */
export const escapedValue = (text: string): string =>
  [...text]
    .map((character, index, { length }) => {
      const isEdge = (index === 0 && /[ #]/.test(character)) || (index === length - 1 && character === ' ');
      if (isEdge || /[\\"+,;<>]/.test(character)) return `\\${character}`;
      const code = character.charCodeAt(0);
      return code < 0x20 || code === 0x7f ? `\\${code.toString(16).padStart(2, '0')}` : character;
    })
    .join('');

// --- DER --------------------------------------------------------------------------------------------------------------

function partOf(set: Buffer): Attribute[] {
  return elements(set).map(({ content }) => {
    const [type, value] = elements(content);
    if (type?.tag !== 0x06 || type.content.length > 0x7f || value === undefined) {
      throw new Error('The name has an attribute that can not be read.');
    }
    return { type: dotted(type.content), value: readValueOf(content.subarray(2 + type.content.length)) };
  });
}

/** An object identifier from DER (X.690 §8.19). */
function dotted(content: Buffer): string {
  const numbers: bigint[] = [];
  let number = 0n;
  for (const byte of content) {
    number = (number << 7n) | BigInt(byte & 0x7f);
    if (byte & 0x80) continue;
    numbers.push(number);
    number = 0n;
  }
  const [first = 0n, ...rest] = numbers;
  const root = first < 40n ? 0n : first < 80n ? 1n : 2n;
  return [root, first - root * 40n, ...rest].join('.');
}

const utf8 = (bytes: Buffer): string => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
const ascii = (bytes: Buffer): string | undefined =>
  bytes.every((byte) => byte < 0x80) ? bytes.toString('latin1') : undefined;

/** How the kinds of text are read (X.680 §41): UTF8String, NumericString, PrintableString, IA5String, BMPString. */
const readers: Readonly<Record<number, (content: Buffer) => string | undefined>> = {
  12: utf8,
  18: ascii,
  19: ascii,
  22: ascii,
  30: (content) => new TextDecoder('utf-16be', { fatal: true, ignoreBOM: true }).decode(content),
};

/** A value whose kind of text is not known stays as it is encoded. */
function readValueOf(der: Buffer): Attribute['value'] {
  try {
    const [value, ...others] = elements(der);
    const text = value === undefined || others.length > 0 ? undefined : readers[value.tag]?.(value.content);
    return text === undefined ? { der } : { text };
  } catch {
    return { der };
  }
}

// --- text -------------------------------------------------------------------------------------------------------------

const typePattern = /\s*([A-Za-z][A-Za-z0-9-]*|(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))+)\s*=\s*/y;
const hexPattern = /#((?:[0-9A-Fa-f]{2})+)\s*/y;
/** A pair of digits, an escaped character, a plain one; RFC 4514 §3. */
const characterPattern = /\\([0-9A-Fa-f]{2})|\\([ "#+,;<=>\\])|([^\\"+,;<>\0])/uy;

/** The parts of a name as it is written, first to last; undefined when it is none. */
function read(text: string): Attribute[][] | undefined {
  const parts: Attribute[][] = [[]];
  for (let at = 0; ; ) {
    const type = matchAt(typePattern, text, at);
    const identifier =
      type?.[1] === undefined ? undefined : (typeOfName.get(type[1].toLowerCase()) ?? numeric(type[1]));
    if (type === undefined || identifier === undefined) return undefined;
    const value = readValue(text, at + type[0].length);
    if (value === undefined) return undefined;
    (parts.at(-1) as Attribute[]).push({ type: identifier, value: value.value });
    at = value.end;
    if (at === text.length) return parts;
    if (text[at] === ',') parts.push([]);
    at += 1;
  }
}

const numeric = (type: string): string | undefined => (/^\d/.test(type) ? type : undefined);

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}

/** The value that begins at `at`; it ends at a comma, a plus or the end. */
function readValue(text: string, at: number): Found | undefined {
  const found = text[at] === '#' ? readHex(text, at) : readText(text, at);
  return found === undefined || (found.end < text.length && !/[,+]/.test(text[found.end] as string))
    ? undefined
    : found;
}

interface Found {
  value: Attribute['value'];
  end: number;
}

function readHex(text: string, at: number): Found | undefined {
  const hex = matchAt(hexPattern, text, at);
  return hex && { value: readValueOf(Buffer.from(hex[1] as string, 'hex')), end: at + hex[0].length };
}

function readText(text: string, at: number): Found | undefined {
  const bytes: number[] = [];
  let [end, kept] = [at, 0];
  for (
    let found = matchAt(characterPattern, text, end);
    found !== undefined;
    found = matchAt(characterPattern, text, end)
  ) {
    const [whole, digits, special, plain] = found;
    if (digits !== undefined) bytes.push(Number.parseInt(digits, 16));
    else bytes.push(...Buffer.from((special ?? plain) as string));
    end += whole.length;
    // Spaces at the end count only when they are escaped.
    if (plain !== ' ') kept = bytes.length;
  }
  try {
    const value = utf8(Buffer.from(bytes.slice(0, kept)));
    return value === '' || value.includes('\0') ? undefined : { value: { text: value }, end };
  } catch {
    return undefined;
  }
}
