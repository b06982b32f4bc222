import { type Static, Type } from 'typebox';
import { checkpointQuery, fieldsQuery, offsetQuery } from '../envelope.ts';
import { anyObject, closed, literals, nullable, optional, text } from '../schema.ts';

/** Most keys that the metadata of an organization may have. */
export const maximumMetadataKeys = 25;

const name = Type.String({ minLength: 1, maxLength: 50, pattern: '^[a-z0-9][a-z0-9_-]*$' });

const color = Type.String({ pattern: '^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$' });
const branding = closed({
  logo_url: Type.Optional(text()),
  colors: Type.Optional(closed({ primary: color, page_background: color })),
});

const quota = Type.Optional(Type.Integer({ minimum: 1 }));
const tokenQuota = closed({
  client_credentials: Type.Object(
    { enforce: Type.Optional(Type.Boolean()), per_day: quota, per_hour: quota },
    { additionalProperties: false, minProperties: 1 },
  ),
});

const settable = {
  display_name: Type.String({ minLength: 1, maxLength: 255 }),
  metadata: Type.Object({}, { additionalProperties: nullable(text(255)), maxProperties: maximumMetadataKeys }),
  branding,
  token_quota: nullable(tokenQuota),
  third_party_client_access: literals('block', 'allow'),
  is_app_entitlement_active: Type.Boolean(),
};

export const createBody = closed({
  ...optional(settable),
  name,
  enabled_connections: Type.Optional(Type.Array(anyObject, { maxItems: 0 })),
});
export type CreateBody = Static<typeof createBody>;

export const updateBody = closed({ ...optional(settable), name: Type.Optional(name) });
export type UpdateBody = Static<typeof updateBody>;

export const listQuery = closed({ ...offsetQuery, ...checkpointQuery, sort: Type.Optional(text(100)) });

export const nameParams = Type.Object({ name: Type.String({ minLength: 1 }) });

export const membersQuery = closed({ ...offsetQuery, ...checkpointQuery, ...fieldsQuery });
export const memberParams = Type.Object({
  id: Type.String({ minLength: 1 }),
  user_id: Type.String({ minLength: 1 }),
});

export const clientGrantsQuery = closed({
  ...offsetQuery,
  audience: Type.Optional(text(600)),
  client_id: Type.Optional(text(64)),
  grant_ids: Type.Optional(Type.Array(text(64), { maxItems: 10 })),
});
export const clientGrantBody = closed({ grant_id: Type.String({ minLength: 1, maxLength: 64 }) });
export const clientGrantParams = Type.Object({
  id: Type.String({ minLength: 1 }),
  grant_id: Type.String({ minLength: 1 }),
});

export const invitationBody = closed({
  inviter: closed({ name: Type.String({ minLength: 1, maxLength: 300 }) }),
  invitee: closed({ email: text(300) }),
  client_id: Type.String({ minLength: 1, maxLength: 64 }),
  ttl_sec: Type.Optional(Type.Integer({ minimum: 0, maximum: 2_592_000 })),
  roles: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: 50 })),
  connection_id: Type.Optional(text(200)),
  app_metadata: Type.Optional(anyObject),
  user_metadata: Type.Optional(anyObject),
  send_invitation_email: Type.Optional(
    Type.Literal(false, { description: 'Only false: there is nothing that could send the mail.' }),
  ),
});
export type InvitationBody = Static<typeof invitationBody>;

export const invitationsQuery = closed({ ...offsetQuery, ...fieldsQuery, sort: Type.Optional(text(100)) });
export const invitationQuery = closed(fieldsQuery);
export const invitationParams = Type.Object({
  id: Type.String({ minLength: 1 }),
  invitation_id: Type.String({ minLength: 1 }),
});

export const connectionsQuery = closed({ ...offsetQuery, is_enabled: Type.Optional(Type.Boolean()) });
export const checkpointPageQuery = closed(checkpointQuery);
