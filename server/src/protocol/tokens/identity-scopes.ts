/** Scopes of OpenID Connect: what a client may know of a person (Core §5.4), and the ones Logto adds. */
export const standardIdentityScopes = ['openid', 'profile', 'email', 'phone', 'address', 'offline_access'] as const;

/** The scope that lets a refresh token be exchanged for tokens of organizations. */
export const organizationsScope = 'urn:logto:scope:organizations';

export const logtoIdentityScopes = [
  'roles',
  'custom_data',
  'identities',
  organizationsScope,
  'urn:logto:scope:organization_roles',
] as const;

const all: ReadonlySet<string> = new Set([...standardIdentityScopes, ...logtoIdentityScopes]);

/** Whether a scope is about the person, not about an API. */
export const isIdentityScope = (scope: string): boolean => all.has(scope);

/** The reserved resource that stands for every organization (Logto's). */
export const organizationsResource = 'urn:logto:resource:organizations';
