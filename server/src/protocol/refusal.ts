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
  certificate_invalid:
    'The client certificate is not one of the client, or no authority we trust vouches for it (RFC 8705 §2).',
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
  dpop_proof_missing: 'The client asks for tokens bound to a key only (RFC 9449 §5.2), and there is no DPoP proof.',
  dpop_proof_invalid: 'The DPoP proof is not good for this request, now (RFC 9449 §4.3).',
  dpop_proof_replayed: 'The DPoP proof was used before (RFC 9449 §11.1).',
  certificate_missing: 'The tokens of the client are bound to its certificate (RFC 8705 §3), and none was shown.',
  // people: codes, refresh tokens, sign-in
  code_invalid: 'The authorization code is unknown, over, or was issued to another client.',
  code_replayed: 'The authorization code was used before; what came of it has ended.',
  redirect_uri_mismatch: 'The redirect URI is not the one the code was asked for with.',
  code_verifier_wrong: 'The code verifier does not fit the code challenge, or one of them is missing (RFC 7636).',
  refresh_token_invalid: 'The refresh token is unknown, over, or was issued to another client.',
  refresh_token_replayed: 'The refresh token was exchanged before; what rests on it has ended.',
  device_code_invalid: 'The device code is unknown, was used, or was given to another client (RFC 8628 §3.5).',
  device_code_expired: 'Nobody answered in time; the device must begin again.',
  device_denied: 'The person refused the device.',
  authorization_pending: 'The person has not answered yet; the device is to ask again. Nothing is logged.',
  slow_down: 'The device asked again too early, and has to wait longer from now on. Counted, not logged one by one.',
  user_code_unknown: 'No device waits under the user code, or it was typed in another browser.',
  subject_token_invalid: 'The subject token is unknown, over, used, of another issuer, or of no client of our own.',
  subject_token_of_client: "The subject token is a client's own; only a person's can be exchanged.",
  actor_token_invalid: 'The actor token is unknown, over, or lacks `openid`.',
  actors_too_many: 'The subject token has been handed on too often (RFC 8693 §4.1).',
  exchange_at_management: 'A token for a management API never comes out of an exchange.',
  scope_not_authorized: 'The request asks for a scope that the person did not authorize (RFC 6749 §6).',
  binding_mismatch: 'The code or refresh token is bound to another key or certificate, or none was shown.',
  organization_scope_missing: 'The refresh token lacks the scope for organization tokens.',
  organization_not_consented: 'The person did not let this third-party client act in the organization.',
  redirect_uri_missing: 'The request names no redirect URI.',
  redirect_uri_unregistered: 'The redirect URI is none of those registered for the client.',
  response_type_unsupported: 'The response type is not `code`.',
  pkce_required: 'The code challenge is missing or its method is not S256 (RFC 7636).',
  request_object_unsupported: 'Request objects and remote requests are not supported; push the request.',
  pushed_request_required: 'The client must push its requests (RFC 9126).',
  pushed_request_invalid: 'The pushed request is unknown, over, used, or of another client.',
  login_required: 'Nobody is signed in, or has to sign in again, and no page may be shown (`prompt=none`).',
  consent_required: 'The person has not agreed, and no page may be shown (`prompt=none`).',
  interaction_required: 'The person must choose, and no page may be shown (`prompt=none`).',
  id_token_hint_invalid: 'The ID token that was given as a hint is not one of this issuer for this client.',
  logout_uri_unregistered:
    'The address to go to after sign-out is none of those registered for the client, or no client is known.',
  initial_access_token_invalid: 'The initial access token is missing, unknown, over or used up (RFC 7591 §3).',
  registration_token_invalid: 'The registration access token is not the one of this client (RFC 7592 §2).',
  registration_closed: 'The client is disabled, or one of the house by now: it can not change itself any more.',
  person_refused: 'The person said no.',
  interaction_unknown: 'The page is over, was used, or belongs to another browser.',
  form_forged: 'The form was not sent by our page in the same browser.',
  sign_in_failed: 'Unknown user, wrong password, or an account without one.',
  policy_unknown: 'There is no such auth policy, it is off, or it works in another way.',
  policy_not_offered: 'The auth policy is not one that the application, tenant or organization takes.',
  policy_user_unknown: 'Who signed in rightly is no user here, and the auth policy makes none.',
  policy_user_not_approved: 'Who signed in rightly is not approved for the auth policy, or waits for approval.',
  upstream_unavailable: 'The upstream of the auth policy can not be reached or trusted, or is not set up rightly.',
  upstream_refused: 'The person, or the upstream of the auth policy, said no.',
  upstream_answer_invalid: 'What the upstream of the auth policy answered breaks the rules of its protocol.',
  user_gone_upstream: 'The directory that the person signed in by does not know them any more.',
  upstream_state_unknown: 'The way back from the upstream is over, was used, or belongs to another browser.',
  sign_up_off: 'The tenant does not let people make accounts of their own.',
  sign_up_refused: 'The e-mail address or username is taken.',
  userinfo_token_invalid: 'The token is not good at the userinfo endpoint.',
  userinfo_scope_missing: 'The token lacks the scope `openid`.',
  app_unknown: 'No application that people sign in to by its app has this id, or it is disabled (RHMAP).',
  end_redirect_unregistered:
    'The address to go to after the sign-in is none of the redirect URIs of the application (RHMAP).',
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
  organization_other_policy: 'The organization takes people who signed in by another auth policy.',
  link_unconfirmed:
    'Nothing but a name that an upstream told makes the person the user, which is not enough for a management API.',
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
  'certificate_invalid',
  // Guessing these is guessing a credential.
  'code_invalid',
  'device_code_invalid',
  'subject_token_invalid',
  'actor_token_invalid',
  'refresh_token_invalid',
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
  /** The person concerned. */
  userId?: string | undefined;
  scopes?: readonly string[];
  /** For the log only. */
  detail?: string | undefined;
  /** The limit that is used up, a minute. */
  limit?: number;
  retryAfterSeconds?: number;
  /** The caller showed a client assertion: whatever is wrong with it or its client, it is told the same. */
  byAssertion?: boolean;
  /** The same, of a client certificate. */
  byCertificate?: boolean;
  /** It was decided for a person, not for the client. */
  ofPerson?: boolean;
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
