import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { listRoles } from '../../../domain/roles/read-roles.ts';
import { createRole, deleteRole, updateRole } from '../../../domain/roles/roles.ts';
import { whenThere } from '../delete.ts';
import { offsetBody, offsetRange } from '../envelope.ts';
import { idParams } from '../schema.ts';
import { bodyOf, tenantRole } from './mapping.ts';
import { rolePermissionRoutes } from './permission-routes.ts';
import { createBody, listQuery, updateBody } from './schema.ts';
import { roleUserRoutes } from './user-routes.ts';

/** `/roles`: roles for users, given in the tenant as a whole or in an organization. */
export const roleRoutes: FastifyPluginAsyncTypebox = async (server) => {
  await server.register(rolePermissionRoutes);
  await server.register(roleUserRoutes);

  server.get(
    '/roles',
    { config: { scopes: ['read:roles'] }, schema: { summary: 'List roles', querystring: listQuery } },
    async ({ query, context }) => {
      const contains = query.name_filter === '' ? undefined : query.name_filter;
      // The role of administrators is left alone by tools that export, copy and delete what they find.
      const filter = { level: 'tenant', subjectKind: 'user', nameContains: contains, withoutProtected: true } as const;
      const page = await listRoles(context, filter, offsetRange(query));
      return offsetBody('roles', query, page, page.items.map(bodyOf));
    },
  );

  server.post(
    '/roles',
    { config: { scopes: ['create:roles'] }, schema: { summary: 'Create a role', body: createBody } },
    async ({ body: { name, description }, context }) =>
      bodyOf(await createRole(context, { level: 'both', subjectKind: 'user', name, description })),
  );

  server.get(
    '/roles/:id',
    { config: { scopes: ['read:roles'] }, schema: { summary: 'Read a role', params: idParams } },
    async ({ params, context }) => bodyOf(await tenantRole(context, params.id)),
  );

  server.patch(
    '/roles/:id',
    { config: { scopes: ['update:roles'] }, schema: { summary: 'Change a role', params: idParams, body: updateBody } },
    async ({ params, body, context }) => {
      const { id } = await tenantRole(context, params.id);
      return bodyOf(await updateRole(context, id, 'tenant', () => body));
    },
  );

  server.delete(
    '/roles/:id',
    { config: { scopes: ['delete:roles'] }, schema: { summary: 'Delete a role', params: idParams } },
    async ({ params, context }, reply) => {
      await whenThere(tenantRole(context, params.id).then(({ id }) => deleteRole(context, id, 'tenant')));
      return reply.code(200).send({});
    },
  );
};
