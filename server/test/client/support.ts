/** A fetch that counts, for the client library. */
export interface Counted {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Requests so far to this path. */
  count(path: string): number;
}

export function countedFetch(): Counted {
  const paths: string[] = [];
  return {
    count: (path) => paths.filter((called) => called === path).length,
    fetch: (url, init) => {
      paths.push(new URL(url).pathname);
      return fetch(url, init);
    },
  };
}
