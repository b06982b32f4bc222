/** Members by the name of their role: owner, member and viewer are there at first use. */
import { referenceNotFound } from '../../kernel/errors.ts';
import type { Tx } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import { inOneTransaction } from '../one-transaction.ts';
import { loadRow } from '../organizations/read-organizations.ts';
import { ensureAccountRoles } from '../roles/owner-member-viewer.ts';
import { rolesByName } from '../roles/read-roles.ts';
import { roleNameKey } from '../roles/role.ts';
import { updateMember } from './member-roles.ts';
import type { Membership } from './membership.ts';
import { addMemberWithin, type MemberPaths, type NewMember } from './memberships.ts';

const outOfTheBox: ReadonlySet<string> = new Set(['owner', 'member', 'viewer']);

/** The id of an organization role, by its name in any spelling. Throws `entity.reference_not_found` naming `path`. */
async function roleIdOf(ctx: Context, trx: Tx, name: string, path: string): Promise<string> {
  if (outOfTheBox.has(roleNameKey(name))) await ensureAccountRoles(ctx, trx);
  const role = (await rolesByName(ctx, trx, [name], 'organization')).get(name);
  if (role === undefined) throw referenceNotFound('organization role', path);
  return role.id;
}

/**
 * Adds a member with one role. Throws as `addMember`, and `entity.reference_not_found` for a role that nobody made.
 */
export async function addMemberByRole(
  ctx: Context,
  organizationId: string,
  { role, ...member }: Omit<NewMember, 'roleIds'> & { readonly role: string },
  paths: MemberPaths,
): Promise<Membership> {
  return ctx.db.transact(async (trx) => {
    const organization = await loadRow(ctx, trx, organizationId);
    const roleIds = [await roleIdOf(ctx, trx, role, paths.roles)];
    return addMemberWithin(ctx, trx, organization, { ...member, roleIds }, paths);
  });
}

/** Makes one role the only one of a member. Throws as `updateMember`. */
export async function changeMemberRole(
  ctx: Context,
  organizationId: string,
  membershipId: string,
  role: string,
): Promise<Membership> {
  return inOneTransaction(ctx, async (joined) => {
    const ids = await joined.db.transact(async (trx) => {
      await loadRow(ctx, trx, organizationId);
      return [await roleIdOf(ctx, trx, role, 'role')];
    });
    return updateMember(joined, organizationId, { membershipId }, { roles: { ids } });
  });
}
