import { DomainError, invalid, referenceNotFound } from '../../kernel/errors.ts';
import { randomAlphanumeric, randomBase64Url } from '../../kernel/random.ts';
import type { Tx } from '../../storage/database.ts';
import { assertMayGiveRoles } from '../access/give-roles.ts';
import { chunksOf } from '../chunks.ts';
import type { Extras } from '../clients/client.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import { organizationInReach } from '../organizations/reach.ts';
import { loadRow } from '../organizations/read-organizations.ts';
import { loadRoles } from '../roles/read-roles.ts';
import { emailIdentity } from '../users/identity.ts';
import { type Invitation, type InvitationRow, invitationOf, ticketHash } from './invitation.ts';

/** What an invitation is made of. */
export interface NewInvitation {
  readonly organizationId: string;
  /** E-mail address. */
  readonly invitee: string;
  /** In milliseconds; in the future. */
  readonly expiresAt: number;
  /** The user in whose name it is made. */
  readonly inviterId?: string | null | undefined;
  /** What whoever invites is called, where no user does. */
  readonly inviterName?: string | null | undefined;
  /** Organization roles for users. */
  readonly roleIds?: readonly string[] | undefined;
  /** What only a dialect knows, by dialect. */
  readonly extras?: Extras | undefined;
}

/** Bytes of chance in a ticket. */
const ticketSize = 32;

/**
 * Invites somebody; returns the ticket too, which is kept as a hash only. The answer is the same whether or not there is
 * a user with this address, unless it is a member of this very organization, whose members the caller may list. Throws
 * `input.invalid`, `entity.reference_not_found` (organization, inviter, role), `entity.exists` (of thing `member`, or
 * `organization invitation` while one is pending), `role.wrong_subject`, `auth.exceeds_own`.
 */
export async function createInvitation(
  ctx: Context,
  {
    organizationId,
    invitee,
    expiresAt,
    inviterId = null,
    inviterName = null,
    roleIds = [],
    extras = {},
  }: NewInvitation,
): Promise<{ invitation: Invitation; ticket: string }> {
  const email = emailIdentity(invitee, 'invitee');
  const now = ctx.clock.now();
  if (expiresAt <= now) throw invalid('expiresAt', 'It must be in the future.');
  const ticket = randomBase64Url(ctx.random, ticketSize);
  return ctx.db.transact(async (trx) => {
    await loadOrganization(ctx, trx, organizationId);
    if (inviterId !== null) await assertInviter(ctx, trx, inviterId);
    const wanted = { level: 'organization', subjectKind: 'user' } as const;
    const roles = (await loadRoles(ctx, trx, roleIds, wanted, 'organizationRoleIds')).map(({ id }) => id);
    await assertMayGiveRoles(ctx, trx, roles);
    await assertNotThere(ctx, trx, organizationId, email.key);
    const row: InvitationRow = {
      tenant_id: ctx.site.tenantId,
      id: `inv_${randomAlphanumeric(ctx.random, 16)}`,
      organization_id: organizationId,
      inviter_id: inviterId,
      inviter_name: inviterName,
      invitee: email.shown,
      invitee_key: email.key,
      status: 'pending',
      ticket_hash: ticketHash(ticket),
      accepted_user_id: null,
      // A role that is deleted leaves the invitation: how many there were tells that something is gone.
      extras: JSON.stringify({ ...extras, roles: roles.length }),
      created_at: now,
      updated_at: now,
      expires_at: expiresAt,
    };
    await trx.insertInto('organization_invitations').values(row).execute();
    const given = roles.map((role_id) => ({ tenant_id: row.tenant_id, invitation_id: row.id, role_id }));
    for (const part of chunksOf(given)) await trx.insertInto('organization_invitation_roles').values(part).execute();
    await recordChange(ctx, trx, 'organization_invitation.created', row.id, {
      details: { organization: organizationId, roles },
    });
    return { invitation: await invitationOf(ctx, trx, row), ticket };
  });
}

async function loadOrganization(ctx: Context, trx: Tx, id: string): Promise<void> {
  try {
    await loadRow(ctx, trx, id);
  } catch (error) {
    if (error instanceof DomainError && error.code === 'entity.not_found') {
      throw referenceNotFound('organization', 'organizationId');
    }
    throw error;
  }
}

/** A user that the caller may know of: of a delegated caller, its subtree's own or a member there. */
async function assertInviter(ctx: Context, trx: Tx, userId: string): Promise<void> {
  const user = await trx
    .selectFrom('users as u')
    .select('u.id')
    .where('u.tenant_id', '=', ctx.site.tenantId)
    .where('u.id', '=', userId)
    .where((eb) =>
      eb.or([
        organizationInReach(ctx, 'u.owner_organization_id'),
        eb.exists(
          eb
            .selectFrom('memberships as m')
            .select('m.id')
            .where('m.tenant_id', '=', ctx.site.tenantId)
            .whereRef('m.subject_id', '=', 'u.id')
            .where(organizationInReach(ctx, 'm.organization_id')),
        ),
      ]),
    )
    .executeTakeFirst();
  if (user === undefined) throw referenceNotFound('user', 'inviterId');
}

/** Neither a member nor invited already; what has expired makes room. */
async function assertNotThere(ctx: Context, trx: Tx, organizationId: string, inviteeKey: string): Promise<void> {
  const { tenantId } = ctx.site;
  const member = await trx
    .selectFrom('users as u')
    .innerJoin('memberships as m', (join) =>
      join.onRef('m.tenant_id', '=', 'u.tenant_id').onRef('m.subject_id', '=', 'u.id'),
    )
    .select('m.id')
    .where('u.tenant_id', '=', tenantId)
    .where('u.email_key', '=', inviteeKey)
    .where('m.organization_id', '=', organizationId)
    .executeTakeFirst();
  if (member !== undefined) throw taken('member', 'The invitee is a member of the organization already.');
  const now = ctx.clock.now();
  const same = { organization_id: organizationId, invitee_key: inviteeKey, status: 'pending' } as const;
  await trx
    .updateTable('organization_invitations')
    .set({ status: 'expired', updated_at: now })
    .where('tenant_id', '=', tenantId)
    .where((eb) => eb.and(same))
    .where('expires_at', '<=', now)
    .execute();
  const pending = await trx
    .selectFrom('organization_invitations')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where((eb) => eb.and(same))
    .executeTakeFirst();
  if (pending !== undefined) throw taken('organization invitation', 'An invitation is pending already.');
}

const taken = (thing: string, message: string): DomainError =>
  new DomainError('entity.exists', message, { path: 'invitee', data: { thing } });
