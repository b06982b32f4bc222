import { type Static, Type } from 'typebox';
import { tokenDialects } from '../../../domain/resource-servers/resource-server.ts';
import { maximumTokenLifetimeSeconds } from '../../../domain/resource-servers/resource-servers.ts';
import { maximumScopes } from '../../../domain/resource-servers/scopes.ts';
import { offsetQuery } from '../envelope.ts';
import { anyObject, closed, displayName, literals, nullable, optional } from '../schema.ts';

const scope = closed({
  value: Type.String({ minLength: 1, maxLength: 280 }),
  description: Type.Optional(nullable(Type.String({ maxLength: 500 }))),
});

/** Fields of an API that a caller can set; ES256, ES384 and EdDSA are additions of ours. */
const settable = {
  name: displayName(200),
  scopes: Type.Array(scope, { maxItems: maximumScopes }),
  signing_alg: literals('HS256', 'RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA'),
  signing_secret: Type.String({ minLength: 16, maxLength: 1000 }),
  token_lifetime: Type.Integer({ minimum: 0, maximum: maximumTokenLifetimeSeconds }),
  token_lifetime_for_web: Type.Integer({ minimum: 0, maximum: maximumTokenLifetimeSeconds }),
  token_dialect: literals(...tokenDialects),
  enforce_policies: Type.Boolean(),
  allow_offline_access: Type.Boolean(),
  allow_online_access: Type.Boolean(),
  skip_consent_for_verifiable_first_party_clients: Type.Boolean(),
  verification_location: nullable(Type.String({ maxLength: 2000 })),
  token_encryption: nullable(anyObject),
  consent_policy: nullable(Type.String({ maxLength: 100 })),
  authorization_details: nullable(Type.Array(Type.Unknown(), { maxItems: 100 })),
  proof_of_possession: nullable(anyObject),
  subject_type_authorization: closed(
    optional({
      user: closed(optional({ policy: literals('allow_all', 'deny_all', 'require_client_grant') })),
      client: closed(optional({ policy: literals('deny_all', 'require_client_grant') })),
      anonymous_user: anyObject,
    }),
  ),
};

export const createBody = closed({
  ...optional(settable),
  identifier: Type.String({ minLength: 1, maxLength: 600 }),
  create_test_application: Type.Optional(
    Type.Boolean({ description: 'Ours: also makes a test application with a grant of all scopes.' }),
  ),
});
export type CreateBody = Static<typeof createBody>;

export const updateBody = closed(optional(settable));
export type UpdateBody = Static<typeof updateBody>;

export const listQuery = closed({
  ...offsetQuery,
  identifiers: Type.Optional(Type.Array(Type.String({ maxLength: 600 }), { maxItems: 100 })),
  include_fields: Type.Optional(Type.Boolean()),
  fields: Type.Optional(Type.String({ maxLength: 1000 })),
});

export const readQuery = closed({
  include_fields: Type.Optional(Type.Boolean()),
  fields: Type.Optional(Type.String({ maxLength: 1000 })),
});
