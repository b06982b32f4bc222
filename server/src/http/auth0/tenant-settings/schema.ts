import { type Static, type TSchema, Type } from 'typebox';
import { fieldsQuery } from '../envelope.ts';
import { anyObject, closed, literals, nullable, optional, text, texts } from '../schema.ts';

/** Lifetimes in hours; a part of an hour arises from the fields in minutes. */
const hours = Type.Number({ exclusiveMinimum: 0, maximum: 8760 });
const minutes = Type.Integer({ minimum: 1, maximum: 525_600 });

export const lifetimes = [
  'session_lifetime',
  'idle_session_lifetime',
  'ephemeral_session_lifetime',
  'idle_ephemeral_session_lifetime',
] as const;

/** Fields that nothing in the domain rests on yet: kept as given and shown as kept. */
export const extraFields = {
  friendly_name: text(300),
  picture_url: text(),
  support_email: text(300),
  support_url: text(),
  default_directory: text(300),
  default_redirection_uri: text(),
  allowed_logout_urls: texts(),
  enabled_locales: Type.Array(text(20), { minItems: 1, maxItems: 200 }),
  session_lifetime: hours,
  idle_session_lifetime: hours,
  ephemeral_session_lifetime: hours,
  idle_ephemeral_session_lifetime: hours,
  sandbox_version: text(20),
  legacy_sandbox_version: text(20),
  change_password: anyObject,
  device_flow: anyObject,
  guardian_mfa_page: anyObject,
  error_page: anyObject,
  default_token_quota: anyObject,
  security_headers: anyObject,
  session_cookie: closed(optional({ mode: literals('persistent', 'non-persistent') })),
  sessions: anyObject,
  oidc_logout: anyObject,
  mtls: anyObject,
  country_codes: anyObject,
  acr_values_supported: texts(20, 100),
  customize_mfa_in_postlogin_action: Type.Boolean(),
  allow_organization_name_in_authentication_api: Type.Boolean(),
  pushed_authorization_requests_supported: Type.Boolean(),
  authorization_response_iss_parameter_supported: Type.Boolean(),
  skip_non_verifiable_callback_uri_confirmation_prompt: Type.Boolean(),
  resource_parameter_profile: literals('audience', 'compatibility'),
  client_id_metadata_document_supported: Type.Boolean(),
  enable_ai_guide: Type.Boolean(),
  phone_consolidated_experience: Type.Boolean(),
  include_session_metadata_in_tenant_logs: Type.Boolean(),
  dynamic_client_registration_security_mode: text(100),
} as const satisfies Record<string, TSchema>;

const nullableExtras = Object.fromEntries(
  Object.entries(extraFields).map(([name, schema]) => [name, nullable(schema)]),
) as { [K in keyof typeof extraFields]: ReturnType<typeof nullable<(typeof extraFields)[K]>> };

const flag = Type.Object({}, { additionalProperties: Type.Boolean(), maxProperties: 100 });

export const updateBody = closed(
  optional({
    ...nullableExtras,
    session_lifetime_in_minutes: minutes,
    idle_session_lifetime_in_minutes: minutes,
    ephemeral_session_lifetime_in_minutes: minutes,
    idle_ephemeral_session_lifetime_in_minutes: minutes,
    default_audience: nullable(text(600)),
    flags: flag,
  }),
);
export type UpdateBody = Static<typeof updateBody>;

export const readQuery = closed(fieldsQuery);
