/** What a server says about itself (OpenID Connect Discovery §4, RFC 8414 §3). */
import { ConfigurationError, ResponseError, SekishoError } from '../errors.ts';
import { type Fetch, send } from './send.ts';
import { checkUrl } from './urls.ts';

export interface DiscoveryOptions {
  readonly issuer: string;
  readonly fetch: Fetch;
  readonly timeoutMs: number;
  readonly allowHttp: boolean;
  readonly now: () => number;
}

export type Endpoint = 'token_endpoint' | 'jwks_uri' | 'introspection_endpoint';

/** How long what was read counts; when it can't be read again then, it goes on counting. */
const maximumAgeMs = 3_600_000;

/** Reads the metadata of one issuer when it is first needed, once for all who ask at the same time. */
export class Discovery {
  readonly #options: DiscoveryOptions;
  #known: { metadata: Record<string, unknown>; readAt: number } | undefined;
  #reading: Promise<Record<string, unknown>> | undefined;

  constructor(options: DiscoveryOptions) {
    checkUrl(options.issuer, 'issuer', options.allowHttp);
    if (new URL(options.issuer).search !== '') throw new ConfigurationError('issuer must have no query.');
    this.#options = options;
  }

  /** The address of an endpoint. Throws `ConfigurationError`, `NetworkError`, `ResponseError`. */
  async endpoint(name: Endpoint): Promise<string> {
    const { issuer, allowHttp } = this.#options;
    const metadata = await this.#metadata();
    if (metadata[name] === undefined) throw new ConfigurationError(`${issuer} has no ${name}.`);
    return checkUrl(metadata[name], `${name} of ${issuer}`, allowHttp);
  }

  async #metadata(): Promise<Record<string, unknown>> {
    const known = this.#known;
    if (known !== undefined && this.#options.now() - known.readAt < maximumAgeMs) return known.metadata;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    try {
      return await this.#reading;
    } catch (error) {
      if (known !== undefined && error instanceof SekishoError) return known.metadata;
      throw error;
    }
  }

  async #read(): Promise<Record<string, unknown>> {
    const { issuer, now } = this.#options;
    const metadata = (await this.#fetch(openIdAddress(issuer))) ?? (await this.#fetch(oauthAddress(issuer)));
    if (metadata === undefined) throw new ConfigurationError(`${issuer} publishes no metadata.`);
    // RFC 8414 §3.3: only the very same issuer may speak for itself, to the last slash.
    if (metadata.issuer !== issuer) {
      throw new ConfigurationError(
        `The server at ${issuer} calls itself ${JSON.stringify(metadata.issuer)}; write the issuer exactly so.`,
      );
    }
    this.#known = { metadata, readAt: now() };
    return metadata;
  }

  /** Undefined when nothing is there. */
  async #fetch(url: string): Promise<Record<string, unknown> | undefined> {
    const { status, body } = await send(url, { headers: { accept: 'application/json' } }, this.#options);
    if (status === 404) return undefined;
    if (status !== 200 || body === undefined) throw new ResponseError(`No metadata at ${url} (${status}).`, status);
    return body;
  }
}

/** OpenID Connect Discovery §4.1: after the issuer's path. */
const openIdAddress = (issuer: string): string => `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;

/** RFC 8414 §3.1: between host and path. */
function oauthAddress(issuer: string): string {
  const { origin, pathname } = new URL(issuer);
  return `${origin}/.well-known/oauth-authorization-server${pathname.replace(/\/$/, '')}`;
}
