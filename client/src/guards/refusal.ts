/** What a guard answers instead of the handler (RFC 6750 §3). */
import { InvalidTokenError, type SekishoError } from '../errors.ts';
import { proofAlgorithms } from '../verifier/dpop.ts';

export interface Refusal {
  readonly status: 401 | 403 | 503;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body: string;
  /** For your own log; the caller gets none of it but what `body` says. */
  readonly reason: 'token_missing' | 'token_invalid' | 'scope_missing' | 'organization_wrong' | 'unavailable';
  readonly error: SekishoError | undefined;
}

type Parameters = Readonly<Record<string, string>>;

/** RFC 9110 §11.2; nothing in here comes from a request. */
const quoted = (value: string): string => `"${value.replace(/[\\"]/g, '\\$&')}"`;

function refusal(
  status: Refusal['status'],
  reason: Refusal['reason'],
  headers: Parameters,
  body: Parameters,
  error?: SekishoError,
): Refusal {
  const common = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' };
  return { status, reason, headers: { ...common, ...headers }, body: JSON.stringify(body), error };
}

function challenge(realm: string, parameters: Parameters = {}, scheme = 'Bearer'): Parameters {
  const list = Object.entries({ realm, ...parameters }).map(([name, value]) => `${name}=${quoted(value)}`);
  return { 'www-authenticate': `${scheme} ${list.join(', ')}` };
}

/** Nothing was sent, so nothing was wrong: the challenge has no error code (RFC 6750 §3.1). */
export const missingToken = (realm: string): Refusal =>
  refusal(401, 'token_missing', challenge(realm), {
    error: 'token_missing',
    error_description: 'Send an access token in the header: Authorization: Bearer <token>',
  });

export function invalidToken(realm: string, error: InvalidTokenError): Refusal {
  if (error.problem === 'proof_invalid') return invalidProof(realm, error);
  const parameters = { error: 'invalid_token', error_description: error.message };
  return refusal(401, 'token_invalid', challenge(realm, parameters), parameters, error);
}

/** RFC 9449 §7.1. */
function invalidProof(realm: string, error: InvalidTokenError): Refusal {
  const parameters = { error: 'invalid_dpop_proof', error_description: error.message };
  const algs = proofAlgorithms.join(' ');
  return refusal(401, 'token_invalid', challenge(realm, { ...parameters, algs }, 'DPoP'), parameters, error);
}

export function missingScope(realm: string, scopes: readonly string[]): Refusal {
  const scope = scopes.join(' ');
  const parameters = { error: 'insufficient_scope', error_description: `This needs the scope ${scope}.`, scope };
  return refusal(403, 'scope_missing', challenge(realm, parameters), parameters);
}

export function wrongOrganization(realm: string): Refusal {
  const description = 'The token does not speak for this organization.';
  const parameters = { error: 'insufficient_scope', error_description: description };
  return refusal(403, 'organization_wrong', challenge(realm, parameters), parameters);
}

/** Nobody can say whether the token is good: the door stays shut. */
export const unavailable = (error: SekishoError): Refusal =>
  refusal(
    503,
    'unavailable',
    { 'retry-after': '5' },
    { error: 'temporarily_unavailable', error_description: 'The access token can not be verified just now.' },
    error,
  );

export const malformedHeader = (realm: string): Refusal => invalidToken(realm, new InvalidTokenError('malformed'));
