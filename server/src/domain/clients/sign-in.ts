import { isDeepStrictEqual } from 'node:util';

/** What of a client counts where people sign in to it, whichever dialect set it; one JSON column, one shape. */

/** Times in seconds; what is absent has its default. */
export interface ClientSignIn {
  /** Compared character by character (RFC 9700 §2.1). */
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris: readonly string[];
  /** Origins of browsers that may call the protocol's endpoints, beside those of the redirect URIs. */
  readonly allowedOrigins: readonly string[];
  /** Where the client is told that a session ended (OpenID Connect Back-Channel Logout §2.2). */
  readonly backchannelLogoutUri?: string;
  /** Its logout tokens must name the session. */
  readonly backchannelLogoutSessionRequired?: boolean;
  /** Where another site may send people to sign in (OpenID Connect Core §4). */
  readonly initiateLoginUri?: string;
  /** Shown where people are asked to consent. */
  readonly logoUri?: string;
  readonly clientUri?: string;
  readonly policyUri?: string;
  readonly tosUri?: string;
  readonly idTokenLifetimeSeconds?: number;
  readonly refreshTokenLifetimeSeconds?: number;
  /** False: a refresh token stays the same until it expires; not that of a public client, unless it is bound to a key. */
  readonly rotatesRefreshTokens?: boolean;
  /** A refresh token without `offline_access`, for a web application. */
  readonly alwaysIssuesRefreshToken?: boolean;
  /** Whether people sign in to it in an organization; absent: they may. */
  readonly organizationUsage?: 'deny' | 'allow' | 'require';
  /** RFC 9126 §6: nothing but pushed requests. */
  readonly requiresPushedRequests?: boolean;
  /** RFC 9449 §5.2, RFC 8705 §3.4: its tokens are bound to a key or certificate. */
  readonly requiresDpop?: boolean;
  readonly bindsTokensToCertificate?: boolean;
  /** The auth policies that people sign in to it by; absent: those of the tenant. */
  readonly authPolicyIds?: readonly string[];
}

/** Of a client that says nothing. */
export const noSignIn: ClientSignIn = { redirectUris: [], postLogoutRedirectUris: [], allowedOrigins: [] };

/** Without what is not set, so that what is stored compares. */
export const normalSignIn = (signIn: ClientSignIn): ClientSignIn =>
  Object.fromEntries(Object.entries(signIn).filter(([, value]) => value !== undefined)) as unknown as ClientSignIn;

/** Whether two say the same, in whatever order their fields stand. */
export const sameSignIn = (one: ClientSignIn, other: ClientSignIn): boolean =>
  isDeepStrictEqual(normalSignIn(one), normalSignIn(other));

/** Reads the column. */
export const signInOf = (column: string): ClientSignIn =>
  column === '{}' ? noSignIn : { ...noSignIn, ...(JSON.parse(column) as Partial<ClientSignIn>) };

/** Lifetimes of a client that says nothing, in seconds (Logto's). */
export const defaultIdTokenLifetimeSeconds = 3600;
export const defaultRefreshTokenLifetimeSeconds = 14 * 86_400;
