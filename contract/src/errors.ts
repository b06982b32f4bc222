import { type Static, Type } from 'typebox';

/**
 * The error body of the native API: RFC 9457 problem details, with `code`, `message` and `data` beside (Logto's
 * clients read those).
 */
export const Problem = Type.Object({
  type: Type.String({ description: 'A URN that names the kind of problem.' }),
  title: Type.String({ description: 'The reason phrase of the status.' }),
  status: Type.Integer(),
  detail: Type.String({ description: 'What happened, for people.' }),
  code: Type.String({ description: 'Stable code, for programs.' }),
  message: Type.String({ description: 'The same as `detail`.' }),
  data: Type.Optional(
    Type.Object(
      { path: Type.Optional(Type.String({ description: 'The field at fault, dotted.' })) },
      { additionalProperties: true },
    ),
  ),
});
export type Problem = Static<typeof Problem>;
