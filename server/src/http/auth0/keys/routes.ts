import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  getSigningKey,
  listSigningKeys,
  revokeSigningKey,
  rotateSigningKeys,
  type SigningKey,
} from '../../../domain/keys/keys.ts';
import { assertScope } from '../held-scopes.ts';
import { idParams, noQuery } from '../schema.ts';
import { bodyOf, changedBodyOf } from './mapping.ts';

/** `/keys/signing`: the keys that tokens are signed with. */
export const signingKeyRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/keys/signing',
    { config: { scopes: ['read:signing_keys'] }, schema: { summary: 'List signing keys', querystring: noQuery } },
    async ({ context }) => Promise.all((await listSigningKeys(context)).map(bodyOf)),
  );

  server.get(
    '/keys/signing/:id',
    { config: { scopes: ['read:signing_keys'] }, schema: { summary: 'Read a signing key', params: idParams } },
    async ({ params, context }) => bodyOf(await getSigningKey(context, params.id)),
  );

  server.post(
    '/keys/signing/rotate',
    {
      config: { scopes: ['create:signing_keys'] },
      schema: { summary: 'Rotate the signing keys', querystring: noQuery },
    },
    async ({ context }, reply) => {
      assertScope(context, 'update:signing_keys');
      const rotated = await rotateSigningKeys(context);
      // The answer has room for one key; the first is the one that most tokens are signed with.
      const shown = rotated.find(({ alg }) => alg === 'RS256') ?? (rotated[0] as SigningKey);
      return reply.code(201).send(changedBodyOf(shown));
    },
  );

  server.put(
    '/keys/signing/:id/revoke',
    { config: { scopes: ['update:signing_keys'] }, schema: { summary: 'Revoke a previous key', params: idParams } },
    async ({ params, context }) => changedBodyOf(await revokeSigningKey(context, params.id)),
  );
};
