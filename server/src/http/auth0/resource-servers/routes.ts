import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { getResourceServer, listResourceServers } from '../../../domain/resource-servers/read-resource-servers.ts';
import {
  createResourceServer,
  deleteResourceServer,
  updateResourceServer,
} from '../../../domain/resource-servers/resource-servers.ts';
import { createTestApplication } from '../../../domain/resource-servers/test-application.ts';
import { deleteIdempotently } from '../delete.ts';
import { offsetBody, offsetRange, selectFields } from '../envelope.ts';
import { assertScope } from '../held-scopes.ts';
import { idParams } from '../schema.ts';
import { bodyOf, changeOf } from './mapping.ts';
import { createBody, listQuery, readQuery, updateBody } from './schema.ts';

/** `/resource-servers`: APIs, addressed by id or by URL-encoded identifier. */
export const resourceServerRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/resource-servers',
    { config: { scopes: ['read:resource_servers'] }, schema: { summary: 'List APIs', querystring: listQuery } },
    async ({ query, context }) => {
      const { identifiers } = query;
      const filter = identifiers === undefined ? { withoutNativeManagement: true } : { identifiers };
      const page = await listResourceServers(context, filter, offsetRange(query));
      const items = page.items.map((api) => selectFields(query, bodyOf(api)));
      return offsetBody('resource_servers', query, page, items);
    },
  );

  server.post(
    '/resource-servers',
    { config: { scopes: ['create:resource_servers'] }, schema: { summary: 'Create an API', body: createBody } },
    async ({ body, context }, reply) => {
      const { identifier, create_test_application, ...settings } = body;
      // What it also makes needs the scopes that making it by itself needs.
      if (create_test_application === true) {
        for (const scope of ['create:clients', 'create:client_grants']) assertScope(context, scope);
      }
      const given = changeOf(settings);
      const api = await createResourceServer(context, { identifier, ...given, extras: given.extras({}) });
      if (create_test_application === true) await createTestApplication(context, api);
      return reply.code(201).send(bodyOf(api));
    },
  );

  server.get(
    '/resource-servers/:id',
    {
      config: { scopes: ['read:resource_servers'] },
      schema: { summary: 'Read an API', params: idParams, querystring: readQuery },
    },
    async ({ params, query, context }) => selectFields(query, bodyOf(await getResourceServer(context, params.id))),
  );

  server.patch(
    '/resource-servers/:id',
    {
      config: { scopes: ['update:resource_servers'] },
      schema: { summary: 'Change an API', params: idParams, body: updateBody },
    },
    async ({ params, body, context }) => {
      return bodyOf(await updateResourceServer(context, params.id, changeOf(body)));
    },
  );

  server.delete(
    '/resource-servers/:id',
    {
      config: { scopes: ['delete:resource_servers'] },
      schema: { summary: 'Delete an API with its grants', params: idParams },
    },
    ({ params, context }, reply) => deleteIdempotently(reply, deleteResourceServer(context, params.id)),
  );
};
