import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { activeUsers, type DayNumbers, dailyNumbers, dayMs } from '../../../domain/stats.ts';
import { invalidQuery } from '../errors.ts';
import { closed, noQuery } from '../schema.ts';

/** Days of a request that names none, and the most of any. */
const defaultDays = 30;
const mostDays = 366;

const day = Type.Optional(Type.String({ pattern: '^[0-9]{8}$', description: 'YYYYMMDD, UTC' }));
const dailyQuery = closed({ from: day, to: day });

/** `/stats`: how much the tenant is used. */
export const statsRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/stats/active-users',
    {
      config: { scopes: ['read:stats'] },
      schema: { summary: 'Count the users active in the last 30 days', querystring: noQuery },
    },
    async ({ context }, reply) =>
      reply.type('application/json; charset=utf-8').send(JSON.stringify(await activeUsers(context))),
  );

  server.get(
    '/stats/daily',
    { config: { scopes: ['read:stats'] }, schema: { summary: 'Numbers of each day', querystring: dailyQuery } },
    async ({ query, context }) => {
      const now = context.clock.now();
      const today = now - (now % dayMs);
      const to = query.to === undefined ? today : dayOf(query.to, 'to');
      const from = query.from === undefined ? to - (defaultDays - 1) * dayMs : dayOf(query.from, 'from');
      if (from > to) throw invalidQuery('from', 'It lies after to');
      if (to - from >= mostDays * dayMs) throw invalidQuery('from', `At most ${mostDays} days can be asked for`);
      return (await dailyNumbers(context, from, to)).map((numbers) => bodyOf(numbers, now));
    },
  );
};

/** The start of a day written YYYYMMDD, in milliseconds. */
function dayOf(text: string, parameter: string): number {
  const iso = text.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3');
  const start = Date.parse(iso);
  // Date.parse takes 31 February for some engines' 3 March.
  if (Number.isNaN(start) || !new Date(start).toISOString().startsWith(iso)) {
    throw invalidQuery(parameter, 'It is not a day (YYYYMMDD)');
  }
  return start;
}

const bodyOf = (numbers: DayNumbers, now: number) => ({
  date: new Date(numbers.day).toISOString(),
  logins: numbers.logins,
  signups: numbers.signups,
  leaked_passwords: 0,
  created_at: new Date(numbers.day).toISOString(),
  updated_at: new Date(Math.max(numbers.day, Math.min(now, numbers.day + dayMs))).toISOString(),
});
