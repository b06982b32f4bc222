/** The membership that a change is about: held in the very organization, which the caller reaches. */
import { DomainError, notFound } from '../../kernel/errors.ts';
import type { Queryable, Tx } from '../../storage/database.ts';
import type { SubjectKind } from '../../storage/schema.ts';
import { inChunks } from '../chunks.ts';
import type { Context } from '../context.ts';
import type { OrganizationRow } from '../organizations/organization.ts';
import { ownOrganization } from '../organizations/reach.ts';
import { loadRow } from '../organizations/read-organizations.ts';
import { idsOfPath } from '../organizations/tree.ts';
import type { MembershipRow } from './membership.ts';

/** Names a member: by the membership's id, or by user or client. */
export type MemberKey = { readonly membershipId: string } | { readonly subjectId: string; readonly kind: SubjectKind };

/** The organizations on the way up, the nearest first, that hold what counts below; which of them the caller may see. */
export function wayUp(ctx: Context, organization: OrganizationRow) {
  const ids = idsOfPath(organization.path).reverse();
  const own = ownOrganization(ctx);
  const seen = own === undefined ? ids : ids.slice(0, ids.indexOf(own.id) + 1);
  const visible = new Set(seen);
  return { ids, organizationId: organization.id, visible: (id: string) => visible.has(id) };
}

/** A membership of the organization, or the nearest one above it that counts there. */
export async function findMembership(
  ctx: Context,
  db: Queryable,
  organization: OrganizationRow,
  key: MemberKey,
): Promise<MembershipRow | undefined> {
  const { ids } = wayUp(ctx, organization);
  let query = db
    .selectFrom('memberships')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('organization_id', 'in', ids)
    .where((eb) => eb.or([eb('organization_id', '=', organization.id), eb('this_organization_only', '=', 0)]));
  if ('membershipId' in key) query = query.where('id', '=', key.membershipId);
  else query = query.where('subject_id', '=', key.subjectId).where('subject_kind', '=', key.kind);
  const rows = await query.execute();
  return rows.sort((a, b) => ids.indexOf(a.organization_id) - ids.indexOf(b.organization_id))[0];
}

/**
 * The row of a membership that is to be changed. `absent`: what to throw when there is none.
 * Throws `entity.not_found`, `organization.member_inherited`.
 */
export async function loadMembership(
  ctx: Context,
  trx: Tx,
  organizationId: string,
  key: MemberKey,
  absent: () => DomainError = () => notFound('member'),
): Promise<MembershipRow> {
  const organization = await loadRow(ctx, trx, organizationId);
  const row = await findMembership(ctx, trx, organization, key);
  if (row === undefined) throw absent();
  if (row.organization_id !== organizationId) throw inherited(ctx, organization, row);
  return row;
}

/** The rows of these users or clients in an organization. Throws `organization.not_a_member` naming `path`. */
export async function loadMembershipsOf(
  ctx: Context,
  trx: Tx,
  organization: OrganizationRow,
  kind: SubjectKind,
  subjectIds: readonly string[],
  path: string,
): Promise<MembershipRow[]> {
  const ids = [...new Set(subjectIds)];
  const rows = await membersAmong(ctx, trx, organization.id, kind, ids);
  if (rows.length === ids.length) return rows;
  const direct = new Set(rows.map(({ subject_id }) => subject_id));
  for (const subjectId of ids.filter((id) => !direct.has(id))) {
    const above = await findMembership(ctx, trx, organization, { subjectId, kind });
    throw above === undefined ? notAMember(kind, path) : inherited(ctx, organization, above);
  }
  return rows;
}

/** Which of these are members of the organization itself. */
export async function membersAmong(
  ctx: Context,
  trx: Tx,
  organizationId: string,
  kind: SubjectKind,
  subjectIds: readonly string[],
): Promise<MembershipRow[]> {
  return inChunks(subjectIds, (part) =>
    trx
      .selectFrom('memberships')
      .selectAll()
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('organization_id', '=', organizationId)
      .where('subject_kind', '=', kind)
      .where('subject_id', 'in', part)
      .execute(),
  );
}

/** Throws `organization.member_inherited` when one of these is a member by way of an organization above. */
export async function assertNotInherited(
  ctx: Context,
  trx: Tx,
  organization: OrganizationRow,
  kind: SubjectKind,
  subjectIds: readonly string[],
): Promise<void> {
  for (const subjectId of subjectIds) {
    const above = await findMembership(ctx, trx, organization, { subjectId, kind });
    if (above !== undefined) throw inherited(ctx, organization, above);
  }
}

/** The error for a user or client that is no member; `path` names the field. */
export const notAMember = (kind: SubjectKind, path?: string): DomainError =>
  new DomainError(
    'organization.not_a_member',
    `The ${kind === 'user' ? 'user' : 'application'} is not a member of the organization.`,
    path === undefined ? {} : { path },
  );

/** Changing what is held above is done there; a caller that may not see there is not told where. */
function inherited(ctx: Context, organization: OrganizationRow, row: MembershipRow): DomainError {
  const origin = row.organization_id;
  return new DomainError(
    'organization.member_inherited',
    'The member comes from an organization above; change it there.',
    wayUp(ctx, organization).visible(origin) ? { data: { organizationId: origin, memberId: row.id } } : {},
  );
}
