import { type Static, Type } from 'typebox';

const authPolicyId = Type.String({ minLength: 1, maxLength: 128, description: 'Of the auth policy.' });
const issuer = Type.String({
  minLength: 1,
  maxLength: 1000,
  description: 'Who says it: as the upstream is known, byte for byte.',
  examples: ['https://accounts.example'],
});
const subject = Type.String({
  minLength: 1,
  maxLength: 1000,
  description: 'Whom it is about: as the upstream says it, byte for byte.',
  examples: ['248289761001'],
});
const name = (description: string) => Type.Union([Type.String(), Type.Null()], { description });

/** Who a user is at the upstream of an auth policy. (Not in Logto.) */
export const AuthIdentity = Type.Object({
  authPolicyId,
  issuer,
  subject,
  linkedBy: Type.Union([Type.Literal('administrator'), Type.Literal('first_sign_in'), Type.Literal('name')], {
    description:
      'Who made the link: an administrator, the sign-in that made the user, or a name that the upstream told. By the last an administrator does not get in, until another one says so too.',
  }),
  username: name('What the person was called there at the latest sign-in.'),
  email: name('The address the upstream told then.'),
  createdAt: Type.Integer({ description: 'Milliseconds.' }),
  lastUsedAt: Type.Integer({ description: 'When it was linked, or somebody last signed in by it. Milliseconds.' }),
});
export type AuthIdentity = Static<typeof AuthIdentity>;

/** Names somebody upstream. */
export const AuthIdentityKey = Type.Object({ authPolicyId, issuer, subject });
export type AuthIdentityKey = Static<typeof AuthIdentityKey>;

/** The same, to be linked. */
export const LinkAuthIdentity = Type.Object({
  authPolicyId,
  issuer: Type.Optional({ ...issuer, description: 'That of the auth policy, which it is where this is left out.' }),
  subject,
});
export type LinkAuthIdentity = Static<typeof LinkAuthIdentity>;
