/** An OAuth 2 provider (RFC 6749); checked by the domain before it gets here. */
export interface OAuth2Configuration {
  readonly clientId: string;
  /** Its metadata name the endpoints (RFC 8414); null: the URLs below do. */
  readonly issuer: string | null;
  readonly authorizationUrl: string | null;
  readonly tokenUrl: string | null;
  /** Answers JSON about the person to whoever shows the access token. */
  readonly userInfoUrl: string | null;
  readonly scopes: readonly string[];
  readonly clientAuthMethod: 'client_secret_basic' | 'client_secret_post' | 'none';
  /** Members of the user info; a dot goes deeper. */
  readonly fields: UserInfoFields;
  /** The provider gives nothing but verified addresses, if it does not say so itself of one that it is not. */
  readonly emailIsVerified: boolean;
}

/** An OpenID Connect provider. */
export interface OidcConfiguration {
  readonly clientId: string;
  readonly issuer: string;
  readonly scopes: readonly string[];
  readonly clientAuthMethod: 'client_secret_basic' | 'client_secret_post' | 'none';
  /** How the answer comes back; some providers send names only by a form. */
  readonly responseMode: 'query' | 'form_post';
  readonly fields: UserInfoFields;
  readonly emailIsVerified: boolean;
}

/** Where in a provider's answer what stands; null: the standard claim (OpenID Connect Core §5.1). */
export interface UserInfoFields {
  /** Tells people apart. Of OpenID Connect it is always `sub`. */
  readonly id: string | null;
  readonly email: string | null;
  readonly emailVerified: string | null;
  readonly username: string | null;
  readonly name: string | null;
  readonly givenName: string | null;
  readonly familyName: string | null;
  readonly picture: string | null;
  readonly groups: string | null;
}

/** Without an issuer it is the place that says who somebody is that counts. */
export const issuerOf = ({ issuer, userInfoUrl }: OAuth2Configuration): string =>
  issuer ?? new URL(userInfoUrl as string).origin;

export interface OAuth2Secrets {
  readonly clientSecret?: string;
}
