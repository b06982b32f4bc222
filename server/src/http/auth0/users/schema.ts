import { type Static, Type } from 'typebox';
import { fieldsQuery, offsetQuery } from '../envelope.ts';
import { anyObject, closed, literals, nullable, optional, text } from '../schema.ts';
import { connection } from './ids.ts';

const name = Type.String({ minLength: 1, maxLength: 300 });

/** Only false: there is nothing that could send the mail or the message. */
const notSent = Type.Literal(false);

const settable = {
  email: text(300),
  email_verified: Type.Boolean(),
  username: text(200),
  phone_number: text(50),
  phone_verified: Type.Boolean(),
  name,
  nickname: name,
  given_name: name,
  family_name: name,
  picture: text(),
  user_metadata: anyObject,
  app_metadata: anyObject,
  blocked: Type.Boolean(),
  password: Type.String({ minLength: 1, maxLength: 1000 }),
  verify_email: notSent,
};

export const createBody = closed({
  ...optional(settable),
  connection: text(200),
  user_id: Type.Optional(Type.String({ minLength: 1, maxLength: 128, pattern: '^[A-Za-z0-9_.-]+$' })),
});
export type CreateBody = Static<typeof createBody>;

export const updateBody = closed({
  ...optional(settable),
  email: Type.Optional(nullable(settable.email)),
  username: Type.Optional(nullable(settable.username)),
  phone_number: Type.Optional(nullable(settable.phone_number)),
  name: Type.Optional(nullable(name)),
  nickname: Type.Optional(nullable(name)),
  given_name: Type.Optional(nullable(name)),
  family_name: Type.Optional(nullable(name)),
  picture: Type.Optional(nullable(settable.picture)),
  connection: Type.Optional(literals(connection)),
  client_id: Type.Optional(text(64)),
  verify_phone_number: Type.Optional(notSent),
});
export type UpdateBody = Static<typeof updateBody>;

export const listQuery = closed({
  ...offsetQuery,
  ...fieldsQuery,
  q: Type.Optional(text()),
  search_engine: Type.Optional(literals('v3')),
  connection: Type.Optional(text(200)),
  sort: Type.Optional(text(100)),
  primary_order: Type.Optional(Type.Boolean()),
});

export const byEmailQuery = closed({ ...fieldsQuery, email: text(300) });

export const readQuery = closed(fieldsQuery);
