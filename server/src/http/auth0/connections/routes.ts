import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import {
  checkpointBody,
  checkpointQuery,
  fieldsQuery,
  offsetBody,
  offsetQuery,
  offsetRange,
  wantsCheckpoint,
} from '../envelope.ts';
import { closed, text, texts } from '../schema.ts';

const listQuery = closed({
  ...offsetQuery,
  ...checkpointQuery,
  ...fieldsQuery,
  strategy: Type.Optional(texts(100, 100)),
  name: Type.Optional(text(200)),
});

/** `/connections`: there are none to manage yet; the list is here because deploy-cli reads it. */
export const connectionRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/connections',
    { config: { scopes: ['read:connections'] }, schema: { summary: 'List connections', querystring: listQuery } },
    async ({ query }) => {
      const nothing = { items: [], total: 0, ...offsetRange(query) };
      return wantsCheckpoint(query)
        ? checkpointBody('connections', nothing, [])
        : offsetBody('connections', query, nothing, []);
    },
  );
};
