/** Invitations come to their end: accepted, revoked or deleted. */
import { DomainError, referenceNotFound } from '../../kernel/errors.ts';
import type { Tx } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import { giveRoles, touchMemberships } from '../memberships/give.ts';
import { membersAmong } from '../memberships/load-memberships.ts';
import { addMemberWithin } from '../memberships/memberships.ts';
import { assertWholeTenant } from '../organizations/reach.ts';
import { loadRow } from '../organizations/read-organizations.ts';
import { type Invitation, type InvitationRow, invitationOf, loadInvitationRow } from './invitation.ts';

/** A user, and the field of the request that named it. */
export interface Acceptance {
  readonly userId: string;
  readonly path: string;
}

/**
 * Accepts an invitation for a user, by its ticket or by its id: the user becomes a member with the roles invited. With
 * the ticket, which the person invited has, they are given as they were allowed when it was made; by the id the caller
 * must be allowed to give them. Accepting is the person's: a delegated caller can not. Throws `entity.not_found`,
 * `organization.invitation_over` (accepted, revoked, expired, or a role of it is gone),
 * `organization.invitation_mismatch` (another e-mail address), `entity.reference_not_found`, `auth.exceeds_own`,
 * `auth.organization_token`.
 */
export async function acceptInvitation(
  ctx: Context,
  by: { id: string } | { ticket: string },
  { userId, path }: Acceptance,
): Promise<Invitation> {
  assertWholeTenant(ctx, 'accept an invitation: that is for the person invited');
  return ctx.db.transact(async (trx) => {
    const row = await loadInvitationRow(ctx, trx, by);
    // The taking is the check: of many at once one finds it pending.
    const taken = await end(ctx, trx, row, { status: 'accepted', accepted_user_id: userId });
    await assertInvited(ctx, trx, row, userId, path);
    await join(ctx, trx, row, { userId, path, proved: 'ticket' in by });
    await recordChange(ctx, trx, 'organization_invitation.accepted', row.id, {
      userId,
      details: { organization: row.organization_id },
    });
    return invitationOf(ctx, trx, taken);
  });
}

/** Takes a pending invitation back. Throws `entity.not_found`, `organization.invitation_over`. */
export async function revokeInvitation(ctx: Context, id: string): Promise<Invitation> {
  return ctx.db.transact(async (trx) => {
    const row = await loadInvitationRow(ctx, trx, { id });
    const revoked = await end(ctx, trx, row, { status: 'revoked' });
    await recordChange(ctx, trx, 'organization_invitation.revoked', id, {
      details: { organization: row.organization_id },
    });
    return invitationOf(ctx, trx, revoked);
  });
}

/** Deletes an invitation, whatever became of it; a member stays one. Throws `entity.not_found`. */
export async function deleteInvitation(ctx: Context, id: string): Promise<void> {
  await ctx.db.transact(async (trx) => {
    const row = await loadInvitationRow(ctx, trx, { id });
    await trx
      .deleteFrom('organization_invitations')
      .where('tenant_id', '=', ctx.site.tenantId)
      .where('id', '=', id)
      .execute();
    await recordChange(ctx, trx, 'organization_invitation.deleted', id, {
      details: { organization: row.organization_id },
    });
  });
}

/** One conditional update; returns the row as it is then. */
async function end(
  ctx: Context,
  trx: Tx,
  row: InvitationRow,
  change: Pick<InvitationRow, 'status'> & Partial<Pick<InvitationRow, 'accepted_user_id'>>,
): Promise<InvitationRow> {
  const now = ctx.clock.now();
  const { numUpdatedRows } = await trx
    .updateTable('organization_invitations')
    .set({ ...change, updated_at: now })
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', '=', row.id)
    .where('status', '=', 'pending')
    .where('expires_at', '>', now)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 1n) return { ...row, ...change, updated_at: now };
  throw new DomainError('organization.invitation_over', 'The invitation is not pending any more.');
}

async function assertInvited(ctx: Context, trx: Tx, row: InvitationRow, userId: string, path: string): Promise<void> {
  const user = await trx
    .selectFrom('users')
    .select('email_key')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('id', '=', userId)
    .executeTakeFirst();
  if (user === undefined) throw referenceNotFound('user', path);
  if (user.email_key === row.invitee_key) return;
  throw new DomainError('organization.invitation_mismatch', 'The user does not have the e-mail address invited.', {
    path,
  });
}

/**
 * Who became a member meanwhile, by another way, is given what it lacks. Whoever accepts without the ticket must be
 * allowed to give the roles: nothing proves then that the mailbox is the user's.
 */
async function join(
  ctx: Context,
  trx: Tx,
  row: InvitationRow,
  { userId, path, proved }: Acceptance & { proved: boolean },
): Promise<void> {
  const organization = await loadRow(ctx, trx, row.organization_id);
  const { roles } = await invitationOf(ctx, trx, row);
  if (roles.length !== (JSON.parse(row.extras) as { roles: number }).roles) {
    throw new DomainError('organization.invitation_over', 'A role that was invited is gone; invite again.');
  }
  const roleIds = roles.map(({ id }) => id);
  const present = await membersAmong(ctx, trx, organization.id, 'user', [userId]);
  if (present.length > 0) {
    await giveRoles(ctx, trx, present, roleIds, { invited: proved });
    await touchMemberships(ctx, trx, present);
    return;
  }
  const member = { subjectId: userId, kind: 'user', roleIds, invited: proved } as const;
  await addMemberWithin(ctx, trx, organization, member, { subject: path, roles: 'organizationRoleIds' });
}
