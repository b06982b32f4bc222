/**
 * One call of the management API:
 *
 *   token → request, tried again only where that changes nothing → answer, or `ManagementError`
 *
 * A token of an `OAuthClient` that the API refuses (401) is replaced once: the server refuses it before it does anything.
 */
import { ConfigurationError, ManagementError, ResponseError } from '../errors.ts';
import { withRetries } from '../http/retry.ts';
import { type Answer, type Fetch, send } from '../http/send.ts';
import { checkUrl } from '../http/urls.ts';
import { asObject } from '../jose/base64url.ts';
import type { OAuthClient } from '../oauth/client.ts';
import type { TokenRequest } from '../oauth/token-endpoint.ts';

/** Where calls take their tokens from: an `OAuthClient`, a token, or whatever gives one. */
export type ManagementAuth =
  | (Pick<OAuthClient, 'accessToken' | 'invalidate'> & Partial<Pick<OAuthClient, 'usesDpop' | 'dpopProof'>>)
  | string
  | (() => Promise<string> | string);

/** Of the token request (`scope`, `organization`, …) an `OAuthClient` only; `audience` is `<baseUrl>/api` unless told. */
export interface ConnectionOptions extends TokenRequest {
  /** The server's base URL, `https://auth.example.com`. */
  readonly baseUrl: string;
  readonly auth?: ManagementAuth;
  /** The same as `auth` with a token. */
  readonly bearerToken?: string;
  readonly fetch?: Fetch;
  /** For one attempt. Default 10000. */
  readonly timeoutMs?: number;
  /** For all attempts of one call and the waiting between them. Default 30000. */
  readonly totalTimeoutMs?: number;
  /** Attempts after the first one, of reads and of POST with an idempotency key. Default 2. */
  readonly retries?: number;
  /** Takes http outside this machine too. */
  readonly allowHttp?: boolean;
}

export interface Call {
  readonly method: string;
  /** With its parameters and its query. */
  readonly path: string;
  readonly body?: unknown;
  readonly headers: Readonly<Record<string, string>>;
  /** It changes nothing, or nothing more when it is made again. */
  readonly isRepeatable: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** The tree of a large account, and a list of 10 000, fit in. */
const maximumBytes = 64 * 1024 * 1024;

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #baseUrl: string;
  readonly #auth: ManagementAuth;
  readonly #fetch: Fetch;
  readonly #tokenRequest: TokenRequest;

  /** Throws a `ConfigurationError`. */
  constructor(options: ConnectionOptions) {
    const { baseUrl, auth, bearerToken, allowHttp = false } = options;
    checkUrl(baseUrl, 'baseUrl', allowHttp);
    if (new URL(baseUrl).search !== '') throw new ConfigurationError('baseUrl must have no query.');
    if ((auth === undefined) === (bearerToken === undefined)) throw new ConfigurationError('Give auth or bearerToken.');
    this.#options = options;
    this.#baseUrl = baseUrl.replace(/\/+$/, '');
    this.#auth = (auth ?? bearerToken) as ManagementAuth;
    this.#fetch = options.fetch ?? ((url, init) => fetch(url, init));
    this.#tokenRequest = tokenRequestOf(options, `${this.#baseUrl}/api`);
  }

  /**
   * Throws `ManagementError` unless the status is 2xx; what `OAuthClient` throws; `NetworkError`, `TimeoutError`,
   * `ResponseError`, or the signal's reason.
   */
  async call(call: Call): Promise<Answer> {
    const auth = this.#auth;
    const token = await this.#token(call.signal);
    try {
      return await this.#send(call, token);
    } catch (error) {
      if (!isRefusedToken(error) || typeof auth === 'string' || typeof auth === 'function') throw error;
      await auth.invalidate(this.#tokenRequest, token);
      return this.#send(call, await this.#token(call.signal));
    }
  }

  async #token(signal: AbortSignal | undefined): Promise<string> {
    const auth = this.#auth;
    const options = signal === undefined ? {} : { signal };
    const token =
      typeof auth === 'string'
        ? auth
        : await (typeof auth === 'function' ? auth() : auth.accessToken(this.#tokenRequest, options));
    // RFC 6750 §2.1; anything else would end up in the error of some fetch.
    if (typeof token !== 'string' || !/^[\w.~+/-]+=*$/.test(token)) {
      throw new ConfigurationError('The access token is not a token.');
    }
    return token;
  }

  #send({ method, path, body, headers, isRepeatable, signal }: Call, token: string): Promise<Answer> {
    const { timeoutMs = 10_000, totalTimeoutMs = 30_000, retries = 2 } = this.#options;
    const url = `${this.#baseUrl}${path}`;
    const attempt = async (leftMs: number): Promise<Answer> => {
      const init: RequestInit = {
        method,
        headers: {
          accept: 'application/json',
          ...(await this.#authorization(method, url, token)),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      };
      const options = { fetch: this.#fetch, timeoutMs: Math.min(timeoutMs, leftMs), signal, maximumBytes };
      const answer = await send(url, init, options);
      if (answer.status < 200 || answer.status > 299) throw errorOf(answer);
      if (answer.json === undefined && answer.status === 200) {
        throw new ResponseError(`The answer to ${method} ${path.replace(/\?.*$/, '')} is not JSON.`, answer.status);
      }
      return answer;
    };
    return withRetries(attempt, { retries: isRepeatable ? retries : 0, totalTimeoutMs }, signal);
  }

  /** Anew for each attempt: a proof is used once. */
  async #authorization(method: string, url: string, accessToken: string): Promise<Record<string, string>> {
    const auth = this.#auth;
    if (typeof auth !== 'object' || auth.usesDpop !== true) return { authorization: `Bearer ${accessToken}` };
    const dpop = await auth.dpopProof?.({ method, url, accessToken });
    return { authorization: `DPoP ${accessToken}`, ...(dpop === undefined ? {} : { dpop }) };
  }
}

function tokenRequestOf(options: ConnectionOptions, ownAudience: string): TokenRequest {
  const { audience, resource, scope, organization, organizationId } = options;
  return {
    ...(resource === undefined ? { audience: audience ?? ownAudience } : { resource }),
    ...(scope === undefined ? {} : { scope }),
    ...(organization === undefined ? {} : { organization }),
    ...(organizationId === undefined ? {} : { organizationId }),
  };
}

const isRefusedToken = (error: unknown): boolean => error instanceof ManagementError && error.status === 401;

/** Problem details of the native API, or the accounts API's own shape; a proxy may answer anything. */
function errorOf({ status, body = {}, retryAfterSeconds }: Answer): ManagementError {
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  const code = text(body.code) ?? text(body.error) ?? `http_${status}`;
  const message = text(body.message) ?? text(body.error_description) ?? 'The server refused.';
  const { error, error_description, code: _code, field, ...rest } = body;
  const data = body.message === undefined ? rest : (asObject(body.data) ?? {});
  const path = text(data.path) ?? text(field);
  return new ManagementError(status, code, `${status} ${code}: ${message}`, { path, data, retryAfterSeconds });
}
