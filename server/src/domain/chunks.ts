/** Ids in one statement; each engine bounds the parameters of a statement. */
const chunkSize = 500;

/** A list in parts, to walk over. */
export function* chunksOf<Item>(items: readonly Item[], size: number = chunkSize): Generator<Item[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

/** The rows of a query that is run for each part of a list, all together. */
export async function inChunks<Item, Row>(
  items: readonly Item[],
  query: (chunk: Item[]) => Promise<readonly Row[]>,
  size: number = chunkSize,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const chunk of chunksOf(items, size)) rows.push(...(await query(chunk)));
  return rows;
}
