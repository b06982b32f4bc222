/** What an OpenID provider says of itself. */
import type { AuthorizationServer } from 'oauth4webapi';
import { UpstreamError } from '../identity.ts';
import { discover } from '../oauth2/metadata.ts';
import { assertAnswered, parseObject, type Send } from '../oauth2/requests.ts';

/** Signatures by keys that only the provider has: no `none`, and nothing made with our secret (RFC 8725 §3.1). */
const algorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'],
  ...['EdDSA', 'Ed25519'],
];

/** The provider's metadata, with those of its algorithms that we take. */
export async function discoverProvider(send: Send, issuer: string): Promise<AuthorizationServer> {
  const metadata = await discover(send, issuer, ['oidc']);
  const supported = metadata.id_token_signing_alg_values_supported;
  return {
    ...metadata,
    id_token_signing_alg_values_supported: Array.isArray(supported)
      ? algorithms.filter((algorithm) => supported.includes(algorithm))
      : algorithms,
    userinfo_signing_alg_values_supported: algorithms,
  };
}

/** Throws unless ID tokens can be checked: an algorithm we take, and keys that can be read. */
export async function assertKeys(send: Send, provider: AuthorizationServer): Promise<void> {
  if (provider.id_token_signing_alg_values_supported?.length === 0) {
    throw new UpstreamError('misconfigured', 'The provider signs ID tokens with no algorithm that can be trusted.');
  }
  const url = provider.jwks_uri;
  if (typeof url !== 'string') throw new UpstreamError('misconfigured', 'The provider has no keys (jwks_uri).');
  const answer = await send({ method: 'GET', url, headers: { accept: 'application/json, application/jwk-set+json' } });
  assertAnswered(answer);
  const keys = answer.status === 200 ? parseObject(answer.body.toString())?.keys : null;
  const isPublic = (key: unknown) => /^(RSA|EC|OKP)$/.test(String((key as { kty?: unknown } | null)?.kty));
  if (!Array.isArray(keys) || !keys.some(isPublic)) {
    throw new UpstreamError('answer_invalid', 'The provider has no key that could check an ID token.');
  }
}
