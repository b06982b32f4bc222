import type { Context } from '../../../domain/context.ts';
import type { NewInvitation } from '../../../domain/invitations/create.ts';
import type { Invitation } from '../../../domain/invitations/invitation.ts';
import { invalid } from '../../../kernel/errors.ts';
import { withoutUnset } from '../envelope.ts';
import { invalidQuery } from '../errors.ts';
import type { InvitationBody } from './schema.ts';

/** A week, when a body says nothing or 0. */
const defaultLifetimeSeconds = 604_800;

/** A new invitation in the domain's words. Throws `input.invalid` (a connection: there are none). */
export function newInvitationOf(ctx: Context, organizationId: string, body: InvitationBody): NewInvitation {
  const { inviter, invitee, ttl_sec, roles, send_invitation_email: _, ...kept } = body;
  if (kept.connection_id !== undefined) throw invalid('connection_id', 'The connection does not exist');
  return {
    organizationId,
    invitee: invitee.email,
    inviterName: inviter.name,
    expiresAt: ctx.clock.now() + (ttl_sec || defaultLifetimeSeconds) * 1000,
    roleIds: roles,
    extras: { auth0: kept },
  };
}

/** An invitation as this dialect shows it; its ticket only in the answer that made it. */
export const bodyOf = (ctx: Context, invitation: Invitation, ticket?: string): Record<string, unknown> =>
  withoutUnset({
    id: invitation.id,
    organization_id: invitation.organizationId,
    inviter: invitation.inviterName === null ? undefined : { name: invitation.inviterName },
    invitee: { email: invitation.invitee },
    invitation_url: ticket === undefined ? undefined : `${ctx.site.origin}/invitation?ticket=${ticket}`,
    ticket_id: ticket,
    created_at: new Date(invitation.createdAt).toISOString(),
    expires_at: new Date(invitation.expiresAt).toISOString(),
    roles: invitation.roles.length === 0 ? undefined : invitation.roles.map(({ id }) => id),
    ...invitation.extras.auth0,
  });

/** `sort=created_at:1` or `created_at:-1`, the default. Throws `input.invalid` naming `sort`. */
export function newestFirst(sort = 'created_at:-1'): boolean {
  if (!/^created_at:-?1$/.test(sort)) throw invalidQuery('sort', 'Expected created_at:1 or created_at:-1');
  return sort.endsWith(':-1');
}
