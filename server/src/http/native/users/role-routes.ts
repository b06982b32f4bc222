/** The tenant-wide roles of a user. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { AddedRoles, AllRoleIds, Problem, Role, RoleIds, RolesOfSubjectQuery } from '@sekisho/contract';
import { Type } from 'typebox';
import type { KeysetRange, OffsetRange } from '../../../domain/paging.ts';
import { assignRoles, replaceRolesOf, unassignRole } from '../../../domain/roles/assignments.ts';
import { listRolesOfSubject, listRolesOfSubjectByKey } from '../../../domain/roles/read-assignments.ts';
import type { Subject } from '../../../domain/roles/subjects.ts';
import { loadOwnUser } from '../../../domain/users/read-users.ts';
import { failuresOfOne } from '../failures.ts';
import { sendPage } from '../paging.ts';
import { roleBody } from '../roles/mapping.ts';

const params = Type.Object({ userId: Type.String({ description: 'Of a user.' }) });
const config = { scopes: ['assign:roles'] };
const user = (id: string): Subject => ({ kind: 'user', id });

export const userRoleRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/users/:userId/roles',
    {
      config: { scopes: ['read:users'], delegated: true },
      schema: {
        summary: 'List the roles of a user',
        description: 'Of a user that the subtree owns, where the token speaks for an organization.',
        params,
        querystring: RolesOfSubjectQuery,
        response: { 200: Type.Array(Role), ...failuresOfOne },
      },
    },
    async (request, reply) => {
      const ctx = request.context;
      const { userId } = request.params;
      await loadOwnUser(ctx, ctx.db.read, userId);
      const filter = { contains: request.query.q };
      const list = {
        byKey: (range: KeysetRange) => listRolesOfSubjectByKey(ctx, user(userId), range, filter),
        byOffset: (range: OffsetRange) => listRolesOfSubject(ctx, user(userId), range, filter),
      };
      return sendPage(request, reply, list, (role) => roleBody(ctx, role));
    },
  );

  server.post(
    '/users/:userId/roles',
    {
      config,
      schema: {
        summary: 'Give roles to a user',
        params,
        body: RoleIds,
        response: { 201: AddedRoles, ...failuresOfOne, 422: Problem },
      },
    },
    async ({ context, params, body }, reply) => {
      const added = await assignRoles(context, user(params.userId), body.roleIds);
      reply.code(201);
      return added;
    },
  );

  server.put(
    '/users/:userId/roles',
    {
      config,
      schema: {
        summary: 'Replace the roles of a user',
        params,
        body: AllRoleIds,
        response: { 200: AllRoleIds, ...failuresOfOne, 422: Problem },
      },
    },
    async ({ context, params, body }) => ({
      roleIds: await replaceRolesOf(context, user(params.userId), body.roleIds),
    }),
  );

  server.delete(
    '/users/:userId/roles/:roleId',
    {
      config,
      schema: {
        summary: 'Take a role from a user',
        params: Type.Object({ ...params.properties, roleId: Type.String({ description: 'Of a role.' }) }),
        response: { 204: Type.Null(), ...failuresOfOne },
      },
    },
    async ({ context, params }, reply) => {
      await unassignRole(context, user(params.userId), params.roleId);
      reply.code(204);
      return null;
    },
  );
};
