import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { CreateRole, ListedRole, Problem, Role as RoleBody, RolesQuery, UpdateRole } from '@sekisho/contract';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Context } from '../../../domain/context.ts';
import { type KeysetRange, mapPage, type OffsetRange } from '../../../domain/paging.ts';
import { type Featured, featuredOf } from '../../../domain/roles/featured.ts';
import { listRoles, listRolesByKey, loadRole, type RoleFilter } from '../../../domain/roles/read-roles.ts';
import type { Role } from '../../../domain/roles/role.ts';
import { createRole, deleteRole, updateRole } from '../../../domain/roles/roles.ts';
import { failures, failuresOfOne } from '../failures.ts';
import { subjectKindOf } from '../organization-template/mapping.ts';
import { sendPage } from '../paging.ts';
import { searchOf } from '../search/search.ts';
import { listedRoleBody, roleBody } from './mapping.ts';
import { roleScopeRoutes } from './scope-routes.ts';
import { roleSubjectRoutes } from './subject-routes.ts';

const level = 'tenant';
const params = Type.Object({ id: Type.String() });

/** `/api/roles`: tenant-wide roles, of users and of machine clients. */
export const roleRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/roles',
    {
      config: { scopes: ['read:roles'], delegated: true },
      schema: {
        summary: 'List roles',
        querystring: RolesQuery,
        response: { 200: Type.Array(ListedRole), ...failures },
      },
    },
    (request, reply) => {
      const ctx = request.context;
      const filter = filterOf(request.query);
      const list = {
        byKey: async (range: KeysetRange) => withFeatured(ctx, await listRolesByKey(ctx, filter, range)),
        byOffset: async (range: OffsetRange) => withFeatured(ctx, await listRoles(ctx, filter, range)),
      };
      return sendPage(request, reply, list, ({ role, featured }) => listedRoleBody(ctx, role, featured));
    },
  );

  server.post(
    '/roles',
    {
      config: { scopes: ['create:roles'] },
      schema: {
        summary: 'Create a role',
        description: 'What it gives at a management API the caller must hold.',
        body: CreateRole,
        response: { 200: RoleBody, ...failuresOfOne, 422: Problem },
      },
    },
    async ({ context, body }) => {
      const { name, description, type = 'User', isDefault, scopeIds } = body;
      const settings = { name, description, isDefault, scopeIds };
      const role = await createRole(context, { ...settings, level, subjectKind: subjectKindOf(type) });
      return roleBody(context, role);
    },
  );

  const read = async ({ context, params }: FastifyRequest) =>
    roleBody(context, await loadRole(context, context.db.read, (params as { id: string }).id, level));

  server.get(
    '/roles/:id',
    {
      config: { scopes: ['read:roles'], delegated: true },
      schema: { summary: 'Read a role', params, response: { 200: RoleBody, ...failuresOfOne } },
    },
    (request) => read(request),
  );

  server.patch(
    '/roles/:id',
    {
      config: { scopes: ['update:roles'], current: read },
      schema: {
        summary: 'Change a role',
        description: 'Its type never changes.',
        params,
        body: UpdateRole,
        response: { 200: RoleBody, ...failuresOfOne, 422: Problem },
      },
    },
    async ({ context, params: { id }, body: { name, description, isDefault } }) =>
      roleBody(context, await updateRole(context, id, level, () => ({ name, description, isDefault }))),
  );

  server.delete(
    '/roles/:id',
    {
      config: { scopes: ['delete:roles'] },
      schema: {
        summary: 'Delete a role',
        description: 'Whoever has it has it no more.',
        params,
        response: { 204: Type.Null(), ...failuresOfOne, 409: Problem },
      },
    },
    async ({ context, params: { id } }, reply) => {
      await deleteRole(context, id, level);
      reply.code(204);
      return null;
    },
  );

  await server.register(roleScopeRoutes);
  await server.register(roleSubjectRoutes);
};

function filterOf(query: RolesQuery): RoleFilter {
  return {
    level,
    ...(query.type === undefined ? {} : { subjectKind: subjectKindOf(query.type) }),
    contains: query.q,
    search: searchOf(query, { id: 'id', name: 'name', description: 'description' }),
    notOfSubjects: [query.excludeUserId, query.excludeApplicationId].filter((id) => id !== undefined),
  };
}

async function withFeatured<P extends { items: Role[] }>(ctx: Context, page: P) {
  const ids = page.items.map(({ id }) => id);
  const featured = await featuredOf(ctx, ids);
  return mapPage(
    page,
    page.items.map((role) => ({ role, featured: featured.get(role.id) as Featured })),
  );
}
