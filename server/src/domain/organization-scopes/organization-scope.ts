import type { Schema } from '../../storage/schema.ts';

/** A permission inside an organization; every organization of the tenant has the same ones. */
export interface OrganizationScope {
  id: string;
  name: string;
  description: string | null;
  createdAt: number;
}

export type OrganizationScopeRow = Schema['organization_scopes'];

export const organizationScopeOf = (row: OrganizationScopeRow): OrganizationScope => ({
  id: row.id,
  name: row.name,
  description: row.description,
  createdAt: row.created_at,
});
