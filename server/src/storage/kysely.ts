import { createRequire } from 'node:module';
import type * as Module from 'kysely';

let loaded: typeof Module | undefined;

/**
 * Kysely, loaded at the first query that is built with it. Its 300 files are a quarter of a start, and the statements of
 * the hot path do without.
 */
export function kysely(): typeof Module {
  loaded ??= createRequire(import.meta.url)('kysely') as typeof Module;
  return loaded;
}

/** Makes a value at its first use. */
export function lazily<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
