import type { UserInfoFields } from '../oauth2/configuration.ts';

/** An OAuth 1.0a provider (RFC 5849, HMAC-SHA1); checked by the domain before it gets here. */
export interface OAuth1Configuration {
  readonly consumerKey: string;
  readonly requestTokenUrl: string;
  readonly authorizeUrl: string;
  readonly accessTokenUrl: string;
  /** Answers JSON about the person to a signed request. */
  readonly profileUrl: string;
  readonly fields: UserInfoFields;
  readonly emailIsVerified: boolean;
}

/** OAuth 1 has no issuers: it is the place that says who somebody is that counts. */
export const issuerOf = ({ profileUrl }: OAuth1Configuration): string => new URL(profileUrl).origin;

export interface OAuth1Secrets {
  readonly consumerSecret?: string;
}
