import type { ActorClaim } from '../../domain/authorizations/authorization.ts';
import type { TokenDialect } from '../../domain/resource-servers/resource-server.ts';

/** What an access token says, before it is dressed in a dialect. Times in seconds. */
export interface AccessTokenFacts {
  issuer: string;
  subject: string;
  audience: string;
  clientId: string;
  /** The organization the token speaks for, and the claim that says so. */
  organization: { claim: string; id: string } | undefined;
  scopes: readonly string[];
  /** Whether the client speaks for itself; otherwise for a person. */
  ofClient: boolean;
  /** The key or certificate the token is bound to. */
  confirmation?: Confirmation | undefined;
  /** Who acts for the person (RFC 8693 §4.1). */
  actor?: ActorClaim | undefined;
  issuedAt: number;
  expiresAt: number;
  tokenId: string;
}

/** RFC 7800: what the holder must show besides the token. */
export interface Confirmation {
  readonly jkt?: string;
  readonly 'x5t#S256'?: string;
}

/**
 * The claims of an access token in each of the four token dialects: the classic profile (`azp`, `gty`) or RFC 9068's
 * (`client_id`), each with or without `permissions`. `jti` is in all four: a token can be revoked whatever its dialect.
 */
export function claimsOf(dialect: TokenDialect, token: AccessTokenFacts): Record<string, unknown> {
  const rfc9068 = dialect === 'rfc9068_profile' || dialect === 'rfc9068_profile_authz';
  const withPermissions = dialect === 'access_token_authz' || dialect === 'rfc9068_profile_authz';
  return {
    iss: token.issuer,
    sub: token.subject,
    aud: token.audience,
    iat: token.issuedAt,
    exp: token.expiresAt,
    jti: token.tokenId,
    ...(token.organization === undefined ? {} : { [token.organization.claim]: token.organization.id }),
    ...(token.scopes.length > 0 ? { scope: token.scopes.join(' ') } : {}),
    ...(rfc9068 ? { client_id: token.clientId } : { azp: token.clientId }),
    ...(rfc9068 || !token.ofClient ? {} : { gty: 'client-credentials' }),
    ...(withPermissions ? { permissions: token.scopes } : {}),
    ...(token.confirmation === undefined ? {} : { cnf: token.confirmation }),
    ...(token.actor === undefined ? {} : { act: token.actor }),
  };
}

/** The header's `typ`: RFC 9068 §2.1 asks for `at+jwt`, the classic profile has `JWT`. */
export const typeOf = (dialect: TokenDialect): 'at+jwt' | 'JWT' => (dialect.startsWith('rfc9068') ? 'at+jwt' : 'JWT');

/** The dialect of RFC 9068 that says what another one says. */
export const rfc9068Of = (dialect: TokenDialect): TokenDialect =>
  dialect.endsWith('_authz') ? 'rfc9068_profile_authz' : 'rfc9068_profile';
