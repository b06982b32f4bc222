import { type ErrorTable, type Row, row } from './error-table.ts';

const badProof = row(400, 'invalid_dpop_proof', 'The DPoP proof is not valid for this request.');

/** RFC 6749 §5.2: what was shown is not good. */
export const invalidGrant = (description: string): Row => row(400, 'invalid_grant', description);

/** What both issuers say in the same words; the tables of each have the rest. */
export const sharedErrors = {
  client_id_missing: row(401, 'invalid_client', 'No client is named: send client_id, or an Authorization header.'),
  credentials_malformed: row(401, 'invalid_client', 'The client credentials can not be read.'),
  several_auth_methods: row(400, 'invalid_request', 'More than one way of client authentication was used.'),
  parameter_invalid: row(400, 'invalid_request', ({ parameter }) => `The parameter ${parameter} is not valid.`),
  target_invalid: row(400, 'invalid_target', 'The resource must be one absolute URI without a fragment.'),
  user_inactive: row(400, 'invalid_grant', 'The user is not active.'),
  redirect_uri_mismatch: invalidGrant('The redirect URI is wrong.'),
  device_code_expired: row(400, 'expired_token', 'The device code has expired.'),
  authorization_pending: row(400, 'authorization_pending', 'The person has not answered yet; ask again.'),
  subject_token_of_client: row(400, 'invalid_request', 'The subject token must speak for a person.'),
  exchange_at_management: row(400, 'invalid_target', 'No token for a management API comes out of an exchange.'),
  scope_not_authorized: row(400, 'invalid_scope', 'The scope exceeds what was authorized.'),
  binding_mismatch: invalidGrant('The credential is bound to another key or certificate.'),
  organization_scope_missing: row(403, 'insufficient_scope', 'The refresh token has not the scope for organizations.'),
  redirect_uri_unregistered: row(400, 'invalid_request', 'The redirect_uri is not registered for this client.'),
  response_type_unsupported: row(400, 'unsupported_response_type', 'The only response_type is code.'),
  request_object_unsupported: row(400, 'request_not_supported', 'Request objects are not supported.'),
  pushed_request_required: row(400, 'invalid_request', 'This client must push its authorization requests.'),
  pushed_request_invalid: row(400, 'invalid_request_uri', 'The request_uri is unknown, over, or was used.'),
  interaction_required: row(400, 'interaction_required', 'The person must choose something.'),
  id_token_hint_invalid: row(400, 'invalid_request', 'The id_token_hint is not valid.'),
  logout_uri_unregistered: row(400, 'invalid_request', 'The post_logout_redirect_uri is not registered.'),
  initial_access_token_invalid: row(401, 'invalid_token', 'The initial access token is not valid.'),
  registration_token_invalid: row(401, 'invalid_token', 'The registration access token is not valid here.'),
  registration_closed: row(403, 'access_denied', 'The client can not change its registration any more.'),
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
} as const satisfies Partial<ErrorTable>;
