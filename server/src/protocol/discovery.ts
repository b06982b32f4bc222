import type { CertificateMethod } from '../domain/clients/client.ts';
import { signingAlgorithms } from '../domain/keys/keys.ts';
import { isRegistrationOpen } from '../domain/registrations/initial-access-tokens.ts';
import { assertionAlgorithms, headerNames } from '../kernel/jwa.ts';
import { defineStatement } from '../storage/statement.ts';
import { prompts } from './authorize/request.ts';
import { dpopAlgorithms } from './binding/dpop.ts';
import type { ProtocolContext } from './context.ts';
import type { IssuerProfile } from './profile.ts';
import { Refusal } from './refusal.ts';
import { grantTypes } from './token/grants/index.ts';
import { logtoIdentityScopes, standardIdentityScopes } from './tokens/identity-scopes.ts';

/** Where the endpoints of an issuer are, as paths under the tenant's origin. */
export interface EndpointPaths {
  readonly token: string;
  readonly jwks: string;
  readonly introspection: string;
  readonly revocation: string;
  readonly authorization: string;
  readonly pushedAuthorization: string;
  readonly deviceAuthorization: string;
  readonly userinfo: string;
  readonly endSession: string;
  readonly registration: string;
}

/** Claims that an ID token or the userinfo endpoint may tell (OpenID Connect Core §5.1). */
const claimsSupported = [
  'sub',
  'iss',
  'aud',
  'exp',
  'iat',
  'auth_time',
  'nonce',
  'amr',
  'sid',
  'name',
  'given_name',
  'family_name',
  'middle_name',
  'nickname',
  'preferred_username',
  'profile',
  'picture',
  'website',
  'gender',
  'birthdate',
  'zoneinfo',
  'locale',
  'updated_at',
  'email',
  'email_verified',
  'phone_number',
  'phone_number_verified',
  'address',
];

/** Server metadata (RFC 8414 §2, OpenID Connect Discovery §3): only what exists is advertised. */
export async function metadataOf(
  ctx: ProtocolContext,
  profile: IssuerProfile,
  paths: EndpointPaths,
): Promise<Record<string, unknown>> {
  await assertTenant(ctx);
  const { origin } = ctx.site;
  const algorithms = await signingAlgorithms({ db: ctx.services.db, site: ctx.site });
  const authMethods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', ...certificateMethods(ctx)];
  const clientAuthentication = (endpoint: string, more: readonly string[] = []) => ({
    [`${endpoint}_endpoint_auth_methods_supported`]: [...authMethods, ...more],
    [`${endpoint}_endpoint_auth_signing_alg_values_supported`]: assertionAlgorithms.flatMap(headerNames),
  });
  return {
    issuer: profile.issuer(ctx.site),
    token_endpoint: `${origin}${paths.token}`,
    jwks_uri: `${origin}${paths.jwks}`,
    introspection_endpoint: `${origin}${paths.introspection}`,
    revocation_endpoint: `${origin}${paths.revocation}`,
    grant_types_supported: Object.keys(grantTypes),
    authorization_endpoint: `${origin}${paths.authorization}`,
    device_authorization_endpoint: `${origin}${paths.deviceAuthorization}`,
    pushed_authorization_request_endpoint: `${origin}${paths.pushedAuthorization}`,
    userinfo_endpoint: `${origin}${paths.userinfo}`,
    end_session_endpoint: `${origin}${paths.endSession}`,
    ...((await isRegistrationOpen(ctx.services, ctx.site.tenantId))
      ? { registration_endpoint: `${origin}${paths.registration}` }
      : {}),
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'form_post'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    prompt_values_supported: prompts,
    ui_locales_supported: ['en', 'ja'],
    request_parameter_supported: false,
    // Pushed ones are, under their own name.
    request_uri_parameter_supported: false,
    claims_parameter_supported: false,
    scopes_supported:
      profile.personClaims === 'logto' ? [...standardIdentityScopes, ...logtoIdentityScopes] : standardIdentityScopes,
    claims_supported: claimsSupported,
    subject_types_supported: ['public'],
    // The algorithms access tokens are signed with too; verifiers take this as their allow-list.
    id_token_signing_alg_values_supported: algorithms,
    dpop_signing_alg_values_supported: dpopAlgorithms,
    tls_client_certificate_bound_access_tokens: ctx.services.takesCertificates,
    ...clientAuthentication('token', ['none']),
    ...clientAuthentication('introspection'),
    ...clientAuthentication('revocation', ['none']),
  };
}

/** RFC 8705 §2: what is possible as this server is set up. */
function certificateMethods({ services }: ProtocolContext): CertificateMethod[] {
  if (!services.takesCertificates) return [];
  const vouched = services.clientAuthorities.length > 0;
  return [...(vouched ? ['tls_client_auth' as const] : []), 'self_signed_tls_client_auth'];
}

const tenantStatus = defineStatement<{ tenantId: string }, { status: 'active' | 'suspended' }>(
  'tenant_status',
  'select status from tenants where id = :tenantId',
);

/** Throws the refusals `tenant_unknown` and `tenant_suspended`. */
export async function assertTenant(ctx: ProtocolContext): Promise<void> {
  const [tenant] = await ctx.services.db.run(tenantStatus, { tenantId: ctx.site.tenantId });
  if (tenant === undefined) throw new Refusal('tenant_unknown');
  if (tenant.status !== 'active') throw new Refusal('tenant_suspended');
}
