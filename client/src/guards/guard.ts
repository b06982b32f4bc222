/**
 * What all guards share: token → verified → requirement → handler, or a refusal and no handler. An adapter says how its
 * framework names things, and decides nothing.
 */
import { ConfigurationError, InvalidTokenError, UnavailableError } from '../errors.ts';
import type { AccessToken } from '../verifier/claims.ts';
import { createVerifier, type Verifier, type VerifierOptions } from '../verifier/verifier.ts';
import {
  invalidToken,
  malformedHeader,
  missingScope,
  missingToken,
  type Refusal,
  unavailable,
  wrongOrganization,
} from './refusal.ts';

export interface GuardOptions {
  /** The realm of the challenge. Default `api`. */
  readonly realm?: string;
  /** Takes tokens that are bound to a key (RFC 9449); without it they are refused. */
  readonly dpop?: {
    /** Scheme, host and port as callers name this API: proofs are made for it. The Host header could say anything. */
    readonly origin: string;
  };
  /** Hears of every refusal, for your log. */
  readonly onRefused?: (refusal: Refusal) => void;
}

export interface OrganizationOptions<Request> {
  /** The path parameter that the token's organization must equal. */
  readonly parameter?: string;
  /** The same, read by a function of yours. */
  readonly organizationId?: (request: Request) => string | undefined;
}

export interface Guard<Request extends object, Middleware> {
  /** Any good token. */
  requireToken(): Middleware;
  /** A good token with all of these scopes. */
  requireScopes(...scopes: [string, ...string[]]): Middleware;
  /** A good token that speaks for an organization; for the one the request names, when the options say where. */
  requireOrganization(options?: OrganizationOptions<Request>): Middleware;
  /** The token a guard let through with this request. Throws when none did. */
  accessToken(request: Request): AccessToken;
}

/** What a framework's adapter tells. */
export interface Adapter<Request extends object, Middleware> {
  /** Every value of the Authorization header. */
  authorization(request: Request): readonly string[];
  /** What a DPoP proof is made for: method, path as it was sent, and every value of the header `DPoP`. */
  sent(request: Request): { readonly method: string; readonly path: string; readonly proofs: readonly string[] };
  /** The decoded path parameter. */
  parameter(request: Request, name: string): unknown;
  /** Runs the check in front of whatever follows; what the check throws goes the framework's way of errors. */
  middleware(check: (request: Request) => Promise<Decision>): Middleware;
}

export type Decision =
  | { readonly token: AccessToken; readonly refusal?: undefined }
  | { readonly refusal: Refusal; readonly token?: undefined };

type Check<Request> = (token: AccessToken, request: Request) => Refusal | undefined;

/** Throws a `ConfigurationError` for options that can't be right. */
export function buildGuard<Request extends object, Middleware>(
  adapter: Adapter<Request, Middleware>,
  verifier: Verifier | VerifierOptions,
  options: GuardOptions = {},
): Guard<Request, Middleware> {
  const realm = readRealm(options.realm ?? 'api');
  const origin = options.dpop === undefined ? undefined : readOrigin(options.dpop.origin);
  const schemes = origin === undefined ? 'bearer' : 'bearer|dpop';
  const [isOurs, ourToken] = [
    new RegExp(`^(?:${schemes})(?: |$)`, 'i'),
    new RegExp(`^(${schemes}) +([A-Za-z0-9._~+/-]+=*)$`, 'i'),
  ];
  const verify = 'verifyAccessToken' in verifier ? verifier : createVerifier(verifier);
  /** Of this guard alone: what another one let through has passed other rules. */
  const passed = new WeakMap<Request, { credentials: string; token: AccessToken }>();

  const authenticate = async (request: Request): Promise<Decision> => {
    const [credentials, second] = adapter.authorization(request);
    if (credentials === undefined || !isOurs.test(credentials)) return { refusal: missingToken(realm) };
    // Two headers could be read in two ways, so they are not read at all.
    const [, scheme, presented] = ourToken.exec(credentials) ?? [];
    if (presented === undefined || second !== undefined) return { refusal: malformedHeader(realm) };
    const known = passed.get(request);
    if (known?.credentials === credentials) return { token: known.token };
    try {
      const isBound = scheme?.toLowerCase() === 'dpop';
      const token = await verify.verifyAccessToken(presented, isBound ? { dpop: proofOf(request) } : {});
      passed.set(request, { credentials, token });
      return { token };
    } catch (error) {
      if (error instanceof InvalidTokenError) return { refusal: invalidToken(realm, error) };
      if (error instanceof UnavailableError) return { refusal: unavailable(error) };
      throw error;
    }
  };

  const proofOf = (request: Request) => {
    const { method, path, proofs } = adapter.sent(request);
    return { method, url: `${origin}${path}`, proof: proofs.length === 1 ? proofs[0] : undefined };
  };

  const demand = (check: Check<Request>): Middleware =>
    adapter.middleware(async (request) => {
      const decision = await authenticate(request);
      const refusal = decision.refusal ?? check(decision.token, request);
      if (refusal === undefined) return decision;
      passed.delete(request);
      options.onRefused?.(refusal);
      return { refusal };
    });

  return {
    requireToken: () => demand(() => undefined),
    requireScopes(...scopes) {
      checkScopes(scopes);
      return demand((token) =>
        scopes.every((scope) => token.scopes.includes(scope)) ? undefined : missingScope(realm, scopes),
      );
    },
    requireOrganization(wanted = {}) {
      const expected = readExpected(adapter, wanted);
      return demand(({ organizationId }, request) => {
        const isRight =
          organizationId !== undefined && (expected === undefined || expected(request) === organizationId);
        return isRight ? undefined : wrongOrganization(realm);
      });
    },
    accessToken(request) {
      const token = passed.get(request)?.token;
      if (token === undefined) throw new ConfigurationError('No guard let this request through.');
      return token;
    },
  };
}

/** Where the request names its organization; undefined when any will do. */
function readExpected<Request extends object>(
  adapter: Adapter<Request, unknown>,
  { parameter, organizationId }: OrganizationOptions<Request>,
): ((request: Request) => string | undefined) | undefined {
  if (organizationId !== undefined || parameter === undefined) return organizationId;
  return (request) => {
    const value = adapter.parameter(request, parameter);
    // A route without it would let every organization in: that is for its author to see.
    if (typeof value !== 'string') throw new ConfigurationError(`The route has no parameter "${parameter}".`);
    return value;
  };
}

/** RFC 6749 §3.3. */
function checkScopes(scopes: readonly string[]): void {
  if (scopes.length === 0) throw new ConfigurationError('Name the scopes that are required.');
  for (const scope of scopes) {
    if (typeof scope !== 'string' || !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope)) {
      throw new ConfigurationError(`${JSON.stringify(scope)} is not a scope.`);
    }
  }
}

function readOrigin(origin: string): string {
  if (URL.canParse(origin) && new URL(origin).origin === origin) return origin;
  throw new ConfigurationError('dpop.origin must be scheme, host and port, like https://api.example.com.');
}

function readRealm(realm: string): string {
  if (!/^[\x20-\x7e]+$/.test(realm)) throw new ConfigurationError('realm must be printable ASCII.');
  return realm;
}
