import { type Static, Type } from 'typebox';

const time = (description: string) => Type.Integer({ description: `${description} Milliseconds.` });

/** What lets a program act with part of what its maker may. (Not in Logto.) */
export const ApiKey = Type.Object({
  id: Type.String(),
  label: Type.String(),
  prefix: Type.String({ description: 'How its value begins.' }),
  scopes: Type.Array(Type.String(), { description: 'Of the management API.' }),
  applicationId: Type.String({ description: 'The application that made it; it acts as that application.' }),
  userId: Type.Union([Type.String(), Type.Null()], {
    description: 'The person for whom the application made it; it acts as that person.',
  }),
  createdAt: time('When it was made.'),
  expiresAt: time('When it is over.'),
  lastUsedAt: Type.Union([Type.Integer(), Type.Null()], {
    description: 'When it was last used, exact to a minute; null: never. Milliseconds.',
  }),
});
export type ApiKey = Static<typeof ApiKey>;

export const CreatedApiKey = Type.Object({
  ...ApiKey.properties,
  value: Type.String({ description: 'Shown here and never again.', 'x-secret': true }),
});
export type CreatedApiKey = Static<typeof CreatedApiKey>;

export const CreateApiKey = Type.Object({
  label: Type.String({ minLength: 1, maxLength: 128, examples: ['Nightly import'] }),
  scopes: Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
    minItems: 1,
    maxItems: 100,
    description: 'Of the management API; the token must carry each.',
    examples: [['read:auth_policies']],
  }),
  expiresAt: time('When it is over: from a minute to a year ahead.'),
});
export type CreateApiKey = Static<typeof CreateApiKey>;
