import type { RefusalData } from '../../protocol/refusal.ts';
import { type ErrorTable, type Row, row } from './error-table.ts';
import { invalidGrant, sharedErrors } from './shared-errors.ts';

const badAssertion = row(401, 'invalid_client', 'The client assertion is not valid.');
const badCertificate = row(401, 'invalid_client', 'The client certificate is not valid.');
const wrongSecret = row(401, 'access_denied', 'Unauthorized');

/**
 * One answer for whoever can't prove who they are, by secret, by assertion and by certificate: it does not tell an
 * unknown client from a wrong secret, a wrong signature or a wrong certificate.
 */
const unauthorized: Row = (data) => {
  if (data.byAssertion) return badAssertion(data);
  return data.byCertificate ? badCertificate(data) : wrongSecret(data);
};
const denied = (description: string | ((data: RefusalData) => string)): Row => row(403, 'access_denied', description);

/** One answer, whether or not there is such an organization. */
const strangerToOrganization = denied(
  ({ ofPerson }) => `The ${ofPerson === true ? 'user' : 'client'} has no access to this organization.`,
);

/** The error table of the root issuer: Auth0's words where its clients know them, RFC 6749's elsewhere. */
export const rootErrors: ErrorTable = {
  ...sharedErrors,
  client_unknown: unauthorized,
  credentials_missing: unauthorized,
  secret_wrong: unauthorized,
  secret_expired: unauthorized,
  auth_method_not_registered: unauthorized,
  client_public: unauthorized,
  client_disabled: row(403, 'unauthorized_client', 'The client is disabled.'),
  assertion_invalid: badAssertion,
  assertion_replayed: badAssertion,
  certificate_invalid: badCertificate,
  rate_limited: row(429, 'too_many_requests', 'Global limit has been reached'),
  grant_type_missing: row(400, 'invalid_request', 'Missing required parameter: grant_type'),
  grant_type_unsupported: row(400, 'unsupported_grant_type', ({ grantType }) => `Unsupported grant type: ${grantType}`),
  grant_type_not_allowed: row(
    403,
    'unauthorized_client',
    ({ grantType }) => `Grant type '${grantType}' not allowed for the client.`,
  ),
  audience_missing: denied('Non-global clients are not allowed access to APIv1'),
  audience_unknown: denied(({ audience }) => `Service not enabled within domain: ${audience}`),
  audience_closed: denied(({ audience }) => `No client is allowed to access ${audience}.`),
  public_client_at_management: denied('A public client is never allowed to access a management API.'),
  grant_missing: denied(
    ({ clientId, audience }) =>
      `Client "${clientId}" is not authorized to access resource server "${audience}". You need to create a "client-grant" associated to this API.`,
  ),
  scope_not_granted: denied(({ scopes = [] }) => `Client has not been granted scopes: ${scopes.join(' ')}`),
  organization_not_accepted: denied('This API does not take an organization.'),
  organization_denied_by_grant: denied('The client grant does not allow an organization.'),
  organization_required_by_grant: denied('The client grant requires an organization.'),
  organization_unknown: strangerToOrganization,
  organization_not_member: strangerToOrganization,
  organization_suspended: denied('The organization is suspended.'),
  organization_other_policy: denied('The organization asks for another way to sign in.'),
  code_invalid: invalidGrant('Invalid authorization code'),
  code_replayed: invalidGrant('Invalid authorization code'),
  code_verifier_wrong: invalidGrant('Failed to verify code verifier'),
  refresh_token_invalid: invalidGrant('Unknown or invalid refresh token.'),
  refresh_token_replayed: invalidGrant('Unknown or invalid refresh token.'),
  device_code_invalid: invalidGrant('Invalid or expired device code.'),
  device_denied: row(403, 'access_denied', 'The person refused the device.'),
  slow_down: row(400, 'slow_down', 'You are polling too quickly: wait 5 seconds longer from now on.'),
  user_code_unknown: row(404, 'not_found', 'There is no such user code.'),
  // RFC 8693 §2.2.2.
  subject_token_invalid: row(400, 'invalid_request', 'The subject token is not valid.'),
  actor_token_invalid: row(400, 'invalid_request', 'The actor token is not valid.'),
  actors_too_many: row(400, 'invalid_request', 'The subject token has been handed on too often.'),
  organization_not_consented: denied('The person did not let the client act in this organization.'),
  redirect_uri_missing: row(400, 'invalid_request', 'Missing required parameter: redirect_uri'),
  pkce_required: row(
    400,
    'invalid_request',
    'Send a code_challenge of 43 characters, with code_challenge_method S256.',
  ),
  login_required: row(400, 'login_required', 'Login required'),
  consent_required: row(400, 'consent_required', 'Consent required'),
  person_refused: row(403, 'access_denied', 'The person refused.'),
  interaction_unknown: row(404, 'not_found', 'This page is over or belongs to another browser.'),
  token_missing: row(400, 'invalid_request', 'Missing required parameter: token'),
  tenant_unknown: row(404, 'not_found', 'There is nothing here.'),
  tenant_suspended: denied('The tenant is suspended.'),
};
