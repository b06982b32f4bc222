import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { CreateResource, DefaultResource, PagingQuery, Problem, Resource, UpdateResource } from '@sekisho/contract';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { inOneTransaction } from '../../../domain/one-transaction.ts';
import type { KeysetRange, OffsetRange } from '../../../domain/paging.ts';
import { replaceAliases } from '../../../domain/resource-servers/aliases.ts';
import {
  getResourceServer,
  listResourceServers,
  listResourceServersByKey,
} from '../../../domain/resource-servers/read-resource-servers.ts';
import {
  createResourceServer,
  deleteResourceServer,
  updateResourceServer,
} from '../../../domain/resource-servers/resource-servers.ts';
import { setDefaultResourceServer } from '../../../domain/tenants/default-audience.ts';
import { failures, failuresOfOne } from '../failures.ts';
import { sendOptionalPage } from '../paging.ts';
import { bodiesOf } from './bodies.ts';
import { inOurWords, storedIdOf } from './mapping.ts';
import { resourceScopeRoutes } from './scope-routes.ts';

/** Life of a token for an API made here, in seconds, when the request does not say. */
const defaultLifetimeSeconds = 3600;

const params = Type.Object({ id: Type.String() });

/** `/api/resources`: resource servers in Logto's words. */
export const resourceRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/resources',
    {
      config: { scopes: ['read:resources'], delegated: true },
      schema: {
        summary: 'List API resources',
        description: 'All of them, unless a page is asked for.',
        querystring: Type.Object({
          ...PagingQuery.properties,
          includeScopes: Type.Optional(Type.Boolean({ description: 'With the scopes of each.' })),
        }),
        response: { 200: Type.Array(Resource), ...failures },
      },
    },
    (request, reply) => {
      const ctx = request.context;
      const withScopes = request.query.includeScopes === true;
      const list = {
        byKey: async (range: KeysetRange) => bodiesOf(ctx, await listResourceServersByKey(ctx, range), { withScopes }),
        byOffset: async (range: OffsetRange) =>
          bodiesOf(ctx, await listResourceServers(ctx, {}, range), { withScopes }),
      };
      return sendOptionalPage(request, reply, list, (body) => body);
    },
  );

  server.post(
    '/resources',
    {
      config: { scopes: ['create:resources'] },
      schema: {
        summary: 'Create an API resource',
        body: CreateResource,
        response: { 201: Resource, ...failures, 422: Problem },
      },
    },
    async ({ context, body }, reply) => {
      const { name, indicator, accessTokenTtl = defaultLifetimeSeconds } = body;
      const api = await inOurWords(
        createResourceServer(context, {
          name,
          identifier: indicator,
          tokenLifetimeSeconds: accessTokenTtl,
          tokenDialect: 'rfc9068_profile',
        }),
      );
      const page = await bodiesOf(context, { items: [api] }, { withScopes: true });
      reply.code(201);
      return page.items[0] as Resource;
    },
  );

  const read = async ({ context, params }: FastifyRequest): Promise<Resource> => {
    const api = await getResourceServer(context, storedIdOf(context, (params as { id: string }).id));
    return (await bodiesOf(context, { items: [api] }, {})).items[0] as Resource;
  };

  server.get(
    '/resources/:id',
    {
      config: { scopes: ['read:resources'], delegated: true },
      schema: { summary: 'Read an API resource', params, response: { 200: Resource, ...failuresOfOne } },
    },
    (request) => read(request),
  );

  server.patch(
    '/resources/:id',
    {
      config: { scopes: ['update:resources'], current: read },
      schema: {
        summary: 'Change an API resource',
        description: 'The indicator never changes. `management-api` takes aliases.',
        params,
        body: UpdateResource,
        response: { 200: Resource, ...failuresOfOne, 422: Problem },
      },
    },
    async (request) => {
      const { name, accessTokenTtl, aliases } = request.body;
      const id = storedIdOf(request.context, request.params.id);
      await inOneTransaction(request.context, async (ctx) => {
        const settings = {
          ...(name === undefined ? {} : { name }),
          ...(accessTokenTtl === undefined ? {} : { tokenLifetimeSeconds: accessTokenTtl }),
        };
        if (Object.keys(settings).length > 0) await inOurWords(updateResourceServer(ctx, id, settings));
        if (aliases !== undefined) await replaceAliases(ctx, id, aliases);
      });
      return read(request);
    },
  );

  server.patch(
    '/resources/:id/is-default',
    {
      config: { scopes: ['update:resources'] },
      schema: {
        summary: 'Make an API resource the default audience, or no longer',
        description: 'The audience of token requests that name none; there is at most one.',
        params,
        body: DefaultResource,
        response: { 200: Resource, ...failuresOfOne },
      },
    },
    async (request) => {
      const { context, body, params } = request;
      await setDefaultResourceServer(context, storedIdOf(context, params.id), body.isDefault);
      return read(request);
    },
  );

  server.delete(
    '/resources/:id',
    {
      config: { scopes: ['delete:resources'] },
      schema: {
        summary: 'Delete an API resource',
        description: 'With its scopes, and all that grants and roles give of them.',
        params,
        response: { 204: Type.Null(), ...failuresOfOne },
      },
    },
    async ({ context, params }, reply) => {
      await deleteResourceServer(context, storedIdOf(context, params.id));
      reply.code(204);
      return null;
    },
  );

  await server.register(resourceScopeRoutes);
};
