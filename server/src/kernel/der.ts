/** The little DER (X.690) that the x509 library has no words for, and that later starts read without loading it. */

/** One element: tag, definite length (X.690 8.1.3), content. */
export function element(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  if (body.length < 0x80) return Buffer.concat([Buffer.of(tag, body.length), body]);
  const digits = body.length.toString(16);
  const length = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
  return Buffer.concat([Buffer.of(tag, 0x80 | length.length), length, body]);
}

export interface Element {
  tag: number;
  content: Buffer;
}

/** The elements that follow one another in `der`; throws a `RangeError` when a length runs past the end. */
export function elements(der: Buffer): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < der.length; ) {
    const tag = der.readUInt8(at);
    const first = der.readUInt8(at + 1);
    const extra = first < 0x80 ? 0 : first & 0x7f;
    const start = at + 2 + extra;
    const length = extra === 0 ? first : der.readUIntBE(at + 2, extra);
    if (start + length > der.length) throw new RangeError('The DER element is longer than its data.');
    found.push({ tag, content: der.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}

/** Base64 in lines of 64 characters between the BEGIN and END lines of `label` (RFC 7468). */
export function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
