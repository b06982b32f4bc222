import type { Schema } from '../../storage/schema.ts';
import type { Extras } from '../clients/client.ts';
import type { Context } from '../context.ts';

export type OrganizationStatus = Schema['organizations']['status'];

/** A customer, team or account. Organizations form a tree. */
export interface Organization {
  id: string;
  /** Null: a root, or the top of what the caller may see. */
  parentId: string | null;
  /** Unique in the tenant; lower-case, derived from the name when none was given. */
  slug: string;
  /** Free; need not be unique. */
  name: string;
  description: string | null;
  /** Its own; a suspended ancestor stops it as well. */
  status: OrganizationStatus;
  mfaRequired: boolean;
  metadata: Record<string, unknown>;
  /** The policies that people come in by, here and below; null: as above it says, or any. */
  authPolicyIds: readonly string[] | null;
  /** What only a dialect knows, by dialect. */
  extras: Extras;
  createdAt: number;
  updatedAt: number;
}

export type OrganizationRow = Schema['organizations'];

/** Maps a row; what lies above the caller's own organization is not shown. */
export function organizationOf(ctx: Pick<Context, 'actor'>, row: OrganizationRow): Organization {
  const top = ctx.actor.kind === 'client' ? ctx.actor.organization?.id : undefined;
  return {
    id: row.id,
    parentId: row.id === top ? null : row.parent_id,
    slug: row.slug,
    name: row.name,
    description: row.description,
    status: row.status,
    mfaRequired: row.mfa_required === 1,
    metadata: JSON.parse(row.metadata) as Record<string, unknown>,
    authPolicyIds: row.auth_policy_ids === null ? null : (JSON.parse(row.auth_policy_ids) as string[]),
    extras: JSON.parse(row.extras) as Extras,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
