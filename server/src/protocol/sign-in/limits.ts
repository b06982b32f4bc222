/**
 * How often somebody may be wrong at the sign-in page, counted in memory by each process over a sliding quarter of an
 * hour: for an account from one address, for an account from all addresses, and for an address at all accounts.
 *
 * Failing on purpose can't lock the owner of an account out: a browser that signed in to it before (`known-device.ts`)
 * has a count of its own and is not stopped by what others do; from elsewhere the wait ends by itself.
 */
import type { Clock } from '../../kernel/clock.ts';
import { RateLimiter } from '../../kernel/rate-limiter.ts';
import { Refusal } from '../refusal.ts';

export interface SignInLimitSettings {
  /** In a quarter of an hour; 0 = no limit. */
  signInFailuresPerAccountAndAddress: number;
  signInFailuresPerAccount: number;
  signInFailuresPerAddress: number;
  signUpsPerAddress: number;
}

/** Milliseconds. */
export const signInWindowMs = 900_000;

/** Wrong user codes of devices in a quarter of an hour (RFC 8628 §5.1). */
export const userCodesPerBrowser = 10;
export const userCodesPerAddress = 50;

/**
 * Requests that an address may begin in a quarter of an hour, none of which anybody has to prove something for: each is
 * kept until it is over, up to an hour. Far more than the people behind one address begin.
 */
export const begunPerAddress = 10_000;

/** Who tries, and at what. */
export interface Tried {
  readonly tenantId: string;
  /** The canonical form of what was typed, whether or not there is such an account. */
  readonly account: string;
  readonly address: string;
  /** The browser's own number, if it signed in to this account before. */
  readonly deviceId: string | undefined;
}

/** What is counted. */
export type CountedBy =
  | 'account_and_address'
  | 'account'
  | 'address'
  | 'device'
  | 'sign_up'
  | 'begun'
  | 'user_code_of_browser'
  | 'user_code_of_address';

interface Count {
  readonly by: CountedBy;
  readonly limiter: RateLimiter;
  readonly key: string;
}

/** A try under way. It counts as a failure until it is known not to be one, so that many at once gain nothing. */
export interface Attempt {
  /** Counts it as a failure; tells which limits are used up by that. */
  failed(): CountedBy[];
  /** It is over; without `failed` before, nothing is counted. */
  end(): void;
}

export class SignInLimits {
  readonly #accountAndAddress: RateLimiter;
  readonly #account: RateLimiter;
  readonly #address: RateLimiter;
  readonly #signUps: RateLimiter;
  readonly #begun: RateLimiter;
  readonly #userCodesOfBrowser: RateLimiter;
  readonly #userCodesOfAddress: RateLimiter;
  readonly #clock: Clock;
  /** Tries under way, by what they are counted by. */
  readonly #underWay = new Map<string, number>();

  constructor(settings: SignInLimitSettings, clock: Clock) {
    const limiter = (limit: number) => new RateLimiter({ clock, limit, windowMs: signInWindowMs });
    this.#accountAndAddress = limiter(settings.signInFailuresPerAccountAndAddress);
    this.#account = limiter(settings.signInFailuresPerAccount);
    this.#address = limiter(settings.signInFailuresPerAddress);
    this.#signUps = limiter(settings.signUpsPerAddress);
    this.#begun = limiter(begunPerAddress);
    this.#userCodesOfBrowser = limiter(userCodesPerBrowser);
    this.#userCodesOfAddress = limiter(userCodesPerAddress);
    this.#clock = clock;
  }

  /** Begins a try. Throws `rate_limited` when a limit is used up. */
  begin(tried: Tried): Attempt {
    return this.#begin(this.#countsOf(tried));
  }

  /** Begins a try at a user code; `holder` tells browsers or sessions apart. Throws `rate_limited`. */
  beginUserCode({ tenantId, address, holder }: { tenantId: string; address: string; holder: string }): Attempt {
    const network = networkOf(address);
    return this.#begin([
      { by: 'user_code_of_browser', limiter: this.#userCodesOfBrowser, key: `${tenantId} ${holder}` },
      { by: 'user_code_of_address', limiter: this.#userCodesOfAddress, key: `${tenantId} ${network}` },
    ]);
  }

  #begin(counts: readonly Count[]): Attempt {
    for (const count of counts) this.#assertLeft(count);
    for (const { by, key } of counts) this.#move(by, key, 1);
    let isOver = false;
    return {
      failed: () =>
        counts.flatMap(({ by, limiter, key }) => (limiter.hit(key).remaining === 0 && limiter.limit > 0 ? [by] : [])),
      end: () => {
        if (isOver) return;
        isOver = true;
        for (const { by, key } of counts) this.#move(by, key, -1);
      },
    };
  }

  /** Counts a sign-up, whatever comes of it: each tells whether an address is taken. Throws `rate_limited`. */
  countSignUp(tenantId: string, address: string): void {
    const key = `${tenantId} ${networkOf(address)}`;
    this.#assertLeft({ by: 'sign_up', limiter: this.#signUps, key });
    this.#signUps.hit(key);
  }

  /** Counts a request that is kept for whoever sent it. Throws `rate_limited`. */
  countBegun(tenantId: string, address: string): void {
    const key = `${tenantId} ${networkOf(address)}`;
    this.#assertLeft({ by: 'begun', limiter: this.#begun, key });
    this.#begun.hit(key);
  }

  /** Counts a failure of an address at no account. */
  countFailure(tenantId: string, address: string): void {
    this.#address.hit(`${tenantId} ${networkOf(address)}`);
  }

  #countsOf({ tenantId, account, address, deviceId }: Tried): Count[] {
    const network = networkOf(address);
    const ofAddress: Count = { by: 'address', limiter: this.#address, key: `${tenantId} ${network}` };
    if (deviceId !== undefined) {
      return [{ by: 'device', limiter: this.#accountAndAddress, key: `${tenantId} device ${deviceId}` }];
    }
    return [
      { by: 'account_and_address', limiter: this.#accountAndAddress, key: `${tenantId} ${network} ${account}` },
      { by: 'account', limiter: this.#account, key: `${tenantId} ${account}` },
      ofAddress,
    ];
  }

  #assertLeft({ by, limiter, key }: Count): void {
    const { remaining, resetAtMs, allowed } = limiter.peek(key);
    if (remaining > (this.#underWay.get(`${by} ${key}`) ?? 0)) return;
    // With tries under way the next may begin as soon as they turn out well.
    const waitMs = allowed ? 1000 : resetAtMs - this.#clock.now();
    throw new Refusal('rate_limited', {
      limit: limiter.limit,
      retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
      detail: `too many tries, by ${by.replaceAll('_', ' ')}`,
    });
  }

  #move(by: CountedBy, key: string, step: 1 | -1): void {
    const name = `${by} ${key}`;
    const count = (this.#underWay.get(name) ?? 0) + step;
    if (count === 0) this.#underWay.delete(name);
    else this.#underWay.set(name, count);
  }
}

/** Whoever has one address of IPv6 has its /64; an IPv4 address stands for itself. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.toLowerCase().split('%')[0]?.split('::') ?? [];
  const before = head.split(':').filter((group) => group !== '');
  const after = (tail ?? '').split(':').filter((group) => group !== '');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array.from({ length: zeros }, () => '0'), ...after];
  return `${groups.slice(0, 4).join(':')}::/64`;
}
