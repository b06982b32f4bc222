import type { RefusalData } from '../../protocol/refusal.ts';
import { type ErrorTable, row } from './error-table.ts';

/** One answer for whoever can't prove who they are, by secret and by assertion. */
const unauthorized = row(401, 'invalid_client', 'The client authentication failed.');

/** Logto's statuses: access that is denied is 400, unless it is an organization that denies it. */
const denied = (description: string | ((data: RefusalData) => string)) => row(400, 'access_denied', description);
const organizationDenied = (description: string) => row(403, 'access_denied', description);

/** One answer, whether or not there is such an organization. */
const strangerToOrganization = organizationDenied('The application is not a member of this organization.');

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
  token_missing: row(400, 'invalid_request', 'The parameter token is missing.'),
  tenant_unknown: row(404, 'invalid_request', 'There is nothing here.'),
  tenant_suspended: row(403, 'access_denied', 'The tenant is suspended.'),
};
