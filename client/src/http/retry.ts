/** Tries again what may safely be tried again, a bounded number of times in a bounded time. */
import { ManagementError, NetworkError, OAuthError, ResponseError } from '../errors.ts';

export interface RetryPolicy {
  /** Attempts after the first one. */
  readonly retries: number;
  /** For all attempts and the waiting between them. */
  readonly totalTimeoutMs: number;
}

const retriedStatuses: readonly number[] = [429, 502, 503, 504];
const firstPauseMs = 200;

/** No answer at all, or an answer that asks for patience. */
export const isTemporary = (error: unknown): boolean =>
  error instanceof NetworkError ||
  ((error instanceof OAuthError || error instanceof ResponseError || error instanceof ManagementError) &&
    retriedStatuses.includes(error.status));

/**
 * Only for what has no effect when done twice. `attempt` gets the milliseconds that are left. A Retry-After is waited for
 * when it fits into that time; when not, the error is thrown at once.
 */
export async function withRetries<T>(
  attempt: (leftMs: number) => Promise<T>,
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
): Promise<T> {
  const deadline = Date.now() + policy.totalTimeoutMs;
  for (let tried = 0; ; tried += 1) {
    try {
      return await attempt(Math.max(1, deadline - Date.now()));
    } catch (error) {
      if (tried >= policy.retries || !isTemporary(error)) throw error;
      const pauseMs = pauseAfter(error, tried);
      if (Date.now() + pauseMs >= deadline) throw error;
      await pause(pauseMs, signal);
    }
  }
}

function pauseAfter(error: unknown, tried: number): number {
  const { retryAfterSeconds } = error as { retryAfterSeconds?: number };
  // Chance spreads the clients that one outage brought into step.
  return retryAfterSeconds === undefined
    ? firstPauseMs * 2 ** tried * (0.5 + Math.random())
    : retryAfterSeconds * 1000 + Math.random() * firstPauseMs;
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      if (signal?.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener('abort', end);
    if (signal?.aborted) end();
  });
}
