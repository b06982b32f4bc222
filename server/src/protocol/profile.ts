import type { JWTPayload } from 'jose';
import type { Site } from '../domain/tenants/sites.ts';
import type { IssuerName } from '../storage/schema.ts';

/**
 * How one issuer reads what a request leaves open and writes its tokens (decision 2). The pipeline reads the profile;
 * no grant type tests which issuer it serves. The issuer's error table is its own, in `http/`.
 */
export interface IssuerProfile {
  /** As rows name it. */
  readonly name: IssuerName;
  issuer(site: Site): string;
  /** What a request without scopes gets. */
  readonly absentScope: 'all_allowed' | 'none';
  /** What happens to scopes that were asked for and are not allowed. */
  readonly surplusScope: 'refuse' | 'drop';
  /** What a request with an organization and no audience is for. */
  readonly organizationAlone: 'default_audience' | 'organization';
  /** The claims of its tokens: in the API's own dialect, or as RFC 9068 has them whatever the API says. */
  readonly claims: 'dialect_of_api' | 'rfc9068';
  /** The claim that names the organization of a token for an API. */
  readonly organizationClaim: 'org_id' | 'organization_id';
  subjectOfClient(clientId: string): string;
  subjectOfUser(userId: string): string;
  /** Whom a token of this issuer speaks for, and the client it was issued to; undefined when its claims name none. */
  subjectOf(claims: JWTPayload): TokenSubject | undefined;
  /** When a refresh token is given for `offline_access`. */
  readonly offlineAccess: 'asked' | 'asked_with_consent';
  /** What a token of a person is for when the request names nothing: the one audience that was authorized, or none. */
  readonly personAlone: 'authorized_audience' | 'userinfo';
  /** The scopes of OpenID Connect in a token for an API: beside the API's, or left out. */
  readonly identityScopesInApiTokens: boolean;
  /** Further claims about a person that only this issuer's clients know. */
  readonly personClaims: 'standard' | 'logto';
}

/** Whom a token speaks for. `userId` is absent where the client speaks for itself. */
export interface TokenSubject {
  readonly clientId: string;
  readonly userId?: string;
}

/** The issuer at the root of a host: Auth0's shape. */
export const rootProfile: IssuerProfile = {
  name: 'root',
  issuer: (site) => site.issuer,
  absentScope: 'all_allowed',
  surplusScope: 'refuse',
  organizationAlone: 'default_audience',
  claims: 'dialect_of_api',
  organizationClaim: 'org_id',
  subjectOfClient: (clientId) => `${clientId}@clients`,
  subjectOfUser: (userId) => `auth0|${userId}`,
  subjectOf({ sub, azp, client_id }) {
    if (typeof sub !== 'string') return undefined;
    if (sub.endsWith('@clients')) return { clientId: sub.slice(0, -'@clients'.length) };
    const clientId = azp ?? client_id;
    if (!sub.startsWith('auth0|') || typeof clientId !== 'string') return undefined;
    return { clientId, userId: sub.slice('auth0|'.length) };
  },
  offlineAccess: 'asked',
  personAlone: 'authorized_audience',
  identityScopesInApiTokens: true,
  personClaims: 'standard',
};

/** The issuer below `/oidc`: Logto's shape. */
export const oidcProfile: IssuerProfile = {
  name: 'oidc',
  issuer: (site) => `${site.origin}/oidc`,
  absentScope: 'none',
  surplusScope: 'drop',
  organizationAlone: 'organization',
  claims: 'rfc9068',
  organizationClaim: 'organization_id',
  subjectOfClient: (clientId) => clientId,
  subjectOfUser: (userId) => userId,
  subjectOf({ sub, client_id: clientId }) {
    if (typeof sub !== 'string' || typeof clientId !== 'string') return undefined;
    // Ids of users and clients are never equal, so a subject that is the client is no user.
    return sub === clientId ? { clientId } : { clientId, userId: sub };
  },
  offlineAccess: 'asked_with_consent',
  personAlone: 'userinfo',
  identityScopesInApiTokens: false,
  personClaims: 'logto',
};

const profiles: readonly IssuerProfile[] = [rootProfile, oidcProfile];

/** The profile that a row names. */
export const profileNamed = (name: IssuerName): IssuerProfile => (name === 'root' ? rootProfile : oidcProfile);

/** The profile of the issuer a token names at this site; undefined when it is none of ours. */
export const profileOfIssuer = (site: Site, issuer: unknown): IssuerProfile | undefined =>
  profiles.find((profile) => profile.issuer(site) === issuer);

const organizationAudience = 'urn:logto:organization:';

/** The audience that is an organization itself (Logto's name for it). */
export const audienceOfOrganization = (id: string): string => `${organizationAudience}${id}`;

/** The organization that an audience is, if it is one. */
export const organizationOfAudience = (audience: string): string | undefined =>
  audience.startsWith(organizationAudience) ? audience.slice(organizationAudience.length) : undefined;
