/** Just enough of HTTP/1.1 to find where one answer ends (RFC 9112 §6); cheap, since it shares the CPU with the server. */
export interface Answer {
  status: number;
  /** Offset of the body; a chunked one still has its chunk sizes in it. */
  bodyStart: number;
  /** Offset behind the answer. */
  end: number;
  chunked: boolean;
}

const contentLength = /\r\ncontent-length: *(\d+)/i;
const chunkedCoding = /\r\ntransfer-encoding: *chunked/i;

/** The answer at the start of the first `length` bytes; undefined while it is incomplete. Throws when it is not HTTP. */
export function readAnswer(bytes: Buffer, length: number): Answer | undefined {
  const blankLine = bytes.indexOf('\r\n\r\n', 0, 'latin1');
  if (blankLine < 0 || blankLine + 4 > length) return undefined;
  const head = bytes.toString('latin1', 0, blankLine);
  if (!head.startsWith('HTTP/1.1 ')) throw new Error(`Not an HTTP/1.1 answer: ${head.slice(0, 60)}`);
  const status = Number(head.slice(9, 12));
  const bodyStart = blankLine + 4;
  const size = contentLength.exec(head)?.[1];
  if (size !== undefined) {
    const end = bodyStart + Number(size);
    return end <= length ? { status, bodyStart, end, chunked: false } : undefined;
  }
  if (!chunkedCoding.test(head)) throw new Error(`An answer without content-length and not chunked: ${head}`);
  const end = endOfChunks(bytes, bodyStart, length);
  return end === undefined ? undefined : { status, bodyStart, end, chunked: true };
}

/** The text of a body, chunk sizes taken out. */
export function bodyText(bytes: Buffer, answer: Answer): string {
  if (!answer.chunked) return bytes.toString('utf8', answer.bodyStart, answer.end);
  const parts: Buffer[] = [];
  endOfChunks(bytes, answer.bodyStart, answer.end, (start, end) => parts.push(bytes.subarray(start, end)));
  return Buffer.concat(parts).toString('utf8');
}

function endOfChunks(
  bytes: Buffer,
  from: number,
  length: number,
  onChunk?: (start: number, end: number) => void,
): number | undefined {
  let offset = from;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', offset, 'latin1');
    if (lineEnd < 0 || lineEnd + 2 > length) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', offset, lineEnd), 16);
    const end = lineEnd + 2 + size + 2;
    if (end > length) return undefined;
    if (size === 0) return end;
    onChunk?.(lineEnd + 2, end - 2);
    offset = end;
  }
}
