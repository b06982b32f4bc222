import type { Tx } from '../../storage/database.ts';
import { chunksOf } from '../chunks.ts';
import type { Context } from '../context.ts';
import { addMemberWithin } from '../memberships/memberships.ts';
import type { OrganizationRow } from '../organizations/organization.ts';
import { reachesPath } from '../organizations/reach.ts';
import { idsOfPath, isWithin } from '../organizations/tree.ts';
import { emailKeyOf } from '../users/identity.ts';

/** What is asked of a user that was created or changed in this transaction. */
export interface ProvisionedUser {
  readonly id: string;
  readonly email: string | null;
  readonly emailVerified: boolean;
}

/**
 * Makes a user a member of every organization that its verified e-mail address belongs to, with the roles set there; of
 * none that is suspended, itself or from above. Called whenever an address is, or becomes, verified. A person that
 * belongs to a customer joins in that customer's subtree only: who may say that the address is verified could otherwise
 * enter any organization. Tells whether it joined any.
 */
export async function provisionJustInTime(ctx: Context, trx: Tx, user: ProvisionedUser): Promise<boolean> {
  if (user.email === null || !user.emailVerified) return false;
  const organizations = await boundTo(ctx, trx, emailKeyOf(user.email).split('@')[1] ?? '');
  if (organizations.length === 0) return false;
  let hasJoined = false;
  const joined = await membershipsAmong(ctx, trx, user.id, organizations);
  const suspended = await suspendedAmong(ctx, trx, organizations);
  const owner = await ownerPathOf(ctx, trx, user.id);
  for (const organization of organizations) {
    if (joined.has(organization.id) || !isWithin(organization.path, owner)) continue;
    if (idsOfPath(organization.path).some((id) => suspended.has(id))) continue;
    const roleIds = await jitRoleIds(ctx, trx, organization.id);
    await addMemberWithin(ctx, trx, organization, { subjectId: user.id, kind: 'user', roleIds, invited: true });
    hasJoined = true;
  }
  return hasJoined;
}

/** Whether a user is in the organization by its verified e-mail address, whatever else there is. */
export async function belongsByAddress(ctx: Context, trx: Tx, userId: string, organizationId: string) {
  const user = await trx
    .selectFrom('users')
    .select(['email', 'email_verified'])
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', '=', userId)
    .executeTakeFirst();
  if (user === undefined || user.email === null || user.email_verified !== 1) return false;
  const organizations = await boundTo(ctx, trx, emailKeyOf(user.email).split('@')[1] ?? '');
  return organizations.some(({ id }) => id === organizationId);
}

/** Two short look-ups: as a join, an engine without figures walks over all organizations. */
async function boundTo(ctx: Context, trx: Tx, domain: string): Promise<OrganizationRow[]> {
  const bound = await trx
    .selectFrom('organization_email_domains')
    .select('organization_id')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('domain', '=', domain)
    .execute();
  const found: OrganizationRow[] = [];
  for (const part of chunksOf(bound.map(({ organization_id }) => organization_id))) {
    const rows = await trx
      .selectFrom('organizations')
      .selectAll()
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', 'in', part)
      .execute();
    found.push(...rows.filter(({ path }) => reachesPath(ctx, path)));
  }
  return found.sort((one, other) => (one.path < other.path ? -1 : 1));
}

async function membershipsAmong(ctx: Context, trx: Tx, userId: string, organizations: readonly OrganizationRow[]) {
  const joined = new Set<string>();
  for (const part of chunksOf(organizations.map(({ id }) => id))) {
    const rows = await trx
      .selectFrom('memberships')
      .select('organization_id')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('subject_id', '=', userId)
      .where('organization_id', 'in', part)
      .execute();
    for (const row of rows) joined.add(row.organization_id);
  }
  return joined;
}

/** The suspended ones among the organizations and all those above them. */
export async function suspendedAmong(ctx: Context, trx: Tx, organizations: readonly OrganizationRow[]) {
  const suspended = new Set<string>();
  for (const part of chunksOf([...new Set(organizations.flatMap(({ path }) => idsOfPath(path)))])) {
    const rows = await trx
      .selectFrom('organizations')
      .select('id')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', 'in', part)
      .where('status', '=', 'suspended')
      .execute();
    for (const { id } of rows) suspended.add(id);
  }
  return suspended;
}

/** Path of the organization that the person belongs to; empty: the tenant's. */
export async function ownerPathOf(ctx: Context, trx: Tx, userId: string): Promise<string> {
  const row = await trx
    .selectFrom('users as u')
    .innerJoin('organizations as o', (join) =>
      join.onRef('o.tenant_id', '=', 'u.tenant_id').onRef('o.id', '=', 'u.owner_organization_id'),
    )
    .select('o.path')
    .where('u.tenant_id', '=', ctx.site.tenantId)
    .where('u.id', '=', userId)
    .executeTakeFirst();
  return row?.path ?? '';
}

/** The roles that who becomes a member just in time is given. */
export async function jitRoleIds(ctx: Context, trx: Tx, organizationId: string): Promise<string[]> {
  const rows = await trx
    .selectFrom('organization_jit_roles')
    .select('role_id')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('organization_id', '=', organizationId)
    .orderBy('role_id')
    .execute();
  return rows.map(({ role_id }) => role_id);
}
