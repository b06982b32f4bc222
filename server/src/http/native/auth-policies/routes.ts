/** `/api/auth-policies`: how people prove who they are. For callers of the whole tenant. (Not in Logto.) */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  AuthPolicy,
  AuthPolicyPreset,
  AuthPolicyTest,
  CreateAuthPolicy,
  PagingQuery,
  Problem,
  UpdateAuthPolicy,
} from '@sekisho/contract';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { createPolicy, deletePolicy, updatePolicy } from '../../../domain/auth-policies/policies.ts';
import {
  emailDomainsOf,
  getPolicy,
  listPolicies,
  listPoliciesByKey,
} from '../../../domain/auth-policies/read-policies.ts';
import { testPolicy } from '../../../domain/auth-policies/test-policy.ts';
import type { KeysetRange, OffsetRange } from '../../../domain/paging.ts';
import { presets } from '../../../upstream/presets.ts';
import { failures, failuresOfOne } from '../failures.ts';
import { sendPage } from '../paging.ts';
import { newPolicyOf, policyBodies, policyBody, presetBody } from './mapping.ts';
import { authPolicyUserRoutes } from './user-routes.ts';

const params = Type.Object({ id: Type.String({ description: 'Of an auth policy.' }) });

const read = async ({ context, params }: FastifyRequest): Promise<AuthPolicy> => {
  const { id } = params as { id: string };
  return policyBody(context, await getPolicy(context, id), await emailDomainsOf(context, context.db.read, id));
};

export const authPolicyRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/auth-policies',
    {
      config: { scopes: ['read:auth_policies'] },
      schema: {
        summary: 'List the auth policies',
        description: 'In order of their names. (Not in Logto.)',
        querystring: PagingQuery,
        response: { 200: Type.Array(AuthPolicy), ...failures },
      },
    },
    (request, reply) => {
      const ctx = request.context;
      const list = {
        byKey: async (range: KeysetRange) => policyBodies(ctx, await listPoliciesByKey(ctx, range)),
        byOffset: async (range: OffsetRange) => policyBodies(ctx, await listPolicies(ctx, range)),
      };
      return sendPage(request, reply, list, (body) => body);
    },
  );

  server.post(
    '/auth-policies',
    {
      config: { scopes: ['create:auth_policies'] },
      schema: {
        summary: 'Make an auth policy',
        description:
          'The roles that it maps groups to, and those that new users get by their e-mail address, the caller must be ' +
          'allowed to give. (Not in Logto.)',
        body: CreateAuthPolicy,
        response: { 201: AuthPolicy, ...failures, 409: Problem, 422: Problem },
      },
    },
    async ({ context, body }, reply) => {
      const policy = await createPolicy(context, newPolicyOf(body));
      reply.code(201);
      return policyBody(context, policy, await emailDomainsOf(context, context.db.read, policy.id));
    },
  );

  server.get(
    '/auth-policies/:id',
    {
      config: { scopes: ['read:auth_policies'] },
      schema: {
        summary: 'Read an auth policy',
        description: 'Its secrets are never shown. (Not in Logto.)',
        params,
        response: { 200: AuthPolicy, ...failuresOfOne },
      },
    },
    read,
  );

  server.patch(
    '/auth-policies/:id',
    {
      config: { scopes: ['update:auth_policies'], current: read },
      schema: {
        summary: 'Change an auth policy',
        description:
          'Who changes how linked people are recognised, or where they prove themselves, must hold what they hold. ' +
          'Switched off, or of another type, it ends what was begun by it. (Not in Logto.)',
        params,
        body: UpdateAuthPolicy,
        response: { 200: AuthPolicy, ...failuresOfOne, 409: Problem, 422: Problem },
      },
    },
    async (request) => {
      await updatePolicy(request.context, request.params.id, request.body);
      return read(request);
    },
  );

  server.delete(
    '/auth-policies/:id',
    {
      config: { scopes: ['delete:auth_policies'] },
      schema: {
        summary: 'Delete an auth policy',
        description:
          'What was begun by it ends. One that an application, an organization or the sign-in experience lists stays: ' +
          'without it they would let in others. (Not in Logto.)',
        params,
        response: { 204: Type.Null(), ...failuresOfOne, 409: Problem },
      },
    },
    async ({ context, params }, reply) => {
      await deletePolicy(context, params.id);
      reply.code(204);
      return null;
    },
  );

  server.post(
    '/auth-policies/:id/test',
    {
      config: { scopes: ['update:auth_policies'], asksOthers: true },
      schema: {
        summary: 'Test the connection of an auth policy',
        description:
          'Whether it can be reached and answers as it should, as far as that shows without a person. (Not in Logto.)',
        params,
        response: { 200: AuthPolicyTest, ...failuresOfOne },
      },
    },
    ({ context, params }) => testPolicy(context, params.id),
  );

  server.get(
    '/auth-policy-presets',
    {
      config: { scopes: ['read:auth_policies'] },
      schema: {
        summary: 'List how well-known providers are set up',
        description: 'Configurations to begin with: put your own values in, and make a policy. (Not in Logto.)',
        response: { 200: Type.Array(AuthPolicyPreset), ...failures },
      },
    },
    async () => presets.map(presetBody),
  );

  await server.register(authPolicyUserRoutes);
};
