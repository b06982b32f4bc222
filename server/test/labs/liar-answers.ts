/** Answers that no honest provider gives: without end, without mercy, or somewhere else. */
import type { ServerResponse } from 'node:http';

/** An answer of one's own instead of the honest one. */
export type BadAnswer =
  /** JSON that begins well and has 50 MB. */
  | 'huge'
  /** Bytes as fast as they are taken, without end. */
  | 'endless'
  /** A byte now and then. */
  | 'drips'
  /** A connection, and not a word. */
  | 'silent'
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string };

export const redirectTo = (location: string): BadAnswer => ({ status: 302, headers: { location } });

export const json = (value: unknown, status = 200): BadAnswer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});

const hugeBytes = 50 * 2 ** 20;
const piece = Buffer.alloc(2 ** 16, ' ');

/** Gives it; `count` hears of every byte that was handed over. */
export function giveBadAnswer(answer: BadAnswer, response: ServerResponse, count: (bytes: number) => void): void {
  if (answer === 'silent') return;
  if (typeof answer === 'object') {
    response.writeHead(answer.status, answer.headers).end(answer.body);
    return;
  }
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write('{"issuer":"');
  if (answer === 'drips') {
    const timer = setInterval(() => response.write('x'), 100);
    return void response.on('close', () => clearInterval(timer));
  }
  pour(response, answer === 'huge' ? hugeBytes : Number.POSITIVE_INFINITY, count);
}

function pour(response: ServerResponse, bytes: number, count: (bytes: number) => void): void {
  let left = bytes;
  const more = () => {
    while (left > 0 && !response.destroyed) {
      left -= piece.length;
      count(piece.length);
      if (!response.write(piece)) return;
    }
    if (left <= 0) response.end('"}');
  };
  response.on('drain', more);
  more();
}
