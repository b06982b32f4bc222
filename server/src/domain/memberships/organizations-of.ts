/** The organizations a user or client is a direct member of, with its roles in each; as far as the caller reaches. */
import { sql } from 'kysely';
import type { Queryable } from '../../storage/database.ts';
import { chunksOf } from '../chunks.ts';
import type { Context } from '../context.ts';
import { type Organization, type OrganizationRow, organizationOf } from '../organizations/organization.ts';
import { pathInReach } from '../organizations/reach.ts';
import {
  type KeysetPage,
  type KeysetRange,
  keysetPage,
  mapPage,
  type OffsetPage,
  type OffsetRange,
  offsetPage,
} from '../paging.ts';
import { type Membership, type MembershipRow, membershipsOf } from './membership.ts';

/** An organization that a user or client is a member of, and the membership. */
export interface OrganizationOfSubject {
  readonly organization: Organization;
  readonly membership: Membership;
}

/** A page by position, in the order the subject joined. Of a subject that is not there, none. */
export async function listOrganizationsOf(
  ctx: Context,
  subjectId: string,
  range: OffsetRange,
): Promise<OffsetPage<OrganizationOfSubject>> {
  const page = await offsetPage<MembershipRow>(ofSubject(ctx, ctx.db.reports, subjectId), range);
  return mapPage(page, await withOrganizations(ctx, page.items));
}

/** A page by key. Throws `input.cursor_invalid`. */
export async function listOrganizationsOfByKey(
  ctx: Context,
  subjectId: string,
  range: KeysetRange,
): Promise<KeysetPage<OrganizationOfSubject>> {
  const query = ofSubject(ctx, ctx.db.read, subjectId);
  const page = await keysetPage<MembershipRow>(ctx, `organizations of ${subjectId}`, query, range);
  return mapPage(page, await withOrganizations(ctx, page.items));
}

const ofSubject = (ctx: Context, db: Queryable, subjectId: string) =>
  db
    .selectFrom('memberships')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('subject_id', '=', subjectId)
    .where(
      sql<boolean>`exists (select 1 from organizations o where o.tenant_id = memberships.tenant_id
        and o.id = memberships.organization_id and ${pathInReach(ctx, 'o.path')})`,
    );

async function withOrganizations(ctx: Context, rows: readonly MembershipRow[]): Promise<OrganizationOfSubject[]> {
  const organizations = new Map<string, OrganizationRow>();
  for (const part of chunksOf(rows.map(({ organization_id }) => organization_id))) {
    const found = await ctx.db.read
      .selectFrom('organizations')
      .selectAll()
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', 'in', part)
      .execute();
    for (const row of found) organizations.set(row.id, row);
  }
  const memberships = await membershipsOf(ctx, ctx.db.read, rows);
  return memberships.flatMap((membership) => {
    const row = organizations.get(membership.organizationId);
    // Deleted since the page was read.
    return row === undefined ? [] : [{ organization: organizationOf(ctx, row), membership }];
  });
}
