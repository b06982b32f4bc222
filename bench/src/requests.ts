/** Where the requests of a load come from: one form, or a form with a number in it that is drawn anew each time. */
export interface RequestSource {
  path: string;
  port: number;
  /** The form body. `{n}` in it stands for a number of eight digits, when `count` is given. */
  form: string;
  /** Numbers are drawn evenly from 1 to `count`. */
  count?: number;
}

/** Digits of a number in a form. */
export const numberDigits = 8;

const placeholder = '{n}';

/**
 * Prepares the bytes of a request once for one connection. The returned function gives them for the next request,
 * with new digits written in place: a connection sends its next request only after the answer to its last one, so the
 * bytes are never changed while they are being sent.
 */
export function prepareRequests(source: RequestSource): () => Buffer {
  const form = source.form.replaceAll(placeholder, '0'.repeat(numberDigits));
  const head =
    `POST ${source.path} HTTP/1.1\r\nhost: localhost:${source.port}\r\n` +
    `content-type: application/x-www-form-urlencoded\r\naccept: application/json\r\n` +
    `content-length: ${Buffer.byteLength(form)}\r\n\r\n`;
  const bytes = Buffer.from(head + form, 'latin1');
  const { count } = source;
  if (count === undefined) return () => bytes;
  const offsets = placeholderOffsets(source.form).map((offset) => head.length + offset);
  return () => {
    const drawn = 1 + Math.floor(Math.random() * count);
    for (const offset of offsets) writeDigits(bytes, offset, drawn);
    return bytes;
  };
}

/** Where the digits stand once every placeholder has become digits. */
function placeholderOffsets(form: string): number[] {
  const offsets: number[] = [];
  let at = form.indexOf(placeholder);
  while (at >= 0) {
    offsets.push(at + offsets.length * (numberDigits - placeholder.length));
    at = form.indexOf(placeholder, at + 1);
  }
  return offsets;
}

function writeDigits(bytes: Buffer, offset: number, value: number): void {
  let rest = value;
  for (let i = offset + numberDigits - 1; i >= offset; i--) {
    bytes[i] = 48 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}
