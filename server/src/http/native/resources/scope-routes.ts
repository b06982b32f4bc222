import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { CreateResourceScope, PagingQuery, Problem, ResourceScope, UpdateResourceScope } from '@sekisho/contract';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { KeysetRange, OffsetRange } from '../../../domain/paging.ts';
import {
  addScope,
  listScopes,
  listScopesByKey,
  loadScope,
  removeScope,
  updateScope,
} from '../../../domain/resource-servers/one-scope.ts';
import { getResourceServer } from '../../../domain/resource-servers/read-resource-servers.ts';
import { failuresOfOne } from '../failures.ts';
import { sendPage } from '../paging.ts';
import { resourceIdOf, resourceScopeBody, storedIdOf } from './mapping.ts';

const params = Type.Object({ resourceId: Type.String() });
const paramsOfOne = Type.Object({ resourceId: Type.String(), scopeId: Type.String() });
const config = { scopes: ['update:resources'] };

/** `/api/resources/:resourceId/scopes`: one by one; a scope that is renamed keeps its grants and roles. */
export const resourceScopeRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/resources/:resourceId/scopes',
    {
      config: { scopes: ['read:resources'], delegated: true },
      schema: {
        summary: 'List scopes of an API resource',
        params,
        querystring: Type.Object({
          ...PagingQuery.properties,
          q: Type.Optional(Type.String({ maxLength: 280, description: 'Part of the name, in any case.' })),
        }),
        response: { 200: Type.Array(ResourceScope), ...failuresOfOne },
      },
    },
    async (request, reply) => {
      const ctx = request.context;
      const api = await getResourceServer(ctx, storedIdOf(ctx, request.params.resourceId));
      const filter = { resourceServerId: api.id, contains: request.query.q };
      const list = {
        byKey: (range: KeysetRange) => listScopesByKey(ctx, filter, range),
        byOffset: (range: OffsetRange) => listScopes(ctx, filter, range),
      };
      return sendPage(request, reply, list, (scope) => resourceScopeBody(ctx, scope, resourceIdOf(api)));
    },
  );

  server.post(
    '/resources/:resourceId/scopes',
    {
      config,
      schema: {
        summary: 'Add a scope to an API resource',
        params,
        body: CreateResourceScope,
        response: { 201: ResourceScope, ...failuresOfOne, 422: Problem },
      },
    },
    async ({ context, params: { resourceId }, body }, reply) => {
      const given = { value: body.name, description: body.description ?? null };
      const scope = await addScope(context, storedIdOf(context, resourceId), given);
      reply.code(201);
      return resourceScopeBody(context, scope, scope.resourceServerId);
    },
  );

  const read = async ({ context, params }: FastifyRequest): Promise<ResourceScope> => {
    const { resourceId, scopeId } = params as { resourceId: string; scopeId: string };
    const api = await getResourceServer(context, storedIdOf(context, resourceId));
    return resourceScopeBody(context, await loadScope(context, context.db.read, api.id, scopeId), resourceIdOf(api));
  };

  server.get(
    '/resources/:resourceId/scopes/:scopeId',
    {
      config: { scopes: ['read:resources'], delegated: true },
      schema: {
        summary: 'Read a scope of an API resource',
        params: paramsOfOne,
        response: { 200: ResourceScope, ...failuresOfOne },
      },
    },
    (request) => read(request),
  );

  server.patch(
    '/resources/:resourceId/scopes/:scopeId',
    {
      config: { ...config, current: read },
      schema: {
        summary: 'Change a scope of an API resource',
        params: paramsOfOne,
        body: UpdateResourceScope,
        response: { 200: ResourceScope, ...failuresOfOne, 422: Problem },
      },
    },
    async ({ context, params: { resourceId, scopeId }, body }) => {
      const change = { value: body.name, description: body.description };
      const scope = await updateScope(context, storedIdOf(context, resourceId), scopeId, change);
      return resourceScopeBody(context, scope, scope.resourceServerId);
    },
  );

  server.delete(
    '/resources/:resourceId/scopes/:scopeId',
    {
      config,
      schema: {
        summary: 'Remove a scope of an API resource',
        description: 'With all that grants and roles give of it.',
        params: paramsOfOne,
        response: { 204: Type.Null(), ...failuresOfOne },
      },
    },
    async ({ context, params: { resourceId, scopeId } }, reply) => {
      await removeScope(context, storedIdOf(context, resourceId), scopeId);
      reply.code(204);
      return null;
    },
  );
};
