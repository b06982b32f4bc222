/** The BER (X.690) that LDAP speaks (RFC 4511 §5.1: definite lengths only), on the elements of kernel/der.ts. */
import { type Element, element, elements } from '../../kernel/der.ts';
import { UpstreamError } from '../identity.ts';

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  octets: 0x04,
  enumerated: 0x0a,
  sequence: 0x30,
  set: 0x31,
} as const;

// --- writing ----------------------------------------------------------------------------------------------------------

export const sequence = (...parts: readonly Buffer[]): Buffer => element(tags.sequence, ...parts);

export const octets = (value: string | Buffer, tag: number = tags.octets): Buffer => element(tag, Buffer.from(value));

export const truth = (value: boolean, tag: number = tags.boolean): Buffer => element(tag, Buffer.of(value ? 0xff : 0));

/** A number from 0 to 2³¹ − 1. */
export function integer(value: number, tag: number = tags.integer): Buffer {
  const digits = value.toString(16);
  const bytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
  // The first bit is the sign.
  return element(tag, ...((bytes[0] as number) < 0x80 ? [] : [Buffer.of(0)]), bytes);
}

// --- reading ----------------------------------------------------------------------------------------------------------

export const malformed = (why: string): UpstreamError =>
  new UpstreamError('answer_invalid', `the directory's answer is malformed: ${why}`);

/** The elements that follow one another. Throws `answer_invalid`. */
export function read(bytes: Buffer): Element[] {
  try {
    return elements(bytes);
  } catch {
    throw malformed('a length runs past the end');
  }
}

/** The element itself, when it is there and of this tag. Throws `answer_invalid`. */
export function expect(found: Element | undefined, tag: number): Buffer {
  if (found?.tag !== tag) throw malformed(`0x${tag.toString(16)} is missing`);
  return found.content;
}

export function readInteger(found: Element | undefined, tag: number = tags.integer): number {
  const bytes = expect(found, tag);
  if (bytes.length === 0 || bytes.length > 4) throw malformed('a number that is none');
  return bytes.readIntBE(0, bytes.length);
}

export function readText(found: Element | undefined, tag: number = tags.octets): string {
  const text = utf8Of(expect(found, tag));
  if (text === undefined) throw malformed('a text that is no UTF-8');
  return text;
}

/** Undefined when the bytes are no UTF-8. */
export function utf8Of(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** How long the message at the beginning of what was received is, with its header; undefined while that can't be said. */
export function messageLength(received: Buffer): number | undefined {
  const [tag, first] = received;
  if (tag === undefined || first === undefined) return undefined;
  if (tag !== tags.sequence) throw malformed('not a message');
  if (first < 0x80) return 2 + first;
  const extra = first & 0x7f;
  if (extra === 0 || extra > 4) throw malformed('an impossible length');
  return received.length < 2 + extra ? undefined : 2 + extra + received.readUIntBE(2, extra);
}
