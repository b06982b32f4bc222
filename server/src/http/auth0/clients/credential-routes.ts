import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { createCertificate } from '../../../domain/clients/certificates.ts';
import type { Credential } from '../../../domain/clients/credential.ts';
import {
  createKey,
  deleteCredential,
  getCredential,
  listCredentials,
  updateCredential,
} from '../../../domain/clients/credentials.ts';
import type { Context } from '../../../domain/context.ts';
import { deleteIdempotently } from '../delete.ts';
import { idParams } from '../schema.ts';
import { credentialBodyOf, givenCertificateOf, givenKeyOf, timeOf } from './authentication.ts';
import { type CredentialBody, createCredentialBody, updateCredentialBody } from './schema.ts';

const credentialParams = Type.Object({
  id: Type.String({ minLength: 1 }),
  credential: Type.String({ minLength: 1 }),
});

/** What is a credential here; secrets have fields of their own. */
const kinds = ['key', 'certificate'] as const;

/** `/clients/{id}/credentials`: the public keys and certificates a client may prove itself with. */
export const credentialRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/clients/:id/credentials',
    {
      config: { scopes: ['read:client_credentials'] },
      schema: { summary: 'List the credentials of a client', params: idParams },
    },
    async ({ params, context }) => (await listCredentials(context, params.id, ...kinds)).map(credentialBodyOf),
  );

  server.post(
    '/clients/:id/credentials',
    {
      config: { scopes: ['create:client_credentials'] },
      schema: { summary: 'Add a credential', params: idParams, body: createCredentialBody },
    },
    async ({ params, body, context }, reply) =>
      reply.code(201).send(credentialBodyOf(await create(context, params.id, body))),
  );

  server.get(
    '/clients/:id/credentials/:credential',
    {
      config: { scopes: ['read:client_credentials'] },
      schema: { summary: 'Read a credential', params: credentialParams },
    },
    async ({ params, context }) => credentialBodyOf(await getCredential(context, params.id, params.credential, kinds)),
  );

  server.patch(
    '/clients/:id/credentials/:credential',
    {
      config: { scopes: ['update:client_credentials'] },
      schema: { summary: 'Change when a credential expires', params: credentialParams, body: updateCredentialBody },
    },
    async ({ params, body, context }) => {
      const expiresAt = body.expires_at == null ? null : timeOf(body.expires_at);
      return credentialBodyOf(await updateCredential(context, params.id, params.credential, expiresAt));
    },
  );

  server.delete(
    '/clients/:id/credentials/:credential',
    {
      config: { scopes: ['delete:client_credentials'] },
      schema: { summary: 'Remove a credential', params: credentialParams },
    },
    ({ params, context }, reply) => deleteIdempotently(reply, deleteCredential(context, params.id, params.credential)),
  );
};

/** `public_key` is a key; the others are certificates, by subject or themselves. */
function create(context: Context, clientId: string, body: CredentialBody): Promise<Credential> {
  if (body.credential_type === 'public_key') return createKey(context, clientId, givenKeyOf(body));
  const method = body.credential_type === 'cert_subject_dn' ? 'tls_client_auth' : 'self_signed_tls_client_auth';
  return createCertificate(context, clientId, givenCertificateOf(body, method));
}
