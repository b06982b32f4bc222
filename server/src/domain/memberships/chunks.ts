/** Ids in one statement; each engine bounds the parameters of a statement. */
const chunkSize = 500;

export function* chunksOf<T>(items: readonly T[]): Generator<T[]> {
  for (let start = 0; start < items.length; start += chunkSize) yield items.slice(start, start + chunkSize);
}
