import { decideUserAccess } from '../access/decide.ts';
import { loadOrganizationFacts } from '../access/organization-facts.ts';
import type { Context } from '../context.ts';
import { type OrganizationScope, organizationScopeOf } from '../organization-scopes/organization-scope.ts';
import { loadRow } from '../organizations/read-organizations.ts';
import { organizationItself } from '../resource-servers/system.ts';
import { findMembership, notAMember } from './load-memberships.ts';

/**
 * The organization scopes that a user has in an organization now, inherited ones included, by name; none while the
 * organization or the user is suspended. Throws `entity.not_found` (the organization), `organization.not_a_member`.
 */
export async function listMemberScopes(
  ctx: Context,
  organizationId: string,
  userId: string,
): Promise<OrganizationScope[]> {
  const organization = await loadRow(ctx, ctx.db.read, organizationId);
  const member = await findMembership(ctx, ctx.db.read, organization, { subjectId: userId, kind: 'user' });
  if (member === undefined) throw notAMember('user');
  const { tenantId } = ctx.site;
  const ask = { tenantId, organizationId, subjectId: userId, identifier: organizationItself };
  const { facts } = await loadOrganizationFacts(ctx.db, ask);
  const { status } = await ctx.db.read
    .selectFrom('users')
    .select('status')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', userId)
    .executeTakeFirstOrThrow();
  const decision = decideUserAccess(
    { userStatus: status, resourceServer: 'organization', tenantRoleScopes: [], anyOrganizationScopes: [] },
    facts,
  );
  if (!decision.allowed || decision.scopes.length === 0) return [];
  const rows = await ctx.db.read
    .selectFrom('organization_scopes')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('name', 'in', decision.scopes)
    .orderBy('name')
    .execute();
  return rows.map(organizationScopeOf);
}
