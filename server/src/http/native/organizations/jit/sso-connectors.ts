/** `/api/organizations/:id/jit/sso-connectors`: Logto's clients ask for them; there are none. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { AllSsoConnectorIds, PagingQuery, Problem, SsoConnectorIds } from '@sekisho/contract';
import { Type } from 'typebox';
import { getOrganization } from '../../../../domain/organizations/read-organizations.ts';
import type { OffsetRange } from '../../../../domain/paging.ts';
import { notFound, referenceNotFound } from '../../../../kernel/errors.ts';
import { failuresOfOne } from '../../failures.ts';
import { sendOptionalPage } from '../../paging.ts';
import { changes, done, organization, params, reads } from './schemas.ts';

const noConnector = 'There are no SSO connectors: the list is empty, and no id refers to one.';

export const jitSsoConnectorRoutes: FastifyPluginAsyncTypebox = async (server) => {
  const path = '/organizations/:id/jit/sso-connectors';
  server.get(
    path,
    {
      config: reads,
      schema: {
        summary: 'List the SSO connectors of an organization',
        description: noConnector,
        params,
        querystring: PagingQuery,
        response: { 200: Type.Array(Type.Object({})), ...failuresOfOne },
      },
    },
    async (request, reply) => {
      await getOrganization(request.context, request.params.id);
      const none = {
        byKey: async () => ({ items: [] }),
        byOffset: async (range: OffsetRange) => ({ items: [], total: 0, ...range }),
      };
      return sendOptionalPage(request, reply, none, () => ({}));
    },
  );
  server.post(
    path,
    {
      config: changes,
      schema: {
        summary: 'Bind SSO connectors to an organization',
        description: noConnector,
        params,
        body: SsoConnectorIds,
        response: { ...failuresOfOne, 422: Problem },
      },
    },
    async ({ context, params }) => {
      await getOrganization(context, params.id);
      throw referenceNotFound('SSO connector', 'ssoConnectorIds');
    },
  );
  server.put(
    path,
    {
      config: changes,
      schema: {
        summary: 'Replace the SSO connectors of an organization',
        description: noConnector,
        params,
        body: AllSsoConnectorIds,
        response: { ...done, 422: Problem },
      },
    },
    async ({ context, params, body }, reply) => {
      await getOrganization(context, params.id);
      if (body.ssoConnectorIds.length > 0) throw referenceNotFound('SSO connector', 'ssoConnectorIds');
      reply.code(204);
      return null;
    },
  );
  server.delete(
    `${path}/:ssoConnectorId`,
    {
      config: changes,
      schema: {
        summary: 'Free an SSO connector',
        description: noConnector,
        params: Type.Object({ ...organization, ssoConnectorId: Type.String() }),
        response: failuresOfOne,
      },
    },
    async ({ context, params }) => {
      await getOrganization(context, params.id);
      throw notFound('SSO connector');
    },
  );
};
