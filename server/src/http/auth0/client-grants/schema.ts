import { type Static, Type } from 'typebox';
import { checkpointQuery, offsetQuery } from '../envelope.ts';
import { closed, literals, nullable, optional, texts } from '../schema.ts';

const settable = {
  scope: nullable(Type.Array(Type.String({ minLength: 1, maxLength: 280 }), { maxItems: 1000 })),
  organization_usage: nullable(literals('deny', 'allow', 'require')),
  allow_any_organization: nullable(Type.Boolean()),
  authorization_details_types: nullable(texts(100, 255)),
  allow_all_scopes: nullable(Type.Boolean()),
};

export const createBody = closed({
  ...optional(settable),
  audience: Type.String({ minLength: 1, maxLength: 600 }),
  client_id: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  default_for: Type.Optional(literals('third_party_clients')),
  subject_type: Type.Optional(literals('client', 'user')),
});

export const updateBody = closed(optional(settable));
export type UpdateBody = Static<typeof updateBody>;

export const listQuery = closed({
  ...offsetQuery,
  ...checkpointQuery,
  audience: Type.Optional(Type.String({ maxLength: 600 })),
  client_id: Type.Optional(Type.String({ maxLength: 64 })),
  allow_any_organization: Type.Optional(Type.Boolean()),
  subject_type: Type.Optional(literals('client', 'user')),
  default_for: Type.Optional(literals('third_party_clients')),
});

export const organizationsQuery = closed({ ...offsetQuery, ...checkpointQuery });
