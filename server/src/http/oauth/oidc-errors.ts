import type { RefusalData } from '../../protocol/refusal.ts';
import { type ErrorTable, row } from './error-table.ts';

/** One answer for whoever can't prove who they are, by secret and by assertion. */
const unauthorized = row(401, 'invalid_client', 'The client authentication failed.');

const badProof = row(400, 'invalid_dpop_proof', 'The DPoP proof is not valid for this request.');

/** Logto's statuses: access that is denied is 400, unless it is an organization that denies it. */
const denied = (description: string | ((data: RefusalData) => string)) => row(400, 'access_denied', description);
const organizationDenied = (description: string) => row(403, 'access_denied', description);

const invalidGrant = (description: string) => row(400, 'invalid_grant', description);

/** One answer, whether or not there is such an organization. */
const strangerToOrganization = row(
  403,
  'access_denied',
  ({ ofPerson }) => `The ${ofPerson === true ? 'user' : 'application'} is not a member of this organization.`,
);

const insufficientScope: ErrorTable['scope_not_granted'] = ({ scopes = [] }) => ({
  status: 403,
  error: 'insufficient_scope',
  description: 'The application has not all of the scopes.',
  scope: scopes.join(' '),
});

/** The error table of the issuer below `/oidc`: the codes and statuses that Logto's clients know. */
export const oidcErrors: ErrorTable = {
  client_id_missing: row(401, 'invalid_client', 'No client is named: send client_id, or an Authorization header.'),
  client_unknown: unauthorized,
  credentials_missing: unauthorized,
  credentials_malformed: row(401, 'invalid_client', 'The client credentials can not be read.'),
  several_auth_methods: row(400, 'invalid_request', 'More than one way of client authentication was used.'),
  secret_wrong: unauthorized,
  secret_expired: unauthorized,
  auth_method_not_registered: unauthorized,
  client_public: unauthorized,
  client_disabled: row(400, 'unauthorized_client', 'The application is disabled.'),
  assertion_invalid: unauthorized,
  assertion_replayed: unauthorized,
  certificate_invalid: unauthorized,
  rate_limited: row(429, 'too_many_requests', 'Too many requests; wait for the time in Retry-After.'),
  parameter_invalid: row(400, 'invalid_request', ({ parameter }) => `The parameter ${parameter} is not valid.`),
  grant_type_missing: row(400, 'invalid_request', 'The parameter grant_type is missing.'),
  grant_type_unsupported: row(
    400,
    'unsupported_grant_type',
    ({ grantType }) => `The grant type ${grantType} is not supported.`,
  ),
  grant_type_not_allowed: row(
    400,
    'invalid_request',
    ({ grantType }) => `The grant type ${grantType} is not allowed for this application.`,
  ),
  audience_missing: row(400, 'invalid_target', 'Name a resource or an organization_id.'),
  audience_unknown: row(400, 'invalid_target', ({ audience }) => `No API resource has the indicator ${audience}.`),
  audience_closed: denied(({ audience }) => `No application is allowed to access ${audience}.`),
  public_client_at_management: denied('A public application is never allowed to access a management API.'),
  target_invalid: row(400, 'invalid_target', 'The resource must be one absolute URI without a fragment.'),
  grant_missing: denied(
    ({ audience }) =>
      `The application has no access to ${audience}: give it a role with permissions of this API resource, or a client grant.`,
  ),
  scope_not_granted: insufficientScope,
  organization_not_accepted: organizationDenied('This API resource does not take an organization.'),
  organization_denied_by_grant: organizationDenied('The client grant does not allow an organization.'),
  organization_required_by_grant: denied('The client grant requires an organization: name an organization_id.'),
  organization_unknown: strangerToOrganization,
  organization_not_member: strangerToOrganization,
  organization_suspended: organizationDenied('The organization is suspended.'),
  user_inactive: row(400, 'invalid_grant', 'The user is not active.'),
  code_invalid: invalidGrant('The authorization code is not valid.'),
  code_replayed: invalidGrant('The authorization code is not valid.'),
  redirect_uri_mismatch: invalidGrant('The redirect URI is wrong.'),
  code_verifier_wrong: invalidGrant('The code verifier is wrong.'),
  refresh_token_invalid: invalidGrant('The refresh token is not valid.'),
  refresh_token_replayed: invalidGrant('The refresh token is not valid.'),
  device_code_invalid: invalidGrant('The device code is not valid.'),
  device_code_expired: row(400, 'expired_token', 'The device code has expired.'),
  device_denied: denied('The person refused the device.'),
  authorization_pending: row(400, 'authorization_pending', 'The person has not answered yet; ask again.'),
  slow_down: row(400, 'slow_down', 'The device polls too quickly: wait 5 seconds longer from now on.'),
  user_code_unknown: row(404, 'invalid_request', 'There is no such user code.'),
  subject_token_invalid: invalidGrant('The subject token is not valid.'),
  subject_token_of_client: row(400, 'invalid_request', 'The subject token must speak for a person.'),
  actor_token_invalid: invalidGrant('The actor token is not valid.'),
  actors_too_many: invalidGrant('The subject token has been handed on too often.'),
  exchange_at_management: row(400, 'invalid_target', 'No token for a management API comes out of an exchange.'),
  scope_not_authorized: row(400, 'invalid_scope', 'The scope exceeds what was authorized.'),
  binding_mismatch: invalidGrant('The credential is bound to another key or certificate.'),
  organization_scope_missing: row(403, 'insufficient_scope', 'The refresh token has not the scope for organizations.'),
  organization_not_consented: organizationDenied('The person did not let the application act in this organization.'),
  redirect_uri_missing: row(400, 'invalid_request', 'The parameter redirect_uri is missing.'),
  redirect_uri_unregistered: row(400, 'invalid_request', 'The redirect_uri is not registered for this client.'),
  response_type_unsupported: row(400, 'unsupported_response_type', 'The only response_type is code.'),
  pkce_required: row(
    400,
    'invalid_request',
    'Send a code_challenge of 43 characters, with code_challenge_method S256.',
  ),
  request_object_unsupported: row(400, 'request_not_supported', 'Request objects are not supported.'),
  pushed_request_required: row(400, 'invalid_request', 'This client must push its authorization requests.'),
  pushed_request_invalid: row(400, 'invalid_request_uri', 'The request_uri is unknown, over, or was used.'),
  login_required: row(400, 'login_required', 'Nobody is signed in.'),
  consent_required: row(400, 'consent_required', 'The person has not agreed.'),
  interaction_required: row(400, 'interaction_required', 'The person must choose something.'),
  id_token_hint_invalid: row(400, 'invalid_request', 'The id_token_hint is not valid.'),
  logout_uri_unregistered: row(400, 'invalid_request', 'The post_logout_redirect_uri is not registered.'),
  initial_access_token_invalid: row(401, 'invalid_token', 'The initial access token is not valid.'),
  registration_token_invalid: row(401, 'invalid_token', 'The registration access token is not valid here.'),
  registration_closed: row(403, 'access_denied', 'The client can not change its registration any more.'),
  person_refused: denied('The person refused.'),
  interaction_unknown: row(404, 'invalid_request', 'This page is over or belongs to another browser.'),
  form_forged: row(403, 'access_denied', 'The form was not sent by our page.'),
  sign_in_failed: row(401, 'access_denied', 'Wrong user or password.'),
  sign_up_off: row(404, 'not_found', 'There is nothing here.'),
  sign_up_refused: row(400, 'invalid_request', 'This e-mail address or username can not be used.'),
  userinfo_token_invalid: row(401, 'invalid_token', 'The access token is not valid here.'),
  userinfo_scope_missing: row(403, 'insufficient_scope', 'The access token has not the scope openid.'),
  dpop_proof_missing: row(400, 'invalid_dpop_proof', 'The client must send a DPoP proof.'),
  dpop_proof_invalid: badProof,
  dpop_proof_replayed: badProof,
  certificate_missing: row(400, 'invalid_request', 'The client must show its certificate.'),
  token_missing: row(400, 'invalid_request', 'The parameter token is missing.'),
  tenant_unknown: row(404, 'invalid_request', 'There is nothing here.'),
  tenant_suspended: row(403, 'access_denied', 'The tenant is suspended.'),
};
