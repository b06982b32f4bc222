import type { Installation } from '../server.ts';
import { fetchToken, tokenForm, tokenPath } from '../target.ts';

/** An answer of the native API, and how long it took from the call to the end of its body, in milliseconds. */
export interface TimedAnswer {
  // biome-ignore lint/suspicious/noExplicitAny: bodies of many routes
  body: any;
  headers: Headers;
  ms: number;
}

/** The native API of a running server, called by its administrator. */
export class NativeApi {
  readonly #base: string;
  readonly #token: string;

  private constructor(base: string, token: string) {
    this.#base = base;
    this.#token = token;
  }

  static async open({ port, administrator }: Installation): Promise<NativeApi> {
    const base = `http://localhost:${port}/api`;
    return new NativeApi(base, await fetchToken({ port, path: tokenPath, form: tokenForm(administrator, base) }));
  }

  /** `path` begins with a slash, or is a whole address from a `Link` header. Throws unless the answer is a 2xx. */
  async call(method: string, path: string, body?: unknown): Promise<TimedAnswer> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.#token}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const startedAt = performance.now();
    const answer = await fetch(path.startsWith('/') ? this.#base + path : path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const ms = performance.now() - startedAt;
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 300)}`);
    return { body: text === '' ? undefined : JSON.parse(text), headers: answer.headers, ms };
  }
}

/** The address of the next page; undefined on the last one. */
export const nextPage = (headers: Headers): string | undefined =>
  /<([^>]+)>; rel="next"/.exec(headers.get('link') ?? '')?.[1];
