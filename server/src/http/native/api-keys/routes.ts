/** API keys: what lets programs act with part of what their makers may. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { ApiKey, CreateApiKey, CreatedApiKey } from '@sekisho/contract';
import { Type } from 'typebox';
import {
  createApiKey,
  type ApiKey as DomainApiKey,
  deleteApiKey,
  listApiKeys,
} from '../../../domain/api-keys/api-keys.ts';
import { failures, failuresOfOne } from '../failures.ts';

const params = Type.Object({ id: Type.String({ description: 'Of an API key.' }) });

const toApiKey = ({ clientId, scopes, ...key }: DomainApiKey): ApiKey => ({
  ...key,
  scopes: [...scopes],
  applicationId: clientId,
});

export const apiKeyRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/api-keys',
    {
      config: { scopes: ['read:api_keys'] },
      schema: {
        summary: 'List the API keys',
        description: 'Those that are not over, the latest first. Their values are not kept. (Not in Logto.)',
        response: { 200: Type.Array(ApiKey), ...failures },
      },
    },
    async ({ context }) => (await listApiKeys(context)).map(toApiKey),
  );

  server.post(
    '/api-keys',
    {
      config: { scopes: ['create:api_keys'] },
      schema: {
        summary: 'Make an API key',
        description:
          'For the RHMAP dialect, in the header `X-FH-AUTH-USER`. It acts as whoever makes it: with its scopes, as far ' +
          'as its maker still holds them at each request. A key can not be changed, only ended. The answer shows the ' +
          'value, once. (Not in Logto.)',
        body: CreateApiKey,
        response: { 201: CreatedApiKey, ...failures },
      },
    },
    async ({ context, body }, reply) => {
      const { apiKey, value } = await createApiKey(context, body);
      reply.code(201);
      return { ...toApiKey(apiKey), value };
    },
  );

  server.delete(
    '/api-keys/:id',
    {
      config: { scopes: ['delete:api_keys'] },
      schema: {
        summary: 'End an API key',
        description: 'At once. (Not in Logto.)',
        params,
        response: { 204: Type.Null(), ...failuresOfOne },
      },
    },
    async ({ context, params: { id } }, reply) => {
      await deleteApiKey(context, id);
      reply.code(204);
      return null;
    },
  );
};
