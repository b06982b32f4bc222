import type { ResourceServer } from '../../../domain/resource-servers/resource-server.ts';
import type { ResourceServerChange } from '../../../domain/resource-servers/resource-servers.ts';
import type { SigningAlgorithm } from '../../../kernel/jwa.ts';
import { mergeExtras, withoutUnset } from '../envelope.ts';
import type { UpdateBody } from './schema.ts';

/** Fields of Auth0's that nothing in the domain rests on: kept as given, shown as kept. */
const extraFields = [
  'token_lifetime_for_web',
  'enforce_policies',
  'allow_offline_access',
  'allow_online_access',
  'skip_consent_for_verifiable_first_party_clients',
  'verification_location',
  'token_encryption',
  'consent_policy',
  'authorization_details',
  'proof_of_possession',
] as const;

const defaults = { allow_offline_access: false, skip_consent_for_verifiable_first_party_clients: false };

/** What a body says of an API, in the domain's words; `extras` is made of those that are stored. */
export function changeOf(
  body: UpdateBody,
): ResourceServerChange & { extras: NonNullable<ResourceServerChange['extras']> } {
  const extras = Object.fromEntries(extraFields.map((field) => [field, body[field]]));
  const policies = body.subject_type_authorization;
  const given: ReturnType<typeof changeOf> = {
    ...(body.name === undefined ? {} : { name: body.name }),
    ...(body.signing_alg === undefined ? {} : { signingAlg: body.signing_alg as SigningAlgorithm }),
    ...(body.signing_secret === undefined ? {} : { signingSecret: body.signing_secret }),
    ...(body.token_lifetime === undefined ? {} : { tokenLifetimeSeconds: body.token_lifetime }),
    ...(body.token_dialect === undefined ? {} : { tokenDialect: body.token_dialect }),
    ...(policies?.client?.policy === undefined ? {} : { clientPolicy: policies.client.policy }),
    ...(policies?.user?.policy === undefined ? {} : { userPolicy: policies.user.policy }),
    extras: (stored) => ({ ...stored, auth0: mergeExtras({ ...defaults, ...stored.auth0 }, extras) }),
  };
  if (body.scopes !== undefined) {
    given.scopes = body.scopes.map(({ value, description }) => ({ value, description: description ?? null }));
  }
  return given;
}

/** An API as this dialect shows it; its signing secret only in the answer that made it. */
export function bodyOf(api: ResourceServer): Record<string, unknown> {
  return withoutUnset({
    id: api.id,
    identifier: api.identifier,
    name: api.name,
    ...(api.systemKind === null ? {} : { is_system: true }),
    scopes: api.scopes.length > 0 ? api.scopes.map((scope) => withoutUnset(scope)) : undefined,
    signing_alg: api.signingAlg,
    signing_secret: api.signingSecret,
    token_lifetime: api.tokenLifetimeSeconds,
    token_lifetime_for_web: Math.min(api.tokenLifetimeSeconds, 7200),
    token_dialect: api.tokenDialect,
    ...defaults,
    ...api.extras.auth0,
    subject_type_authorization: { user: { policy: api.userPolicy }, client: { policy: api.clientPolicy } },
  });
}
