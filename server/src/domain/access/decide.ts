/**
 * "Which scopes may this subject have at this audience, and why (not)?" is answered here and nowhere else: the token
 * pipeline, the management APIs and introspection all call it (decisions: one function per question).
 */

/** What a client grant gives. */
export interface GrantFacts {
  readonly id: string;
  /** Scopes it gives today, in the API's or the grant's order. */
  readonly scopes: readonly string[];
  readonly organizationUsage: 'deny' | 'allow' | 'require';
}

/** What the decision rests on; read from the database for this very request. */
export interface ClientAccessFacts {
  readonly clientStatus: 'active' | 'disabled';
  /** A public client can't prove who it is. */
  readonly clientIsPublic: boolean;
  readonly resourceServer:
    | {
        readonly isSystem: boolean;
        readonly takesOrganization: boolean;
        readonly clientPolicy: 'require_client_grant' | 'deny_all';
      }
    | undefined;
  readonly grant: GrantFacts | undefined;
}

/** Why a client may have nothing. */
export type AccessDenial =
  | 'client_disabled'
  | 'audience_unknown'
  | 'audience_closed'
  | 'public_client_at_management'
  | 'organization_not_accepted'
  | 'grant_missing'
  | 'organization_denied_by_grant'
  | 'organization_required_by_grant'
  | 'organization_unknown';

export type AccessDecision =
  | { readonly allowed: true; readonly scopes: readonly string[] }
  | { readonly allowed: false; readonly reason: AccessDenial };

const denied = (reason: AccessDenial): AccessDecision => ({ allowed: false, reason });

/** Decides for a client, alone or (with `organization`) speaking for an organization. */
export function decideClientAccess(facts: ClientAccessFacts, organization: string | undefined): AccessDecision {
  const { resourceServer, grant } = facts;
  if (facts.clientStatus !== 'active') return denied('client_disabled');
  if (resourceServer === undefined) return denied('audience_unknown');
  if (resourceServer.clientPolicy === 'deny_all') return denied('audience_closed');
  if (resourceServer.isSystem && facts.clientIsPublic) return denied('public_client_at_management');
  if (organization !== undefined && !resourceServer.takesOrganization) return denied('organization_not_accepted');
  if (grant === undefined) return denied('grant_missing');
  if (organization === undefined) {
    return grant.organizationUsage === 'require'
      ? denied('organization_required_by_grant')
      : { allowed: true, scopes: grant.scopes };
  }
  if (grant.organizationUsage === 'deny') return denied('organization_denied_by_grant');
  // No organization can be reached yet: organizations come with the tree they live in.
  return denied('organization_unknown');
}
