/**
 * How much of this process one directory, and all of them, may hold at a time: a hung one must not pile up sockets. Who
 * comes when all places are taken waits for one, as long as its own deadline lets it: many sign in at once in the
 * morning, and a directory that works has them served in a moment.
 */
import { UpstreamError } from '../identity.ts';

const mostOfOne = 16;
const mostOfAll = 64;
/** Of one directory. */
const mostWaiting = 256;

interface Queue {
  running: number;
  /** In the order they came. */
  readonly waiting: Set<() => void>;
}

const queues = new Map<string, Queue>();
let runningOfAll = 0;

/** Runs `work` while it holds a place at `directory`. Throws `unavailable` when it gets none before `signal` ends. */
export async function inPlaceOf<T>(directory: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const queue = queues.get(directory) ?? { running: 0, waiting: new Set() };
  queues.set(directory, queue);
  if (hasPlace(queue)) take(queue);
  else await turn(queue, signal);
  try {
    return await work();
  } finally {
    leave(queue);
    if (queue.running === 0 && queue.waiting.size === 0) queues.delete(directory);
  }
}

const hasPlace = ({ running }: Queue): boolean => running < mostOfOne && runningOfAll < mostOfAll;

/** Waits for a place; who is called has it already, so that nobody slips in between. */
function turn(queue: Queue, signal: AbortSignal): Promise<void> {
  const none = (why: string) => new UpstreamError('unavailable', why);
  if (queue.waiting.size >= mostWaiting) return Promise.reject(none('too many wait for the directory already'));
  return new Promise((resolve, reject) => {
    const give = (): void => {
      queue.waiting.delete(give);
      signal.removeEventListener('abort', late);
      resolve();
    };
    const late = (): void => {
      queue.waiting.delete(give);
      reject(none('the directory has kept others waiting for too long'));
    };
    queue.waiting.add(give);
    signal.addEventListener('abort', late, { once: true });
  });
}

function take(queue: Queue): void {
  queue.running += 1;
  runningOfAll += 1;
}

/** Hands the place over: to who waits for the same directory, or for another one that may have more. */
function leave(queue: Queue): void {
  queue.running -= 1;
  runningOfAll -= 1;
  const next = [queue, ...queues.values()].find((each) => each.waiting.size > 0 && hasPlace(each));
  const [give] = next?.waiting ?? [];
  if (next === undefined || give === undefined) return;
  take(next);
  give();
}
