import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { assertClient } from '../../../domain/clients/read-clients.ts';
import type { Context } from '../../../domain/context.ts';
import { deleteInvitation } from '../../../domain/invitations/accept.ts';
import { createInvitation } from '../../../domain/invitations/create.ts';
import type { Invitation } from '../../../domain/invitations/invitation.ts';
import { getInvitation, listInvitations } from '../../../domain/invitations/read-invitations.ts';
import { inOneTransaction } from '../../../domain/one-transaction.ts';
import { getOrganization } from '../../../domain/organizations/read-organizations.ts';
import { notFound } from '../../../kernel/errors.ts';
import { deleteIdempotently } from '../delete.ts';
import { offsetRange, selectFields } from '../envelope.ts';
import { idParams } from '../schema.ts';
import { bodyOf, newestFirst, newInvitationOf } from './invitation-mapping.ts';
import { type InvitationBody, invitationBody, invitationParams, invitationQuery, invitationsQuery } from './schema.ts';

/** `/organizations/{id}/invitations`: who is invited, as long as it can be accepted. */
export const organizationInvitationRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/organizations/:id/invitations',
    {
      config: { scopes: ['read:organization_invitations'] },
      schema: { summary: 'List the invitations of an organization', params: idParams, querystring: invitationsQuery },
    },
    async ({ params, query, context }) => {
      const { id } = await getOrganization(context, params.id);
      const filter = { organizationId: id, open: true };
      const page = await listInvitations(context, filter, offsetRange(query), newestFirst(query.sort));
      const items = page.items.map((invitation) => selectFields(query, bodyOf(context, invitation)));
      return query.include_totals === true ? { start: page.start, limit: page.limit, invitations: items } : items;
    },
  );

  server.post(
    '/organizations/:id/invitations',
    {
      config: { scopes: ['create:organization_invitations'] },
      schema: { summary: 'Invite somebody into an organization', params: idParams, body: invitationBody },
    },
    async ({ params, body, context }) => {
      const { invitation, ticket } = await invite(context, params.id, body);
      return bodyOf(context, invitation, ticket);
    },
  );

  server.get(
    '/organizations/:id/invitations/:invitation_id',
    {
      config: { scopes: ['read:organization_invitations'] },
      schema: { summary: 'Read an invitation', params: invitationParams, querystring: invitationQuery },
    },
    async ({ params, query, context }) =>
      selectFields(query, bodyOf(context, await openInvitation(context, params.id, params.invitation_id))),
  );

  server.delete(
    '/organizations/:id/invitations/:invitation_id',
    {
      config: { scopes: ['delete:organization_invitations'] },
      schema: { summary: 'Delete an invitation', params: invitationParams },
    },
    ({ params, context }, reply) =>
      deleteIdempotently(
        reply,
        openInvitation(context, params.id, params.invitation_id).then(({ id }) => deleteInvitation(context, id)),
      ),
  );
};

/** The application that the person goes to is there, in the same transaction. */
const invite = (ctx: Context, organizationId: string, body: InvitationBody) =>
  inOneTransaction(ctx, async (joined) => {
    await joined.db.transact((trx) => assertClient(joined, trx, body.client_id));
    return createInvitation(joined, newInvitationOf(joined, organizationId, body));
  });

/** One of this organization that can still be accepted; others are over. Throws `entity.not_found`. */
async function openInvitation(ctx: Context, organizationId: string, id: string): Promise<Invitation> {
  const invitation = await getInvitation(ctx, id);
  if (invitation.organizationId !== organizationId || invitation.status !== 'pending') {
    throw notFound('organization invitation');
  }
  return invitation;
}
