/** Search filters: from their text (RFC 4515) to what is sent (RFC 4511 §4.5.1). */
import { element } from '../../kernel/der.ts';
import { UpstreamError } from '../identity.ts';
import { octets, truth } from './ber.ts';

const filterTags = {
  and: 0xa0,
  or: 0xa1,
  not: 0xa2,
  equality: 0xa3,
  substrings: 0xa4,
  greaterOrEqual: 0xa5,
  lessOrEqual: 0xa6,
  present: 0x87,
  approximate: 0xa8,
  extensible: 0xa9,
} as const;

/** Any entry. */
export const anyEntry = octets('objectClass', filterTags.present);

/** A value as it stands in a filter: what would end it, or mean more than itself, by its bytes (RFC 4515 §3). */
export const escapedAssertion = (value: string): string =>
  value.replace(/[\0()*\\]/g, (character) => `\\${character.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** The filter of a policy for somebody. Throws `misconfigured` when it is no filter. */
export const filterFor = (template: string, user: string): Buffer =>
  readFilter(template.replaceAll('{user}', () => escapedAssertion(user)));

/** Longest filter, in characters; it also bounds how deep they nest. */
const maximumLength = 4096;

/** Throws `misconfigured` when the text is no filter. */
export function readFilter(text: string): Buffer {
  const found = text.length > maximumLength ? undefined : filterAt(text, 0);
  if (found?.end !== text.length) throw new UpstreamError('misconfigured', 'the search filter is none');
  return found.filter;
}

interface Found {
  readonly filter: Buffer;
  readonly end: number;
}

function filterAt(text: string, start: number): Found | undefined {
  if (text[start] !== '(') return undefined;
  const found = listAt(text, start + 1) ?? itemAt(text, start + 1);
  return found === undefined || text[found.end] !== ')' ? undefined : { ...found, end: found.end + 1 };
}

const lists: Readonly<Record<string, number>> = { '&': filterTags.and, '|': filterTags.or, '!': filterTags.not };

/** `&` and `|` with any number of filters (none is always true, or false: RFC 4526), `!` with one. */
function listAt(text: string, start: number): Found | undefined {
  const tag = lists[text[start] ?? ''];
  if (tag === undefined) return undefined;
  const filters: Buffer[] = [];
  let end = start + 1;
  for (let next = filterAt(text, end); next !== undefined; next = filterAt(text, end)) {
    filters.push(next.filter);
    end = next.end;
  }
  if (tag === filterTags.not && filters.length !== 1) return undefined;
  return { filter: element(tag, ...filters), end };
}

const name = '[A-Za-z][A-Za-z0-9-]*|\\d+(?:\\.\\d+)*';
const itemPattern = new RegExp(
  `(?<attribute>(?:${name})(?:;[A-Za-z0-9-]+)*)?(?<dn>:dn)?(?::(?<rule>${name}))?(?<operator>:=|~=|>=|<=|=)(?<value>[^()\\0]*)`,
  'iy',
);

function itemAt(text: string, start: number): Found | undefined {
  itemPattern.lastIndex = start;
  const match = itemPattern.exec(text);
  const item = match?.groups as unknown as Item | undefined;
  const filter = item && (item.operator === ':=' ? extensible(item) : comparison(item));
  return filter && { filter, end: itemPattern.lastIndex };
}

interface Item {
  readonly attribute?: string;
  readonly dn?: string;
  readonly rule?: string;
  readonly operator: ':=' | '~=' | '>=' | '<=' | '=';
  readonly value: string;
}

const comparisons = {
  '=': filterTags.equality,
  '~=': filterTags.approximate,
  '>=': filterTags.greaterOrEqual,
  '<=': filterTags.lessOrEqual,
};

function comparison({ attribute, dn, rule, operator, value }: Item): Buffer | undefined {
  if (attribute === undefined || dn !== undefined || rule !== undefined || operator === ':=') return undefined;
  if (operator === '=' && value === '*') return octets(attribute, filterTags.present);
  const pieces = value.split('*').map(bytesOf);
  if (!pieces.every((piece) => piece !== undefined)) return undefined;
  if (pieces.length === 1) return element(comparisons[operator], octets(attribute), octets(pieces[0] as Buffer));
  return operator === '=' ? substrings(attribute, pieces) : undefined;
}

function substrings(attribute: string, pieces: readonly Buffer[]): Buffer | undefined {
  const [initial, any, final] = [0x80, 0x81, 0x82];
  const written = pieces.flatMap((piece, index) => {
    const tag = index === 0 ? initial : index === pieces.length - 1 ? final : any;
    return piece.length === 0 ? [] : [octets(piece, tag)];
  });
  if (written.length === 0) return undefined;
  return element(filterTags.substrings, octets(attribute), element(0x30, ...written));
}

function extensible({ attribute, dn, rule, value }: Item): Buffer | undefined {
  const piece = value.includes('*') ? undefined : bytesOf(value);
  if (piece === undefined || (attribute === undefined && rule === undefined)) return undefined;
  return element(
    filterTags.extensible,
    ...(rule === undefined ? [] : [octets(rule, 0x81)]),
    ...(attribute === undefined ? [] : [octets(attribute, 0x82)]),
    octets(piece, 0x83),
    ...(dn === undefined ? [] : [truth(true, 0x84)]),
  );
}

/** The bytes that a value stands for; undefined when a backslash stands before anything but two hexadecimal digits. */
function bytesOf(text: string): Buffer | undefined {
  if (/\\(?![0-9a-f]{2})/i.test(text)) return undefined;
  const pieces = text.split(/\\([0-9a-f]{2})/i);
  return Buffer.concat(pieces.map((piece, index) => Buffer.from(piece, index % 2 === 0 ? 'utf8' : 'hex')));
}
