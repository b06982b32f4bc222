import type { AccessDenial } from '../domain/access/decide.ts';

/**
 * Why a protocol request was refused: the real reason, which is logged. What the caller is told of it is each issuer's
 * own table in `http/oauth/`; unknown client, wrong secret and expired secret tell the same. `docs/errors.md` is
 * generated from this table.
 */
export const refusalReasons = {
  // who asks
  client_id_missing: 'The request names no client.',
  client_unknown: 'No client has this id.',
  credentials_missing: 'The client named itself and proved nothing.',
  credentials_malformed: 'The Authorization header or the client assertion can not be read.',
  several_auth_methods: 'The request carries more than one kind of credentials (RFC 6749 §2.3).',
  secret_wrong: 'The client has no such secret.',
  secret_expired: 'The secret was right and has expired.',
  auth_method_not_registered: 'The client may not authenticate in this way.',
  client_public: 'A public client can not use this endpoint or grant type.',
  assertion_invalid: 'The client assertion has a wrong signature, issuer, audience or time (RFC 7523 §3).',
  assertion_replayed: 'The `jti` of the client assertion was used before.',
  rate_limited: 'Too many failed authentications or requests; wait for the time in Retry-After.',
  // what for
  parameter_invalid: 'A parameter is repeated, too long or not well-formed.',
  grant_type_missing: 'The request names no grant type.',
  grant_type_unsupported: 'The server does not know the grant type.',
  grant_type_not_allowed: 'The client may not use the grant type.',
  audience_missing: 'The request names no API, and the tenant has no default one.',
  target_invalid: 'The resource is not one absolute URI without a fragment (RFC 8707 §2).',
  scope_not_granted: 'The client asked for a scope that it was not granted.',
  token_missing: 'The request names no token.',
  // where
  tenant_unknown: 'No tenant lives at this host; nothing is logged.',
  tenant_suspended: 'The tenant is suspended.',
  // access: decided in domain/access
  client_disabled: 'The client is disabled.',
  user_inactive: 'The user is blocked or awaits approval.',
  audience_unknown: 'No API has this identifier.',
  audience_closed: 'The policy of the API lets no client in.',
  public_client_at_management: 'A public client asked for a management API.',
  grant_missing: 'There is no client grant for this API.',
  organization_not_accepted: 'The API does not take an organization.',
  organization_denied_by_grant: 'The client grant does not allow an organization.',
  organization_required_by_grant: 'The client grant is for organizations only, and the request names none.',
  organization_unknown: 'The organization does not exist; the caller is told that it has no access to it.',
  organization_not_member: 'The subject is no member of the organization, and no client grant reaches it.',
  organization_suspended: 'The organization, or one above it, is suspended.',
} as const satisfies Record<AccessDenial, string> & Record<string, string>;

export type RefusalReason = keyof typeof refusalReasons;

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

const anonymous: ReadonlySet<RefusalReason> = new Set([
  'grant_type_missing',
  'grant_type_unsupported',
  'target_invalid',
  'parameter_invalid',
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

  /** Refused before anybody was asked to prove anything: counted for the address, lest anyone fill the log with these. */
  get isAnonymous(): boolean {
    return anonymous.has(this.reason);
  }
}
