/**
 * By which policies people may sign in: to an application, for an organization. Asked by the page that offers them and by
 * every door that takes a sign-in, so that what is not offered can't be used either.
 *
 *   the application's list, else the tenant's, else all that are enabled and the built-in password
 *   and every list of the organization and those above it
 */
import { loadOrganizationFacts } from '../access/organization-facts.ts';
import type { Services } from '../context.ts';
import { organizationItself } from '../resource-servers/system.ts';
import { isOffered, type OfferLists } from './offer-lists.ts';
import { type AuthPolicy, builtInPasswordId } from './policy.ts';
import { findEnabledPolicies } from './read-policies.ts';

/** For what somebody signs in. */
export interface SignInTarget {
  readonly client: {
    /** As `policiesOfClient` says. */
    readonly offeredPolicyIds: readonly string[] | undefined;
  };
  readonly organizationId: string | null;
}

type Reads = Pick<Services, 'db'>;

/** The lists that count; those of an organization are read. */
export async function offerListsOf(
  services: Reads,
  tenantId: string,
  { client, organizationId }: SignInTarget,
): Promise<OfferLists> {
  return {
    ofClient: client.offeredPolicyIds,
    ofOrganization: await ofOrganization(services, tenantId, organizationId),
  };
}

async function ofOrganization(services: Reads, tenantId: string, organizationId: string | null) {
  if (organizationId === null) return null;
  const ask = { tenantId, organizationId, subjectId: '', identifier: organizationItself };
  return (await loadOrganizationFacts(services.db, ask)).facts.authPolicyIds;
}

/** What the sign-in page offers. */
export interface Offered {
  readonly builtInPassword: boolean;
  /** In order of their names. */
  readonly policies: readonly AuthPolicy[];
}

/**
 * The policies to choose from. One of type `password` is the built-in one with rules of its own: it is offered only where
 * a list names it.
 */
export async function offeredPolicies(services: Reads, tenantId: string, target: SignInTarget): Promise<Offered> {
  const [lists, enabled] = await Promise.all([
    offerListsOf(services, tenantId, target),
    findEnabledPolicies(services, tenantId),
  ]);
  const isNamed = ({ id }: AuthPolicy) => [lists.ofClient, lists.ofOrganization].some((list) => list?.includes(id));
  return {
    builtInPassword: isOffered(lists, builtInPasswordId),
    policies: enabled.filter(
      (policy) => isOffered(lists, policy.id) && (policy.type !== 'password' || isNamed(policy)),
    ),
  };
}
