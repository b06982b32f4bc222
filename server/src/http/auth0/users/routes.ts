import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { searchLogEvents } from '../../../domain/logs/read.ts';
import { findUserByEmail, getUser, listUsers } from '../../../domain/users/read-users.ts';
import { createUser, deleteUser, updateUser } from '../../../domain/users/users.ts';
import { DomainError } from '../../../kernel/errors.ts';
import { deleteIdempotently } from '../delete.ts';
import { offsetBody, offsetRange, selectFields } from '../envelope.ts';
import { invalidQuery } from '../errors.ts';
import { assertScope } from '../held-scopes.ts';
import { bodyOf as logBodyOf } from '../logs/mapping.ts';
import { userLogsQuery } from '../logs/schema.ts';
import { oldestFirst } from '../logs/search.ts';
import { assertReachable } from '../query/first-results.ts';
import { idParams } from '../schema.ts';
import { connection, storedUserId } from './ids.ts';
import { bodyOf, createInputOf, settingsOf } from './mapping.ts';
import { byEmailQuery, createBody, listQuery, readQuery, updateBody } from './schema.ts';
import { orderOf, searchOf } from './search.ts';

/** `/users`, `/users-by-email`: the people of the tenant, by `auth0|<id>` or bare id. */
export const userRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/users',
    { config: { scopes: ['read:users'] }, schema: { summary: 'List or search users', querystring: listQuery } },
    async ({ query, context }) => {
      const filter = {
        ...(query.q === undefined || query.q.trim() === '' ? {} : { search: searchOf(query.q) }),
        ...(query.sort === undefined ? {} : { order: orderOf(query.sort) }),
      };
      const range = offsetRange(query);
      const page =
        query.connection === undefined || query.connection === connection
          ? await listUsers(context, filter, range)
          : { items: [], total: 0, ...range };
      assertReachable(page);
      const items = page.items.map((user) => selectFields(query, bodyOf(user)));
      return offsetBody('users', query, page, items, true);
    },
  );

  server.post(
    '/users',
    { config: { scopes: ['create:users'] }, schema: { summary: 'Create a user', body: createBody } },
    async ({ body, context }, reply) => reply.code(201).send(bodyOf(await createUser(context, createInputOf(body)))),
  );

  server.get(
    '/users-by-email',
    { config: { scopes: ['read:users'] }, schema: { summary: 'Find users by e-mail', querystring: byEmailQuery } },
    async ({ query, context }) => {
      try {
        const user = await findUserByEmail(context, query.email);
        return user === undefined ? [] : [selectFields(query, bodyOf(user))];
      } catch (error) {
        if (!(error instanceof DomainError && error.code === 'input.invalid')) throw error;
        throw invalidQuery('email', error.message);
      }
    },
  );

  server.get(
    '/users/:id',
    {
      config: { scopes: ['read:users'] },
      schema: { summary: 'Read a user', params: idParams, querystring: readQuery },
    },
    async ({ params, query, context }) => selectFields(query, bodyOf(await getUser(context, storedUserId(params.id)))),
  );

  server.patch(
    '/users/:id',
    {
      config: { scopes: ['update:users', 'update:users_app_metadata'] },
      schema: { summary: 'Change a user', params: idParams, body: updateBody },
    },
    async ({ params, body, context }) => {
      const onlyAppMetadata = Object.keys(body).every((field) => field === 'app_metadata');
      if (!onlyAppMetadata) assertScope(context, 'update:users');
      return bodyOf(await updateUser(context, storedUserId(params.id), settingsOf(body)));
    },
  );

  server.delete(
    '/users/:id',
    { config: { scopes: ['delete:users'] }, schema: { summary: 'Delete a user', params: idParams } },
    ({ params, context }, reply) => deleteIdempotently(reply, deleteUser(context, storedUserId(params.id))),
  );

  server.get(
    '/users/:id/logs',
    {
      config: { scopes: ['read:logs', 'read:logs_users'] },
      schema: { summary: 'List the log events of a user', params: idParams, querystring: userLogsQuery },
    },
    async ({ params, query, context }) => {
      const search = { term: { field: 'userId' as const, value: storedUserId(params.id) } };
      const filter = { search, oldestFirst: oldestFirst(query.sort) };
      const page = await searchLogEvents(context, filter, offsetRange(query));
      assertReachable(page);
      return offsetBody(
        'logs',
        query,
        page,
        page.items.map((event) => logBodyOf(event, context.site.tenantId)),
        true,
      );
    },
  );
};
