/** `/api/auth-policies/:id/users`: whom a policy lets in, and who waits for that. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { ApproveUsers, AuthPolicyUser, AuthPolicyUsersQuery, Problem } from '@sekisho/contract';
import { Type } from 'typebox';
import { addPolicyUsers, removePolicyUsers } from '../../../domain/auth-policies/approved-users.ts';
import { listPolicyUsers, listPolicyUsersByKey } from '../../../domain/auth-policies/read-policy-users.ts';
import type { KeysetRange, OffsetRange } from '../../../domain/paging.ts';
import { notFound } from '../../../kernel/errors.ts';
import { failuresOfOne } from '../failures.ts';
import { assertScope } from '../held-scopes.ts';
import { sendPage } from '../paging.ts';
import { policyUserBody } from './mapping.ts';

const policy = { id: Type.String({ description: 'Of an auth policy.' }) };
const params = Type.Object(policy);

export const authPolicyUserRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/auth-policies/:id/users',
    {
      config: { scopes: ['read:auth_policies'] },
      schema: {
        summary: 'List whom an auth policy lets in, and who waits for that',
        description: 'With `status` the earliest first. Needs read:users as well. (Not in Logto.)',
        params,
        querystring: AuthPolicyUsersQuery,
        response: { 200: Type.Array(AuthPolicyUser), ...failuresOfOne },
      },
    },
    (request, reply) => {
      const { context, params, query } = request;
      assertScope(context, 'read:users');
      const filter = { status: query.status };
      const list = {
        byKey: (range: KeysetRange) => listPolicyUsersByKey(context, params.id, filter, range),
        byOffset: (range: OffsetRange) => listPolicyUsers(context, params.id, filter, range),
      };
      return sendPage(request, reply, list, policyUserBody);
    },
  );

  server.post(
    '/auth-policies/:id/users',
    {
      config: { scopes: ['update:auth_policies'] },
      schema: {
        summary: 'Approve users for an auth policy',
        description: 'All of them or none. Who awaits approval altogether becomes active. (Not in Logto.)',
        params,
        body: ApproveUsers,
        response: { 201: ApproveUsers, ...failuresOfOne, 422: Problem },
      },
    },
    async ({ context, params, body }, reply) => {
      await addPolicyUsers(context, params.id, body.userIds);
      reply.code(201);
      return { userIds: body.userIds };
    },
  );

  server.delete(
    '/auth-policies/:id/users/:userId',
    {
      config: { scopes: ['update:auth_policies'] },
      schema: {
        summary: 'Approve a user no more, or reject the request',
        description: 'Where the policy asks for approval, what the user began by it ends. (Not in Logto.)',
        params: Type.Object({ ...policy, userId: Type.String() }),
        response: { 204: Type.Null(), ...failuresOfOne },
      },
    },
    async ({ context, params }, reply) => {
      const removed = await removePolicyUsers(context, params.id, [params.userId]);
      if (removed.length === 0) throw notFound('user of the auth policy');
      reply.code(204);
      return null;
    },
  );
};
