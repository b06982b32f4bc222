/** Where access tokens are kept until they are due; any key-value store will do. */

/**
 * Values are texts that hold a bearer token: keep them where nobody reads who may not use them. Keys are digests and hold
 * no secret. The methods may be synchronous.
 */
export interface TokenCache {
  get(key: string): Promise<string | null | undefined> | string | null | undefined;
  set(key: string, value: string, ttlSeconds: number): Promise<unknown> | unknown;
  delete(key: string): Promise<unknown> | unknown;
}

/** The default: in this process, bounded; the oldest entry goes first. */
export class MemoryTokenCache implements TokenCache {
  readonly #entries = new Map<string, { value: string; endsAt: number }>();
  readonly #maximum: number;
  readonly #now: () => number;

  constructor(options: { maximumEntries?: number; now?: () => number } = {}) {
    this.#maximum = options.maximumEntries ?? 1000;
    this.#now = options.now ?? Date.now;
  }

  get(key: string): string | undefined {
    const entry = this.#entries.get(key);
    if (entry !== undefined && entry.endsAt > this.#now()) return entry.value;
    this.#entries.delete(key);
    return undefined;
  }

  set(key: string, value: string, ttlSeconds: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, endsAt: this.#now() + ttlSeconds * 1000 });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#maximum && oldest !== undefined) this.#entries.delete(oldest);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}
