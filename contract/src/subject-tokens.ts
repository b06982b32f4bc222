import { type Static, Type } from 'typebox';

/** What lets an application act for a user, once. */
export const CreateSubjectToken = Type.Object({
  userId: Type.String({ minLength: 1, maxLength: 128 }),
  context: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      description: 'Kept with the token; at most 4096 characters of JSON.',
    }),
  ),
});
export type CreateSubjectToken = Static<typeof CreateSubjectToken>;

export const SubjectToken = Type.Object({
  subjectToken: Type.String({ description: 'Told once; good once.', 'x-secret': true }),
  expiresIn: Type.Integer({ description: 'Seconds.', examples: [600] }),
});
export type SubjectToken = Static<typeof SubjectToken>;
