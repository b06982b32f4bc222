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
  subjectOfClient(clientId: string): string;
}

/** The issuer at the root of a host: Auth0's shape. */
export const rootProfile: IssuerProfile = {
  issuer: (site) => site.issuer,
  absentScope: 'all_allowed',
  surplusScope: 'refuse',
  subjectOfClient: (clientId) => `${clientId}@clients`,
};

/** The client a token's `sub` names, or undefined when it names none. */
export const clientOfSubject = (subject: unknown): string | undefined =>
  typeof subject === 'string' && subject.endsWith('@clients') ? subject.slice(0, -'@clients'.length) : undefined;
