/** `/api/users`: made, read, changed, deleted. Passwords, custom data and profile are `part-routes.ts`. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { CreateUser, Problem, UpdateUser, User as UserBody, UsersQuery } from '@sekisho/contract';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { KeysetRange, OffsetRange } from '../../../domain/paging.ts';
import { getUser, listUsers, listUsersByKey, type UserFilter } from '../../../domain/users/read-users.ts';
import { createUser, deleteUser, updateUser } from '../../../domain/users/users.ts';
import { invalid } from '../../../kernel/errors.ts';
import { failures, failuresOfOne } from '../failures.ts';
import { sendPage } from '../paging.ts';
import { searchOf } from '../search/search.ts';
import { userIdentityRoutes } from './identity-routes.ts';
import { digestOf, inLogtosWords, settingsOf, userBody } from './mapping.ts';
import { userOrganizationRoutes } from './organization-routes.ts';
import { userPartRoutes } from './part-routes.ts';
import { hashBodyPassword, hashedPassword } from './password.ts';
import { userRoleRoutes } from './role-routes.ts';
import { userSessionRoutes } from './session-routes.ts';

const params = Type.Object({ userId: Type.String({ description: 'Of a user.' }) });

/** What a search looks into, by Logto's name. */
const searched = {
  id: 'id',
  primaryEmail: 'email',
  primaryPhone: 'phone',
  username: 'username',
  name: 'name',
} as const;

export const userRoutes: FastifyPluginAsyncTypebox = async (server) => {
  await server.register(userPartRoutes);
  await server.register(userRoleRoutes);
  await server.register(userOrganizationRoutes);
  await server.register(userSessionRoutes);
  await server.register(userIdentityRoutes);

  server.get(
    '/users',
    {
      config: { scopes: ['read:users'], delegated: true },
      schema: {
        summary: 'List or search users',
        description:
          'In order of creation. Fields of a search: id, primaryEmail, primaryPhone, username, name. A token for an ' +
          'organization lists the users that its subtree owns, and its members.',
        querystring: UsersQuery,
        response: { 200: Type.Array(UserBody), ...failures },
      },
    },
    (request, reply) => {
      const ctx = request.context;
      const filter = filterOf(request.query);
      const list = {
        byKey: (range: KeysetRange) => listUsersByKey(ctx, filter, range),
        byOffset: (range: OffsetRange) => listUsers(ctx, filter, range),
      };
      return sendPage(request, reply, list, userBody);
    },
  );

  server.post(
    '/users',
    {
      config: { scopes: ['create:users'], delegated: true },
      preHandler: hashBodyPassword,
      schema: {
        summary: 'Create a user',
        description: 'A token for an organization can not: it invites.',
        body: CreateUser,
        response: { 200: UserBody, ...failuresOfOne, 422: Problem },
      },
    },
    async (request) => {
      const digest = digestOf(request.body);
      const settings = { ...settingsOf(request.body), ...hashedPassword(request) };
      if (digest !== undefined) settings.passwordHash = digest;
      return userBody(await inLogtosWords(createUser(request.context, settings)));
    },
  );

  const readOne = async (request: FastifyRequest): Promise<UserBody> =>
    userBody(await getUser(request.context, (request.params as { userId: string }).userId));

  server.get(
    '/users/:userId',
    {
      config: { scopes: ['read:users'], delegated: true },
      schema: { summary: 'Read a user', params, response: { 200: UserBody, ...failuresOfOne } },
    },
    readOne,
  );

  server.patch(
    '/users/:userId',
    {
      config: { scopes: ['update:users'], delegated: true, current: readOne },
      schema: {
        summary: 'Change a user',
        description: 'A token for an organization changes users that its subtree owns, and not what they sign in with.',
        params,
        body: UpdateUser,
        response: { 200: UserBody, ...failuresOfOne, 409: Problem, 422: Problem },
      },
    },
    async ({ context, params, body }) =>
      userBody(await inLogtosWords(updateUser(context, params.userId, settingsOf(body)))),
  );

  server.delete(
    '/users/:userId',
    {
      config: { scopes: ['delete:users'], delegated: true },
      schema: {
        summary: 'Delete a user',
        description: 'With its memberships and roles.',
        params,
        response: { 204: Type.Null(), ...failuresOfOne, 409: Problem },
      },
    },
    async ({ context, params }, reply) => {
      await deleteUser(context, params.userId);
      reply.code(204);
      return null;
    },
  );
};

function filterOf(query: UsersQuery): UserFilter {
  const { excludeRoleId, excludeOrganizationId } = query;
  if (excludeRoleId !== undefined && excludeOrganizationId !== undefined) {
    throw invalid('excludeRoleId', 'excludeRoleId and excludeOrganizationId exclude each other.');
  }
  return {
    search: searchOf(query, searched),
    withoutRoleId: excludeRoleId,
    withoutOrganizationId: excludeOrganizationId,
  };
}
