/** What can go wrong, as types. No error holds a secret, a token or an assertion, so each may be logged as it is. */

/** The base of all errors of this package; `code` is stable. */
export class SekishoError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'SekishoError';
    this.code = code;
  }
}

/** An option, or what the server says about itself, can't be right. Trying again changes nothing. */
export class ConfigurationError extends SekishoError {
  constructor(message: string) {
    super('configuration', message);
    this.name = 'ConfigurationError';
  }
}

/** No answer came: the name is unknown, the connection was refused or broke. */
export class NetworkError extends SekishoError {
  constructor(message: string, code = 'network') {
    super(code, message);
    this.name = 'NetworkError';
  }
}

/** No answer came in time. */
export class TimeoutError extends NetworkError {
  constructor(message: string) {
    super(message, 'timeout');
    this.name = 'TimeoutError';
  }
}

/** The answer can't be read: not JSON, too long, or not what the RFC says. */
export class ResponseError extends SekishoError {
  /** The answer's HTTP status. */
  readonly status: number;
  /** What the answer's Retry-After asks for, in seconds. */
  readonly retryAfterSeconds: number | undefined;
  constructor(message: string, status: number, retryAfterSeconds?: number) {
    super('response', message);
    this.name = 'ResponseError';
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The server refused (RFC 6749 §5.2); `code` and `error` are the same word. */
export class OAuthError extends SekishoError {
  /** HTTP status. */
  readonly status: number;
  readonly error: string;
  readonly errorDescription: string | undefined;
  /** What the answer's Retry-After asks for, in seconds. */
  readonly retryAfterSeconds: number | undefined;
  constructor(status: number, error: string, errorDescription?: string, retryAfterSeconds?: number) {
    super(error, errorDescription === undefined ? `${status} ${error}` : `${status} ${error}: ${errorDescription}`);
    this.name = 'OAuthError';
    this.status = status;
    this.error = error;
    this.errorDescription = errorDescription;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The management API refused. */
export class ManagementError extends SekishoError {
  /** HTTP status. */
  readonly status: number;
  /** The field at fault, dotted, where the answer names one. */
  readonly path: string | undefined;
  /** What else the answer says. */
  readonly data: Readonly<Record<string, unknown>>;
  /** What the answer's Retry-After asks for, in seconds. */
  readonly retryAfterSeconds: number | undefined;
  constructor(
    status: number,
    code: string,
    message: string,
    more: { path?: string | undefined; data?: Record<string, unknown>; retryAfterSeconds?: number | undefined } = {},
  ) {
    super(code, message);
    this.name = 'ManagementError';
    this.status = status;
    this.path = more.path;
    this.data = more.data ?? {};
    this.retryAfterSeconds = more.retryAfterSeconds;
  }
}

/** Why an access token is refused. The sentences go to the caller, so they repeat nothing of the token. */
export const tokenProblems = {
  malformed: 'The access token is not a signed JWT.',
  type_not_accepted: 'The token is not of a type that is accepted here.',
  critical_header: 'The token asks for an extension that is not known here.',
  algorithm_not_accepted: 'The token is signed with an algorithm that is not accepted here.',
  issuer_not_accepted: 'The token is from an issuer that is not accepted here.',
  key_unknown: 'The token is signed with a key that its issuer does not publish.',
  signature_wrong: 'The signature of the token is wrong.',
  claim_invalid: 'A claim of the token is missing or malformed.',
  expired: 'The token has expired.',
  not_yet_valid: 'The token is not valid yet.',
  audience_not_accepted: 'The token is for another audience.',
  not_an_access_token: 'The token is not an access token.',
  sender_constrained: 'The token is bound to a key or certificate, and was not presented as such tokens are.',
  proof_invalid: 'The DPoP proof is missing, or not good for this request and token.',
  revoked: 'The token is not active any more.',
} as const;

export type TokenProblem = keyof typeof tokenProblems;

/** An access token is not good here; `problem` and `code` say why. */
export class InvalidTokenError extends SekishoError {
  readonly problem: TokenProblem;
  constructor(problem: TokenProblem) {
    super(problem, tokenProblems[problem]);
    this.name = 'InvalidTokenError';
    this.problem = problem;
  }
}

/** Whether a token is good can't be found out just now: the keys, or the introspection, can't be reached. */
export class UnavailableError extends SekishoError {
  constructor(code: 'keys_unavailable' | 'introspection_unavailable', message: string) {
    super(code, message);
    this.name = 'UnavailableError';
  }
}
