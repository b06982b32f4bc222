/** The tenant-wide roles of an application. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { AddedRoles, AllRoleIds, Problem, Role, RoleIds, RolesOfSubjectQuery } from '@sekisho/contract';
import { Type } from 'typebox';
import { assertClient } from '../../../domain/clients/read-clients.ts';
import type { KeysetRange, OffsetRange } from '../../../domain/paging.ts';
import { assignRoles, replaceRolesOf, unassignRole } from '../../../domain/roles/assignments.ts';
import { listRolesOfSubject, listRolesOfSubjectByKey } from '../../../domain/roles/read-assignments.ts';
import type { Subject } from '../../../domain/roles/subjects.ts';
import { failuresOfOne } from '../failures.ts';
import { sendPage } from '../paging.ts';
import { roleBody } from '../roles/mapping.ts';

const params = Type.Object({ applicationId: Type.String({ description: 'Of an application.' }) });
const config = { scopes: ['assign:roles'] };
const application = (id: string): Subject => ({ kind: 'client', id });

export const applicationRoleRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/applications/:applicationId/roles',
    {
      config: { scopes: ['read:applications'], delegated: true },
      schema: {
        summary: 'List the roles of an application',
        description: 'Of an application that the subtree owns, where the token speaks for an organization.',
        params,
        querystring: RolesOfSubjectQuery,
        response: { 200: Type.Array(Role), ...failuresOfOne },
      },
    },
    async (request, reply) => {
      const ctx = request.context;
      const { applicationId } = request.params;
      await assertClient(ctx, ctx.db.read, applicationId);
      const filter = { contains: request.query.q };
      const list = {
        byKey: (range: KeysetRange) => listRolesOfSubjectByKey(ctx, application(applicationId), range, filter),
        byOffset: (range: OffsetRange) => listRolesOfSubject(ctx, application(applicationId), range, filter),
      };
      return sendPage(request, reply, list, (role) => roleBody(ctx, role));
    },
  );

  server.post(
    '/applications/:applicationId/roles',
    {
      config,
      schema: {
        summary: 'Give roles to an application',
        params,
        body: RoleIds,
        response: { 201: AddedRoles, ...failuresOfOne, 422: Problem },
      },
    },
    async ({ context, params, body }, reply) => {
      const added = await assignRoles(context, application(params.applicationId), body.roleIds);
      reply.code(201);
      return added;
    },
  );

  server.put(
    '/applications/:applicationId/roles',
    {
      config,
      schema: {
        summary: 'Replace the roles of an application',
        params,
        body: AllRoleIds,
        response: { 200: AllRoleIds, ...failuresOfOne, 422: Problem },
      },
    },
    async ({ context, params, body }) => ({
      roleIds: await replaceRolesOf(context, application(params.applicationId), body.roleIds),
    }),
  );

  server.delete(
    '/applications/:applicationId/roles/:roleId',
    {
      config,
      schema: {
        summary: 'Take a role from an application',
        params: Type.Object({ ...params.properties, roleId: Type.String({ description: 'Of a role.' }) }),
        response: { 204: Type.Null(), ...failuresOfOne },
      },
    },
    async ({ context, params }, reply) => {
      await unassignRole(context, application(params.applicationId), params.roleId);
      reply.code(204);
      return null;
    },
  );
};
