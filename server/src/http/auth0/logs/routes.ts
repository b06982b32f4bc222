import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { getLogEvent, logEventsAfter, searchLogEvents } from '../../../domain/logs/read.ts';
import { offsetBody, offsetRange, selectFields, wantsCheckpoint } from '../envelope.ts';
import { invalidQuery } from '../errors.ts';
import { assertReachable } from '../query/first-results.ts';
import { idParams } from '../schema.ts';
import { bodyOf } from './mapping.ts';
import { listQuery, readQuery } from './schema.ts';
import { oldestFirst, searchOf } from './search.ts';

const readScopes = ['read:logs', 'read:logs_users'];

/** Events of a checkpoint page that does not say how many. */
const defaultTake = 50;

/** `/logs`: what happened, by search or (with `from` or `take`) by position. */
export const logRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/logs',
    { config: { scopes: readScopes }, schema: { summary: 'List or follow log events', querystring: listQuery } },
    async ({ query, context }, reply) => {
      const { tenantId, origin } = context.site;
      if (wantsCheckpoint(query)) {
        const { from = '', take = defaultTake } = query;
        const events = await logEventsAfter(context, from, take);
        // Where nothing is new the position stays, so that whoever follows the log asks again for the same.
        const position = events.at(-1)?.id ?? from;
        reply.header('link', `<${origin}/api/v2/logs?from=${position}&take=${take}>; rel="next"`);
        return events.map((event) => bodyOf(event, tenantId));
      }
      if (query.q !== undefined && query.search !== undefined) {
        throw invalidQuery('q', 'It is another name of search: give one of them');
      }
      const [parameter, text = ''] = query.q === undefined ? ['search', query.search] : ['q', query.q];
      const filter = {
        ...(text.trim() === '' ? {} : { search: searchOf(text, parameter as string) }),
        oldestFirst: oldestFirst(query.sort),
      };
      const page = await searchLogEvents(context, filter, offsetRange(query));
      assertReachable(page);
      const items = page.items.map((event) => selectFields(query, bodyOf(event, tenantId)));
      return offsetBody('logs', query, page, items, true);
    },
  );

  server.get(
    '/logs/:id',
    {
      config: { scopes: readScopes },
      schema: { summary: 'Read a log event', params: idParams, querystring: readQuery },
    },
    async ({ params, query, context }) =>
      selectFields(query, bodyOf(await getLogEvent(context, params.id), context.site.tenantId)),
  );
};
