/** The secrets of an application: several live at once, each shown in the answer that makes it and never again. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  Application,
  ApplicationSecret,
  CreateApplicationSecret,
  CreatedApplicationSecret,
  Problem,
  UpdateApplicationSecret,
} from '@sekisho/contract';
import { Type } from 'typebox';
import { listCredentials } from '../../../domain/clients/credentials.ts';
import { getClient } from '../../../domain/clients/read-clients.ts';
import { createSecret, deleteSecret, renameSecret } from '../../../domain/clients/secrets.ts';
import { notFound } from '../../../kernel/errors.ts';
import { failuresOfOne } from '../failures.ts';
import { secretBody } from './mapping.ts';

const params = Type.Object({ id: Type.String({ description: 'Of an application.' }) });
const secretParams = Type.Object({ ...params.properties, name: Type.String({ description: 'Of a secret.' }) });

export const applicationSecretRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/applications/:id/secrets',
    {
      config: { scopes: ['read:application_secrets'], delegated: true },
      schema: {
        summary: 'List the secrets of an application',
        description: 'Their values are not kept, and so not shown.',
        params,
        response: { 200: Type.Array(ApplicationSecret), ...failuresOfOne },
      },
    },
    async ({ context, params: { id } }) =>
      (await listCredentials(context, id, 'secret')).map((secret) => secretBody(context, id, secret)),
  );

  server.post(
    '/applications/:id/secrets',
    {
      config: { scopes: ['create:application_secrets'], delegated: true },
      schema: {
        summary: 'Add a secret',
        description:
          'The answer shows its value, once. What the application may do at a management API the caller must hold.',
        params,
        body: CreateApplicationSecret,
        response: { 201: CreatedApplicationSecret, ...failuresOfOne, 422: Problem },
      },
    },
    async ({ context, params: { id }, body: { name, expiresAt = null } }, reply) => {
      const { credential, secret } = await createSecret(context, id, { name, expiresAt });
      reply.code(201);
      return { ...secretBody(context, id, credential), value: secret };
    },
  );

  server.patch(
    '/applications/:id/secrets/:name',
    {
      config: { scopes: ['update:application_secrets'], delegated: true },
      schema: {
        summary: 'Rename a secret',
        params: secretParams,
        body: UpdateApplicationSecret,
        response: { 200: ApplicationSecret, ...failuresOfOne, 422: Problem },
      },
    },
    async ({ context, params: { id, name }, body }) =>
      secretBody(context, id, await renameSecret(context, id, name, body.name)),
  );

  server.delete(
    '/applications/:id/secrets/:name',
    {
      config: { scopes: ['delete:application_secrets'], delegated: true },
      schema: {
        summary: 'Remove a secret',
        description: 'It ends at once; the last one too.',
        params: secretParams,
        response: { 204: Type.Null(), ...failuresOfOne },
      },
    },
    async ({ context, params: { id, name } }, reply) => {
      await deleteSecret(context, id, name);
      reply.code(204);
      return null;
    },
  );

  server.delete(
    '/applications/:id/legacy-secret',
    {
      config: { scopes: ['delete:application_secrets'], delegated: true },
      schema: {
        summary: 'Remove the secret of the time before named ones',
        description: 'There is none here: always 400.',
        params,
        response: { 200: Application, ...failuresOfOne },
      },
    },
    async ({ context, params: { id } }) => {
      await getClient(context, id);
      throw notFound('legacy secret');
    },
  );
};
