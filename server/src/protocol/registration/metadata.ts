/**
 * Client metadata (RFC 7591 §2, OpenID Connect Dynamic Client Registration §2) and the domain's words for it. What is not
 * known is ignored, as §2 asks; what asks for something that is not done here is refused, so that nobody relies on it.
 */
import type { AuthMethod, ClientType } from '../../domain/clients/client.ts';
import type { GivenKey } from '../../domain/clients/client-keys.ts';
import type { ClientSignIn } from '../../domain/clients/sign-in.ts';
import {
  type RegisteredClient,
  type Registration,
  registrableGrantTypes,
} from '../../domain/registrations/registrations.ts';
import { invalid } from '../../kernel/errors.ts';
import { asMetadata, flag, type Metadata, oneOf, text, texts } from './values.ts';

/** The domain's fields in the words of the metadata, for errors. */
export const metadataNames: Readonly<Record<string, string>> = {
  redirectUris: 'redirect_uris',
  postLogoutRedirectUris: 'post_logout_redirect_uris',
  backchannelLogoutUri: 'backchannel_logout_uri',
  initiateLoginUri: 'initiate_login_uri',
  logoUri: 'logo_uri',
  clientUri: 'client_uri',
  policyUri: 'policy_uri',
  tosUri: 'tos_uri',
  keys: 'jwks.keys',
};

const authMethods = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const;

/** What would be promised and not kept. */
const unsupported: Readonly<Record<string, string>> = {
  jwks_uri: 'Keys are not fetched; send them in jwks.',
  sector_identifier_uri: 'Subjects are public here.',
  userinfo_signed_response_alg: 'The userinfo endpoint answers JSON.',
  userinfo_encrypted_response_alg: 'Nothing is encrypted to clients.',
  id_token_encrypted_response_alg: 'Nothing is encrypted to clients.',
  request_object_signing_alg: 'Request objects are not supported; push the request.',
  software_statement: 'Software statements are not supported.',
};

/** Reads the body of a registration. Throws `input.invalid` naming the metadata. */
export function registrationOf(body: unknown): Registration {
  const metadata = asMetadata(body);
  for (const [name, why] of Object.entries(unsupported)) {
    if (metadata[name] !== undefined && metadata[name] !== null) throw invalid(name, why);
  }
  oneOf(metadata, 'subject_type', ['public']);
  oneOf(metadata, 'id_token_signed_response_alg', ['RS256']);
  const authMethod = oneOf(metadata, 'token_endpoint_auth_method', authMethods) ?? 'client_secret_basic';
  const grantTypes = grantTypesOf(metadata);
  const redirectUris = texts(metadata, 'redirect_uris') ?? [];
  if (grantTypes.includes('authorization_code') && redirectUris.length === 0) {
    throw invalid('redirect_uris', 'The grant type authorization_code needs at least one redirect URI.');
  }
  return {
    name: nameOf(metadata, redirectUris),
    type: typeOf(metadata, authMethod),
    grantTypes,
    authMethod,
    signIn: signInOf(metadata, redirectUris),
    keys: authMethod === 'private_key_jwt' ? keysOf(metadata) : [],
  };
}

/** RFC 7591 §2.1: the response types are those the grant types make possible. */
function grantTypesOf(metadata: Metadata): string[] {
  const grantTypes = [...new Set(texts(metadata, 'grant_types') ?? ['authorization_code'])];
  const other = grantTypes.find((grantType) => !registrableGrantTypes.includes(grantType));
  if (other !== undefined || grantTypes.length === 0) {
    throw invalid('grant_types', `A client may register for ${registrableGrantTypes.join(', ')}.`);
  }
  const withCode = grantTypes.includes('authorization_code');
  const responseTypes = texts(metadata, 'response_types') ?? (withCode ? ['code'] : []);
  if (responseTypes.join() !== (withCode ? 'code' : '')) {
    throw invalid('response_types', withCode ? 'The only response type is code.' : 'Without authorization_code: none.');
  }
  return grantTypes;
}

/** A name that people read before they agree: one line, nothing in it that does not show. */
function nameOf(metadata: Metadata, [first]: readonly string[]): string {
  const name = text(metadata, 'client_name') ?? (first === undefined ? undefined : URL.parse(first)?.host);
  if (name === undefined || name === '') return 'Unnamed application';
  const hidden = /[\p{C}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}]/u.test(name);
  if (name.trim() !== name || [...name].length > 128 || hidden) {
    throw invalid('client_name', 'A name has 1 to 128 visible characters, and no space around it.');
  }
  return name;
}

function typeOf(metadata: Metadata, authMethod: AuthMethod): ClientType {
  if (oneOf(metadata, 'application_type', ['web', 'native']) === 'native') return 'native';
  return authMethod === 'none' ? 'browser' : 'web';
}

function signInOf(metadata: Metadata, redirectUris: readonly string[]): ClientSignIn {
  const facts: Partial<ClientSignIn> = Object.fromEntries(
    Object.entries({
      backchannelLogoutUri: text(metadata, 'backchannel_logout_uri'),
      backchannelLogoutSessionRequired: flag(metadata, 'backchannel_logout_session_required'),
      initiateLoginUri: text(metadata, 'initiate_login_uri'),
      logoUri: text(metadata, 'logo_uri'),
      clientUri: text(metadata, 'client_uri'),
      policyUri: text(metadata, 'policy_uri'),
      tosUri: text(metadata, 'tos_uri'),
      requiresPushedRequests: flag(metadata, 'require_pushed_authorization_requests'),
      requiresDpop: flag(metadata, 'dpop_bound_access_tokens'),
    }).filter(([, value]) => value !== undefined),
  );
  const postLogoutRedirectUris = texts(metadata, 'post_logout_redirect_uris') ?? [];
  return { redirectUris, postLogoutRedirectUris, allowedOrigins: [], ...facts };
}

function keysOf(metadata: Metadata): GivenKey[] {
  const { jwks } = metadata;
  const keys = typeof jwks === 'object' && jwks !== null ? (jwks as { keys?: unknown }).keys : undefined;
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > 20) {
    throw invalid('jwks', 'private_key_jwt needs the public keys, 1 to 20, inline: {"keys": [...]}.');
  }
  const alg = text(metadata, 'token_endpoint_auth_signing_alg');
  return keys.map((key: unknown, index) => {
    if (typeof key !== 'object' || key === null || Array.isArray(key)) {
      throw invalid(`jwks.keys.${index}`, 'A key is a JSON Web Key.');
    }
    const jwk = key as Record<string, unknown>;
    const kid = text(jwk, 'kid', `jwks.keys.${index}.kid`);
    return { jwk, kid, ...(jwk.alg === undefined && alg !== undefined ? { alg } : {}) };
  });
}

/** The metadata of a client as it is kept (RFC 7591 §3.2.1). */
export function metadataOf(client: RegisteredClient): Record<string, unknown> {
  const { signIn, grantTypes, authMethod, type, publicKeys } = client;
  const all = {
    client_id: client.id,
    client_id_issued_at: Math.floor(client.createdAt / 1000),
    client_name: client.name,
    application_type: type === 'native' ? 'native' : 'web',
    redirect_uris: signIn.redirectUris,
    post_logout_redirect_uris: signIn.postLogoutRedirectUris,
    grant_types: grantTypes,
    response_types: grantTypes.includes('authorization_code') ? ['code'] : [],
    token_endpoint_auth_method: authMethod,
    id_token_signed_response_alg: 'RS256',
    subject_type: 'public',
    jwks: publicKeys.length === 0 ? undefined : { keys: publicKeys },
    backchannel_logout_uri: signIn.backchannelLogoutUri,
    backchannel_logout_session_required: signIn.backchannelLogoutSessionRequired,
    initiate_login_uri: signIn.initiateLoginUri,
    logo_uri: signIn.logoUri,
    client_uri: signIn.clientUri,
    policy_uri: signIn.policyUri,
    tos_uri: signIn.tosUri,
    require_pushed_authorization_requests: signIn.requiresPushedRequests,
    dpop_bound_access_tokens: signIn.requiresDpop,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
