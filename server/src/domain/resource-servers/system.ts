/**
 * A system resource server: one of the management audiences that every tenant has. Its identifiers are computed from
 * the tenant's host and never stored; each dialect brings its scopes, `compose.ts` hands them over.
 */
export interface SystemApi {
  readonly kind: 'api_v2' | 'api';
  readonly name: string;
  /** Path under the tenant's origin; together they are its identifier. */
  readonly path: string;
  readonly scopes: readonly SystemScope[];
  /** Whoever holds this scope is able to manage clients. */
  readonly administratorScope: string;
  /** A scope that stands for all others but those that exist in the default tenant only. */
  readonly umbrellaScope?: string;
  /** A tenant-wide role for clients that every tenant begins with; it gives the umbrella scope. */
  readonly role?: { readonly name: string; readonly description: string };
  /** Further identifiers from the start. */
  aliases(tenantId: string): string[];
  /** True for every identifier that is an alias in some tenant. */
  isAlias(identifier: string): boolean;
}

export interface SystemScope {
  readonly value: string;
  readonly description: string;
  readonly defaultTenantOnly?: true;
}

/** Whether a token may carry an organization: never at `/api/v2/`, which does not filter by one. */
export const takesOrganization = (kind: string | null): boolean => kind !== 'api_v2';

/** The scope of a system resource server that stands for others there, where the decision asks (`access/decide.ts`). */
export const umbrellaScopeOf = (kind: string | null): string | undefined => (kind === 'api' ? 'all' : undefined);

/** What a system resource server is stored under: nobody can register or ask for this. */
export const storedIdentifier = (kind: SystemApi['kind']): string => `urn:sekisho:management:${kind}`;

/** Stands for an identifier where the organization itself is the audience: nobody can register or ask for this either. */
export const organizationItself = 'urn:sekisho:organization';

/** Scopes of a system resource server that exist in a tenant. */
export const systemScopesOf = (api: SystemApi, isDefaultTenant: boolean): SystemScope[] =>
  api.scopes.filter((scope) => isDefaultTenant || scope.defaultTenantOnly !== true);

/** What a set of held scopes stands for: the umbrella scope brings all others, save those of the default tenant only. */
export function expandScopes(api: SystemApi, held: readonly string[]): Set<string> {
  const expanded = new Set(held);
  if (api.umbrellaScope !== undefined && expanded.has(api.umbrellaScope)) {
    for (const scope of api.scopes) if (scope.defaultTenantOnly !== true) expanded.add(scope.value);
  }
  return expanded;
}
