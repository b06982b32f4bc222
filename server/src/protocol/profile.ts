import type { JWTPayload } from 'jose';
import type { Site } from '../domain/tenants/sites.ts';

/**
 * How one issuer reads what a request leaves open and writes its tokens (decision 2). The pipeline reads the profile;
 * no grant type tests which issuer it serves. The issuer's error table is its own, in `http/`.
 */
export interface IssuerProfile {
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
  /** The client a token of this issuer was issued to, or undefined when its claims name none. */
  clientOf(claims: JWTPayload): string | undefined;
}

/** The issuer at the root of a host: Auth0's shape. */
export const rootProfile: IssuerProfile = {
  issuer: (site) => site.issuer,
  absentScope: 'all_allowed',
  surplusScope: 'refuse',
  organizationAlone: 'default_audience',
  claims: 'dialect_of_api',
  organizationClaim: 'org_id',
  subjectOfClient: (clientId) => `${clientId}@clients`,
  clientOf: ({ sub }) =>
    typeof sub === 'string' && sub.endsWith('@clients') ? sub.slice(0, -'@clients'.length) : undefined,
};

/** The issuer below `/oidc`: Logto's shape. */
export const oidcProfile: IssuerProfile = {
  issuer: (site) => `${site.origin}/oidc`,
  absentScope: 'none',
  surplusScope: 'drop',
  organizationAlone: 'organization',
  claims: 'rfc9068',
  organizationClaim: 'organization_id',
  subjectOfClient: (clientId) => clientId,
  // Ids of users and clients are never equal, so a subject that is the client is no user.
  clientOf: ({ sub, client_id }) => (typeof sub === 'string' && sub === client_id ? sub : undefined),
};

/** The profile of the issuer a token names at this site; undefined when it is none of ours. */
export const profileOfIssuer = (site: Site, issuer: unknown): IssuerProfile | undefined =>
  [rootProfile, oidcProfile].find((profile) => profile.issuer(site) === issuer);

const organizationAudience = 'urn:logto:organization:';

/** The audience that is an organization itself (Logto's name for it). */
export const audienceOfOrganization = (id: string): string => `${organizationAudience}${id}`;

/** The organization that an audience is, if it is one. */
export const organizationOfAudience = (audience: string): string | undefined =>
  audience.startsWith(organizationAudience) ? audience.slice(organizationAudience.length) : undefined;
