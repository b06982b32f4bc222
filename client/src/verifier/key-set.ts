/**
 * The published keys of one issuer (RFC 7517 §5), kept for a while:
 *
 *   known and young → use it
 *   known and old   → read anew; when that fails, go on with the old ones, up to a day
 *   unknown kid     → read anew, unless that was tried a moment ago
 */
import { ResponseError, SekishoError, UnavailableError } from '../errors.ts';
import { type Fetch, send } from '../http/send.ts';
import { type AsymmetricAlgorithm, algorithmNamed, type CryptoKey, fits, type Jwk } from '../jose/algorithms.ts';
import { asObject } from '../jose/base64url.ts';

/** A key that its issuer withdraws is refused after this time at the latest, while the issuer can be reached. */
export const keysMaximumAgeMs = 600_000;
/** After this time without an answer from the issuer no key counts any more. */
export const keysStaleMs = 86_400_000;
/** Between two readings, whatever tokens come in. */
export const keysCoolDownMs = 30_000;
/** The same, as long as there is no key at all. */
const firstCoolDownMs = 1_000;
/** RFC 7518 §3.3. */
const minimumRsaBytes = 2048 / 8;
const maximumKeys = 100;

export interface KeySetOptions {
  /** Where the keys are; discovery, as a rule. */
  readonly url: () => Promise<string>;
  readonly fetch: Fetch;
  readonly timeoutMs: number;
  readonly now: () => number;
}

export class KeySet {
  readonly #options: KeySetOptions;
  #keys: readonly Jwk[] = [];
  #imported = new WeakMap<Jwk, Map<AsymmetricAlgorithm, Promise<CryptoKey>>>();
  #readAt: number | undefined;
  #triedAt = Number.NEGATIVE_INFINITY;
  /** What was wrong with the last try. */
  #problem: SekishoError | undefined;
  #reading: Promise<void> | undefined;

  constructor(options: KeySetOptions) {
    this.#options = options;
  }

  /**
   * The one key that is published under this `kid` (without one: at all) for this algorithm; undefined when there is
   * none, or more than one. Throws an `UnavailableError` when that can't be found out.
   */
  async find(kid: string | undefined, alg: AsymmetricAlgorithm): Promise<CryptoKey | undefined> {
    if (this.#age() >= keysMaximumAgeMs) await this.#readUnlessCooling();
    let jwk = this.#pick(kid, alg);
    if (jwk === undefined) {
      await this.#readUnlessCooling();
      jwk = this.#pick(kid, alg);
    }
    if (this.#age() >= keysStaleMs || (jwk === undefined && this.#problem !== undefined)) {
      throw new UnavailableError('keys_unavailable', `The issuer's keys can not be read: ${this.#problem?.message}`);
    }
    return jwk === undefined ? undefined : this.#toCryptoKey(jwk, alg);
  }

  #age(): number {
    // A clock that was set back must not keep keys young.
    return this.#readAt === undefined ? Number.POSITIVE_INFINITY : Math.abs(this.#options.now() - this.#readAt);
  }

  #pick(kid: string | undefined, alg: AsymmetricAlgorithm): Jwk | undefined {
    const found = this.#keys.filter((jwk) => (kid === undefined || jwk.kid === kid) && fits(jwk, alg));
    return found.length === 1 ? found[0] : undefined;
  }

  async #readUnlessCooling(): Promise<void> {
    const coolDownMs = this.#readAt === undefined ? firstCoolDownMs : keysCoolDownMs;
    if (this.#reading === undefined) {
      const now = this.#options.now();
      if (Math.abs(now - this.#triedAt) < coolDownMs) return;
      this.#triedAt = now;
      this.#reading = this.#read().finally(() => {
        this.#reading = undefined;
      });
    }
    await this.#reading;
  }

  /** What goes wrong is remembered, not thrown: the keys at hand may serve. */
  async #read(): Promise<void> {
    try {
      const url = await this.#options.url();
      const { status, body } = await send(url, { headers: { accept: 'application/json' } }, this.#options);
      if (status !== 200 || !Array.isArray(body?.keys)) throw new ResponseError('There is no key set.', status);
      this.#keys = body.keys.slice(0, maximumKeys).filter(isJwk);
      this.#imported = new WeakMap();
      this.#readAt = this.#options.now();
      this.#problem = undefined;
    } catch (error) {
      if (!(error instanceof SekishoError)) throw error;
      this.#problem = error;
    }
  }

  async #toCryptoKey(jwk: Jwk, alg: AsymmetricAlgorithm): Promise<CryptoKey | undefined> {
    const known = this.#imported.get(jwk) ?? new Map<AsymmetricAlgorithm, Promise<CryptoKey>>();
    this.#imported.set(jwk, known);
    const key = known.get(alg) ?? importPublicKey(jwk, alg);
    known.set(alg, key);
    return key.catch(() => undefined);
  }
}

function isJwk(value: unknown): value is Jwk {
  const jwk = asObject(value);
  if (jwk === undefined || typeof jwk.kty !== 'string') return false;
  if (jwk.alg !== undefined && typeof jwk.alg !== 'string') return false;
  return jwk.kty !== 'RSA' || (typeof jwk.n === 'string' && (jwk.n.length * 3) / 4 >= minimumRsaBytes);
}

/** Only the public members are taken, so that what else stands there can't matter. */
function importPublicKey(jwk: Jwk, alg: AsymmetricAlgorithm): Promise<CryptoKey> {
  const { kty, n, e, crv, x, y } = jwk as Record<string, string>;
  const material = { RSA: { kty, n, e }, EC: { kty, crv, x, y }, OKP: { kty, crv, x } }[kty as 'RSA'] as {
    kty: string;
  };
  const parameters = algorithmNamed(alg)?.key as { name: string; hash: string };
  return crypto.subtle.importKey('jwk', material, parameters, false, ['verify']);
}
