import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  CreateOrganizationRole,
  OrganizationRole,
  OrganizationRoleWithScopes,
  PagingQuery,
  Problem,
  UpdateOrganizationRole,
} from '@sekisho/contract';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Context } from '../../../domain/context.ts';
import { type KeysetRange, mapPage, type OffsetRange } from '../../../domain/paging.ts';
import { type ScopesOfRole, scopesOfEach } from '../../../domain/roles/read-role-scopes.ts';
import { listRoles, listRolesByKey, loadRole } from '../../../domain/roles/read-roles.ts';
import type { Role } from '../../../domain/roles/role.ts';
import { createRole, deleteRole, updateRole } from '../../../domain/roles/roles.ts';
import { failures, failuresOfOne } from '../failures.ts';
import { sendPage } from '../paging.ts';
import { organizationRoleBody, organizationRoleWithScopesBody, subjectKindOf } from './mapping.ts';
import { organizationScopeRoutes } from './organization-scope-routes.ts';
import { roleScopeRoutes } from './role-scope-routes.ts';

const level = 'organization';
const params = Type.Object({ id: Type.String() });

/** `/api/organization-roles` and `/api/organization-scopes`: the template that every organization shares. */
export const organizationTemplateRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/organization-roles',
    {
      config: { scopes: ['read:organization_template'], delegated: true },
      schema: {
        summary: 'List organization roles',
        querystring: Type.Object({
          ...PagingQuery.properties,
          q: Type.Optional(Type.String({ maxLength: 256, description: 'Part of the name or the id, in any case.' })),
        }),
        response: { 200: Type.Array(OrganizationRoleWithScopes), ...failures },
      },
    },
    (request, reply) => {
      const ctx = request.context;
      const filter = { level, contains: request.query.q } as const;
      const list = {
        byKey: async (range: KeysetRange) => withGiven(ctx, await listRolesByKey(ctx, filter, range)),
        byOffset: async (range: OffsetRange) => withGiven(ctx, await listRoles(ctx, filter, range)),
      };
      return sendPage(request, reply, list, ({ role, given }) => organizationRoleWithScopesBody(ctx, role, given));
    },
  );

  server.post(
    '/organization-roles',
    {
      config: { scopes: ['create:organization_template'] },
      schema: {
        summary: 'Create an organization role',
        description: 'What it gives at a management API the caller must hold.',
        body: CreateOrganizationRole,
        response: { 201: OrganizationRole, ...failures, 422: Problem },
      },
    },
    async (request, reply) => {
      const { name, description, type = 'User', isOwner, organizationScopeIds, resourceScopeIds } = request.body;
      const role = await createRole(request.context, {
        name,
        description,
        isOwner,
        organizationScopeIds,
        level,
        subjectKind: subjectKindOf(type),
        scopeIds: resourceScopeIds,
        scopesPath: 'resourceScopeIds',
      });
      reply.code(201);
      return organizationRoleBody(request.context, role);
    },
  );

  const read = async ({ context, params }: FastifyRequest) =>
    organizationRoleBody(context, await loadRole(context, context.db.read, (params as { id: string }).id, level));

  server.get(
    '/organization-roles/:id',
    {
      config: { scopes: ['read:organization_template'], delegated: true },
      schema: { summary: 'Read an organization role', params, response: { 200: OrganizationRole, ...failuresOfOne } },
    },
    (request) => read(request),
  );

  server.patch(
    '/organization-roles/:id',
    {
      config: { scopes: ['update:organization_template'], current: read },
      schema: {
        summary: 'Change an organization role',
        params,
        body: UpdateOrganizationRole,
        response: { 200: OrganizationRole, ...failuresOfOne, 409: Problem, 422: Problem },
      },
    },
    async ({ context, params: { id }, body: { name, description, isOwner } }) =>
      organizationRoleBody(context, await updateRole(context, id, level, () => ({ name, description, isOwner }))),
  );

  server.delete(
    '/organization-roles/:id',
    {
      config: { scopes: ['delete:organization_template'] },
      schema: {
        summary: 'Delete an organization role',
        params,
        response: { 204: Type.Null(), ...failuresOfOne, 409: Problem },
      },
    },
    async (request, reply) => {
      await deleteRole(request.context, request.params.id, level);
      reply.code(204);
      return null;
    },
  );

  await server.register(roleScopeRoutes);
  await server.register(organizationScopeRoutes);
};

/** The same page with what each role gives. */
async function withGiven<P extends { items: Role[] }>(ctx: Context, page: P) {
  const ids = page.items.map(({ id }) => id);
  const given = await scopesOfEach(ctx, ctx.db.read, ids);
  return mapPage(
    page,
    page.items.map((role) => ({ role, given: given.get(role.id) as ScopesOfRole })),
  );
}
