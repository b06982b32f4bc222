/** The certificates an application proves itself with, and what its tokens are bound to. Not in Logto. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  ApplicationCertificate,
  CreateApplicationCertificate,
  Problem,
  TokenBinding,
  UpdateTokenBinding,
} from '@sekisho/contract';
import { Type } from 'typebox';
import { addCertificate, removeCertificate } from '../../../domain/clients/certificates.ts';
import { updateClient } from '../../../domain/clients/clients.ts';
import type { Credential } from '../../../domain/clients/credential.ts';
import { listCredentials } from '../../../domain/clients/credentials.ts';
import { getClient } from '../../../domain/clients/read-clients.ts';
import type { ClientSignIn } from '../../../domain/clients/sign-in.ts';
import type { Context } from '../../../domain/context.ts';
import { failuresOfOne } from '../failures.ts';

const params = Type.Object({ id: Type.String({ description: 'Of an application.' }) });
const certificateParams = Type.Object({
  ...params.properties,
  certificateId: Type.String({ description: 'Of a certificate.' }),
});

export const applicationCertificateRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/applications/:id/certificates',
    {
      config: { scopes: ['read:application_secrets'], delegated: true },
      schema: {
        summary: 'List the certificates of an application',
        params,
        response: { 200: Type.Array(ApplicationCertificate), ...failuresOfOne },
      },
    },
    async ({ context, params: { id } }) =>
      (await listCredentials(context, id, 'certificate')).map((one) => certificateBody(context, id, one)),
  );

  server.post(
    '/applications/:id/certificates',
    {
      config: { scopes: ['create:application_secrets'], delegated: true },
      schema: {
        summary: 'Add a certificate',
        description:
          'From then on the application proves itself by certificates of this method: its secrets stay and do not count. What it may do at a management API the caller must hold.',
        params,
        body: CreateApplicationCertificate,
        response: { 201: ApplicationCertificate, ...failuresOfOne, 422: Problem },
      },
    },
    async ({ context, params: { id }, body }, reply) => {
      const given = { ...body, expiresAt: body.expiresAt ?? undefined };
      reply.code(201);
      return certificateBody(context, id, await addCertificate(context, id, given));
    },
  );

  server.delete(
    '/applications/:id/certificates/:certificateId',
    {
      config: { scopes: ['delete:application_secrets'], delegated: true },
      schema: {
        summary: 'Remove a certificate',
        description: 'It ends at once. With the last one the application proves itself by its secrets again.',
        params: certificateParams,
        response: { 204: Type.Null(), ...failuresOfOne },
      },
    },
    async ({ context, params: { id, certificateId } }, reply) => {
      await removeCertificate(context, id, certificateId);
      reply.code(204);
      return null;
    },
  );

  server.get(
    '/applications/:id/token-binding',
    {
      config: { scopes: ['read:applications'], delegated: true },
      schema: {
        summary: 'Read what the tokens of an application are bound to',
        params,
        response: { 200: TokenBinding, ...failuresOfOne },
      },
    },
    async ({ context, params: { id } }) => bindingBody((await getClient(context, id)).signIn),
  );

  server.patch(
    '/applications/:id/token-binding',
    {
      config: {
        scopes: ['update:applications'],
        current: async ({ context, params: read }) =>
          bindingBody((await getClient(context, (read as { id: string }).id)).signIn),
      },
      schema: {
        summary: 'Change what the tokens of an application are bound to',
        description: 'What is absent stays. It counts for the tokens issued from then on.',
        params,
        body: UpdateTokenBinding,
        response: { 200: TokenBinding, ...failuresOfOne },
      },
    },
    async ({ context, params: { id }, body }) => {
      const { signIn } = await updateClient(context, id, (before) => ({ signIn: { ...before.signIn, ...body } }));
      return bindingBody(signIn);
    },
  );
};

/** A certificate; of one that itself counts, its thumbprint. */
const certificateBody = ({ site }: Context, applicationId: string, one: Credential): ApplicationCertificate => ({
  tenantId: site.tenantId,
  applicationId,
  id: one.id,
  name: one.name,
  method: one.certificateSubject === null ? 'self_signed_tls_client_auth' : 'tls_client_auth',
  subject: one.certificateSubject,
  thumbprint: one.certificateThumbprint,
  createdAt: one.createdAt,
  expiresAt: one.expiresAt,
  lastUsedAt: one.lastUsedAt,
});

const bindingBody = ({ requiresDpop = false, bindsTokensToCertificate = false }: ClientSignIn): TokenBinding => ({
  requiresDpop,
  bindsTokensToCertificate,
});
