import type {
  CreatedOrganizationInvitation,
  CreateOrganizationInvitation,
  OrganizationInvitation,
} from '@sekisho/contract';
import type { Context } from '../../../domain/context.ts';
import type { NewInvitation } from '../../../domain/invitations/create.ts';
import type { Invitation } from '../../../domain/invitations/invitation.ts';

type Site = Pick<Context, 'site'>;

const statuses = { pending: 'Pending', accepted: 'Accepted', expired: 'Expired', revoked: 'Revoked' } as const;

export const invitationBody = ({ site }: Site, invitation: Invitation): OrganizationInvitation => ({
  tenantId: site.tenantId,
  id: invitation.id,
  inviterId: invitation.inviterId,
  invitee: invitation.invitee,
  acceptedUserId: invitation.acceptedUserId,
  organizationId: invitation.organizationId,
  status: statuses[invitation.status],
  createdAt: invitation.createdAt,
  updatedAt: invitation.updatedAt,
  expiresAt: invitation.expiresAt,
  organizationRoles: invitation.roles.map(({ id, name }) => ({ id, name })),
});

/** The one answer that has the ticket. */
export const createdInvitationBody = (
  site: Site,
  { invitation, ticket }: { invitation: Invitation; ticket: string },
): CreatedOrganizationInvitation => ({ ...invitationBody(site, invitation), ticket });

export const newInvitationOf = (body: CreateOrganizationInvitation): NewInvitation => ({
  organizationId: body.organizationId,
  invitee: body.invitee,
  expiresAt: body.expiresAt,
  inviterId: body.inviterId,
  roleIds: body.organizationRoleIds,
});
