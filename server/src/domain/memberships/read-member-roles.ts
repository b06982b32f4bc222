/** The roles of one member as pages; of a direct member only, as Logto's clients expect. */
import type { Queryable } from '../../storage/database.ts';
import type { SubjectKind } from '../../storage/schema.ts';
import type { Context } from '../context.ts';
import { loadRow } from '../organizations/read-organizations.ts';
import {
  type KeysetPage,
  type KeysetRange,
  keysetPage,
  mapPage,
  type OffsetPage,
  type OffsetRange,
  offsetPage,
} from '../paging.ts';
import { type Role, type RoleRow, roleOf } from '../roles/role.ts';
import { findMembership, notAMember } from './load-memberships.ts';
import type { MembershipRow } from './membership.ts';

interface Subject {
  readonly subjectId: string;
  readonly kind: SubjectKind;
}

/** A page by position. Throws `entity.not_found`, `organization.not_a_member`. */
export async function listMemberRoles(
  ctx: Context,
  organizationId: string,
  key: Subject,
  range: OffsetRange,
): Promise<OffsetPage<Role>> {
  const { id } = await directMember(ctx, organizationId, key);
  const page = await offsetPage<RoleRow>(rolesOfMembership(ctx, ctx.db.reports, id), range);
  return mapPage(page, page.items.map(roleOf));
}

/** The same by key; also throws `input.cursor_invalid`. */
export async function listMemberRolesByKey(
  ctx: Context,
  organizationId: string,
  key: Subject,
  range: KeysetRange,
): Promise<KeysetPage<Role>> {
  const { id } = await directMember(ctx, organizationId, key);
  const page = await keysetPage<RoleRow>(ctx, `roles of ${id}`, rolesOfMembership(ctx, ctx.db.read, id), range);
  return mapPage(page, page.items.map(roleOf));
}

async function directMember(ctx: Context, organizationId: string, key: Subject): Promise<MembershipRow> {
  const organization = await loadRow(ctx, ctx.db.read, organizationId);
  const row = await findMembership(ctx, ctx.db.read, organization, key);
  if (row?.organization_id !== organizationId) throw notAMember(key.kind);
  return row;
}

const rolesOfMembership = (ctx: Context, db: Queryable, membershipId: string) =>
  db
    .selectFrom('roles')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('membership_roles')
        .select('role_id')
        .where('tenant_id', '=', ctx.site.tenantId)
        .where('membership_id', '=', membershipId),
    );
