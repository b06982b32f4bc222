/** Ids in one statement; each engine bounds the parameters of a statement. */
const chunkSize = 500;

/** The list in parts. */
export function* chunksOf<Item>(items: readonly Item[], size: number = chunkSize): Generator<Item[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

/** Runs a statement for each chunk of a list; returns what each gave. */
export async function inChunks<Item, Result>(
  items: readonly Item[],
  run: (chunk: Item[]) => Promise<Result>,
  size: number = chunkSize,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const chunk of chunksOf(items, size)) results.push(await run(chunk));
  return results;
}
