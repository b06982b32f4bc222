import type { Journal } from '../domain/logs/journal.ts';
import type { Clock } from '../kernel/clock.ts';
import { RateLimiter } from '../kernel/rate-limiter.ts';
import { type SignInLimitSettings, SignInLimits } from './sign-in/limits.ts';

export interface LimitSettings extends SignInLimitSettings {
  /** A minute; 0 = no limit. */
  failuresPerClient: number;
  failuresPerAddress: number;
  requestsPerClient: number;
}

/** A limit that is used up. */
export interface Exceeded {
  /** Hits a minute. */
  readonly limit: number;
  readonly retryAfterSeconds: number;
}

const windowMs = 60_000;

/**
 * Limits of this process, in memory: failed authentications by client and address, and by address, and requests by
 * client. A right secret from another address is not touched by failures from this one. What is refused beyond a limit
 * is logged as one counted row a client, address and minute, so that a flood does not fill the log.
 */
export class RequestLimits {
  readonly requests: RateLimiter;
  /** Of people at the sign-in page. */
  readonly signIn: SignInLimits;
  readonly #failuresOfClient: RateLimiter;
  readonly #failuresOfAddress: RateLimiter;
  readonly #refusals: RateLimiter;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #timer: NodeJS.Timeout;
  #counted = new Map<string, { tenantId: string; clientId: string | undefined; ip: string; occurrences: number }>();

  constructor(settings: LimitSettings, clock: Clock, journal: Journal) {
    const limiter = (limit: number) => new RateLimiter({ clock, limit, windowMs });
    this.requests = limiter(settings.requestsPerClient);
    this.signIn = new SignInLimits(settings, clock);
    this.#failuresOfClient = limiter(settings.failuresPerClient);
    this.#failuresOfAddress = limiter(settings.failuresPerAddress);
    this.#refusals = limiter(settings.failuresPerAddress);
    this.#clock = clock;
    this.#journal = journal;
    this.#timer = setInterval(() => void this.flush().catch(() => {}), windowMs);
    this.#timer.unref();
  }

  /** The limit that stops this client at this address, when it has failed too often; otherwise undefined. */
  blocked(tenantId: string, clientId: string | undefined, ip: string): Exceeded | undefined {
    const ofClient = this.#exceeded(this.#failuresOfClient, `${tenantId} ${clientId} ${ip}`);
    const ofAddress = this.#exceeded(this.#failuresOfAddress, ip);
    if (ofClient === undefined || ofAddress === undefined) return ofClient ?? ofAddress;
    return ofClient.retryAfterSeconds > ofAddress.retryAfterSeconds ? ofClient : ofAddress;
  }

  /** Counts a request of a client that has proved who it is; the limit when it is one too many, otherwise undefined. */
  countRequest(tenantId: string, clientId: string): Exceeded | undefined {
    const key = `${tenantId} ${clientId}`;
    return this.requests.hit(key).allowed ? undefined : this.#exceeded(this.requests, key);
  }

  #exceeded(limiter: RateLimiter, key: string): Exceeded | undefined {
    const { allowed, resetAtMs } = limiter.peek(key);
    if (allowed) return undefined;
    const retryAfterSeconds = Math.max(1, Math.ceil((resetAtMs - this.#clock.now()) / 1000));
    return { limit: limiter.limit, retryAfterSeconds };
  }

  countFailure(tenantId: string, clientId: string | undefined, ip: string): void {
    this.#failuresOfClient.hit(`${tenantId} ${clientId} ${ip}`);
    this.#failuresOfAddress.hit(ip);
  }

  /**
   * Whether a management request that was refused still has a log row of its own; beyond the limit it is counted. It
   * stops nobody: a client whose token ran out must be able to get the next one.
   */
  refusalHasRow(tenantId: string, clientId: string | undefined, ip: string): boolean {
    if (this.#refusals.hit(`${tenantId} ${clientId} ${ip}`).allowed) return true;
    this.countRefused(tenantId, clientId, ip);
    return false;
  }

  /** Notes a request refused for being one too many. */
  countRefused(tenantId: string, clientId: string | undefined, ip: string): void {
    const key = `${tenantId} ${clientId} ${ip}`;
    const entry = this.#counted.get(key);
    if (entry !== undefined) entry.occurrences += 1;
    else if (this.#counted.size < 10_000) this.#counted.set(key, { tenantId, clientId, ip, occurrences: 1 });
  }

  /** Writes the counted rows. */
  async flush(): Promise<void> {
    const counted = [...this.#counted.values()];
    this.#counted = new Map();
    await Promise.all(
      counted.map((entry) =>
        this.#journal.appendIfTenant({
          ...entry,
          kind: 'rate.limited',
          reason: 'rate_limited',
          description: 'too many requests',
        }),
      ),
    );
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush().catch(() => {});
  }
}
