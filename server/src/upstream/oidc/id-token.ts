/** The ID token with all its checks (OpenID Connect Core §3.1.3.7). */
import {
  getValidatedIdTokenClaims,
  processAuthorizationCodeResponse,
  validateApplicationLevelSignature,
} from 'oauth4webapi';
import { UpstreamError } from '../identity.ts';
import type { Exchange } from '../oauth2/client.ts';
import { subjectOf } from '../oauth2/person.ts';
import type { JsonObject } from '../oauth2/requests.ts';

export type IdToken = JsonObject & { readonly sub: string };

/**
 * The claims of the ID token in the token endpoint's answer. The library checks algorithm, iss, aud, azp, exp, nbf and
 * nonce; the signature it checks only when asked: it came by TLS, but so do the answers of a proxy in between.
 */
export async function readIdToken(
  { provider, client, options }: Exchange,
  response: Response,
  nonce: string,
): Promise<{ accessToken: string; claims: IdToken }> {
  const answer = await processAuthorizationCodeResponse(provider, client, response, {
    expectedNonce: nonce,
    requireIdToken: true,
  });
  if (answer.token_type !== 'bearer') throw new UpstreamError('answer_invalid', 'The token is not of the type Bearer.');
  await validateApplicationLevelSignature(provider, response, options);
  const claims = getValidatedIdTokenClaims(answer) as JsonObject | undefined;
  if (claims === undefined) throw new UpstreamError('answer_invalid', 'There is no ID token.');
  // Issued to another client, whatever the audience is.
  if (claims.azp !== undefined && claims.azp !== client.client_id) {
    throw new UpstreamError('answer_invalid', 'The ID token was issued to another client (azp).');
  }
  return { accessToken: answer.access_token, claims: { ...claims, sub: subjectOf(claims.sub) } };
}
