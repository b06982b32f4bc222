import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Account, AccountFilter, AccountPage, CreateAccount, UpdateAccount } from '@sekisho/contract';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import {
  createOrganization,
  deleteOrganization,
  updateOrganization,
} from '../../domain/organizations/organizations.ts';
import { getOrganization, listOrganizationsByKey } from '../../domain/organizations/read-organizations.ts';
import { pageBody, rangeOf } from './envelope.ts';
import { accountBody } from './mapping.ts';
import { failures, failuresOfChange, failuresOfOne, accountParams as params } from './schema.ts';

const delegated = true;

/** `/api/accounts`, `/api/accounts/:account_id`. */
export const accountRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '',
    {
      config: { scopes: ['read:organizations'], delegated },
      schema: {
        summary: 'List root accounts, or the children of one',
        querystring: AccountFilter,
        response: { 200: AccountPage, ...failuresOfOne },
      },
    },
    async ({ context, query }) => {
      const { parent_id: parentId = null } = query;
      return pageBody(await listOrganizationsByKey(context, { parentId }, rangeOf(query)), accountBody);
    },
  );

  server.post(
    '',
    {
      config: { scopes: ['create:organizations'], delegated },
      schema: {
        summary: 'Create a root account',
        description: 'With a token for one account: a child of that account.',
        body: CreateAccount,
        response: { 201: Account, ...failures },
      },
    },
    async ({ context, body }, reply) => {
      const account = await createOrganization(context, body);
      reply.code(201);
      return accountBody(account);
    },
  );

  server.get(
    '/:account_id',
    {
      config: { scopes: ['read:organizations'], delegated },
      schema: { summary: 'Read an account', params, response: { 200: Account, ...failuresOfOne } },
    },
    ({ context, params }) => readAccount(context, params.account_id),
  );

  server.patch(
    '/:account_id',
    {
      config: { scopes: ['update:organizations'], delegated, current },
      schema: {
        summary: 'Rename, suspend or resume an account, replace its metadata',
        params,
        body: UpdateAccount,
        response: { 200: Account, ...failuresOfChange },
      },
    },
    async ({ context, params, body }) => accountBody(await updateOrganization(context, params.account_id, () => body)),
  );

  server.delete(
    '/:account_id',
    {
      config: { scopes: ['delete:organizations'], delegated },
      schema: {
        summary: 'Delete an account with its memberships',
        params,
        querystring: Type.Object({
          cascade: Type.Optional(Type.Boolean({ description: 'With all accounts below it.' })),
        }),
        response: { 204: Type.Null(), ...failuresOfChange },
      },
    },
    async ({ context, params, query }, reply) => {
      await deleteOrganization(context, params.account_id, { cascade: query.cascade === true });
      reply.code(204);
      return null;
    },
  );
};

const readAccount = async (context: FastifyRequest['context'], id: string): Promise<Account> =>
  accountBody(await getOrganization(context, id));

/** What a PATCH with `If-Match` is compared with. */
function current(request: FastifyRequest): Promise<Account> {
  return readAccount(request.context, (request.params as { account_id: string }).account_id);
}
