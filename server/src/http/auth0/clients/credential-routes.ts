import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import {
  createKey,
  deleteKey,
  getCredential,
  listCredentials,
  updateKey,
} from '../../../domain/clients/credentials.ts';
import { deleteIdempotently } from '../delete.ts';
import { idParams } from '../schema.ts';
import { credentialBodyOf, givenKeyOf, timeOf } from './mapping.ts';
import { createCredentialBody, updateCredentialBody } from './schema.ts';

const credentialParams = Type.Object({
  id: Type.String({ minLength: 1 }),
  credential: Type.String({ minLength: 1 }),
});

/** `/clients/{id}/credentials`: the public keys a client may prove itself with. */
export const credentialRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/clients/:id/credentials',
    {
      config: { scopes: ['read:client_credentials'] },
      schema: { summary: 'List the credentials of a client', params: idParams },
    },
    async ({ params, context }) => (await listCredentials(context, params.id, 'key')).map(credentialBodyOf),
  );

  server.post(
    '/clients/:id/credentials',
    {
      config: { scopes: ['create:client_credentials'] },
      schema: { summary: 'Add a credential', params: idParams, body: createCredentialBody },
    },
    async ({ params, body, context }, reply) =>
      reply.code(201).send(credentialBodyOf(await createKey(context, params.id, givenKeyOf(body)))),
  );

  server.get(
    '/clients/:id/credentials/:credential',
    {
      config: { scopes: ['read:client_credentials'] },
      schema: { summary: 'Read a credential', params: credentialParams },
    },
    async ({ params, context }) => credentialBodyOf(await getCredential(context, params.id, params.credential, 'key')),
  );

  server.patch(
    '/clients/:id/credentials/:credential',
    {
      config: { scopes: ['update:client_credentials'] },
      schema: { summary: 'Change when a credential expires', params: credentialParams, body: updateCredentialBody },
    },
    async ({ params, body, context }) => {
      const expiresAt = body.expires_at == null ? null : timeOf(body.expires_at);
      return credentialBodyOf(await updateKey(context, params.id, params.credential, expiresAt));
    },
  );

  server.delete(
    '/clients/:id/credentials/:credential',
    {
      config: { scopes: ['delete:client_credentials'] },
      schema: { summary: 'Remove a credential', params: credentialParams },
    },
    ({ params, context }, reply) => deleteIdempotently(reply, deleteKey(context, params.id, params.credential)),
  );
};
