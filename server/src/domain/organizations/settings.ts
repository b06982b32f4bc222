import { invalid } from '../../kernel/errors.ts';
import type { Extras } from '../clients/client.ts';
import { foldCase } from '../users/identity.ts';
import type { Organization } from './organization.ts';
import { slugOf } from './slug.ts';

/** What of an organization is set from outside. */
export interface OrganizationSettings {
  name: string;
  /** Lower-case; derived from the name when absent. */
  slug: string;
  description: string | null;
  status: Organization['status'];
  mfaRequired: boolean;
  metadata: Record<string, unknown>;
  authPolicyIds: readonly string[] | null;
  extras: Extras;
}

const longestName = 255;
/** Largest metadata of an organization, in UTF-16 units of JSON. */
const largestMetadata = 16_384;

/** Checks and completes them; no slug is the empty text. Throws `input.invalid`. */
export function settingsOf(input: { name: string } & Partial<OrganizationSettings>): OrganizationSettings {
  if (!/[^\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/u.test(input.name) || input.name.length > longestName) {
    throw invalid('name', `A name has 1 to ${longestName} characters, one of them visible.`);
  }
  const metadata = input.metadata ?? {};
  if (JSON.stringify(metadata).length > largestMetadata) {
    throw invalid('metadata', `It has more than ${largestMetadata} characters of JSON.`);
  }
  return {
    name: input.name,
    slug: input.slug === undefined ? '' : slugOf(input.slug),
    description: input.description ?? null,
    status: input.status ?? 'active',
    mfaRequired: input.mfaRequired ?? false,
    metadata,
    authPolicyIds: input.authPolicyIds ?? null,
    extras: input.extras ?? {},
  };
}

/** The columns of the settings, as they are stored. */
export const columnsOf = (settings: OrganizationSettings) => ({
  name: settings.name,
  name_key: foldCase(settings.name),
  description: settings.description,
  status: settings.status,
  mfa_required: settings.mfaRequired ? (1 as const) : (0 as const),
  metadata: JSON.stringify(settings.metadata),
  auth_policy_ids: settings.authPolicyIds === null ? null : JSON.stringify(settings.authPolicyIds),
  extras: JSON.stringify(settings.extras),
});
