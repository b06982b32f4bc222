/** What the decisions of `decide.ts` rest on, read from the database for the very request that asks. */

/** What a client grant gives. */
export interface GrantFacts {
  readonly id: string;
  /** Scopes it gives today, in the API's or the grant's order. */
  readonly scopes: readonly string[];
  readonly organizationUsage: 'deny' | 'allow' | 'require';
  /** Whether it reaches every organization. */
  readonly anyOrganization: boolean;
}

/** What a subject is in one organization, its memberships above included. */
export interface OrganizationFacts {
  readonly id: string;
  readonly exists: boolean;
  /** Itself or an organization above it is suspended. */
  readonly suspended: boolean;
  /** A member of it, or of one above it that counts below. */
  readonly isMember: boolean;
  /** Scopes its organization roles give: at the audience, or of the organization itself where that is the audience. */
  readonly roleScopes: readonly string[];
  /** The client's grant for the audience is listed at this very organization. */
  readonly grantListed: boolean;
  /** The auth policies that people come in by; null: any. */
  readonly authPolicyIds: readonly string[] | null;
}

/** What the API says about who may have tokens for it. */
export interface ResourceServerFacts {
  readonly isSystem: boolean;
  readonly takesOrganization: boolean;
  /** Of a management API: the scope that stands for all others, save the one that manages tenants. */
  readonly umbrellaScope?: string | undefined;
  readonly clientPolicy: 'require_client_grant' | 'deny_all';
  readonly userPolicy: 'allow_all' | 'require_client_grant' | 'deny_all';
}

/** What the decision for a client rests on; read from the database for this very request. */
export interface ClientAccessFacts {
  readonly clientStatus: 'active' | 'disabled';
  /** A public client can't prove who it is. */
  readonly clientIsPublic: boolean;
  /** The API asked for; `organization`: the organization itself is the audience. */
  readonly resourceServer: ResourceServerFacts | 'organization' | undefined;
  readonly grant: GrantFacts | undefined;
  /** Scopes at the audience by tenant-wide roles; undefined when it has no role that gives one there. */
  readonly tenantRoleScopes: readonly string[] | undefined;
}

/** What the decision for a user rests on. */
export interface UserAccessFacts {
  readonly userStatus: 'active' | 'blocked' | 'awaiting_approval';
  readonly resourceServer: ResourceServerFacts | 'organization' | undefined;
  readonly tenantRoleScopes: readonly string[];
  /** Scopes at the audience by the roles in every organization of the user; they count where none is named. */
  readonly anyOrganizationScopes: readonly string[];
  /**
   * The auth policy the person signed in by. Undefined where that is not asked: nobody signed in, or only what the person
   * holds counts.
   */
  readonly signedInBy?: string | undefined;
  /** Nothing but a name that an upstream told makes whoever signed in the user. */
  readonly isLinkedByName?: boolean;
  /** The client the person uses; undefined where only the person is asked about. */
  readonly client?: UsedClientFacts | undefined;
}

/** What the client that a person uses adds to the decision. */
export interface UsedClientFacts {
  readonly status: 'active' | 'disabled';
  readonly isPublic: boolean;
  readonly firstParty: boolean;
  /** What the API lets people do through it, where the API asks for a grant; undefined when there is none. */
  readonly userGrantScopes: readonly string[] | undefined;
  /** The auth policies that people sign in to it by; undefined: every one. */
  readonly offeredPolicyIds: readonly string[] | undefined;
}
