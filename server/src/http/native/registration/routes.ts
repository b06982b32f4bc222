/** Initial access tokens: who may register applications by the protocol, how many, and until when. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { CreatedInitialAccessToken, CreateInitialAccessToken, InitialAccessToken } from '@sekisho/contract';
import { Type } from 'typebox';
import {
  createInitialAccessToken,
  deleteInitialAccessToken,
  listInitialAccessTokens,
} from '../../../domain/registrations/initial-access-tokens.ts';
import { failures, failuresOfOne } from '../failures.ts';

const params = Type.Object({ id: Type.String({ description: 'Of an initial access token.' }) });

export const registrationRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/initial-access-tokens',
    {
      config: { scopes: ['read:applications'] },
      schema: {
        summary: 'List the initial access tokens',
        description: 'Those that are not over, the latest first. Their values are not kept. (Not in Logto.)',
        response: { 200: Type.Array(InitialAccessToken), ...failures },
      },
    },
    ({ context }) => listInitialAccessTokens(context),
  );

  server.post(
    '/initial-access-tokens',
    {
      config: { scopes: ['create:applications'] },
      schema: {
        summary: 'Let others register applications',
        description:
          'By the registration endpoint of either issuer; what they register is third-party. The answer shows the ' +
          'value, once. (Not in Logto.)',
        body: CreateInitialAccessToken,
        response: { 201: CreatedInitialAccessToken, ...failures },
      },
    },
    async ({ context, body: { name, uses = 1, expiresAt } }, reply) => {
      const { token, value } = await createInitialAccessToken(context, { name, uses, expiresAt });
      reply.code(201);
      return { ...token, value };
    },
  );

  server.delete(
    '/initial-access-tokens/:id',
    {
      config: { scopes: ['delete:applications'] },
      schema: {
        summary: 'End an initial access token',
        description: 'At once; what was registered with it stays. (Not in Logto.)',
        params,
        response: { 204: Type.Null(), ...failuresOfOne },
      },
    },
    async ({ context, params: { id } }, reply) => {
      await deleteInitialAccessToken(context, id);
      reply.code(204);
      return null;
    },
  );
};
