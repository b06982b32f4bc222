/**
 * Access tokens by client credentials (RFC 6749 §4.4).
 *
 *   accessToken → fresh in the cache? → else one request for all who ask at once → cache → token
 *   clientCredentials → one request, no cache
 */
import { ConfigurationError, OAuthError } from '../errors.ts';
import { Discovery } from '../http/discovery.ts';
import { isTemporary, type RetryPolicy, withRetries } from '../http/retry.ts';
import { type Fetch, send } from '../http/send.ts';
import { checkUrl } from '../http/urls.ts';
import { asObject, bytesOf, encode } from '../jose/base64url.ts';
import { ClientAuthentication, type ClientCredentials } from './client-authentication.ts';
import { type DpopOptions, DpopProver, type DpopRequest } from './dpop.ts';
import { MemoryTokenCache, type TokenCache } from './token-cache.ts';
import { parametersOf, readTokenResponse, type TokenRequest, type TokenResponse } from './token-endpoint.ts';

export interface OAuthClientOptions extends ClientCredentials {
  /** The server's issuer, to the last slash: endpoints are found by discovery, and it is the audience of assertions. */
  readonly issuer?: string;
  /** The token endpoint, where nothing is to be discovered. With `privateKey`, `issuer` is needed too. */
  readonly tokenUrl?: string;
  readonly fetch?: Fetch;
  /** Default: in memory, of this client alone. */
  readonly cache?: TokenCache;
  /** For one attempt. Default 5000. */
  readonly timeoutMs?: number;
  /** For all attempts of one request and the waiting between them. Default 15000. */
  readonly totalTimeoutMs?: number;
  /** Attempts after the first one. Default 2. */
  readonly retries?: number;
  /** How long before its end a cached token is replaced, at most a fifth of its life. Default 60. */
  readonly refreshLeewaySeconds?: number;
  /** Binds tokens to a key: to one of this process, or to yours. APIs are then called with `dpopProof`. Default: no. */
  readonly dpop?: DpopOptions;
  /** Takes http outside this machine too. */
  readonly allowHttp?: boolean;
  /** Hears of a cache that fails; tokens are then asked from the server. */
  readonly onCacheError?: (error: unknown) => void;
  /** The clock, in milliseconds. */
  readonly now?: () => number;
}

export interface CallOptions {
  /** Ends the waiting of this caller. */
  readonly signal?: AbortSignal;
}

interface CachedToken {
  readonly token: string;
  /** Milliseconds since the epoch, by this client's clock. */
  readonly issuedAt: number;
  readonly endsAt: number;
}

/** After a failed early refresh the old token serves this long before the next attempt. */
const refreshPauseMs = 5_000;

export class OAuthClient {
  readonly #options: OAuthClientOptions;
  readonly #authentication: ClientAuthentication;
  readonly #prover: DpopProver | undefined;
  readonly #discovery: Discovery | undefined;
  readonly #fetch: Fetch;
  readonly #now: () => number;
  readonly #timeoutMs: number;
  readonly #retry: RetryPolicy;
  readonly #cache: TokenCache;
  readonly #flights = new Map<string, Promise<string>>();
  readonly #refreshNotBefore = new Map<string, number>();
  /** Drawn once, so that processes which share a cache do not all refresh in the same second. */
  readonly #jitter = Math.random();

  /** Throws a `ConfigurationError`. */
  constructor(options: OAuthClientOptions) {
    const { issuer, tokenUrl, allowHttp = false, retries = 2, timeoutMs = 5_000, totalTimeoutMs = 15_000 } = options;
    this.#now = options.now ?? Date.now;
    this.#fetch = options.fetch ?? ((url, init) => fetch(url, init));
    this.#timeoutMs = timeoutMs;
    this.#retry = { retries, totalTimeoutMs };
    this.#authentication = new ClientAuthentication(options, this.#now);
    this.#prover = options.dpop === undefined ? undefined : new DpopProver(options.dpop, this.#now);
    this.#cache = options.cache ?? new MemoryTokenCache({ now: this.#now });
    this.#options = options;
    if (tokenUrl !== undefined) {
      checkUrl(tokenUrl, 'tokenUrl', allowHttp);
      if (issuer === undefined && this.#authentication.usesKey) {
        throw new ConfigurationError('With a private key give issuer too: it is the audience of the assertions.');
      }
    } else if (issuer !== undefined) {
      this.#discovery = new Discovery({ issuer, fetch: this.#fetch, timeoutMs, allowHttp, now: this.#now });
    } else {
      throw new ConfigurationError('Give issuer or tokenUrl.');
    }
  }

  /**
   * Asks the server for a token, past the cache. Connection failures and 429, 502, 503, 504 are tried again. Throws
   * `OAuthError`, `NetworkError`, `TimeoutError`, `ResponseError`, `ConfigurationError`, or the signal's reason.
   */
  async clientCredentials(request: TokenRequest = {}, options: CallOptions = {}): Promise<TokenResponse> {
    return this.#request(parametersOf(request), this.#retry, options.signal);
  }

  /**
   * A token that is good for a while yet: the cached one, or a new one. All who ask for the same at once share one
   * request; the signal ends only this caller's waiting. Throws what `clientCredentials` throws.
   */
  async accessToken(request: TokenRequest = {}, options: CallOptions = {}): Promise<string> {
    const { signal } = options;
    signal?.throwIfAborted();
    const parameters = parametersOf(request);
    const name = this.#nameOf(parameters);
    let flight = this.#flights.get(name);
    if (flight === undefined) {
      const started: Promise<string> = this.#cachedOrNew(name, parameters, () => this.#flights.get(name) === started);
      this.#flights.set(name, started);
      const end = () => {
        if (this.#flights.get(name) === started) this.#flights.delete(name);
      };
      started.then(end, end);
      flight = started;
    }
    return signal === undefined ? flight : orAborted(flight, signal);
  }

  /** Whether tokens are bound to a key, and presented with the scheme `DPoP`. */
  get usesDpop(): boolean {
    return this.#prover !== undefined;
  }

  /**
   * The header `DPoP` for one request to an API; `Authorization` is then `DPoP <token>`. Each proof is good once. Throws a
   * `ConfigurationError`.
   */
  async dpopProof(request: Required<DpopRequest>): Promise<string> {
    if (this.#prover === undefined)
      throw new ConfigurationError('The client has no key for DPoP: give the option dpop.');
    return this.#prover.proof(request);
  }

  /**
   * Drops the cached token of this request, because an API refused it. With `refused`, only if it is that one: of
   * twenty callers who were refused together, one asks anew.
   */
  async invalidate(request: TokenRequest = {}, refused?: string): Promise<void> {
    const name = this.#nameOf(parametersOf(request));
    const key = await this.#keyOf(name);
    if (refused !== undefined && (await this.#readCache(key))?.token !== refused) return;
    // What is on its way was asked for before; it is handed out, and not kept.
    this.#flights.delete(name);
    await this.#cache.delete(key);
  }

  async #cachedOrNew(name: string, parameters: Record<string, string>, isCurrent: () => boolean): Promise<string> {
    const key = await this.#keyOf(name);
    const cached = await this.#readCache(key);
    if (cached !== undefined && this.#now() < this.#refreshAt(key, cached)) return cached.token;
    try {
      // While the old token serves, one attempt is enough.
      const policy = cached === undefined ? this.#retry : { ...this.#retry, retries: 0 };
      const askedAt = this.#now();
      const answer = await this.#request(parameters, policy, undefined);
      this.#refreshNotBefore.delete(key);
      if (isCurrent()) await this.#writeCache(key, answer, askedAt);
      return answer.access_token;
    } catch (error) {
      if (cached !== undefined && cached.endsAt > this.#now() && isTemporary(error)) {
        if (this.#refreshNotBefore.size >= 1000) this.#refreshNotBefore.clear();
        this.#refreshNotBefore.set(key, this.#now() + refreshPauseMs);
        return cached.token;
      }
      // A refusal ends what was granted before, too.
      if (error instanceof OAuthError && cached !== undefined) await this.#guardCache(() => this.#cache.delete(key));
      throw error;
    }
  }

  /** Early by the leeway and up to half of it again; a fifth, and a tenth, of a short life. */
  #refreshAt(key: string, { issuedAt, endsAt }: CachedToken): number {
    const leewayMs = Math.min((this.#options.refreshLeewaySeconds ?? 60) * 1000, (endsAt - issuedAt) / 5);
    return Math.max(endsAt - leewayMs * (1 + this.#jitter / 2), this.#refreshNotBefore.get(key) ?? 0);
  }

  #request(
    parameters: Record<string, string>,
    policy: RetryPolicy,
    signal: AbortSignal | undefined,
  ): Promise<TokenResponse> {
    const attempt = async (leftMs: number): Promise<TokenResponse> => {
      const url = this.#options.tokenUrl ?? (await (this.#discovery as Discovery).endpoint('token_endpoint'));
      const form = new URLSearchParams({ grant_type: 'client_credentials', ...parameters });
      const headers: Record<string, string> = {
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
      };
      const post = async () => {
        // Anew for each attempt: an assertion is used once, and so is a proof.
        await this.#authentication.prove(form, headers, this.#options.issuer);
        if (this.#prover !== undefined) headers.dpop = await this.#prover.proof({ method: 'POST', url });
        const timeoutMs = Math.min(this.#timeoutMs, leftMs);
        const init = { method: 'POST', headers, body: form.toString() };
        return send(url, init, { fetch: this.#fetch, timeoutMs, signal });
      };
      const first = await post();
      const hasNonce = this.#prover?.noteNonce(url, first.headers.get('dpop-nonce')) === true;
      const answer = hasNonce && first.body?.error === 'use_dpop_nonce' ? await post() : first;
      const hide = (text: string) => this.#authentication.hide(text);
      return readTokenResponse(answer, hide, this.usesDpop ? 'DPoP' : 'Bearer');
    };
    return withRetries(attempt, policy, signal);
  }

  /** Server, client and request, without any secret. */
  #nameOf(parameters: Record<string, string>): string {
    const { issuer, tokenUrl } = this.#options;
    return JSON.stringify([tokenUrl ?? issuer, this.#authentication.clientId, parameters]);
  }

  /** A token that is bound to another key is of no use: processes that share a cache share those of one key only. */
  async #keyOf(name: string): Promise<string> {
    return keyOf(this.#prover === undefined ? name : `${name} ${await this.#prover.thumbprint()}`);
  }

  async #readCache(key: string): Promise<CachedToken | undefined> {
    const text = await this.#guardCache(() => this.#cache.get(key));
    const found = readCached(text);
    return found !== undefined && found.endsAt > this.#now() ? found : undefined;
  }

  async #writeCache(key: string, answer: TokenResponse, askedAt: number): Promise<void> {
    if (answer.expires_in < 1) return;
    const endsAt = askedAt + answer.expires_in * 1000;
    const value: CachedToken = { token: answer.access_token, issuedAt: askedAt, endsAt };
    await this.#guardCache(() => this.#cache.set(key, JSON.stringify(value), Math.floor(answer.expires_in)));
  }

  /** A cache that is down costs a request, not the token. */
  async #guardCache<T>(use: () => Promise<T> | T): Promise<T | undefined> {
    try {
      return await use();
    } catch (error) {
      this.#options.onCacheError?.(error);
      return undefined;
    }
  }
}

/** A digest, so that it fits any store and shows nothing. */
const keyOf = async (name: string): Promise<string> =>
  `sekisho:token:${encode(new Uint8Array(await crypto.subtle.digest('SHA-256', bytesOf(name))))}`;

/** Another program, or another version, may have written there. */
function readCached(text: unknown): CachedToken | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    const { token, issuedAt, endsAt } = asObject(JSON.parse(text)) ?? {};
    const isGood = typeof token === 'string' && token !== '' && Number.isFinite(issuedAt) && Number.isFinite(endsAt);
    return isGood ? { token, issuedAt: issuedAt as number, endsAt: endsAt as number } : undefined;
  } catch {
    return undefined;
  }
}

/** The promise, or the signal's reason if that comes first. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
