/** Parts of a user that have an address of their own; of what nobody here has yet, empty lists. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  HasPassword,
  Problem,
  ProfileOfUser,
  User as UserBody,
  UserCustomData,
  UserPassword,
  UserProfile,
  UserSuspension,
} from '@sekisho/contract';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { getUser } from '../../../domain/users/read-users.ts';
import { updateUser } from '../../../domain/users/users.ts';
import { DomainError } from '../../../kernel/errors.ts';
import { failuresOfOne } from '../failures.ts';
import { inLogtosWords, profileBody, profileChange, userBody } from './mapping.ts';
import { compareBodyPassword, hashBodyPassword, hashedPassword } from './password.ts';

const params = Type.Object({ userId: Type.String({ description: 'Of a user.' }) });
const readable = { scopes: ['read:users'], delegated: true };
const changeable = { scopes: ['update:users'], delegated: true };
const CustomData = UserCustomData.properties.customData;

/** Lists that nothing can put anything in yet, as Logto shows them. */
const nothing = Type.Array(Type.Object({}), { maxItems: 0 });
const emptyLists = [
  ['personal-access-tokens', nothing, []],
  ['mfa-verifications', nothing, []],
] as const;

export const userPartRoutes: FastifyPluginAsyncTypebox = async (server) => {
  const load = ({ context, params }: FastifyRequest) => getUser(context, (params as { userId: string }).userId);
  const customData = async (request: FastifyRequest) => (await load(request)).appMetadata ?? {};

  server.get(
    '/users/:userId/custom-data',
    {
      config: readable,
      schema: { summary: 'Read custom data', params, response: { 200: CustomData, ...failuresOfOne } },
    },
    customData,
  );

  server.patch(
    '/users/:userId/custom-data',
    {
      config: { ...changeable, current: customData },
      schema: {
        summary: 'Change custom data',
        description: 'Key by key; null removes one.',
        params,
        body: UserCustomData,
        response: { 200: CustomData, ...failuresOfOne },
      },
    },
    async ({ context, params, body }) => {
      const change = { appMetadata: { merge: body.customData } };
      return (await inLogtosWords(updateUser(context, params.userId, change))).appMetadata ?? {};
    },
  );

  server.patch(
    '/users/:userId/profile',
    {
      config: changeable,
      schema: {
        summary: 'Change a profile',
        description: 'Claim by claim.',
        params,
        body: ProfileOfUser,
        response: { 200: UserProfile, ...failuresOfOne },
      },
    },
    async ({ context, params, body }) => {
      const change = profileChange(body.profile, 'merge');
      return profileBody(await inLogtosWords(updateUser(context, params.userId, change)));
    },
  );

  server.patch(
    '/users/:userId/is-suspended',
    {
      config: changeable,
      schema: {
        summary: 'Suspend or resume a user',
        params,
        body: UserSuspension,
        response: { 200: UserBody, ...failuresOfOne, 409: Problem },
      },
    },
    async ({ context, params, body }) =>
      userBody(await updateUser(context, params.userId, { status: body.isSuspended ? 'blocked' : 'active' })),
  );

  server.get(
    '/users/:userId/has-password',
    {
      config: readable,
      schema: { summary: 'Whether a user has a password', params, response: { 200: HasPassword, ...failuresOfOne } },
    },
    async (request) => ({ hasPassword: (await load(request)).hasPassword }),
  );

  server.patch(
    '/users/:userId/password',
    {
      config: changeable,
      preHandler: hashBodyPassword,
      schema: {
        summary: 'Set a password',
        description: 'What the user may do at a management API the caller must hold: it could act as the user.',
        params,
        body: UserPassword,
        response: { 200: UserBody, ...failuresOfOne },
      },
    },
    async (request) => userBody(await updateUser(request.context, request.params.userId, hashedPassword(request))),
  );

  server.post(
    '/users/:userId/password/verify',
    {
      config: changeable,
      preHandler: compareBodyPassword,
      schema: {
        summary: 'Compare a password',
        params,
        body: UserPassword,
        response: { 204: Type.Null(), ...failuresOfOne, 422: Problem },
      },
    },
    async (request, reply) => {
      if (request.passwordMatches !== true) {
        const data = { rule: 'password_mismatch' };
        throw new DomainError('input.invalid', 'It is not the password of the user.', { path: 'password', data });
      }
      reply.code(204);
      return null;
    },
  );

  for (const [name, list, body] of emptyLists) {
    server.get(
      `/users/:userId/${name}`,
      {
        config: readable,
        schema: {
          summary: `List the ${name.replaceAll('-', ' ')} of a user`,
          description: 'None.',
          params,
          response: { 200: list, ...failuresOfOne },
        },
      },
      async (request) => {
        await load(request);
        return body as never;
      },
    );
  }
};
