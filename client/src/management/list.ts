/** A list of the management API: all of it by `for await`, or a page at a time. Nothing is read before it is asked for. */
export interface List<T> extends AsyncIterable<T> {
  /** The first page, the one at a cursor, or (native API) the one with a number, which also counts them all. */
  page(place?: Place): Promise<Page<T>>;
  /** Everything at once. */
  all(): Promise<T[]>;
}

export interface Place {
  /** `next` of another page. */
  readonly cursor?: string;
  /** From 1. */
  readonly page?: number;
}

export interface Page<T> {
  readonly items: T[];
  /** Where the next page begins; undefined: there is none, or the page was asked for by number. */
  readonly next: string | undefined;
  /** Of all pages, when the page was asked for by number. */
  readonly total: number | undefined;
}

/** A list that reads its pages so. */
export function listOf<T>(readPage: (place: Place) => Promise<Page<T>>): List<T> {
  const each = async function* (): AsyncGenerator<T, void, undefined> {
    let cursor: string | undefined;
    do {
      const { items, next } = await readPage(cursor === undefined ? {} : { cursor });
      yield* items;
      // A server that repeats itself would keep this going for ever.
      if (next === cursor) return;
      cursor = next;
    } while (cursor !== undefined);
  };
  return {
    page: async (place = {}) => readPage(place),
    all: async () => {
      const items: T[] = [];
      for await (const item of each()) items.push(item);
      return items;
    },
    [Symbol.asyncIterator]: each,
  };
}
