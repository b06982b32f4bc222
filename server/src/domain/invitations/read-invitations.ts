/** Invitations read: one, or pages of them. */
import type { Queryable } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import { isDelegated } from '../organizations/reach.ts';
import {
  type KeysetPage,
  type KeysetRange,
  keysetPage,
  mapPage,
  type OffsetPage,
  type OffsetRange,
  offsetPage,
} from '../paging.ts';
import { emailKeyOf } from '../users/identity.ts';
import {
  type Invitation,
  type InvitationRow,
  invitationOf,
  invitationsInReach,
  invitationsOf,
  loadInvitationRow,
} from './invitation.ts';

/** What is asked for, all of it together. */
export interface InvitationFilter {
  organizationId?: string | undefined;
  inviterId?: string | undefined;
  /** E-mail address in any spelling. */
  invitee?: string | undefined;
  /** Only those that can still be accepted. */
  open?: boolean | undefined;
}

/** Throws `entity.not_found`. */
export const getInvitation = async (ctx: Context, id: string): Promise<Invitation> =>
  invitationOf(ctx, ctx.db.read, await loadInvitationRow(ctx, ctx.db.read, { id }));

/** A page by position, in order of creation; `newestFirst` turns it round. */
export async function listInvitations(
  ctx: Context,
  filter: InvitationFilter,
  range: OffsetRange,
  newestFirst = false,
): Promise<OffsetPage<Invitation>> {
  const direction = newestFirst ? 'desc' : 'asc';
  const page = await offsetPage<InvitationRow>(filtered(ctx, ctx.db.reports, filter), range, (query) =>
    query.orderBy('created_at', direction).orderBy('id', direction),
  );
  return mapPage(page, await invitationsOf(ctx, ctx.db.reports, page.items));
}

/** A page by key: organization by organization, each in order of creation. Throws `input.cursor_invalid`. */
export async function listInvitationsByKey(
  ctx: Context,
  filter: InvitationFilter,
  range: KeysetRange,
): Promise<KeysetPage<Invitation>> {
  const { organizationId, inviterId, invitee } = filter;
  const list = `organization invitations ${JSON.stringify([organizationId, inviterId, invitee])}`;
  // Only an organization's own, and those of all, stand in one index in this order; others may have to be passed over.
  const isIndexed =
    inviterId === undefined && invitee === undefined && (organizationId !== undefined || !isDelegated(ctx));
  const query = filtered(ctx, isIndexed ? ctx.db.read : ctx.db.reports, filter);
  const order = ['created_at', 'id'] as const;
  // SQLite takes the cursor's bound for its index only where it is on the columns that are not given already.
  const columns = organizationId === undefined ? (['organization_id', ...order] as const) : order;
  const page = await keysetPage<InvitationRow>(ctx, list, query, range, columns);
  return mapPage(page, await invitationsOf(ctx, ctx.db.read, page.items));
}

function filtered(ctx: Context, db: Queryable, { organizationId, inviterId, invitee, open }: InvitationFilter) {
  let query = invitationsInReach(ctx, db);
  if (open === true) query = query.where('status', '=', 'pending').where('expires_at', '>', ctx.clock.now());
  if (organizationId !== undefined) query = query.where('organization_id', '=', organizationId);
  if (inviterId !== undefined) query = query.where('inviter_id', '=', inviterId);
  if (invitee !== undefined) query = query.where('invitee_key', '=', emailKeyOf(invitee));
  return query;
}
