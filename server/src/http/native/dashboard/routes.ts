import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { ActiveUsers, ActiveUsersQuery, NewUsers, UserTotal } from '@sekisho/contract';
import type { Context } from '../../../domain/context.ts';
import { dayMs, totalUsers, usersByDay } from '../../../domain/stats.ts';
import { failures } from '../failures.ts';
import { activeUsersBody, newUsersBody } from './mapping.ts';

const config = { scopes: ['read:stats'] };

const today = (ctx: Context): number => Math.floor(ctx.clock.now() / dayMs) * dayMs;

/** `/api/dashboard/users/…`: figures about users. Days are days of UTC. */
export const dashboardRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/dashboard/users/total',
    { config, schema: { summary: 'Count users', response: { 200: UserTotal, ...failures } } },
    async ({ context }) => ({ totalUserCount: await totalUsers(context) }),
  );

  server.get(
    '/dashboard/users/new',
    { config, schema: { summary: 'Count new users', response: { 200: NewUsers, ...failures } } },
    async ({ context }) => {
      const day = today(context);
      return newUsersBody(await usersByDay(context, 'created_at', day - 13 * dayMs, day), day);
    },
  );

  server.get(
    '/dashboard/users/active',
    {
      config,
      schema: {
        summary: 'Count active users',
        querystring: ActiveUsersQuery,
        response: { 200: ActiveUsers, ...failures },
      },
    },
    async ({ context, query }) => {
      const day = query.date === undefined ? today(context) : Date.parse(query.date);
      return activeUsersBody(await usersByDay(context, 'last_login_at', day - 59 * dayMs, day), day);
    },
  );
};
