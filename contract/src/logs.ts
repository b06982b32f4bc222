import { type Static, Type } from 'typebox';
import { PagingQuery } from './paging.ts';

const moment = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 0, maximum: 99_999_999_999_999, description, examples: [1790000000000] }));

export const LogQuery = Type.Object({
  ...PagingQuery.properties,
  userId: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: 'Events about this user.' })),
  applicationId: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: 'Events of this client.' })),
  logKey: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 128,
      description: 'Events with this key.',
      examples: ['ExchangeTokenBy.ClientCredentials'],
    }),
  ),
  start_time: moment('Events from this time on, epoch milliseconds.'),
  end_time: moment('Events up to this time, it included, epoch milliseconds.'),
  enableCap: Type.Optional(
    Type.Boolean({ description: 'Count no further than 10 001; `Total-Number-Is-Capped` says when there are more.' }),
  ),
});
export type LogQuery = Static<typeof LogQuery>;

/** One thing that happened. */
export const LogEntry = Type.Object({
  tenantId: Type.String(),
  id: Type.String({ description: 'Digits; sorts by time.' }),
  key: Type.String({
    description: 'What it was: a key of Logto where Logto logs such a thing, else one of this server.',
    examples: ['ExchangeTokenBy.ClientCredentials', 'organization.moved'],
  }),
  payload: Type.Object(
    {
      key: Type.String(),
      result: Type.Union([Type.Literal('Success'), Type.Literal('Error')]),
      error: Type.Optional(
        Type.Object({ code: Type.String({ description: 'Why it was refused.' }), message: Type.String() }),
      ),
      ip: Type.Optional(Type.String()),
      userAgent: Type.Optional(Type.String()),
      userId: Type.Optional(Type.String()),
      applicationId: Type.Optional(Type.String()),
      applicationName: Type.Optional(Type.String()),
      params: Type.Object({}, { additionalProperties: true, description: 'Audience, scope, and what was changed.' }),
    },
    { description: 'The event itself.' },
  ),
  createdAt: Type.Integer({ description: 'Epoch milliseconds.' }),
});
export type LogEntry = Static<typeof LogEntry>;
