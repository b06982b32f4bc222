import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { getOrganization } from '../../../domain/organizations/read-organizations.ts';
import { checkpointBody, offsetBody, offsetRange } from '../envelope.ts';
import { idParams } from '../schema.ts';
import { checkpointPageQuery, connectionsQuery } from './schema.ts';

/**
 * How people of an organization sign in. There are no connections, discovery domains or entitled applications yet; the
 * lists are here because deploy-cli reads them.
 */
export const organizationSignInRoutes: FastifyPluginAsyncTypebox = async (server) => {
  for (const plural of ['connections', 'enabled_connections'] as const) {
    server.get(
      `/organizations/:id/${plural}`,
      {
        config: { scopes: ['read:organization_connections'] },
        schema: { summary: 'List the connections of an organization', params: idParams, querystring: connectionsQuery },
      },
      async ({ params, query, context }) => {
        await getOrganization(context, params.id);
        return offsetBody(plural, query, { items: [], total: 0, ...offsetRange(query) }, []);
      },
    );
  }

  server.get(
    '/organizations/:id/discovery-domains',
    {
      config: { scopes: ['read:organization_discovery_domains'] },
      schema: {
        summary: 'List the discovery domains of an organization',
        params: idParams,
        querystring: checkpointPageQuery,
      },
    },
    async ({ params, context }) => {
      await getOrganization(context, params.id);
      return checkpointBody('domains', { items: [] }, []);
    },
  );

  server.get(
    '/organizations/:id/clients',
    {
      config: { scopes: ['read:organization_clients'] },
      schema: {
        summary: 'List the applications of an organization',
        params: idParams,
        querystring: checkpointPageQuery,
      },
    },
    async ({ params, context }) => {
      await getOrganization(context, params.id);
      return checkpointBody('clients', { items: [] }, []);
    },
  );
};
