/**
 * Invitations: the only way by which a customer's own backend brings people in, and one way for everybody else. Whoever
 * invites is asked whether it may give the roles (`create.ts`); acceptance, by the person or for it, gives just what was
 * invited, once (`accept.ts`).
 */
import { createHash } from 'node:crypto';
import { notFound } from '../../kernel/errors.ts';
import type { Queryable } from '../../storage/database.ts';
import type { Schema } from '../../storage/schema.ts';
import { chunksOf } from '../chunks.ts';
import type { Extras } from '../clients/client.ts';
import type { Context } from '../context.ts';
import { organizationInReach } from '../organizations/reach.ts';

export type InvitationRow = Schema['organization_invitations'];

/** Somebody invited into an organization. Its ticket is known to whom it was given only. */
export interface Invitation {
  id: string;
  organizationId: string;
  /** A user; null: nobody in particular. */
  inviterId: string | null;
  inviterName: string | null;
  /** E-mail address. */
  invitee: string;
  status: InvitationRow['status'];
  acceptedUserId: string | null;
  /** What it gives, by name. */
  roles: { id: string; name: string }[];
  /** What only a dialect knows, by dialect. */
  extras: Extras;
  createdAt: number;
  updatedAt: number;
  expiresAt: number;
}

/** SHA-256 in hexadecimal: a ticket has 256 bits of chance, so that no slow hash is needed. */
export const ticketHash = (ticket: string): string => createHash('sha256').update(ticket).digest('hex');

/** Pending past its time is expired, whether or not anybody noted it. */
const statusOf = (row: InvitationRow, now: number): Invitation['status'] =>
  row.status === 'pending' && row.expires_at <= now ? 'expired' : row.status;

/** Maps rows with their roles. */
export async function invitationsOf(
  ctx: Context,
  db: Queryable,
  rows: readonly InvitationRow[],
): Promise<Invitation[]> {
  const roles = await rolesOf(
    ctx,
    db,
    rows.map(({ id }) => id),
  );
  const now = ctx.clock.now();
  return rows.map((row) => ({
    id: row.id,
    organizationId: row.organization_id,
    inviterId: row.inviter_id,
    inviterName: row.inviter_name,
    invitee: row.invitee,
    status: statusOf(row, now),
    acceptedUserId: row.accepted_user_id,
    roles: roles.get(row.id) ?? [],
    extras: extrasOf(row),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    expiresAt: row.expires_at,
  }));
}

/** How many roles were invited is the domain's own. */
function extrasOf(row: InvitationRow): Extras {
  const { roles: _, ...extras } = JSON.parse(row.extras) as Extras & { roles: unknown };
  return extras;
}

/** Maps a row, with the roles it gives. */
export async function invitationOf(ctx: Context, db: Queryable, row: InvitationRow): Promise<Invitation> {
  const [invitation] = await invitationsOf(ctx, db, [row]);
  return invitation as Invitation;
}

async function rolesOf(ctx: Context, db: Queryable, ids: readonly string[]): Promise<Map<string, Invitation['roles']>> {
  const found = new Map<string, Invitation['roles']>();
  for (const part of chunksOf(ids)) {
    const rows = await db
      .selectFrom('organization_invitation_roles as ir')
      .innerJoin('roles as r', (join) =>
        join.onRef('r.tenant_id', '=', 'ir.tenant_id').onRef('r.id', '=', 'ir.role_id'),
      )
      .select(['ir.invitation_id', 'r.id', 'r.name'])
      .where('ir.tenant_id', '=', ctx.site.tenantId)
      .where('ir.invitation_id', 'in', part)
      .orderBy('r.name_key')
      .orderBy('r.id')
      .execute();
    for (const { invitation_id, id, name } of rows) {
      found.set(invitation_id, [...(found.get(invitation_id) ?? []), { id, name }]);
    }
  }
  return found;
}

/** The invitations into organizations that the caller reaches. */
export const invitationsInReach = (ctx: Context, db: Queryable) =>
  db
    .selectFrom('organization_invitations')
    .selectAll()
    .where('tenant_id', '=', ctx.site.tenantId)
    .where(organizationInReach(ctx, 'organization_id'));

/** Every verb that names an invitation begins here. Throws `entity.not_found`. */
export async function loadInvitationRow(
  ctx: Context,
  db: Queryable,
  by: { id: string } | { ticket: string },
): Promise<InvitationRow> {
  const [column, value] = 'id' in by ? (['id', by.id] as const) : (['ticket_hash', ticketHash(by.ticket)] as const);
  const row = await invitationsInReach(ctx, db).where(column, '=', value).executeTakeFirst();
  if (row === undefined) throw notFound('organization invitation');
  return row;
}
