import type { RefusalData } from '../../protocol/refusal.ts';
import { type ErrorTable, type Row, row } from './error-table.ts';

const badAssertion = row(401, 'invalid_client', 'The client assertion is not valid.');
const wrongSecret = row(401, 'access_denied', 'Unauthorized');

/**
 * One answer for whoever can't prove who they are, by secret and by assertion: it does not tell an unknown client from
 * a wrong secret or a wrong signature.
 */
const unauthorized: Row = (data) => (data.byAssertion ? badAssertion(data) : wrongSecret(data));
const denied = (description: string | ((data: RefusalData) => string)): Row => row(403, 'access_denied', description);

/** One answer, whether or not there is such an organization. */
const strangerToOrganization = denied('The client has no access to this organization.');

/** The error table of the root issuer: Auth0's words where its clients know them, RFC 6749's elsewhere. */
export const rootErrors: ErrorTable = {
  client_id_missing: row(401, 'invalid_client', 'No client is named: send client_id, or an Authorization header.'),
  client_unknown: unauthorized,
  credentials_missing: unauthorized,
  credentials_malformed: row(401, 'invalid_client', 'The client credentials can not be read.'),
  several_auth_methods: row(400, 'invalid_request', 'More than one way of client authentication was used.'),
  secret_wrong: unauthorized,
  secret_expired: unauthorized,
  auth_method_not_registered: unauthorized,
  client_public: unauthorized,
  client_disabled: row(403, 'unauthorized_client', 'The client is disabled.'),
  assertion_invalid: badAssertion,
  assertion_replayed: badAssertion,
  rate_limited: row(429, 'too_many_requests', 'Global limit has been reached'),
  parameter_invalid: row(400, 'invalid_request', ({ parameter }) => `The parameter ${parameter} is not valid.`),
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
  target_invalid: row(400, 'invalid_target', 'The resource must be one absolute URI without a fragment.'),
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
  user_inactive: row(400, 'invalid_grant', 'The user is not active.'),
  token_missing: row(400, 'invalid_request', 'Missing required parameter: token'),
  tenant_unknown: row(404, 'not_found', 'There is nothing here.'),
  tenant_suspended: denied('The tenant is suspended.'),
};
