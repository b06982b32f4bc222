/** Who a user is at the upstreams of auth policies: read, said by an administrator, ended. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { AuthIdentity, AuthIdentityKey, LinkAuthIdentity, Problem } from '@sekisho/contract';
import { Type } from 'typebox';
import type { Identity, IdentityKey } from '../../../domain/auth-policies/identities.ts';
import {
  linkUser,
  readIdentities,
  unlinkUser,
  type WhoUpstream,
} from '../../../domain/auth-policies/user-identities.ts';
import { failuresOfOne } from '../failures.ts';

const params = Type.Object({ userId: Type.String({ description: 'Of a user.' }) });

const identityBody = ({ policyId, userId: _, ...identity }: Identity): AuthIdentity => ({
  authPolicyId: policyId,
  ...identity,
});

const keyOf = ({ authPolicyId, issuer, subject }: AuthIdentityKey): IdentityKey => ({
  policyId: authPolicyId,
  issuer,
  subject,
});

const whoIn = ({ authPolicyId, ...rest }: LinkAuthIdentity): WhoUpstream => ({ policyId: authPolicyId, ...rest });

export const userIdentityRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/users/:userId/auth-identities',
    {
      config: { scopes: ['read:users'], delegated: true },
      schema: {
        summary: 'List who a user is upstream',
        description:
          'At the upstreams of auth policies. A token for an organization: of users that its subtree owns. (Not in Logto.)',
        params,
        response: { 200: Type.Array(AuthIdentity), ...failuresOfOne },
      },
    },
    async ({ context, params }) => (await readIdentities(context, params.userId)).map(identityBody),
  );

  server.post(
    '/users/:userId/auth-identities',
    {
      config: { scopes: ['update:users'], delegated: true },
      schema: {
        summary: 'Say who a user is upstream',
        description:
          'Whoever is that there can act as the user; so what the user may do at a management API the caller must ' +
          'hold. Not with a token for an organization. (Not in Logto.)',
        params,
        body: LinkAuthIdentity,
        response: { 201: AuthIdentity, ...failuresOfOne, 409: Problem },
      },
    },
    async ({ context, params, body }, reply) => {
      const identity = await linkUser(context, params.userId, whoIn(body));
      reply.code(201);
      return identityBody(identity);
    },
  );

  server.delete(
    '/users/:userId/auth-identities',
    {
      config: { scopes: ['update:users'], delegated: true },
      schema: {
        summary: 'End who a user is upstream',
        description: 'Ends what the user began by the auth policy. (Not in Logto.)',
        params,
        querystring: AuthIdentityKey,
        response: { 204: Type.Null(), ...failuresOfOne },
      },
    },
    async ({ context, params, query }, reply) => {
      await unlinkUser(context, params.userId, keyOf(query));
      reply.code(204);
      return null;
    },
  );
};
