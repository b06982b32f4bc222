import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { PagingQuery } from '@sekisho/contract';
import { Type } from 'typebox';
import { failures } from '../failures.ts';
import { sendOptionalPage } from '../paging.ts';

const none = {
  byKey: async () => ({ items: [] as never[] }),
  byOffset: async (range: { start: number; limit: number }) => ({ items: [] as never[], total: 0, ...range }),
};

/** `/api/hooks`, `/api/connectors`: this server has neither; tools that ask for them get the empty list. */
export const hookRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/hooks',
    {
      config: { scopes: ['read:logs'] },
      schema: {
        summary: 'List webhooks',
        description: 'There are no webhooks yet: always empty.',
        querystring: PagingQuery,
        response: { 200: Type.Array(Type.Object({ id: Type.String() })), ...failures },
      },
    },
    (request, reply) => sendOptionalPage<never, never>(request, reply, none, (hook) => hook),
  );

  server.get(
    '/connectors',
    {
      config: { scopes: ['read:stats'] },
      schema: {
        summary: 'List connectors',
        description: 'There are no connectors: always empty.',
        response: { 200: Type.Array(Type.Object({ id: Type.String() })), ...failures },
      },
    },
    async () => [],
  );
};
