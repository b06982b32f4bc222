import type { Clock } from '../kernel/clock.ts';

export interface TlsCacheInput<T> {
  /** How many keys are remembered; the least recently used is forgotten. */
  limit: number;
  /** Milliseconds after which a value is made anew. */
  lifetime: number;
  clock: Clock;
  make(key: string): Promise<T>;
}

/** Remembers what is costly to make: once a key however many ask at the same time. A failure is not remembered. */
export function tlsCache<T>({ limit, lifetime, clock, make }: TlsCacheInput<T>): (key: string) => Promise<T> {
  const entries = new Map<string, { renewAt: number; value: Promise<T> }>();

  return function remembered(key) {
    const now = clock.now();
    let entry = entries.get(key);
    if (entry === undefined || now >= entry.renewAt) {
      const made = { renewAt: now + lifetime, value: make(key) };
      made.value.catch(() => entries.get(key) === made && entries.delete(key));
      entry = made;
    }
    // Set anew even when it was there, for a map keeps the order of setting.
    entries.delete(key);
    entries.set(key, entry);
    if (entries.size > limit) entries.delete(entries.keys().next().value!);
    return entry.value;
  };
}
