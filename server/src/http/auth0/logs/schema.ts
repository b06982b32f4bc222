import { Type } from 'typebox';
import { fieldsQuery, offsetQuery } from '../envelope.ts';
import { closed, text } from '../schema.ts';

export const listQuery = closed({
  ...offsetQuery,
  ...fieldsQuery,
  sort: Type.Optional(text(100)),
  search: Type.Optional(text()),
  q: Type.Optional(text()),
  from: Type.Optional(
    Type.String({
      pattern: '^[0-9]{0,64}$',
      description: 'The id of the last event seen; the rest of the query does not count.',
    }),
  ),
  take: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
});

export const readQuery = closed(fieldsQuery);

export const userLogsQuery = closed({ ...offsetQuery, sort: Type.Optional(text(100)) });
