/** Asks the server what a token is worth just now (RFC 7662). */
import { SekishoError, UnavailableError } from '../errors.ts';
import { type RetryPolicy, withRetries } from '../http/retry.ts';
import { type Fetch, send } from '../http/send.ts';
import { ClientAuthentication, type ClientCredentials } from '../oauth/client-authentication.ts';
import { refusalOf } from '../oauth/token-endpoint.ts';

/** The client that asks: one that is linked to the API, or that holds `introspect:tokens`. */
export interface IntrospectionOptions extends ClientCredentials {
  /** The introspection endpoint. Default: by discovery. */
  readonly url?: string;
}

export interface IntrospectorOptions {
  readonly credentials: IntrospectionOptions;
  readonly fetch: Fetch;
  readonly timeoutMs: number;
  readonly now: () => number;
}

const retry: RetryPolicy = { retries: 1, totalTimeoutMs: 5_000 };

export class Introspector {
  readonly #options: IntrospectorOptions;
  readonly #authentication: ClientAuthentication;

  /** Throws a `ConfigurationError`. */
  constructor(options: IntrospectorOptions) {
    this.#options = options;
    this.#authentication = new ClientAuthentication(options.credentials, options.now);
  }

  /**
   * The answer for an active token; undefined for any other. Throws an `UnavailableError` when there is no answer: a token
   * nobody vouches for is not good.
   */
  async introspect(
    token: string,
    endpoint: { url: () => Promise<string>; issuer: string },
    signal: AbortSignal | undefined,
  ): Promise<Record<string, unknown> | undefined> {
    try {
      const body = await withRetries((leftMs) => this.#ask(token, endpoint, leftMs, signal), retry, signal);
      return body.active === true ? body : undefined;
    } catch (error) {
      if (!(error instanceof SekishoError)) throw error;
      throw new UnavailableError('introspection_unavailable', `The token can not be introspected: ${error.message}`);
    }
  }

  async #ask(
    token: string,
    endpoint: { url: () => Promise<string>; issuer: string },
    leftMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Record<string, unknown>> {
    const form = new URLSearchParams({ token, token_type_hint: 'access_token' });
    const headers: Record<string, string> = {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
    };
    await this.#authentication.prove(form, headers, endpoint.issuer);
    const url = await endpoint.url();
    const timeoutMs = Math.min(this.#options.timeoutMs, leftMs);
    const init = { method: 'POST', headers, body: form.toString() };
    const answer = await send(url, init, { fetch: this.#options.fetch, timeoutMs, signal });
    if (answer.status !== 200 || answer.body === undefined) {
      throw refusalOf(answer, (text) => this.#authentication.hide(text).replaceAll(token, '***'));
    }
    return answer.body;
  }
}
