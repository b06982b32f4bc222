import type { Queryable } from '../../storage/database.ts';
import type { Schema, SubjectKind } from '../../storage/schema.ts';
import { chunksOf } from '../chunks.ts';
import type { Context } from '../context.ts';

/** An organization role as a membership shows it. */
export interface HeldRole {
  id: string;
  name: string;
  isOwner: boolean;
}

/** A user or a machine client inside an organization. */
export interface Membership {
  id: string;
  /** The organization that was asked about. */
  organizationId: string;
  subjectId: string;
  kind: SubjectKind;
  /** By name. */
  roles: HeldRole[];
  /** Its roles do not count below the organization. */
  thisOrganizationOnly: boolean;
  createdAt: number;
  updatedAt: number;
  /** Held above the organization that was asked about. */
  inherited: boolean;
  /** The organization above; null when it is held here, or above what the caller may see. */
  inheritedFrom: string | null;
}

export type MembershipRow = Schema['memberships'];

/** Maps rows of one organization, or of the way up from it, with their roles. */
export async function membershipsOf(
  ctx: Context,
  db: Queryable,
  rows: readonly MembershipRow[],
  at: { organizationId: string; visible(organizationId: string): boolean } | undefined = undefined,
): Promise<Membership[]> {
  const roles = await rolesOf(
    ctx,
    db,
    rows.map(({ id }) => id),
  );
  return rows.map((row) => {
    const inherited = at !== undefined && row.organization_id !== at.organizationId;
    return {
      id: row.id,
      organizationId: at?.organizationId ?? row.organization_id,
      subjectId: row.subject_id,
      kind: row.subject_kind,
      roles: roles.get(row.id) ?? [],
      thisOrganizationOnly: row.this_organization_only === 1,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      inherited,
      inheritedFrom: inherited && at.visible(row.organization_id) ? row.organization_id : null,
    };
  });
}

/** The roles of each membership, by name. */
async function rolesOf(ctx: Context, db: Queryable, ids: readonly string[]): Promise<Map<string, HeldRole[]>> {
  const held = new Map<string, HeldRole[]>();
  for (const part of chunksOf(ids)) {
    const rows = await db
      .selectFrom('membership_roles as mr')
      .innerJoin('roles as r', (join) =>
        join.onRef('r.tenant_id', '=', 'mr.tenant_id').onRef('r.id', '=', 'mr.role_id'),
      )
      .select(['mr.membership_id', 'r.id', 'r.name', 'r.is_owner'])
      .where('mr.tenant_id', '=', ctx.site.tenantId)
      .where('mr.membership_id', 'in', part)
      .orderBy('r.name_key')
      .orderBy('r.id')
      .execute();
    for (const { membership_id, id, name, is_owner } of rows) {
      const role = { id, name, isOwner: is_owner === 1 };
      held.set(membership_id, [...(held.get(membership_id) ?? []), role]);
    }
  }
  return held;
}
