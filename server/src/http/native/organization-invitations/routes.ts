/** `/api/organization-invitations`. A token for an organization invites and revokes; accepting is for the person invited. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  CreatedOrganizationInvitation,
  CreateOrganizationInvitation,
  InvitationMessage,
  OrganizationInvitation,
  OrganizationInvitationsQuery,
  Problem,
  RedeemInvitation,
  UpdateInvitationStatus,
} from '@sekisho/contract';
import { Type } from 'typebox';
import { acceptInvitation, deleteInvitation, revokeInvitation } from '../../../domain/invitations/accept.ts';
import { createInvitation } from '../../../domain/invitations/create.ts';
import { getInvitation, listInvitations, listInvitationsByKey } from '../../../domain/invitations/read-invitations.ts';
import type { KeysetRange, OffsetRange } from '../../../domain/paging.ts';
import { DomainError, invalid } from '../../../kernel/errors.ts';
import { failures, failuresOfOne } from '../failures.ts';
import { sendOptionalPage } from '../paging.ts';
import { createdInvitationBody, invitationBody, newInvitationOf } from './mapping.ts';

const params = Type.Object({ id: Type.String({ description: 'Of an invitation.' }) });

const noConnector = (path: string): DomainError =>
  new DomainError('email.no_connector', 'There is no e-mail connector; send the ticket yourself.', { path });

export const organizationInvitationRoutes: FastifyPluginAsyncTypebox = async (server) => {
  const root = '/organization-invitations';

  server.get(
    root,
    {
      config: { scopes: ['read:organization_invitations'], delegated: true },
      schema: {
        summary: 'List invitations into organizations',
        description:
          'In order of creation, at most 10 000 when no page is asked for; by cursor organization by organization.',
        querystring: OrganizationInvitationsQuery,
        response: { 200: Type.Array(OrganizationInvitation), ...failures },
      },
    },
    (request, reply) => {
      const ctx = request.context;
      const { organizationId, inviterId, invitee } = request.query;
      const filter = { organizationId, inviterId, invitee };
      const list = {
        byKey: (range: KeysetRange) => listInvitationsByKey(ctx, filter, range),
        byOffset: (range: OffsetRange) => listInvitations(ctx, filter, range),
      };
      return sendOptionalPage(request, reply, list, (invitation) => invitationBody(ctx, invitation));
    },
  );

  server.post(
    root,
    {
      config: { scopes: ['create:organization_invitations'], delegated: true },
      schema: {
        summary: 'Invite somebody into an organization',
        description:
          'The answer has the ticket, once; it is the same whether or not there is a user with this e-mail address. ' +
          'One invitation may be pending for an address in an organization.',
        body: CreateOrganizationInvitation,
        response: { 201: CreatedOrganizationInvitation, ...failures, 422: Problem },
      },
    },
    async ({ context, body }, reply) => {
      if (body.messagePayload) throw noConnector('messagePayload');
      const created = await createInvitation(context, newInvitationOf(body));
      reply.code(201);
      return createdInvitationBody(context, created);
    },
  );

  server.post(
    `${root}/redeem`,
    {
      config: { scopes: ['update:organization_invitations'] },
      schema: {
        summary: 'Redeem the ticket of an invitation',
        description: 'For the user with the e-mail address invited, who becomes a member. A ticket is good once.',
        body: RedeemInvitation,
        response: { 200: OrganizationInvitation, ...failuresOfOne, 422: Problem },
      },
    },
    async ({ context, body }) => {
      const acceptance = { userId: body.userId, path: 'userId' };
      return invitationBody(context, await acceptInvitation(context, { ticket: body.ticket }, acceptance));
    },
  );

  server.get(
    `${root}/:id`,
    {
      config: { scopes: ['read:organization_invitations'], delegated: true },
      schema: { summary: 'Read an invitation', params, response: { 200: OrganizationInvitation, ...failuresOfOne } },
    },
    async ({ context, params }) => invitationBody(context, await getInvitation(context, params.id)),
  );

  server.delete(
    `${root}/:id`,
    {
      config: { scopes: ['delete:organization_invitations'], delegated: true },
      schema: {
        summary: 'Delete an invitation',
        description: 'Whatever became of it; who accepted it stays a member.',
        params,
        response: { 204: Type.Null(), ...failuresOfOne },
      },
    },
    async ({ context, params }, reply) => {
      await deleteInvitation(context, params.id);
      reply.code(204);
      return null;
    },
  );

  server.post(
    `${root}/:id/message`,
    {
      config: { scopes: ['update:organization_invitations'], delegated: true },
      schema: {
        summary: 'Send the e-mail of an invitation again',
        description: 'There is no e-mail connector: this answers 422, and nothing is sent.',
        params,
        body: InvitationMessage,
        response: { ...failuresOfOne, 422: Problem },
      },
    },
    async ({ context, params }) => {
      await getInvitation(context, params.id);
      throw noConnector('id');
    },
  );

  server.put(
    `${root}/:id/status`,
    {
      config: { scopes: ['update:organization_invitations'], delegated: true },
      schema: {
        summary: 'Accept or revoke an invitation',
        description:
          'Accepting is for a user with the e-mail address invited; a token for an organization revokes only.',
        params,
        body: UpdateInvitationStatus,
        response: { 200: OrganizationInvitation, ...failuresOfOne, 422: Problem },
      },
    },
    async ({ context, params, body }) => {
      if (body.status === 'Revoked') return invitationBody(context, await revokeInvitation(context, params.id));
      const { acceptedUserId } = body;
      if (!acceptedUserId) throw invalid('acceptedUserId', 'It is needed to accept an invitation.');
      const acceptance = { userId: acceptedUserId, path: 'acceptedUserId' };
      return invitationBody(context, await acceptInvitation(context, { id: params.id }, acceptance));
    },
  );
};
