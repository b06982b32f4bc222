import type { RefusalData } from '../../protocol/refusal.ts';
import { type ErrorTable, row } from './error-table.ts';
import { invalidGrant, sharedErrors } from './shared-errors.ts';

/** One answer for whoever can't prove who they are, by secret and by assertion. */
const unauthorized = row(401, 'invalid_client', 'The client authentication failed.');

/** Logto's statuses: access that is denied is 400, unless it is an organization that denies it. */
const denied = (description: string | ((data: RefusalData) => string)) => row(400, 'access_denied', description);
const organizationDenied = (description: string) => row(403, 'access_denied', description);

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
  ...sharedErrors,
  client_unknown: unauthorized,
  credentials_missing: unauthorized,
  secret_wrong: unauthorized,
  secret_expired: unauthorized,
  auth_method_not_registered: unauthorized,
  client_public: unauthorized,
  client_disabled: row(400, 'unauthorized_client', 'The application is disabled.'),
  assertion_invalid: unauthorized,
  assertion_replayed: unauthorized,
  certificate_invalid: unauthorized,
  rate_limited: row(429, 'too_many_requests', 'Too many requests; wait for the time in Retry-After.'),
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
  organization_other_policy: organizationDenied('The organization asks for another way to sign in.'),
  code_invalid: invalidGrant('The authorization code is not valid.'),
  code_replayed: invalidGrant('The authorization code is not valid.'),
  code_verifier_wrong: invalidGrant('The code verifier is wrong.'),
  refresh_token_invalid: invalidGrant('The refresh token is not valid.'),
  refresh_token_replayed: invalidGrant('The refresh token is not valid.'),
  device_code_invalid: invalidGrant('The device code is not valid.'),
  device_denied: denied('The person refused the device.'),
  slow_down: row(400, 'slow_down', 'The device polls too quickly: wait 5 seconds longer from now on.'),
  user_code_unknown: row(404, 'invalid_request', 'There is no such user code.'),
  subject_token_invalid: invalidGrant('The subject token is not valid.'),
  actor_token_invalid: invalidGrant('The actor token is not valid.'),
  actors_too_many: invalidGrant('The subject token has been handed on too often.'),
  organization_not_consented: organizationDenied('The person did not let the application act in this organization.'),
  redirect_uri_missing: row(400, 'invalid_request', 'The parameter redirect_uri is missing.'),
  pkce_required: row(
    400,
    'invalid_request',
    'Send a code_challenge of 43 characters, with code_challenge_method S256.',
  ),
  login_required: row(400, 'login_required', 'Nobody is signed in.'),
  consent_required: row(400, 'consent_required', 'The person has not agreed.'),
  person_refused: denied('The person refused.'),
  interaction_unknown: row(404, 'invalid_request', 'This page is over or belongs to another browser.'),
  token_missing: row(400, 'invalid_request', 'The parameter token is missing.'),
  tenant_unknown: row(404, 'invalid_request', 'There is nothing here.'),
  tenant_suspended: row(403, 'access_denied', 'The tenant is suspended.'),
};
