/**
 * Verifies access tokens that an API is sent (RFC 9068 §4, RFC 8725 §3):
 *
 *   three parts → type → no extension → algorithm of our list → issuer of our list → key of that issuer → signature
 *   → times, audience, kind of token → still active, when that is asked → its sender's key, where it is bound to one
 *
 * The token chooses among what the options allow, and nothing else: `jku`, `x5u`, `x5c` and `jwk` are not read.
 */
import { ConfigurationError, InvalidTokenError } from '../errors.ts';
import { Discovery } from '../http/discovery.ts';
import type { Fetch } from '../http/send.ts';
import { checkUrl } from '../http/urls.ts';
import {
  type AsymmetricAlgorithm,
  algorithmNamed,
  asymmetricAlgorithms,
  type CryptoKey,
  type SigningAlgorithm,
  symmetricAlgorithms,
} from '../jose/algorithms.ts';
import { type Bytes, bytesOf } from '../jose/base64url.ts';
import { type Jws, parseJws, verifyJws } from '../jose/jws.ts';
import { type AccessToken, readClaims, readPermissions, readScopes } from './claims.ts';
import { checkBinding, type PresentedProof, type UsedProofs, usedProofsInMemory } from './dpop.ts';
import { type IntrospectionOptions, Introspector } from './introspection.ts';
import { KeySet } from './key-set.ts';

export interface VerifierOptions {
  /** The issuer, or several, each to the last slash: `https://HOST/` and `https://HOST/oidc` are two. */
  readonly issuer: string | readonly string[];
  /** The API's identifier, or several. One of them must be in the token's `aud`. */
  readonly audience?: string | readonly string[];
  /** Takes organization tokens too, whose audience is `urn:logto:organization:<id>`. Default false. */
  readonly organizationTokens?: boolean;
  /** Default: every asymmetric one; with `secret` HS256. */
  readonly algorithms?: readonly SigningAlgorithm[];
  /** The header's `typ`. Default both: `at+jwt` (RFC 9068) and `JWT` (the classic profile). */
  readonly types?: readonly ('at+jwt' | 'JWT')[];
  /** The API's own secret (HS256, HS384, HS512). With it no published key counts; without it no HS… token does. */
  readonly secret?: string | Uint8Array;
  /** For `exp`, `nbf` and `iat`. Default 5. */
  readonly clockToleranceSeconds?: number;
  /** Asks the server about every token, so that a revocation counts at once. Default: no. */
  readonly introspection?: IntrospectionOptions;
  /** Where used DPoP proofs are remembered. Default: in memory; several processes need one in common. */
  readonly usedProofs?: UsedProofs;
  /** Where the keys are, for one issuer that is not to be discovered. */
  readonly jwksUri?: string;
  readonly fetch?: Fetch;
  /** For one request to the issuer. Default 5000. */
  readonly timeoutMs?: number;
  /** Takes http outside this machine too. */
  readonly allowHttp?: boolean;
  /** The clock, in milliseconds. */
  readonly now?: () => number;
}

export interface Verifier {
  /**
   * Throws an `InvalidTokenError` for a token that is not good here, an `UnavailableError` when that can't be found out,
   * or the signal's reason.
   */
  verifyAccessToken(token: string, options?: VerifyOptions): Promise<AccessToken>;
}

export interface VerifyOptions {
  readonly signal?: AbortSignal;
  /** For a token of the scheme `DPoP`: what came with it. Without this, a token that is bound to a key is refused. */
  readonly dpop?: PresentedProof;
}

interface Issuer {
  readonly issuer: string;
  readonly keys: KeySet;
  readonly introspectionUrl: () => Promise<string>;
}

/** Longest token that is looked at, in characters: more than fits into a request's headers. */
const maximumTokenLength = 16 * 1024;

/** Throws a `ConfigurationError`. Makes no request before the first token. */
export function createVerifier(options: VerifierOptions): Verifier {
  const now = options.now ?? Date.now;
  const rules = {
    audiences: listOf(options.audience, 'audience'),
    organizationTokens: options.organizationTokens ?? false,
    clockToleranceSeconds: options.clockToleranceSeconds ?? 5,
  };
  if (rules.audiences.length === 0 && !rules.organizationTokens) throw new ConfigurationError('Give audience.');
  const types = (options.types ?? ['at+jwt', 'JWT']).map((type) => type.toLowerCase());
  const algorithms = readAlgorithms(options);
  const secret = options.secret === undefined ? undefined : readSecret(options.secret, algorithms);
  const issuers = readIssuers(options, now);
  const introspector = readIntrospector(options, issuers, now);
  const usedProofs = options.usedProofs ?? usedProofsInMemory(now);

  return {
    async verifyAccessToken(token, { signal, dpop } = {}) {
      signal?.throwIfAborted();
      const jws = typeof token === 'string' && token.length <= maximumTokenLength ? parseJws(token) : undefined;
      if (jws === undefined) throw new InvalidTokenError('malformed');
      const { type, alg, kid } = readHeader(jws.header, types, algorithms);
      // Not believed yet: it only chooses whose keys must have signed.
      const issuer = issuers.find((known) => known.issuer === jws.payload.iss);
      if (issuer === undefined) throw new InvalidTokenError('issuer_not_accepted');
      const key = await (secret ? importSecret(secret, alg) : issuer.keys.find(kid, alg as AsymmetricAlgorithm));
      signal?.throwIfAborted();
      await verifySignature(jws, alg, key);
      const accessToken = readClaims(jws.payload, type, rules, now() / 1000);
      const endpoint = { url: issuer.introspectionUrl, issuer: issuer.issuer };
      const active = introspector && narrowed(accessToken, await introspector.introspect(token, endpoint, signal));
      await checkBinding(jws.payload.cnf, token, dpop, { nowSeconds: now() / 1000, usedProofs });
      return active ?? accessToken;
    },
  };
}

function readHeader(
  header: Jws['header'],
  types: readonly string[],
  algorithms: readonly SigningAlgorithm[],
): { type: string; alg: SigningAlgorithm; kid: string | undefined } {
  const { typ, kid } = header;
  const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : '';
  if (!types.includes(type)) throw new InvalidTokenError('type_not_accepted');
  // RFC 7515 §4.1.11: we know no extension, so none that must be understood is; `b64` (RFC 7797) is one.
  if (header.crit !== undefined || header.b64 !== undefined) throw new InvalidTokenError('critical_header');
  const alg = algorithms.find((name) => name === header.alg);
  if (alg === undefined) throw new InvalidTokenError('algorithm_not_accepted');
  if (kid !== undefined && typeof kid !== 'string') throw new InvalidTokenError('key_unknown');
  return { type, alg, kid };
}

async function verifySignature(jws: Jws, alg: SigningAlgorithm, key: CryptoKey | undefined): Promise<void> {
  const algorithm = algorithmNamed(alg);
  if (key === undefined || algorithm === undefined) throw new InvalidTokenError('key_unknown');
  if (!(await verifyJws(jws, algorithm, key))) throw new InvalidTokenError('signature_wrong');
}

/** What the server still grants counts, never more than the token says. */
function narrowed(token: AccessToken, answer: Record<string, unknown> | undefined): AccessToken {
  if (answer === undefined) throw new InvalidTokenError('revoked');
  const [scopes, permissions] = [readScopes(answer.scope), readPermissions(answer.permissions)];
  return {
    ...token,
    scopes: token.scopes.filter((scope) => scopes.includes(scope)),
    permissions: token.permissions.filter((permission) => permissions.includes(permission)),
  };
}

// --- options ----------------------------------------------------------------------------------------------------------

function listOf(value: string | readonly string[] | undefined, name: string): readonly string[] {
  const list = value === undefined ? [] : typeof value === 'string' ? [value] : [...value];
  if (!list.every((entry) => typeof entry === 'string' && entry !== '')) {
    throw new ConfigurationError(`${name} must be a text, or a list of texts, none empty.`);
  }
  return list;
}

/** Symmetric and asymmetric never mix: a public key must not serve as a secret (RFC 8725 §2.1). */
function readAlgorithms({ algorithms, secret }: VerifierOptions): readonly SigningAlgorithm[] {
  const possible: readonly SigningAlgorithm[] = secret === undefined ? asymmetricAlgorithms : symmetricAlgorithms;
  const wanted = algorithms ?? (secret === undefined ? asymmetricAlgorithms : (['HS256'] as const));
  const wrong = wanted.find((name) => !possible.includes(name));
  if (wrong !== undefined || wanted.length === 0) {
    throw new ConfigurationError(
      `algorithms: ${wrong ?? 'none'} can not be accepted${secret === undefined ? ' without' : ' beside'} a secret.`,
    );
  }
  return [...wanted];
}

/** RFC 7518 §3.2: as long as the hash, at least. */
function readSecret(secret: string | Uint8Array, algorithms: readonly SigningAlgorithm[]): Bytes {
  const bytes = typeof secret === 'string' ? bytesOf(secret) : Uint8Array.from(secret);
  const minimum = Math.max(...algorithms.map((name) => Number(name.slice(2)) / 8));
  if (bytes.length < minimum) throw new ConfigurationError(`secret must have at least ${minimum} bytes.`);
  return bytes;
}

const importSecret = (secret: Bytes, alg: SigningAlgorithm): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', secret, algorithmNamed(alg)?.key as { name: string; hash: string }, false, ['verify']);

function readIssuers(options: VerifierOptions, now: () => number): readonly Issuer[] {
  const { jwksUri, introspection, timeoutMs = 5_000, allowHttp = false } = options;
  const request = options.fetch ?? ((url, init) => fetch(url, init));
  const issuers = listOf(options.issuer, 'issuer');
  if (issuers.length === 0) throw new ConfigurationError('Give issuer.');
  if (jwksUri !== undefined && issuers.length > 1) throw new ConfigurationError('jwksUri is for one issuer only.');
  const keysAt = jwksUri === undefined ? undefined : checkUrl(jwksUri, 'jwksUri', allowHttp);
  const introspectionAt =
    introspection?.url === undefined ? undefined : checkUrl(introspection.url, 'introspection.url', allowHttp);
  return issuers.map((issuer) => {
    const discovery = new Discovery({ issuer, fetch: request, timeoutMs, allowHttp, now });
    const url = async () => keysAt ?? (await discovery.endpoint('jwks_uri'));
    return {
      issuer,
      keys: new KeySet({ url, fetch: request, timeoutMs, now }),
      introspectionUrl: async () => introspectionAt ?? (await discovery.endpoint('introspection_endpoint')),
    };
  });
}

function readIntrospector(options: VerifierOptions, issuers: readonly Issuer[], now: () => number) {
  const { introspection, timeoutMs = 5_000 } = options;
  if (introspection === undefined) return undefined;
  // The client's secret is for one server, and so is each of its tokens.
  if (new Set(issuers.map(({ issuer }) => new URL(issuer).origin)).size > 1) {
    throw new ConfigurationError('introspection is for the issuers of one host only.');
  }
  return new Introspector({
    credentials: introspection,
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    timeoutMs,
    now,
  });
}
