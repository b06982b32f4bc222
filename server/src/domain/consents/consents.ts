/** What people agreed to, for clients of others: remembered, so that they are asked once. */
import type { Schema } from '../../storage/schema.ts';
import { defineStatement } from '../../storage/statement.ts';
import type { Services } from '../context.ts';

export interface Consent {
  readonly scopes: readonly string[];
  readonly audiences: readonly string[];
  /** Organizations the client may act in for the person. */
  readonly organizationIds: readonly string[];
}

interface Who {
  readonly userId: string;
  readonly clientId: string;
}

const consentOf = defineStatement<
  { tenantId: string } & Who,
  Pick<Schema['consents'], 'scopes' | 'audiences' | 'organization_ids'>
>(
  'consent_of',
  `select scopes, audiences, organization_ids from consents
  where tenant_id = :tenantId and user_id = :userId and client_id = :clientId`,
);

/** What the person agreed to so far; nothing when it was never asked. */
export async function findConsent(
  { db }: Pick<Services, 'db'>,
  tenantId: string,
  who: Who,
): Promise<Consent | undefined> {
  const [row] = await db.run(consentOf, { tenantId, ...who });
  if (row === undefined) return undefined;
  return {
    scopes: JSON.parse(row.scopes) as string[],
    audiences: JSON.parse(row.audiences) as string[],
    organizationIds: JSON.parse(row.organization_ids) as string[],
  };
}

/** Whether the person let the client act in the organization. */
export async function organizationConsented(
  services: Pick<Services, 'db'>,
  tenantId: string,
  { organizationId, ...who }: Who & { organizationId: string },
): Promise<boolean> {
  const consent = await findConsent(services, tenantId, who);
  return consent?.organizationIds.includes(organizationId) === true;
}

const keep = defineStatement<Record<keyof Schema['consents'], string | number>>(
  'consent_keep',
  `insert into consents (tenant_id, user_id, client_id, scopes, audiences, organization_ids, created_at, updated_at)
  values (:tenant_id, :user_id, :client_id, :scopes, :audiences, :organization_ids, :created_at, :updated_at)
  on conflict (tenant_id, user_id, client_id) do update set scopes = excluded.scopes, audiences = excluded.audiences,
    organization_ids = excluded.organization_ids, updated_at = excluded.updated_at`,
);

/** Remembers what the person agreed to, beside what it had agreed to before; `isAboutPerson`: not a scope of an API. */
export async function addConsent(
  services: Pick<Services, 'db' | 'clock'>,
  tenantId: string,
  who: Who,
  given: Consent,
  isAboutPerson: (scope: string) => boolean,
): Promise<void> {
  const before = (await findConsent(services, tenantId, who)) ?? nothing;
  const ofApis = (consent: Consent): AtApis => ({
    scopes: consent.scopes.filter((scope) => !isAboutPerson(scope)),
    audiences: consent.audiences,
  });
  const atApis = bothAtApis(ofApis(before), ofApis(given));
  const aboutPerson = union(before.scopes, given.scopes).filter(isAboutPerson);
  const now = services.clock.now();
  await services.db.write(keep, {
    tenant_id: tenantId,
    user_id: who.userId,
    client_id: who.clientId,
    scopes: JSON.stringify([...aboutPerson, ...atApis.scopes]),
    audiences: JSON.stringify(atApis.audiences),
    organization_ids: JSON.stringify(union(before.organizationIds, given.organizationIds)),
    created_at: now,
    updated_at: now,
  });
}

const nothing: Consent = { scopes: [], audiences: [], organizationIds: [] };

/** Every scope of these counts at every API of these. */
type AtApis = Pick<Consent, 'scopes' | 'audiences'>;

/**
 * Both, where that says no more than the two say: a scope counts at the APIs it was shown with, and not at another one
 * that has one of the same name. Otherwise the later one alone, and for the earlier one the person is asked again.
 */
function bothAtApis(before: AtApis, given: AtApis): AtApis {
  if (given.audiences.length === 0) return before;
  if (before.audiences.length === 0) return given;
  const widens = within(before.scopes, given.scopes) && within(before.audiences, given.audiences);
  const narrows = within(given.scopes, before.scopes) && within(given.audiences, before.audiences);
  if (widens || narrows) return widens ? given : before;
  const sameScopes = within(before.scopes, given.scopes) && within(given.scopes, before.scopes);
  const sameAudiences = within(before.audiences, given.audiences) && within(given.audiences, before.audiences);
  if (!sameScopes && !sameAudiences) return given;
  return { scopes: union(before.scopes, given.scopes), audiences: union(before.audiences, given.audiences) };
}

const union = (one: readonly string[], other: readonly string[]): string[] => [...new Set([...one, ...other])];
const within = (some: readonly string[], all: readonly string[]): boolean => some.every((each) => all.includes(each));
