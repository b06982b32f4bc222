import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Context } from '../../../domain/context.ts';
import { listOrganizationsOf } from '../../../domain/memberships/organizations-of.ts';
import { inOneTransaction } from '../../../domain/one-transaction.ts';
import { assignRoles, unassignRole } from '../../../domain/roles/assignments.ts';
import { listPermissionsOfUser } from '../../../domain/roles/permissions.ts';
import { listRolesOfSubject } from '../../../domain/roles/read-assignments.ts';
import { getUser } from '../../../domain/users/read-users.ts';
import { deleteIdempotently, whenThere } from '../delete.ts';
import { offsetBody, offsetRange } from '../envelope.ts';
import { summaryOf } from '../organizations/mapping.ts';
import { bodyOf, userPermissionBodies } from '../roles/mapping.ts';
import { pageQuery, rolesBody } from '../roles/schema.ts';
import { idParams } from '../schema.ts';
import { storedUserId } from './ids.ts';

/** `/users/{id}/roles`, `permissions`, `organizations`: what a user has, and where. */
export const userRoleRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/users/:id/roles',
    {
      config: { scopes: ['read:users', 'read:roles', 'read:role_members'] },
      schema: { summary: 'List the roles of a user', params: idParams, querystring: pageQuery },
    },
    async ({ params, query, context }) => {
      const { id } = await getUser(context, storedUserId(params.id));
      const page = await listRolesOfSubject(context, { kind: 'user', id }, offsetRange(query));
      return offsetBody('roles', query, page, page.items.map(bodyOf));
    },
  );

  server.post(
    '/users/:id/roles',
    {
      config: { scopes: ['update:users', 'create:role_members'] },
      schema: { summary: 'Give roles to a user', params: idParams, body: rolesBody },
    },
    async ({ params, body, context }, reply) => {
      await assignRoles(context, { kind: 'user', id: storedUserId(params.id) }, body.roles);
      return reply.code(204).send();
    },
  );

  server.delete(
    '/users/:id/roles',
    {
      config: { scopes: ['update:users', 'delete:role_members'] },
      schema: { summary: 'Take roles from a user', params: idParams, body: rolesBody },
    },
    ({ params, body, context }, reply) =>
      deleteIdempotently(reply, takeRoles(context, storedUserId(params.id), body.roles)),
  );

  server.get(
    '/users/:id/permissions',
    {
      config: { scopes: ['read:users'] },
      schema: { summary: 'List the permissions of a user', params: idParams, querystring: pageQuery },
    },
    async ({ params, query, context }) => {
      const { id } = await getUser(context, storedUserId(params.id));
      const page = await listPermissionsOfUser(context, id, offsetRange(query));
      return offsetBody('permissions', query, page, await userPermissionBodies(context, id, page.items));
    },
  );

  server.get(
    '/users/:id/organizations',
    {
      config: { scopes: ['read:organizations'] },
      schema: { summary: 'List the organizations of a user', params: idParams, querystring: pageQuery },
    },
    async ({ params, query, context }) => {
      const { id } = await getUser(context, storedUserId(params.id));
      const page = await listOrganizationsOf(context, id, offsetRange(query));
      const items = page.items.map(({ organization }) => summaryOf(organization));
      return offsetBody('organizations', query, page, items);
    },
  );
};

/** All or none; a role that the user does not have does not matter. */
const takeRoles = (ctx: Context, userId: string, roleIds: readonly string[]) =>
  inOneTransaction(ctx, async (joined) => {
    for (const roleId of new Set(roleIds)) await whenThere(unassignRole(joined, { kind: 'user', id: userId }, roleId));
  });
