import { Type } from 'typebox';

/** By which auth policies people come in, of whatever has such a list; null: it has none. */
export const authPolicyIds = (whenNull: string) =>
  Type.Union(
    [
      Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { maxItems: 100, examples: [['password']] }),
      Type.Null(),
    ],
    { description: `Ids of auth policies, or \`password\`, that people come in by. ${whenNull} (Not in Logto.)` },
  );
