import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Context } from '../../../domain/context.ts';
import { inOneTransaction } from '../../../domain/one-transaction.ts';
import { knownScopeIdsOf, listPermissionsOfRole, scopeIdsOf } from '../../../domain/roles/permissions.ts';
import { addScopesToRole, removeScopesFromRole } from '../../../domain/roles/role-scopes.ts';
import { deleteIdempotently } from '../delete.ts';
import { offsetBody, offsetRange } from '../envelope.ts';
import { idParams } from '../schema.ts';
import { permissionBodyOf, permissionNames, tenantRole } from './mapping.ts';
import { type PermissionsBody, pageQuery, permissionsBody } from './schema.ts';

/** `/roles/{id}/permissions`: the scopes of APIs that a role gives. */
export const rolePermissionRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/roles/:id/permissions',
    {
      config: { scopes: ['read:roles'] },
      schema: { summary: 'List the permissions of a role', params: idParams, querystring: pageQuery },
    },
    async ({ params, query, context }) => {
      const { id } = await tenantRole(context, params.id);
      const page = await listPermissionsOfRole(context, id, offsetRange(query));
      return offsetBody('permissions', query, page, page.items.map(permissionBodyOf));
    },
  );

  server.post(
    '/roles/:id/permissions',
    {
      config: { scopes: ['update:roles'] },
      schema: { summary: 'Give a role permissions', params: idParams, body: permissionsBody },
    },
    async ({ params, body, context }, reply) => {
      await addPermissions(context, params.id, body);
      return reply.code(201).send({});
    },
  );

  server.delete(
    '/roles/:id/permissions',
    {
      config: { scopes: ['update:roles'] },
      schema: { summary: 'Take permissions from a role', params: idParams, body: permissionsBody },
    },
    ({ params, body, context }, reply) =>
      deleteIdempotently(reply, removePermissions(context, params.id, permissionNames(body))),
  );
};

/** The scopes are looked up in the transaction that adds them. */
const addPermissions = (ctx: Context, roleId: string, body: PermissionsBody) =>
  inOneTransaction(ctx, async (joined) => {
    const { id } = await tenantRole(joined, roleId);
    const scopeIds = await scopeIdsOf(joined, joined.db.read, permissionNames(body), (index) => ({
      audience: `permissions.${index}.resource_server_identifier`,
      scope: `permissions.${index}.permission_name`,
    }));
    await addScopesToRole(joined, { id, level: 'tenant' }, 'api', scopeIds, { path: 'permissions' });
  });

const removePermissions = (ctx: Context, roleId: string, names: ReturnType<typeof permissionNames>) =>
  inOneTransaction(ctx, async (joined) => {
    const { id } = await tenantRole(joined, roleId);
    const scopeIds = await knownScopeIdsOf(joined, joined.db.read, names);
    await removeScopesFromRole(joined, { id, level: 'tenant' }, 'api', scopeIds);
  });
