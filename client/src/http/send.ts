/** One HTTP request: bounded in time and size, never redirected, with typed errors that say nothing of its body. */
import { NetworkError, ResponseError, TimeoutError } from '../errors.ts';
import { asObject } from '../jose/base64url.ts';

/** `fetch`, or whatever stands in for it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Longest answer that is read unless told otherwise, in bytes. */
const maximumBytes = 512 * 1024;

export interface Answer {
  readonly status: number;
  /** The JSON object of the body; undefined when it is none. */
  readonly body: Record<string, unknown> | undefined;
  /** The body whatever JSON it is; undefined when it is none. */
  readonly json: unknown;
  readonly headers: Headers;
  /** Seconds, from Retry-After (RFC 9110 §10.2.3). */
  readonly retryAfterSeconds: number | undefined;
}

export interface SendOptions {
  readonly fetch: Fetch;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Longest answer that is read. Default 512 KiB. */
  readonly maximumBytes?: number;
}

/** Throws `NetworkError`, `TimeoutError`, `ResponseError`, or the reason of the caller's signal. */
export async function send(url: string, init: RequestInit, options: SendOptions): Promise<Answer> {
  const { signal, timeoutMs } = options;
  signal?.throwIfAborted();
  const controller = new AbortController();
  const abort = () => controller.abort();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    abort();
  }, timeoutMs);
  signal?.addEventListener('abort', abort);
  try {
    // A redirect could carry a secret, or the trust in a key set, to somebody else.
    const request: RequestInit = { ...init, redirect: 'error', signal: controller.signal };
    const response = await options.fetch(url, request);
    return await read(response, options.maximumBytes ?? maximumBytes);
  } catch (error) {
    signal?.throwIfAborted();
    if (isLate) throw new TimeoutError(`No answer from ${originOf(url)} within ${timeoutMs} ms.`);
    if (error instanceof ResponseError) throw error;
    // The cause stays out: a fetch of somebody's own may quote the request in it.
    throw new NetworkError(`${originOf(url)} can not be reached${reasonOf(error)}.`);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

async function read(response: Response, maximumBytes: number): Promise<Answer> {
  const json = parsed(await readText(response, maximumBytes));
  return {
    status: response.status,
    body: asObject(json),
    json,
    headers: response.headers,
    retryAfterSeconds: readRetryAfter(response.headers.get('retry-after')),
  };
}

async function readText(response: Response, maximumBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  let [text, length] = ['', 0];
  for (;;) {
    const chunk = await reader?.read();
    if (chunk === undefined || chunk.done) return text + decoder.decode();
    length += chunk.value.length;
    if (length > maximumBytes) {
      await reader?.cancel();
      throw new ResponseError(`The answer is longer than ${maximumBytes} bytes.`, response.status);
    }
    text += decoder.decode(chunk.value, { stream: true });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Seconds or a date. */
function readRetryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - Date.now()) / 1000));
}

const originOf = (url: string): string => new URL(url).origin;

/** The system's word for it, such as ECONNREFUSED, where there is one. */
function reasonOf(error: unknown): string {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: { code?: unknown } | null };
  const found = [cause?.code, code].find((word) => typeof word === 'string' && /^[A-Z][A-Z0-9_]{2,40}$/.test(word));
  return found === undefined ? '' : ` (${found})`;
}
