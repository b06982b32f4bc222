import type { AccessDenial } from '../domain/access/decide.ts';

/**
 * Why a protocol request was refused: the real reason, which is logged. What the caller is told of it is each issuer's
 * own table in `http/oauth/`; unknown client, wrong secret and expired secret tell the same.
 */
export type RefusalReason =
  | AccessDenial
  // who asks
  | 'client_id_missing'
  | 'client_unknown'
  | 'credentials_missing'
  | 'credentials_malformed'
  | 'several_auth_methods'
  | 'secret_wrong'
  | 'secret_expired'
  | 'auth_method_not_registered'
  | 'client_public'
  | 'assertion_invalid'
  | 'assertion_replayed'
  | 'rate_limited'
  // what for
  | 'parameter_invalid'
  | 'grant_type_missing'
  | 'grant_type_unsupported'
  | 'grant_type_not_allowed'
  | 'audience_missing'
  | 'target_invalid'
  | 'scope_not_granted'
  | 'token_missing'
  // where
  | 'tenant_unknown'
  | 'tenant_suspended';

/** Reasons that count as a failed authentication of a client, for the failure limits. */
const authenticationFailures: ReadonlySet<RefusalReason> = new Set([
  'client_id_missing',
  'client_unknown',
  // Were it not counted, the missing 429 would tell a public client from an unknown one.
  'client_public',
  'credentials_missing',
  'credentials_malformed',
  'several_auth_methods',
  'secret_wrong',
  'secret_expired',
  'auth_method_not_registered',
  'assertion_invalid',
  'assertion_replayed',
]);

export interface RefusalData {
  /** A parameter at fault. */
  parameter?: string | undefined;
  clientId?: string | undefined;
  audience?: string | undefined;
  grantType?: string | undefined;
  scopes?: readonly string[];
  /** For the log only. */
  detail?: string | undefined;
  /** The limit that is used up, a minute. */
  limit?: number;
  retryAfterSeconds?: number;
  /** The caller showed a client assertion: whatever is wrong with it or its client, it is told the same. */
  byAssertion?: boolean;
}

/** A refusal of the protocol; carries what an error table needs to write its sentence. */
export class Refusal extends Error {
  readonly reason: RefusalReason;
  readonly data: RefusalData;

  constructor(reason: RefusalReason, data: RefusalData = {}) {
    super(reason);
    this.name = 'Refusal';
    this.reason = reason;
    this.data = data;
  }

  get isAuthenticationFailure(): boolean {
    return authenticationFailures.has(this.reason);
  }
}
