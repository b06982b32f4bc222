import { type Static, Type } from 'typebox';
import { idsOf } from './organization-template.ts';
import { PagingQuery } from './paging.ts';

const status = Type.Union(
  [Type.Literal('Pending'), Type.Literal('Accepted'), Type.Literal('Expired'), Type.Literal('Revoked')],
  { description: 'Pending until it is accepted or revoked, or its time is over.' },
);
const invitee = Type.String({
  minLength: 1,
  maxLength: 320,
  description: 'E-mail address of whom is invited.',
  examples: ['hanako@example.jp'],
});
const nullableId = Type.Union([Type.String(), Type.Null()]);

/** Somebody invited into an organization. Times in milliseconds. */
export const OrganizationInvitation = Type.Object({
  tenantId: Type.String(),
  id: Type.String({ examples: ['inv_Zk3vQ1xY7bN0aW5t'] }),
  inviterId: nullableId,
  invitee,
  acceptedUserId: nullableId,
  organizationId: Type.String(),
  status,
  createdAt: Type.Integer(),
  updatedAt: Type.Integer(),
  expiresAt: Type.Integer(),
  organizationRoles: Type.Array(Type.Object({ id: Type.String(), name: Type.String() })),
});
export type OrganizationInvitation = Static<typeof OrganizationInvitation>;

/** A new invitation with its ticket, which is in this answer only. */
export const CreatedOrganizationInvitation = Type.Object({
  ...OrganizationInvitation.properties,
  ticket: Type.Union([Type.String(), Type.Null()], {
    'x-secret': true,
    description: 'For the person invited, as part of a link; good for one acceptance. (Not in Logto.)',
  }),
});
export type CreatedOrganizationInvitation = Static<typeof CreatedOrganizationInvitation>;

export const OrganizationInvitationsQuery = Type.Object({
  ...PagingQuery.properties,
  organizationId: Type.Optional(Type.String({ maxLength: 128 })),
  inviterId: Type.Optional(Type.String({ maxLength: 128 })),
  invitee: Type.Optional(Type.String({ maxLength: 320, description: 'E-mail address, in any spelling.' })),
});
export type OrganizationInvitationsQuery = Static<typeof OrganizationInvitationsQuery>;

/** What an e-mail would be made of. */
const message = Type.Record(Type.String(), Type.Unknown());

export const CreateOrganizationInvitation = Type.Object(
  {
    invitee,
    organizationId: Type.String({ minLength: 1, maxLength: 128 }),
    expiresAt: Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000, description: 'In the future.' }),
    inviterId: Type.Optional(
      Type.Union([Type.String({ minLength: 1, maxLength: 128 }), Type.Null()], { description: 'A user.' }),
    ),
    organizationRoleIds: Type.Optional(idsOf('organization roles for users', 0)),
    messagePayload: Type.Optional(
      Type.Union([Type.Literal(false), message], {
        description: 'false or absent: no e-mail. There is no e-mail connector: send the ticket yourself.',
      }),
    ),
  },
  { examples: [{ invitee: 'hanako@example.jp', organizationId: 'org_3fKq0ZsX9aLmT2vB', expiresAt: 1798761600000 }] },
);
export type CreateOrganizationInvitation = Static<typeof CreateOrganizationInvitation>;

export const InvitationMessage = message;

export const UpdateInvitationStatus = Type.Object({
  status: Type.Union([Type.Literal('Accepted'), Type.Literal('Revoked')]),
  acceptedUserId: Type.Optional(
    Type.Union([Type.String({ minLength: 1, maxLength: 128 }), Type.Null()], {
      description: 'Needed to accept: the user with the e-mail address that was invited.',
    }),
  ),
});
export type UpdateInvitationStatus = Static<typeof UpdateInvitationStatus>;

export const RedeemInvitation = Type.Object({
  ticket: Type.String({ minLength: 1, maxLength: 256 }),
  userId: Type.String({ minLength: 1, maxLength: 128 }),
});
export type RedeemInvitation = Static<typeof RedeemInvitation>;
