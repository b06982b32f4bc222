import { type Static, Type } from 'typebox';

const time = (description: string) => Type.Integer({ description: `${description} Milliseconds.` });

/** Who has one may register applications by the protocol (RFC 7591). (Not in Logto.) */
export const InitialAccessToken = Type.Object({
  id: Type.String(),
  name: Type.String(),
  usesLeft: Type.Integer({ description: 'How many applications may still be registered with it.' }),
  createdAt: time('When it was made.'),
  expiresAt: time('When it is over.'),
});
export type InitialAccessToken = Static<typeof InitialAccessToken>;

export const CreatedInitialAccessToken = Type.Object({
  ...InitialAccessToken.properties,
  value: Type.String({ description: 'Shown here and never again.', 'x-secret': true }),
});
export type CreatedInitialAccessToken = Static<typeof CreatedInitialAccessToken>;

export const CreateInitialAccessToken = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 128, examples: ['Partners'] }),
  uses: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 1 })),
  expiresAt: time('When it is over; within a year.'),
});
export type CreateInitialAccessToken = Static<typeof CreateInitialAccessToken>;
