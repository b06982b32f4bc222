/** How much of this process one directory, and all of them, may hold at a time: a hung one must not pile up sockets. */
import { UpstreamError } from '../identity.ts';

const mostOfOne = 16;
const mostOfAll = 64;

const taken = new Map<string, number>();
let takenOfAll = 0;

/** Runs `work` while it holds a place at `directory`. Throws `unavailable` at once when there is none. */
export async function inPlaceOf<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const ofThis = taken.get(directory) ?? 0;
  if (ofThis >= mostOfOne || takenOfAll >= mostOfAll) {
    throw new UpstreamError('unavailable', 'too many wait for directories already');
  }
  taken.set(directory, ofThis + 1);
  takenOfAll += 1;
  try {
    return await work();
  } finally {
    takenOfAll -= 1;
    const left = (taken.get(directory) ?? 1) - 1;
    if (left > 0) taken.set(directory, left);
    else taken.delete(directory);
  }
}
