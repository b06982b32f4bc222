/** An authorization request: read at the edge into typed values, checked here before any page is shown. */
import type { IssuerName } from '../../storage/schema.ts';
import type { Refusal } from '../refusal.ts';

/** As it was sent (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1); empty parameters are absent. */
export interface AuthorizationParameters {
  readonly clientId: string | undefined;
  readonly redirectUri: string | undefined;
  readonly responseType: string | undefined;
  readonly responseMode: string | undefined;
  readonly scopes: readonly string[];
  readonly state: string | undefined;
  readonly nonce: string | undefined;
  readonly codeChallenge: string | undefined;
  readonly codeChallengeMethod: string | undefined;
  readonly prompts: readonly string[];
  /** Seconds, as text. */
  readonly maxAge: string | undefined;
  readonly loginHint: string | undefined;
  readonly uiLocales: readonly string[];
  readonly idTokenHint: string | undefined;
  /** `resource` of RFC 8707, any number of them, and `audience`. */
  readonly audiences: readonly string[];
  readonly organization: string | undefined;
  /** RFC 9126. */
  readonly requestUri: string | undefined;
  /** A request object (RFC 9101), which is refused. */
  readonly requestObject: string | undefined;
  /** RFC 9449 §10. */
  readonly dpopThumbprint: string | undefined;
}

/** A request that was checked; kept while a person is at it. */
export interface AuthorizationRequest {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly responseMode: 'query' | 'form_post';
  readonly scopes: readonly string[];
  readonly state: string | null;
  readonly nonce: string | null;
  readonly codeChallenge: string | null;
  readonly prompts: readonly Prompt[];
  readonly maxAgeSeconds: number | null;
  readonly loginHint: string | null;
  readonly uiLocales: readonly string[];
  /** Whom the hint names; another person does not do. */
  readonly hintedUserId: string | null;
  readonly audiences: readonly string[];
  readonly organizationId: string | null;
  readonly dpopThumbprint: string | null;
}

export const prompts = ['none', 'login', 'consent', 'select_account'] as const;
export type Prompt = (typeof prompts)[number];

/** What goes back to the client, and how (RFC 6749 §4.1.2, RFC 9207). */
export interface AuthorizationResponse {
  readonly mode: 'query' | 'form_post';
  readonly redirectUri: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Whose words a refusal is told in. */
  readonly issuer: IssuerName;
  /** Why there is no code; `http/` adds `error` and `error_description`. */
  readonly refusal?: Refusal | undefined;
}

/** What a browser shows of itself: the secrets of its cookies. */
export interface Browser {
  readonly browserSecret?: string | undefined;
  readonly sessionSecret?: string | undefined;
}
