import { signingAlgorithms } from '../domain/keys/keys.ts';
import { assertionAlgorithms, headerNames } from '../kernel/jwa.ts';
import { defineStatement } from '../storage/statement.ts';
import type { ProtocolContext } from './context.ts';
import type { IssuerProfile } from './profile.ts';
import { Refusal } from './refusal.ts';
import { grantTypes } from './token/grants/index.ts';

/** Where the endpoints of an issuer are, as paths under the tenant's origin. */
export interface EndpointPaths {
  readonly token: string;
  readonly jwks: string;
  readonly introspection: string;
  readonly revocation: string;
}

/** Server metadata (RFC 8414 §2, OpenID Connect Discovery §3): only what exists is advertised. */
export async function metadataOf(
  ctx: ProtocolContext,
  profile: IssuerProfile,
  paths: EndpointPaths,
): Promise<Record<string, unknown>> {
  await assertTenant(ctx);
  const { origin } = ctx.site;
  const algorithms = await signingAlgorithms({ db: ctx.services.db, site: ctx.site });
  const authMethods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt'];
  const clientAuthentication = (endpoint: string) => ({
    [`${endpoint}_endpoint_auth_methods_supported`]: authMethods,
    [`${endpoint}_endpoint_auth_signing_alg_values_supported`]: assertionAlgorithms.flatMap(headerNames),
  });
  return {
    issuer: profile.issuer(ctx.site),
    token_endpoint: `${origin}${paths.token}`,
    jwks_uri: `${origin}${paths.jwks}`,
    introspection_endpoint: `${origin}${paths.introspection}`,
    revocation_endpoint: `${origin}${paths.revocation}`,
    grant_types_supported: Object.keys(grantTypes),
    response_types_supported: [],
    scopes_supported: [],
    subject_types_supported: ['public'],
    // The algorithms access tokens are signed with; verifiers take this as their allow-list.
    id_token_signing_alg_values_supported: algorithms,
    ...clientAuthentication('token'),
    ...clientAuthentication('introspection'),
    ...clientAuthentication('revocation'),
  };
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
