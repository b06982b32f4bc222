/** What a tenant has set of its pages and of who signs in; apart from the rules, which a token has no use for. */

/** What is set; one JSON column. */
export interface TenantSignInSettings {
  /** What the pages call the tenant, instead of its own name. */
  readonly name?: string;
  readonly logoUrl?: string;
  readonly darkLogoUrl?: string;
  readonly faviconUrl?: string;
  /** `#rrggbb`. */
  readonly primaryColor?: string;
  readonly darkPrimaryColor?: string;
  /** Whether the pages are dark where the browser asks for it. */
  readonly darkMode?: boolean;
  /** Whether people may make accounts of their own. */
  readonly signUp?: boolean;
  /** The auth policies of applications that name none; absent: all that are enabled, and the built-in password. */
  readonly authPolicyIds?: readonly string[];
  readonly termsUrl?: string;
  readonly privacyUrl?: string;
  readonly supportUrl?: string;
}

/** Reads the column; most tenants set nothing. */
export const signInSettingsOf = (column: string): TenantSignInSettings => (column === '{}' ? {} : JSON.parse(column));
