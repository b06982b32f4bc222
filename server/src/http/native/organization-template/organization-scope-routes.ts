import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  CreateOrganizationScope,
  OrganizationScope,
  PagingQuery,
  Problem,
  UpdateOrganizationScope,
} from '@sekisho/contract';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import {
  createOrganizationScope,
  deleteOrganizationScope,
  getOrganizationScope,
  listOrganizationScopes,
  listOrganizationScopesByKey,
  updateOrganizationScope,
} from '../../../domain/organization-scopes/organization-scopes.ts';
import type { KeysetRange, OffsetRange } from '../../../domain/paging.ts';
import { failures, failuresOfOne } from '../failures.ts';
import { sendOptionalPage } from '../paging.ts';
import { organizationScopeBody } from './mapping.ts';

const params = Type.Object({ id: Type.String() });

/** `/api/organization-scopes`. */
export const organizationScopeRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/organization-scopes',
    {
      config: { scopes: ['read:organization_template'], delegated: true },
      schema: {
        summary: 'List organization scopes',
        description: 'All of them, unless a page is asked for.',
        querystring: Type.Object({
          ...PagingQuery.properties,
          q: Type.Optional(Type.String({ maxLength: 256, description: 'Part of the name, in any case.' })),
        }),
        response: { 200: Type.Array(OrganizationScope), ...failures },
      },
    },
    (request, reply) => {
      const ctx = request.context;
      const filter = { contains: request.query.q };
      const list = {
        byKey: (range: KeysetRange) => listOrganizationScopesByKey(ctx, filter, range),
        byOffset: (range: OffsetRange) => listOrganizationScopes(ctx, filter, range),
      };
      return sendOptionalPage(request, reply, list, (scope) => organizationScopeBody(ctx, scope));
    },
  );

  server.post(
    '/organization-scopes',
    {
      config: { scopes: ['create:organization_template'] },
      schema: {
        summary: 'Create an organization scope',
        body: CreateOrganizationScope,
        response: { 201: OrganizationScope, ...failures, 422: Problem },
      },
    },
    async (request, reply) => {
      const scope = await createOrganizationScope(request.context, request.body);
      reply.code(201);
      return organizationScopeBody(request.context, scope);
    },
  );

  const read = async ({ context, params }: FastifyRequest) =>
    organizationScopeBody(context, await getOrganizationScope(context, (params as { id: string }).id));

  server.get(
    '/organization-scopes/:id',
    {
      config: { scopes: ['read:organization_template'], delegated: true },
      schema: { summary: 'Read an organization scope', params, response: { 200: OrganizationScope, ...failuresOfOne } },
    },
    (request) => read(request),
  );

  server.patch(
    '/organization-scopes/:id',
    {
      config: { scopes: ['update:organization_template'], current: read },
      schema: {
        summary: 'Change an organization scope',
        params,
        body: UpdateOrganizationScope,
        response: { 200: OrganizationScope, ...failuresOfOne, 422: Problem },
      },
    },
    async ({ context, params: { id }, body }) =>
      organizationScopeBody(context, await updateOrganizationScope(context, id, body)),
  );

  server.delete(
    '/organization-scopes/:id',
    {
      config: { scopes: ['delete:organization_template'] },
      schema: {
        summary: 'Delete an organization scope',
        description: 'Every role that gives it gives it no more.',
        params,
        response: { 204: Type.Null(), ...failuresOfOne },
      },
    },
    async (request, reply) => {
      await deleteOrganizationScope(request.context, request.params.id);
      reply.code(204);
      return null;
    },
  );
};
