/** What the tests of faults share: requests that may find nobody, answers that must tell nothing of the inside. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '../harness.ts';

/** An answer and how long it took, in milliseconds. */
export interface Timed {
  answer: Answer;
  tookMs: number;
}

export async function timed(request: Promise<Answer>): Promise<Timed> {
  const startedAt = performance.now();
  const answer = await request;
  return { answer, tookMs: performance.now() - startedAt };
}

/** What a body must never tell: our code, our SQL, our machine. */
const inside =
  /\bat .+:\d+|node_modules|\.ts\b|\bselect\b|\binsert\b|\bupdate \w+ set\b|sqlite|postgres|ECONN|EFBIG|127\.0\.0\.1|\/tmp|\bpg\b|errno|locked|disk/i;

/** 503 with Retry-After, for nobody to keep, with nothing of the inside in its body. */
export function assertUnavailable({ status, headers, text }: Answer, what: string): void {
  assert.equal(status, 503, `${what}: ${status} ${text}`);
  assert.match(headers.get('retry-after') ?? '', /^[1-9]\d*$/, what);
  assert.equal(headers.get('cache-control'), 'no-store', what);
  assert.doesNotMatch(text, inside, what);
}

/** Asks again and again until the answer has the status; throws after `patienceMs`. Gives the time it took. */
export async function until(status: number, ask: () => Promise<Answer>, patienceMs = 20_000): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    const answer = await ask();
    const tookMs = performance.now() - startedAt;
    if (answer.status === status) return tookMs;
    if (tookMs > patienceMs) assert.fail(`after ${tookMs.toFixed(0)} ms still ${answer.status}: ${answer.text}`);
    await sleep(50);
  }
}
