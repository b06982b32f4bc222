/** Ids in one statement; each engine bounds the parameters of a statement. */
const chunkSize = 500;

/** Runs a statement for each chunk of a list; returns what each gave. */
export async function inChunks<Item, Result>(
  items: readonly Item[],
  run: (chunk: Item[]) => Promise<Result>,
  size: number = chunkSize,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += size) results.push(await run(items.slice(start, start + size)));
  return results;
}
