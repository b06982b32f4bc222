import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';

/** `/api/status`: whether the management API is there. */
export const statusRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/status',
    {
      config: { open: true },
      schema: { summary: 'Ask whether the API is up', response: { 204: Type.Null({ description: 'It is.' }) } },
    },
    async (_request, reply) => {
      reply.code(204);
      return null;
    },
  );
};
