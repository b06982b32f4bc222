import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  AllOrganizationScopeIds,
  AllScopeIds,
  OrganizationScope,
  OrganizationScopeIds,
  PagingQuery,
  Problem,
  ResourceScope,
  ScopeIds,
} from '@sekisho/contract';
import { Type } from 'typebox';
import {
  listOrganizationScopes,
  listOrganizationScopesByKey,
} from '../../../domain/organization-scopes/organization-scopes.ts';
import type { KeysetRange, OffsetRange } from '../../../domain/paging.ts';
import { loadRole } from '../../../domain/roles/read-roles.ts';
import { addScopesToRole, removeScopeFromRole, replaceScopesOfRole } from '../../../domain/roles/role-scopes.ts';
import { failuresOfOne } from '../failures.ts';
import { sendOptionalPage } from '../paging.ts';
import { resourceIdOf, resourceScopeBody } from '../resources/mapping.ts';
import { scopesOfRole } from '../resources/scopes-of-role.ts';
import { organizationScopeBody } from './mapping.ts';

const level = 'organization';
const params = Type.Object({ id: Type.String() });
const config = { scopes: ['update:organization_template'] };
const readConfig = { scopes: ['read:organization_template'], delegated: true };
const failuresOfChange = { ...failuresOfOne, 409: Problem, 422: Problem };

/** `/api/organization-roles/:id/scopes` and `…/resource-scopes`: what an organization role is made of. */
export const roleScopeRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/organization-roles/:id/scopes',
    {
      config: readConfig,
      schema: {
        summary: 'List organization scopes of a role',
        params,
        querystring: PagingQuery,
        response: { 200: Type.Array(OrganizationScope), ...failuresOfOne },
      },
    },
    async (request, reply) => {
      const ctx = request.context;
      await loadRole(ctx, ctx.db.read, request.params.id, level);
      const filter = { ofRole: request.params.id };
      const list = {
        byKey: (range: KeysetRange) => listOrganizationScopesByKey(ctx, filter, range),
        byOffset: (range: OffsetRange) => listOrganizationScopes(ctx, filter, range),
      };
      return sendOptionalPage(request, reply, list, (scope) => organizationScopeBody(ctx, scope));
    },
  );

  server.post(
    '/organization-roles/:id/scopes',
    {
      config,
      schema: {
        summary: 'Add organization scopes to a role',
        description: 'Answers the ids of those that are new.',
        params,
        body: OrganizationScopeIds,
        response: { 201: AllOrganizationScopeIds, ...failuresOfChange },
      },
    },
    async ({ context, params: { id }, body }, reply) => {
      const path = 'organizationScopeIds';
      const added = await addScopesToRole(context, { id, level }, 'organization', body[path], { path });
      reply.code(201);
      return { [path]: added };
    },
  );

  server.put(
    '/organization-roles/:id/scopes',
    {
      config,
      schema: {
        summary: 'Replace the organization scopes of a role',
        params,
        body: AllOrganizationScopeIds,
        response: { 204: Type.Null(), ...failuresOfChange },
      },
    },
    async ({ context, params: { id }, body }, reply) => {
      const path = 'organizationScopeIds';
      await replaceScopesOfRole(context, { id, level }, 'organization', body[path], { path });
      reply.code(204);
      return null;
    },
  );

  server.delete(
    '/organization-roles/:id/scopes/:organizationScopeId',
    {
      config,
      schema: {
        summary: 'Take an organization scope out of a role',
        params: Type.Object({ id: Type.String(), organizationScopeId: Type.String() }),
        response: { 204: Type.Null(), ...failuresOfOne },
      },
    },
    async ({ context, params: { id, organizationScopeId } }, reply) => {
      await removeScopeFromRole(context, { id, level }, 'organization', organizationScopeId);
      reply.code(204);
      return null;
    },
  );

  server.get(
    '/organization-roles/:id/resource-scopes',
    {
      config: readConfig,
      schema: {
        summary: 'List scopes of API resources of a role',
        params,
        querystring: PagingQuery,
        response: { 200: Type.Array(ResourceScope), ...failuresOfOne },
      },
    },
    async (request, reply) => {
      const ctx = request.context;
      await loadRole(ctx, ctx.db.read, request.params.id, level);
      const list = scopesOfRole(ctx, request.params.id);
      return sendOptionalPage(request, reply, list, ({ scope, api }) =>
        resourceScopeBody(ctx, scope, resourceIdOf(api)),
      );
    },
  );

  server.post(
    '/organization-roles/:id/resource-scopes',
    {
      config,
      schema: {
        summary: 'Add scopes of API resources to a role',
        description: 'Scopes of a management API the caller must hold. Answers the ids of those that are new.',
        params,
        body: ScopeIds,
        response: { 201: AllScopeIds, ...failuresOfChange },
      },
    },
    async ({ context, params: { id }, body }, reply) => {
      const path = 'scopeIds';
      const scopeIds = await addScopesToRole(context, { id, level }, 'api', body.scopeIds, { path });
      reply.code(201);
      return { scopeIds };
    },
  );

  server.put(
    '/organization-roles/:id/resource-scopes',
    {
      config,
      schema: {
        summary: 'Replace the scopes of API resources of a role',
        params,
        body: AllScopeIds,
        response: { 204: Type.Null(), ...failuresOfChange },
      },
    },
    async ({ context, params: { id }, body }, reply) => {
      await replaceScopesOfRole(context, { id, level }, 'api', body.scopeIds, { path: 'scopeIds' });
      reply.code(204);
      return null;
    },
  );

  server.delete(
    '/organization-roles/:id/resource-scopes/:scopeId',
    {
      config,
      schema: {
        summary: 'Take a scope of an API resource out of a role',
        params: Type.Object({ id: Type.String(), scopeId: Type.String() }),
        response: { 204: Type.Null(), ...failuresOfOne, 409: Problem },
      },
    },
    async ({ context, params: { id, scopeId } }, reply) => {
      await removeScopeFromRole(context, { id, level }, 'api', scopeId);
      reply.code(204);
      return null;
    },
  );
};
