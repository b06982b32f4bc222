import { type Static, Type } from 'typebox';

const id = Type.String({ minLength: 1, maxLength: 128 });

const member = Type.Object({
  userId: Type.Optional(id),
  applicationId: Type.Optional(id),
  organizationRoleIds: Type.Optional(Type.Array(id, { maxItems: 100 })),
});

const organization = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 128 }),
  description: Type.Optional(Type.Union([Type.String({ maxLength: 256 }), Type.Null()])),
  customData: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  parentId: Type.Optional(id),
  parentIndex: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 999, description: 'Or the place of its parent in this list, before its own.' }),
  ),
  members: Type.Optional(Type.Array(member, { maxItems: 1000 })),
});

/** Many organizations with their members: all are created, or none. At most 5000 members in all. (Not in Logto.) */
export const CreateOrganizations = Type.Object(
  { organizations: Type.Array(organization, { minItems: 1, maxItems: 1000 }) },
  { examples: [{ organizations: [{ name: 'Acme' }, { name: 'Acme Tokyo', parentIndex: 0 }] }] },
);
export type CreateOrganizations = Static<typeof CreateOrganizations>;

export const CreatedOrganizations = Type.Object({
  organizationIds: Type.Array(Type.String(), { description: 'In the order of the request.' }),
});
export type CreatedOrganizations = Static<typeof CreatedOrganizations>;
