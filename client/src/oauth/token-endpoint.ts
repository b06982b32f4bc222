/** The token endpoint's client_credentials request and answer (RFC 6749 §4.4, §5). */
import { ConfigurationError, OAuthError, ResponseError } from '../errors.ts';
import type { Answer } from '../http/send.ts';

/** What a token is asked for. `audience` and `resource` (RFC 8707) are two names of the API; give one. */
export interface TokenRequest {
  readonly audience?: string;
  readonly resource?: string;
  /** Scopes, as a list or separated by spaces. Absent: what the server gives by default. */
  readonly scope?: string | readonly string[];
  /** The organization the token is to speak for, as the issuer `https://HOST/` names the parameter. */
  readonly organization?: string;
  /** The same, as the issuer `https://HOST/oidc` names it (`organization_id`). */
  readonly organizationId?: string;
}

/** RFC 6749 §5.1. */
export interface TokenResponse {
  readonly access_token: string;
  readonly token_type: 'Bearer' | 'DPoP';
  /** Seconds. */
  readonly expires_in: number;
  /** Scopes, separated by spaces. */
  readonly scope?: string;
}

/** The form's parameters, in one order whatever the caller's. Throws a `ConfigurationError`. */
export function parametersOf(request: TokenRequest): Record<string, string> {
  const { audience, resource, scope, organization, organizationId } = request;
  const scopes = typeof scope === 'string' ? scope.split(' ') : (scope ?? []);
  const found = {
    audience,
    resource,
    scope: [...new Set(scopes)].filter(Boolean).sort().join(' ') || undefined,
    organization,
    organization_id: organizationId,
  };
  const given = Object.entries(found).filter((entry): entry is [string, string] => entry[1] !== undefined);
  for (const [name, value] of given) {
    if (typeof value !== 'string' || value === '') throw new ConfigurationError(`${name} must be a text, not empty.`);
  }
  return Object.fromEntries(given);
}

/** Throws an `OAuthError` for a refusal, a `ResponseError` for what is no answer of a token endpoint. */
export function readTokenResponse(
  answer: Answer,
  hide: (text: string) => string,
  wanted: TokenResponse['token_type'],
): TokenResponse {
  const { status, body, retryAfterSeconds } = answer;
  if (status !== 200) throw refusalOf(answer, hide);
  const { access_token, token_type, expires_in, scope } = body ?? {};
  if (typeof access_token !== 'string' || access_token === '') {
    throw new ResponseError('The answer holds no access token.', status, retryAfterSeconds);
  }
  // A bearer token in place of a bound one would be good for whoever finds it (RFC 9449 §5).
  if (typeof token_type !== 'string' || token_type.toLowerCase() !== wanted.toLowerCase()) {
    const problem = wanted === 'DPoP' ? 'The token is not bound to the key.' : 'The token is no bearer token.';
    throw new ResponseError(problem, status, retryAfterSeconds);
  }
  if (typeof expires_in !== 'number' || !Number.isFinite(expires_in) || expires_in < 0) {
    throw new ResponseError('The answer does not say when the token expires.', status, retryAfterSeconds);
  }
  return { access_token, token_type: wanted, expires_in, ...(typeof scope === 'string' ? { scope } : {}) };
}

/** The error an answer other than 200 stands for. */
export function refusalOf(answer: Answer, hide: (text: string) => string): OAuthError | ResponseError {
  const { status, body, retryAfterSeconds } = answer;
  const { error, error_description: description } = body ?? {};
  if (typeof error !== 'string' || !/^[\x20-\x7e]{1,100}$/.test(error)) {
    return new ResponseError(`The server answered ${status} without an OAuth error.`, status, retryAfterSeconds);
  }
  const text =
    typeof description === 'string'
      ? hide(description)
          .replace(/\p{Cc}/gu, ' ')
          .slice(0, 400)
      : undefined;
  return new OAuthError(status, hide(error), text, retryAfterSeconds);
}
