import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  addOrganizationClientGrant,
  listOrganizationClientGrants,
  removeOrganizationClientGrant,
} from '../../../domain/organization-client-grants/organization-client-grants.ts';
import { bodyOf } from '../client-grants/mapping.ts';
import { deleteIdempotently } from '../delete.ts';
import { offsetBody, offsetRange } from '../envelope.ts';
import { idParams } from '../schema.ts';
import { clientGrantBody, clientGrantParams, clientGrantsQuery } from './schema.ts';

/** `/organizations/{id}/client-grants`: the client grants that reach an organization because they are listed there. */
export const organizationClientGrantRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/organizations/:id/client-grants',
    {
      config: { scopes: ['read:organization_client_grants'] },
      schema: {
        summary: 'List the client grants of an organization',
        params: idParams,
        querystring: clientGrantsQuery,
      },
    },
    async ({ params, query, context }) => {
      const filter = {
        withoutNativeManagement: true,
        ...(query.audience === undefined ? {} : { audience: query.audience }),
        ...(query.client_id === undefined ? {} : { clientId: query.client_id }),
        ...(query.grant_ids === undefined || query.grant_ids.length === 0 ? {} : { ids: query.grant_ids }),
      };
      const page = await listOrganizationClientGrants(context, params.id, filter, offsetRange(query));
      const items = page.items.map((grant) => bodyOf(grant));
      return offsetBody('client_grants', query, page, items);
    },
  );

  server.post(
    '/organizations/:id/client-grants',
    {
      config: { scopes: ['create:organization_client_grants'] },
      schema: { summary: 'Add a client grant to an organization', params: idParams, body: clientGrantBody },
    },
    async ({ params, body, context }, reply) => {
      const grant = await addOrganizationClientGrant(context, params.id, body.grant_id);
      // Recorded answers of Auth0 have `grant_id`, the types of its SDK `id`.
      return reply.code(201).send({ ...bodyOf(grant), grant_id: grant.id });
    },
  );

  server.delete(
    '/organizations/:id/client-grants/:grant_id',
    {
      config: { scopes: ['delete:organization_client_grants'] },
      schema: { summary: 'Take a client grant off an organization', params: clientGrantParams },
    },
    ({ params, context }, reply) =>
      deleteIdempotently(reply, removeOrganizationClientGrant(context, params.id, params.grant_id)),
  );
};
