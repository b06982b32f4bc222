import { type Static, type TOptional, type TSchema, type TUnknown, Type } from 'typebox';
import { maximumOverlapSeconds } from '../../../domain/clients/secrets.ts';
import { assertionAlgorithms } from '../../../kernel/jwa.ts';
import { checkpointQuery, fieldsQuery, offsetQuery } from '../envelope.ts';
import { anyObject, closed, displayName, literals, metadata, nullable, optional, text, texts } from '../schema.ts';

/** A public key or a certificate as a credential; `jwk` is an addition of ours. */
const credential = {
  credential_type: literals('public_key', 'x509_cert', 'cert_subject_dn'),
  name: text(128),
  pem: text(16_384),
  subject_dn: text(1024),
  jwk: anyObject,
  alg: literals(...assertionAlgorithms),
  kid: Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9_-]+$' }),
  parse_expiry_from_cert: Type.Boolean(),
  expires_at: Type.String({ maxLength: 40 }),
};

export const createCredentialBody = closed({
  ...optional(credential),
  credential_type: credential.credential_type,
});
export type CredentialBody = Static<typeof createCredentialBody>;

export const updateCredentialBody = closed({ expires_at: Type.Optional(nullable(Type.String({ maxLength: 40 }))) });

/** One method, and what it refers to: credentials in full for a new client, ids of them later. */
const authenticationMethods = <T extends TSchema>(reference: T) => {
  const method = closed({ credentials: Type.Array(reference, { minItems: 1, maxItems: 10 }) });
  return Type.Optional(
    nullable(
      closed(optional({ private_key_jwt: method, tls_client_auth: method, self_signed_tls_client_auth: method })),
    ),
  );
};

const organizationUsage = literals('deny', 'allow', 'require');

/** A lifetime in seconds; what is too long or too short is refused by the rule of it. */
const lifetime = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** What is told of a logout, beside whatever else stands there. */
const logout = Type.Object({ backchannel_logout_urls: Type.Optional(texts()) }, { additionalProperties: true });

const refreshToken = Type.Object(
  optional({
    rotation_type: literals('rotating', 'non-rotating'),
    expiration_type: literals('expiring', 'non-expiring'),
    token_lifetime: lifetime,
    infinite_token_lifetime: Type.Boolean(),
  }),
  { additionalProperties: true },
);

/**
 * Fields that are facts of sign-in (`sign-in.ts`), and fields that nothing in the domain rests on yet: these are kept as
 * given and shown as kept, so that a configuration makes the round trip.
 */
export const extraFields = {
  logo_uri: text(),
  sso: Type.Boolean(),
  sso_disabled: Type.Boolean(),
  cross_origin_authentication: Type.Boolean(),
  cross_origin_auth: Type.Boolean(),
  cross_origin_loc: text(),
  custom_login_page: text(100_000),
  custom_login_page_on: Type.Boolean(),
  custom_login_page_preview: text(100_000),
  form_template: text(100_000),
  initiate_login_uri: text(),
  oidc_conformant: Type.Boolean(),
  callbacks: texts(),
  allowed_origins: texts(),
  web_origins: texts(),
  allowed_logout_urls: texts(),
  client_aliases: texts(),
  allowed_clients: texts(),
  allowed_ips: texts(),
  jwt_configuration: closed(
    optional({
      alg: literals('HS256', 'RS256', 'RS512', 'PS256'),
      lifetime_in_seconds: Type.Integer({ minimum: 0, maximum: 2_592_000 }),
      secret_encoded: Type.Boolean(),
      scopes: anyObject,
    }),
  ),
  encryption_key: anyObject,
  addons: anyObject,
  mobile: anyObject,
  native_social_login: anyObject,
  oidc_logout: logout,
  oidc_backchannel_logout: logout,
  refresh_token: refreshToken,
  session_transfer: anyObject,
  token_exchange: anyObject,
  token_quota: anyObject,
  default_organization: anyObject,
  my_organization_configuration: anyObject,
  organization_usage: organizationUsage,
  organization_require_behavior: literals('no_prompt', 'pre_login_prompt', 'post_login_prompt'),
  organization_discovery_methods: texts(),
  require_pushed_authorization_requests: Type.Boolean(),
  require_proof_of_possession: Type.Boolean(),
  compliance_level: text(100),
  par_request_expiry: Type.Integer({ minimum: 10, maximum: 600 }),
  signed_request_object: anyObject,
  is_token_endpoint_ip_header_trusted: Type.Boolean(),
  skip_non_verifiable_callback_uri_confirmation_prompt: Type.Boolean(),
  async_approval_notification_channels: texts(),
  express_configuration: anyObject,
  fedcm_login: anyObject,
} as const;

/** Fields the domain knows under its own words. */
const settable = {
  name: displayName(512),
  description: Type.String({ maxLength: 140 }),
  app_type: Type.String({ minLength: 1, maxLength: 64, pattern: '^[a-z0-9_]+$' }),
  grant_types: texts(50, 128),
  is_first_party: Type.Boolean(),
  client_metadata: metadata,
  resource_server_identifier: text(600),
  enabled: Type.Boolean(),
};

const authMethod = literals('none', 'client_secret_post', 'client_secret_basic');

const nullableExtras = Object.fromEntries(
  Object.entries(extraFields).map(([name, schema]) => [name, Type.Optional(nullable(schema))]),
) as unknown as Record<keyof typeof extraFields, TOptional<TUnknown>>;

export const createBody = closed({
  ...optional(settable),
  ...nullableExtras,
  name: settable.name,
  token_endpoint_auth_method: Type.Optional(nullable(authMethod)),
  client_authentication_methods: authenticationMethods(closed(optional(credential))),
  jwks: Type.Optional(closed({ keys: Type.Array(anyObject, { minItems: 1, maxItems: 10 }) })),
});
export type CreateBody = Static<typeof createBody>;

export const updateBody = closed({
  ...optional(settable),
  description: Type.Optional(nullable(settable.description)),
  app_type: Type.Optional(nullable(settable.app_type)),
  client_metadata: Type.Optional(nullable(metadata)),
  resource_server_identifier: Type.Optional(nullable(settable.resource_server_identifier)),
  ...nullableExtras,
  client_secret: Type.Optional(Type.String({ maxLength: 256 })),
  token_endpoint_auth_method: Type.Optional(nullable(authMethod)),
  client_authentication_methods: authenticationMethods(closed({ id: Type.String({ maxLength: 64 }) })),
});
export type UpdateBody = Static<typeof updateBody>;

export const rotateBody = Type.Optional(
  nullable(
    closed({
      overlap_seconds: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: maximumOverlapSeconds,
          description: 'Ours: how long the secrets before go on.',
        }),
      ),
    }),
  ),
);

export const listQuery = closed({
  ...offsetQuery,
  ...checkpointQuery,
  ...fieldsQuery,
  is_global: Type.Optional(Type.Boolean()),
  is_first_party: Type.Optional(Type.Boolean()),
  app_type: Type.Optional(text(200)),
  external_client_id: Type.Optional(text(200)),
  q: Type.Optional(text(200)),
});

export const readQuery = closed(fieldsQuery);
