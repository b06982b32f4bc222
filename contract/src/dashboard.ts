import { type Static, Type } from 'typebox';

const figure = (description: string) =>
  Type.Object(
    {
      count: Type.Integer({ examples: [12] }),
      delta: Type.Integer({ description: 'More (or fewer) than in the time before.' }),
    },
    { description },
  );

export const UserTotal = Type.Object({ totalUserCount: Type.Integer({ description: 'Users of the tenant.' }) });
export type UserTotal = Static<typeof UserTotal>;

/** Users created; days begin at midnight UTC. */
export const NewUsers = Type.Object({ today: figure('Today.'), last7Days: figure('Seven days, today included.') });
export type NewUsers = Static<typeof NewUsers>;

export const ActiveUsersQuery = Type.Object({
  date: Type.Optional(
    Type.String({
      pattern: '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$',
      description: 'The last day of the figures (UTC); today when absent.',
      examples: ['2026-11-21'],
    }),
  ),
});
export type ActiveUsersQuery = Static<typeof ActiveUsersQuery>;

/** Users by their last sign-in: each counts on the day of it. */
export const ActiveUsers = Type.Object({
  dauCurve: Type.Array(Type.Object({ date: Type.String({ examples: ['2026-11-21'] }), count: Type.Integer() }), {
    description: 'The last 30 days.',
  }),
  dau: figure('On the day.'),
  wau: figure('Within seven days.'),
  mau: figure('Within 30 days.'),
});
export type ActiveUsers = Static<typeof ActiveUsers>;
