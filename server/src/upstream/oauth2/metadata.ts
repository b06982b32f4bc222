/** Discovery: a provider's own word about its endpoints (RFC 8414, OpenID Connect Discovery). Asked anew in each step. */
import { type AuthorizationServer, discoveryRequest, processDiscoveryResponse } from 'oauth4webapi';
import { UpstreamError } from '../identity.ts';
import { requestOptions } from './client.ts';
import type { OAuth2Configuration } from './configuration.ts';
import type { Send } from './requests.ts';

type Algorithm = 'oauth2' | 'oidc';

/** The metadata of an issuer, from the first of the well-known places that has them. */
export async function discover(
  send: Send,
  issuer: string,
  places: readonly [Algorithm, ...Algorithm[]],
): Promise<AuthorizationServer> {
  const url = URL.parse(issuer);
  if (url === null || url.search !== '' || url.hash !== '') {
    throw new UpstreamError('misconfigured', 'The issuer is no URL without query and fragment.');
  }
  const [algorithm, ...others] = places;
  const response = await discoveryRequest(url, { ...requestOptions(send), algorithm });
  const [next, ...rest] = others;
  if (response.status === 404 && next !== undefined) return discover(send, issuer, [next, ...rest]);
  if (response.status >= 400) throw new UpstreamError('misconfigured', 'The issuer has no metadata.');
  const metadata = await processDiscoveryResponse(url, response);
  // The library takes URLs that are equal; an issuer is a text (RFC 8414 §3.3).
  if (metadata.issuer !== issuer) throw new UpstreamError('answer_invalid', 'The metadata are of another issuer.');
  return metadata;
}

interface Needs {
  readonly clientAuthMethod: OAuth2Configuration['clientAuthMethod'];
  readonly responseMode: 'query' | 'form_post';
}

/** Throws `misconfigured` when the metadata say that our requests would be refused. What they do not say is not held against them. */
export function assertSupported(metadata: AuthorizationServer, { clientAuthMethod, responseMode }: Needs): void {
  const needs: readonly [keyof AuthorizationServer, string][] = [
    ['response_types_supported', 'code'],
    ['response_modes_supported', responseMode],
    ['grant_types_supported', 'authorization_code'],
    ['code_challenge_methods_supported', 'S256'],
    ['token_endpoint_auth_methods_supported', clientAuthMethod],
  ];
  for (const [name, value] of needs) {
    // Public clients are served by many that do not list it.
    if (value === 'none') continue;
    const supported = metadata[name];
    if (Array.isArray(supported) && !supported.includes(value)) {
      throw new UpstreamError('misconfigured', `The provider does not support ${value} (${name}).`);
    }
  }
}
