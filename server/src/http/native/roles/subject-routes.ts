import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Application, ApplicationIds, Problem, RoleSubjectsQuery, User, UserIds } from '@sekisho/contract';
import { Type } from 'typebox';
import type { Context } from '../../../domain/context.ts';
import type { KeysetRange, OffsetRange } from '../../../domain/paging.ts';
import { assignRoleToMany, unassignRoleOf } from '../../../domain/roles/assignments.ts';
import {
  type HolderFilter,
  listSubjectsOfRole,
  listSubjectsOfRoleByKey,
} from '../../../domain/roles/read-assignments.ts';
import { clientsOfPage, usersOfPage } from '../../../domain/roles/role-subjects.ts';
import { applicationBody } from '../applications/mapping.ts';
import { failuresOfOne } from '../failures.ts';
import { sendPage } from '../paging.ts';
import { searchOf } from '../search/search.ts';
import { userBody } from '../users/mapping.ts';

const params = Type.Object({ id: Type.String() });
const config = { scopes: ['assign:roles'] };
/** What can be searched for, in Logto's words. */
const userFields = {
  id: 'id',
  primaryEmail: 'email',
  primaryPhone: 'phone',
  username: 'username',
  name: 'name',
} as const;
const applicationFields = { id: 'id', name: 'name', description: 'description' } as const;
const description = 'What the role gives at a management API the caller must hold. Answers who got it.';

/** `/api/roles/:id/users` and `…/applications`: who has a tenant-wide role. */
export const roleSubjectRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/roles/:id/users',
    {
      config: { scopes: ['read:users'], delegated: true },
      schema: {
        summary: 'List the users with a role',
        params,
        querystring: RoleSubjectsQuery,
        response: { 200: Type.Array(User), ...failuresOfOne },
      },
    },
    (request, reply) => {
      const ctx = request.context;
      const page = pagesOf(ctx, request.params.id, 'user', {
        contains: request.query.q,
        users: searchOf(request.query, userFields),
      });
      const list = {
        byKey: async (range: KeysetRange) => usersOfPage(ctx, await page.byKey(range)),
        byOffset: async (range: OffsetRange) => usersOfPage(ctx, await page.byOffset(range)),
      };
      return sendPage(request, reply, list, userBody);
    },
  );

  server.post(
    '/roles/:id/users',
    {
      config,
      schema: {
        summary: 'Give a role to users',
        description,
        params,
        body: UserIds,
        response: { 201: UserIds, ...failuresOfOne, 422: Problem },
      },
    },
    async ({ context, params: { id }, body }, reply) => {
      const { addedIds } = await assignRoleToMany(context, id, 'user', body.userIds, { refuseRepeated: true });
      reply.code(201);
      return { userIds: addedIds };
    },
  );

  server.delete(
    '/roles/:id/users/:userId',
    {
      config,
      schema: {
        summary: 'Take a role from a user',
        params: Type.Object({ id: Type.String(), userId: Type.String() }),
        response: { 204: Type.Null(), ...failuresOfOne },
      },
    },
    async ({ context, params: { id, userId } }, reply) => {
      await unassignRoleOf(context, id, { kind: 'user', id: userId });
      reply.code(204);
      return null;
    },
  );

  server.get(
    '/roles/:id/applications',
    {
      config: { scopes: ['read:applications'], delegated: true },
      schema: {
        summary: 'List the applications with a role',
        params,
        querystring: RoleSubjectsQuery,
        response: { 200: Type.Array(Application), ...failuresOfOne },
      },
    },
    (request, reply) => {
      const ctx = request.context;
      const page = pagesOf(ctx, request.params.id, 'client', {
        contains: request.query.q,
        clients: searchOf(request.query, applicationFields),
      });
      const list = {
        byKey: async (range: KeysetRange) => clientsOfPage(ctx, await page.byKey(range)),
        byOffset: async (range: OffsetRange) => clientsOfPage(ctx, await page.byOffset(range)),
      };
      return sendPage(request, reply, list, (client) => applicationBody(ctx, client));
    },
  );

  server.post(
    '/roles/:id/applications',
    {
      config,
      schema: {
        summary: 'Give a role to machine applications',
        description,
        params,
        body: ApplicationIds,
        response: { 201: ApplicationIds, ...failuresOfOne, 422: Problem },
      },
    },
    async ({ context, params: { id }, body }, reply) => {
      const { addedIds } = await assignRoleToMany(context, id, 'client', body.applicationIds, { refuseRepeated: true });
      reply.code(201);
      return { applicationIds: addedIds };
    },
  );

  server.delete(
    '/roles/:id/applications/:applicationId',
    {
      config,
      schema: {
        summary: 'Take a role from an application',
        params: Type.Object({ id: Type.String(), applicationId: Type.String() }),
        response: { 204: Type.Null(), ...failuresOfOne, 409: Problem },
      },
    },
    async ({ context, params: { id, applicationId } }, reply) => {
      await unassignRoleOf(context, id, { kind: 'client', id: applicationId });
      reply.code(204);
      return null;
    },
  );
};

const pagesOf = (ctx: Context, roleId: string, kind: 'user' | 'client', filter: HolderFilter) => ({
  byKey: (range: KeysetRange) => listSubjectsOfRoleByKey(ctx, roleId, kind, filter, range),
  byOffset: (range: OffsetRange) => listSubjectsOfRole(ctx, roleId, kind, filter, range),
});
