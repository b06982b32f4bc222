/**
 * "Which scopes may this subject have at this audience, in this organization, and why (not)?" is answered here and
 * nowhere else: the token pipeline, the management APIs, introspection and `explain` all call it (decision 0008).
 *
 * Each decision is a list of checks, in order; the first that fails is the reason.
 */
import { clientTakes } from '../auth-policies/offer-lists.ts';
import { manageTenantsScope } from '../tenants/tenant.ts';
import type { ClientAccessFacts, OrganizationFacts, ResourceServerFacts, UserAccessFacts } from './decision-facts.ts';

/** Why a subject may have nothing. */
export type AccessDenial =
  | 'client_disabled'
  | 'user_inactive'
  | 'audience_unknown'
  | 'audience_closed'
  | 'public_client_at_management'
  | 'organization_not_accepted'
  | 'organization_unknown'
  | 'organization_suspended'
  | 'organization_not_member'
  | 'organization_other_policy'
  | 'policy_not_offered'
  | 'link_unconfirmed'
  | 'grant_missing'
  | 'organization_denied_by_grant'
  | 'organization_required_by_grant';

export type AccessDecision =
  | { readonly allowed: true; readonly scopes: readonly string[] }
  | { readonly allowed: false; readonly reason: AccessDenial };

interface Check<Facts> {
  /** What is asked, for `explain`. */
  readonly step: string;
  readonly fails: (facts: Facts, organization: OrganizationFacts | undefined) => AccessDenial | undefined;
}

const api = (facts: { resourceServer: ResourceServerFacts | 'organization' | undefined }) =>
  typeof facts.resourceServer === 'object' ? facts.resourceServer : undefined;

const organizationChecks: readonly Check<Pick<ClientAccessFacts, 'resourceServer'>>[] = [
  {
    step: 'organization_accepted',
    fails: (facts, organization) =>
      organization !== undefined && api(facts)?.takesOrganization === false ? 'organization_not_accepted' : undefined,
  },
];

/** Asked last: only who reaches an organization learns that it is suspended. */
const organizationActive: Check<unknown> = {
  step: 'organization_active',
  fails: (_, organization) => (organization?.suspended === true ? 'organization_suspended' : undefined),
};

/** In the order of decision 1's table: who asks, the audience, the organization, and what reaches it. */
const clientChecks: readonly Check<ClientAccessFacts>[] = [
  { step: 'client_active', fails: (facts) => (facts.clientStatus === 'active' ? undefined : 'client_disabled') },
  {
    step: 'audience_exists',
    fails: (facts) => (facts.resourceServer === undefined ? 'audience_unknown' : undefined),
  },
  {
    step: 'audience_open',
    fails: (facts) => (api(facts)?.clientPolicy === 'deny_all' ? 'audience_closed' : undefined),
  },
  {
    step: 'client_confidential',
    fails: (facts) =>
      api(facts)?.isSystem === true && facts.clientIsPublic ? 'public_client_at_management' : undefined,
  },
  ...organizationChecks,
  {
    step: 'reached',
    fails: (facts, organization) => (organization === undefined ? missing(facts) : unreached(facts, organization)),
  },
  organizationActive,
];

/** Without an organization: a grant that does not require one, or a tenant-wide role. */
function missing({ grant, tenantRoleScopes }: ClientAccessFacts): AccessDenial | undefined {
  if (tenantRoleScopes !== undefined || (grant !== undefined && grant.organizationUsage !== 'require'))
    return undefined;
  return grant === undefined ? 'grant_missing' : 'organization_required_by_grant';
}

/** With an organization: a grant that reaches it, or membership. */
function unreached(facts: ClientAccessFacts, organization: OrganizationFacts): AccessDenial | undefined {
  if (organization.exists && (organization.isMember || grantReaches(facts, organization))) return undefined;
  // Said whether or not the organization exists: the answer must not tell.
  return facts.grant?.organizationUsage === 'deny' ? 'organization_denied_by_grant' : strangerTo(organization);
}

const strangerTo = (organization: OrganizationFacts): AccessDenial =>
  organization.exists ? 'organization_not_member' : 'organization_unknown';

const grantReaches = ({ grant }: ClientAccessFacts, organization: OrganizationFacts): boolean =>
  grant !== undefined && grant.organizationUsage !== 'deny' && (grant.anyOrganization || organization.grantListed);

const userChecks: readonly Check<UserAccessFacts>[] = [
  {
    step: 'client_active',
    fails: ({ client }) => (client === undefined || client.status === 'active' ? undefined : 'client_disabled'),
  },
  { step: 'user_active', fails: (facts) => (facts.userStatus === 'active' ? undefined : 'user_inactive') },
  {
    step: 'audience_exists',
    fails: (facts) => (facts.resourceServer === undefined ? 'audience_unknown' : undefined),
  },
  {
    step: 'audience_open',
    fails: (facts) => (api(facts)?.userPolicy === 'deny_all' ? 'audience_closed' : undefined),
  },
  {
    step: 'client_trusted',
    fails: ({ client, ...facts }) =>
      api(facts)?.isSystem === true && client !== undefined && (client.isPublic || !client.firstParty)
        ? 'public_client_at_management'
        : undefined,
  },
  {
    step: 'client_granted',
    fails: ({ client, ...facts }) =>
      needsUserGrant(facts) && client !== undefined && client.userGrantScopes === undefined
        ? 'grant_missing'
        : undefined,
  },
  ...organizationChecks,
  {
    step: 'reached',
    fails: (_, organization) =>
      organization === undefined || organization.isMember ? undefined : strangerTo(organization),
  },
  organizationActive,
  {
    step: 'auth_policy_offered',
    fails: ({ client, signedInBy }) =>
      clientTakes(client?.offeredPolicyIds, signedInBy) ? undefined : 'policy_not_offered',
  },
  {
    step: 'link_confirmed',
    fails: ({ isLinkedByName, ...facts }) =>
      isLinkedByName === true && api(facts)?.isSystem === true ? 'link_unconfirmed' : undefined,
  },
  {
    step: 'auth_policy_accepted',
    fails: ({ signedInBy }, organization) =>
      organization === undefined || acceptsPolicy(organization, signedInBy) ? undefined : 'organization_other_policy',
  },
];

/** Whether people who signed in by this policy come in. */
export const acceptsPolicy = (
  { authPolicyIds }: Pick<OrganizationFacts, 'authPolicyIds'>,
  signedInBy: string | undefined,
): boolean => authPolicyIds === null || signedInBy === undefined || authPolicyIds.includes(signedInBy);

const needsUserGrant = (facts: Pick<UserAccessFacts, 'resourceServer'>): boolean =>
  api(facts)?.userPolicy === 'require_client_grant';

/** Decides for a client, alone or (with `organization`) speaking for an organization. */
export function decideClientAccess(
  facts: ClientAccessFacts,
  organization: OrganizationFacts | undefined,
): AccessDecision {
  const reason = firstFailure(clientChecks, facts, organization);
  return reason === undefined
    ? { allowed: true, scopes: scopesOfClient(facts, organization) }
    : { allowed: false, reason };
}

/** Decides for a user, alone or in an organization. What the person consented to narrows it further. */
export function decideUserAccess(facts: UserAccessFacts, organization: OrganizationFacts | undefined): AccessDecision {
  const reason = firstFailure(userChecks, facts, organization);
  if (reason !== undefined) return { allowed: false, reason };
  // Who may manage one organization may not for that manage the tenant: there its roles count in its own token only.
  const inAny = api(facts)?.isSystem === true ? [] : facts.anyOrganizationScopes;
  const inOrganization = organization === undefined ? inAny : organization.roleScopes;
  const scopes =
    facts.resourceServer === 'organization' ? inOrganization : [...facts.tenantRoleScopes, ...inOrganization];
  const through = needsUserGrant(facts) ? facts.client?.userGrantScopes : undefined;
  const reached = through === undefined ? scopes : inBoth(scopes, through, api(facts)?.umbrellaScope);
  return { allowed: true, scopes: [...new Set(reached)] };
}

/** What both hold, be it by a scope that stands for others. */
function inBoth(one: readonly string[], other: readonly string[], umbrella: string | undefined): string[] {
  const holds = (held: readonly string[], scope: string) =>
    held.includes(scope) || (umbrella !== undefined && held.includes(umbrella) && scope !== manageTenantsScope);
  return [...one.filter((scope) => holds(other, scope)), ...other.filter((scope) => holds(one, scope))];
}

function scopesOfClient(facts: ClientAccessFacts, organization: OrganizationFacts | undefined): readonly string[] {
  const granted = facts.grant?.scopes ?? [];
  if (organization === undefined) {
    const byGrant = facts.grant?.organizationUsage === 'require' ? [] : granted;
    return facts.tenantRoleScopes === undefined ? byGrant : [...new Set([...byGrant, ...facts.tenantRoleScopes])];
  }
  return [...new Set([...(grantReaches(facts, organization) ? granted : []), ...organization.roleScopes])];
}

function firstFailure<Facts>(
  checks: readonly Check<Facts>[],
  facts: Facts,
  organization: OrganizationFacts | undefined,
): AccessDenial | undefined {
  for (const check of checks) {
    const reason = check.fails(facts, organization);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** One step of a decision: passed, failed (the reason is the decision's), or not reached. */
export interface DecisionStep {
  readonly step: string;
  readonly outcome: 'passed' | 'failed' | 'not_reached';
  readonly reason?: AccessDenial;
}

/** The same decision step by step, for `explain`. */
export const explainClientAccess = (
  facts: ClientAccessFacts,
  organization: OrganizationFacts | undefined,
): DecisionStep[] => stepsOf(clientChecks, facts, organization);

/** The same for a user. */
export const explainUserAccess = (
  facts: UserAccessFacts,
  organization: OrganizationFacts | undefined,
): DecisionStep[] => stepsOf(userChecks, facts, organization);

function stepsOf<Facts>(
  checks: readonly Check<Facts>[],
  facts: Facts,
  organization: OrganizationFacts | undefined,
): DecisionStep[] {
  let failed = false;
  return checks.map(({ step, fails }) => {
    if (failed) return { step, outcome: 'not_reached' };
    const reason = fails(facts, organization);
    failed = reason !== undefined;
    return reason === undefined ? { step, outcome: 'passed' } : { step, outcome: 'failed', reason };
  });
}
