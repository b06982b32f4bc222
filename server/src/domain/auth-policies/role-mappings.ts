/**
 * Groups upstream are roles here. At each sign-in the roles that a policy's mappings name become what the person's groups
 * give today; what no mapping names stays as it is. Nothing of it can fail a sign-in: what can not be done is left.
 */
import { canonicalName } from '../../kernel/distinguished-name.ts';
import type { Tx } from '../../storage/database.ts';
import { managementScopesOfRoles } from '../access/role-scopes.ts';
import { inChunks } from '../chunks.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import { deleteMemberships, giveRoles, heldRoleIds, touchMemberships } from '../memberships/give.ts';
import { takeRoles } from '../memberships/member-roles.ts';
import type { MembershipRow } from '../memberships/membership.ts';
import { addMemberWithin } from '../memberships/memberships.ts';
import { belongsByAddress, ownerPathOf, suspendedAmong } from '../organization-jit/provision.ts';
import type { OrganizationRow } from '../organizations/organization.ts';
import { isOnlyOwner } from '../organizations/owners.ts';
import { idsOfPath, isWithin } from '../organizations/tree.ts';
import { isLinkedByNameWithin } from './links.ts';
import type { AuthPolicy, RoleMapping } from './policy.ts';

/**
 * Gives the roles that the policy's mappings have for somebody's groups upstream, and takes those that they had. A member
 * whose only roles were such is none without them. Nothing is given in an organization that is suspended; a person that
 * belongs to a customer is given roles in that customer's subtree only, since whoever may change the account there could
 * otherwise come in anywhere by it. Whom only a name links is given no role that counts at a management API: an
 * administrator has to stand for the link first. The last owner of a root organization stays one, and that is logged.
 */
export async function applyRoleMappings(
  ctx: Context,
  trx: Tx,
  { id, roleMappings }: Pick<AuthPolicy, 'id' | 'roleMappings'>,
  userId: string,
  groups: readonly string[],
): Promise<void> {
  if (roleMappings.length === 0) return;
  const server: Context = { ...ctx, actor: { kind: 'server' } };
  const given = new Set(groups.map(groupKey));
  const forPeople = await rolesForPeople(server, trx, rolesIn(roleMappings));
  const isByName = await isLinkedByNameWithin(server, trx, userId, id);
  const possible = isByName ? await withoutManagement(server, trx, forPeople) : forPeople;
  for (const place of await placesOf(server, trx, roleMappings, userId)) {
    const theirs = place.mappings.filter(({ group }) => given.has(groupKey(group)));
    const wanted = rolesIn(theirs).filter((id) => possible.has(id) && (place.isOpen || place.held.has(id)));
    await bringInLine(server, trx, place, userId, wanted);
  }
}

const rolesIn = (mappings: readonly RoleMapping[]): string[] => [
  ...new Set(mappings.flatMap(({ roleIds }) => roleIds)),
];

/** Names of a directory are one however they are written; all others are compared as they are. */
function groupKey(group: string): string {
  const name = canonicalName(group);
  return name === undefined ? `text ${group}` : `name ${name.toLowerCase()}`;
}

/** An organization that mappings name, and the person in it. */
interface Place {
  readonly organization: OrganizationRow;
  readonly mappings: readonly RoleMapping[];
  /** Roles can be given there. */
  readonly isOpen: boolean;
  readonly membership: MembershipRow | undefined;
  readonly held: ReadonlySet<string>;
}

/** The organizations that are still there. */
async function placesOf(ctx: Context, trx: Tx, roleMappings: readonly RoleMapping[], userId: string): Promise<Place[]> {
  const byOrganization = Map.groupBy(roleMappings, ({ organizationId }) => organizationId);
  const ids = [...byOrganization.keys()];
  const organizations = await organizationsAmong(ctx, trx, ids);
  const memberships = await membershipsIn(ctx, trx, ids, userId);
  const membershipIds = memberships.map(({ id }) => id);
  const held = await heldRoleIds(ctx, trx, membershipIds);
  const suspended = await suspendedAmong(ctx, trx, organizations);
  const owner = await ownerPathOf(ctx, trx, userId);
  return organizations.map((organization) => {
    const membership = memberships.find(({ organization_id }) => organization_id === organization.id);
    return {
      organization,
      mappings: byOrganization.get(organization.id) ?? [],
      isOpen: isWithin(organization.path, owner) && !idsOfPath(organization.path).some((id) => suspended.has(id)),
      membership,
      held: (membership && held.get(membership.id)) ?? new Set(),
    };
  });
}

const organizationsAmong = (ctx: Context, trx: Tx, ids: readonly string[]): Promise<OrganizationRow[]> =>
  inChunks(ids, (part) =>
    trx
      .selectFrom('organizations')
      .selectAll()
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', 'in', part)
      .orderBy('path')
      .execute(),
  );

const membershipsIn = (ctx: Context, trx: Tx, ids: readonly string[], userId: string): Promise<MembershipRow[]> =>
  inChunks(ids, (part) =>
    trx
      .selectFrom('memberships')
      .selectAll()
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('subject_id', '=', userId)
      .where('subject_kind', '=', 'user')
      .where('organization_id', 'in', part)
      .execute(),
  );

/** Those of the roles that a person can have in an organization. */
async function rolesForPeople(ctx: Context, trx: Tx, ids: readonly string[]): Promise<Set<string>> {
  const rows = await inChunks(ids, (part) =>
    trx
      .selectFrom('roles')
      .select('id')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('level', '=', 'organization')
      .where('subject_kind', '=', 'user')
      .where('id', 'in', part)
      .execute(),
  );
  return new Set(rows.map(({ id }) => id));
}

/** Those of the roles that give nothing at a management API. */
async function withoutManagement(ctx: Context, trx: Tx, roleIds: ReadonlySet<string>): Promise<Set<string>> {
  const left = new Set<string>();
  for (const id of roleIds) if ((await managementScopesOfRoles(ctx, trx, [id])).size === 0) left.add(id);
  return left;
}

async function bringInLine(
  ctx: Context,
  trx: Tx,
  place: Place,
  userId: string,
  wanted: readonly string[],
): Promise<void> {
  const { organization, mappings, membership, held } = place;
  if (membership === undefined) {
    const member = { subjectId: userId, kind: 'user', roleIds: wanted, invited: true } as const;
    if (wanted.length > 0) await addMemberWithin(ctx, trx, organization, member);
    return;
  }
  const surplus = rolesIn(mappings).filter((id) => held.has(id) && !wanted.includes(id));
  const missing = wanted.filter((id) => !held.has(id));
  const taken =
    surplus.length === 0 ? [] : await takeable(ctx, trx, { organization, membership, held, wanted, surplus });
  if (taken.length === 0 && missing.length === 0) return;
  const hasNoneLeft = wanted.length === 0 && taken.length === held.size;
  if (hasNoneLeft && !(await belongsByAddress(ctx, trx, userId, organization.id))) {
    await deleteMemberships(ctx, trx, [membership]);
    return;
  }
  await giveRoles(ctx, trx, [membership], missing, { invited: true });
  await takeRoles(ctx, trx, membership, taken);
  await touchMemberships(ctx, trx, [membership]);
}

/** Without those by which somebody is the last owner of a root organization: that it keeps them is logged each time. */
async function takeable(
  ctx: Context,
  trx: Tx,
  of: Pick<Place, 'organization' | 'held'> & {
    readonly membership: MembershipRow;
    readonly wanted: readonly string[];
    readonly surplus: readonly string[];
  },
): Promise<readonly string[]> {
  const { organization, membership, held, wanted, surplus } = of;
  const owning = await ownerRoles(ctx, trx, [...new Set([...held, ...wanted])]);
  const kept = surplus.filter((id) => owning.has(id));
  if (kept.length === 0 || [...owning].some((id) => !surplus.includes(id))) return surplus;
  if (!(await isOnlyOwner(ctx, trx, organization.id, membership.id))) return surplus;
  const userId = membership.subject_id;
  const details = { organization: organization.id, subject: userId, roles: kept };
  await recordChange(ctx, trx, 'organization_member.kept', membership.id, { userId, details });
  return surplus.filter((id) => !owning.has(id));
}

async function ownerRoles(ctx: Context, trx: Tx, ids: readonly string[]): Promise<Set<string>> {
  const rows = await inChunks(ids, (part) =>
    trx
      .selectFrom('roles')
      .select('id')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('is_owner', '=', 1)
      .where('id', 'in', part)
      .execute(),
  );
  return new Set(rows.map(({ id }) => id));
}
