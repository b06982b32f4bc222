/** `/api/organizations/:id/jit/email-domains`: who has a verified address of one becomes a member. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { AllJitEmailDomains, CreateJitEmailDomain, JitEmailDomain, PagingQuery, Problem } from '@sekisho/contract';
import { Type } from 'typebox';
import {
  addEmailDomain,
  listEmailDomains,
  listEmailDomainsByKey,
  removeEmailDomain,
  replaceEmailDomains,
} from '../../../../domain/organization-jit/email-domains.ts';
import type { KeysetRange, OffsetRange } from '../../../../domain/paging.ts';
import { failuresOfOne } from '../../failures.ts';
import { sendOptionalPage } from '../../paging.ts';
import { changes, done, organization, params, reads } from './schemas.ts';

export const jitEmailDomainRoutes: FastifyPluginAsyncTypebox = async (server) => {
  const path = '/organizations/:id/jit/email-domains';
  server.get(
    path,
    {
      config: reads,
      schema: {
        summary: 'List the e-mail domains of an organization',
        description: 'At most 10 000 when no page is asked for.',
        params,
        querystring: PagingQuery,
        response: { 200: Type.Array(JitEmailDomain), ...failuresOfOne },
      },
    },
    (request, reply) => {
      const { context, params } = request;
      const list = {
        byKey: (range: KeysetRange) => listEmailDomainsByKey(context, params.id, range),
        byOffset: (range: OffsetRange) => listEmailDomains(context, params.id, range),
      };
      return sendOptionalPage(request, reply, list, (emailDomain) => ({
        tenantId: context.site.tenantId,
        organizationId: params.id,
        emailDomain,
      }));
    },
  );
  server.post(
    path,
    {
      config: changes,
      schema: {
        summary: 'Bind an e-mail domain to an organization',
        description: 'Who is given a verified address of it from now on becomes a member.',
        params,
        body: CreateJitEmailDomain,
        response: { 201: JitEmailDomain, ...failuresOfOne, 422: Problem },
      },
    },
    async ({ context, params, body }, reply) => {
      const emailDomain = await addEmailDomain(context, params.id, body.emailDomain);
      reply.code(201);
      return { tenantId: context.site.tenantId, organizationId: params.id, emailDomain };
    },
  );
  server.put(
    path,
    {
      config: changes,
      schema: {
        summary: 'Replace the e-mail domains of an organization',
        params,
        body: AllJitEmailDomains,
        response: done,
      },
    },
    async ({ context, params, body }, reply) => {
      await replaceEmailDomains(context, params.id, body.emailDomains);
      reply.code(204);
      return null;
    },
  );
  server.delete(
    `${path}/:emailDomain`,
    {
      config: changes,
      schema: {
        summary: 'Free an e-mail domain',
        params: Type.Object({ ...organization, emailDomain: Type.String() }),
        response: done,
      },
    },
    async ({ context, params }, reply) => {
      await removeEmailDomain(context, params.id, params.emailDomain);
      reply.code(204);
      return null;
    },
  );
};
