import { type Static, Type } from 'typebox';

const seconds = (description: string) => Type.Integer({ description: `${description} Seconds.` });
const expiresAt = Type.Integer({ description: 'When it is over. Milliseconds.' });

/** A browser, or an app, that a user signed in with, in Logto's words. */
export const UserSession = Type.Object({
  payload: Type.Object({
    exp: seconds('When it is over.'),
    iat: seconds('When it began.'),
    jti: Type.String(),
    uid: Type.String({ description: 'Its id: the claim `sid`.' }),
    kind: Type.Literal('Session'),
    loginTs: seconds('When the person last proved who it is.'),
    accountId: Type.String(),
    authorizations: Type.Record(Type.String(), Type.Object({ sid: Type.String(), grantId: Type.String() }), {
      description: 'What ends with it, by application.',
    }),
  }),
  lastSubmission: Type.Null(),
  clientId: Type.Union([Type.String(), Type.Null()], {
    description: 'The application that holds it; null: a browser.',
  }),
  accountId: Type.String(),
  expiresAt,
  ip: Type.Union([Type.String(), Type.Null()], { description: 'Where from. (Not in Logto.)' }),
  userAgent: Type.Union([Type.String(), Type.Null()], { description: 'With what. (Not in Logto.)' }),
  device: Type.Union([Type.String(), Type.Null()], { description: 'What an app calls itself. (Not in Logto.)' }),
  authPolicyId: Type.String({
    description: 'The auth policy it was begun by; `password`: the built-in password. (Not in Logto.)',
  }),
});
export type UserSession = Static<typeof UserSession>;

/** What a user let an application do, in Logto's words. */
export const UserGrant = Type.Object({
  id: Type.String(),
  payload: Type.Object({
    exp: seconds('When it is over.'),
    iat: seconds('When it was given.'),
    jti: Type.String(),
    kind: Type.Literal('Grant'),
    clientId: Type.String(),
    accountId: Type.String(),
  }),
  expiresAt,
  application: Type.Object({ id: Type.String(), name: Type.String() }),
});
export type UserGrant = Static<typeof UserGrant>;

export const UserGrantsQuery = Type.Object({
  appType: Type.Optional(
    Type.Union([Type.Literal('firstParty'), Type.Literal('thirdParty')], {
      description: 'Of our own applications, or of those of others.',
    }),
  ),
});
export type UserGrantsQuery = Static<typeof UserGrantsQuery>;
