import type { AuthorizationResponse } from '../../protocol/authorize/request.ts';
import { describe } from './error-table.ts';
import { oidcIssuer } from './oidc.ts';
import { rootIssuer } from './root.ts';

/** The answer with its refusal, if it is one, in the words of its issuer (RFC 6749 §4.1.2.1). */
export function inWordsOfIssuer(response: AuthorizationResponse): AuthorizationResponse {
  const { refusal } = response;
  if (refusal === undefined) return response;
  const issuer = response.issuer === 'root' ? rootIssuer : oidcIssuer;
  const { error, description } = issuer.errors[refusal.reason](refusal.data);
  return { ...response, parameters: { error, error_description: describe(description), ...response.parameters } };
}
