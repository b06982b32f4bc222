import type { PresentedBinding } from '../binding/binding.ts';
import type { PresentedCredentials } from '../client-auth/presented.ts';

/** A token request, read at the edge: empty parameters are absent, scopes are split. */
export interface TokenRequest {
  readonly credentials: PresentedCredentials;
  readonly grantType: string | undefined;
  /** `audience`, or RFC 8707's `resource`: the same thing. */
  readonly audience: string | undefined;
  /** The `resource` was no absolute URI, or named another API than `audience` (RFC 8707 §2). */
  readonly targetIsInvalid: boolean;
  readonly scopes: readonly string[] | undefined;
  /** Id of the organization the token is to speak for. */
  readonly organization: string | undefined;
  /** What the single grant types take. */
  readonly given: GrantParameters;
  readonly binding: PresentedBinding;
}

/** Parameters of single grant types, as they were sent. */
export interface GrantParameters {
  /** RFC 6749 §4.1.3, RFC 7636 §4.5. */
  readonly code?: string | undefined;
  readonly redirectUri?: string | undefined;
  readonly codeVerifier?: string | undefined;
  /** RFC 6749 §6. */
  readonly refreshToken?: string | undefined;
  /** RFC 8628 §3.4. */
  readonly deviceCode?: string | undefined;
  /** RFC 8693 §2.1. */
  readonly subjectToken?: string | undefined;
  readonly subjectTokenType?: string | undefined;
  readonly actorToken?: string | undefined;
  readonly actorTokenType?: string | undefined;
  readonly requestedTokenType?: string | undefined;
}

/** RFC 6749 §5.1, with what OpenID Connect and RFC 8693 add. */
export interface TokenAnswer {
  readonly accessToken: string;
  readonly tokenType: 'Bearer' | 'DPoP';
  readonly expiresInSeconds: number;
  readonly scopes: readonly string[];
  readonly idToken?: string | undefined;
  readonly refreshToken?: string | undefined;
  /** RFC 8693 §2.2.1. */
  readonly issuedTokenType?: string | undefined;
}
