import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { LogEntry, LogQuery } from '@sekisho/contract';
import { Type } from 'typebox';
import { getLogEvent, logEventsBefore, searchLogEvents, searchLogEventsCapped } from '../../../domain/logs/read.ts';
import { failures, failuresOfOne } from '../failures.ts';
import { sendPage } from '../paging.ts';
import { logEntryBody, searchOf } from './mapping.ts';

const config = { scopes: ['read:logs'] };

/** How far events are counted when a caller asks for a capped count; Logto's figure. */
const mostCounted = 10_000;

/** `/api/logs`: what happened, changes by management APIs included; newest first. */
export const logRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/logs',
    {
      config,
      schema: {
        summary: 'List log events',
        description: 'Newest first: tokens issued and refused, refusals, and every change with who made it.',
        querystring: LogQuery,
        response: { 200: Type.Array(LogEntry), ...failures },
      },
    },
    (request, reply) => {
      const { context, query } = request;
      const search = searchOf(query);
      const list = {
        byKey: (range: Parameters<typeof logEventsBefore>[2]) => logEventsBefore(context, search, range),
        byOffset: async (range: Parameters<typeof searchLogEvents>[2]) => {
          if (query.enableCap !== true) return searchLogEvents(context, { search }, range);
          const page = await searchLogEventsCapped(context, search, range, mostCounted);
          return { ...page, capped: page.total > mostCounted };
        },
      };
      return sendPage(request, reply, list, (event) => logEntryBody(context.site.tenantId, event));
    },
  );

  server.get(
    '/logs/:id',
    {
      config,
      schema: {
        summary: 'Read a log event',
        params: Type.Object({ id: Type.String({ description: 'Of the event.' }) }),
        response: { 200: LogEntry, ...failuresOfOne },
      },
    },
    async ({ context, params }) => logEntryBody(context.site.tenantId, await getLogEvent(context, params.id)),
  );
};
