import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Account, AccountPage, AccountsPaging, CreateAccount, MoveAccount, SearchAccounts } from '@sekisho/contract';
import { moveOrganization } from '../../domain/organizations/move.ts';
import { createOrganization } from '../../domain/organizations/organizations.ts';
import { getOrganization, listOrganizationsByKey } from '../../domain/organizations/read-organizations.ts';
import { pageBody, rangeOf } from './envelope.ts';
import { accountBody } from './mapping.ts';
import { failuresOfChange, failuresOfOne, accountParams as params } from './schema.ts';

const reads = { scopes: ['read:organizations'], delegated: true };

/** What is below an account: `/api/accounts/:account_id/accounts`, `…/tree`, `…/accounts/search`; and `…/move`. */
export const treeRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/:account_id/accounts',
    {
      config: reads,
      schema: {
        summary: 'List the children of an account',
        params,
        querystring: AccountsPaging,
        response: { 200: AccountPage, ...failuresOfOne },
      },
    },
    async ({ context, params, query }) =>
      pageBody(await listOrganizationsByKey(context, { parentId: params.account_id }, rangeOf(query)), accountBody),
  );

  server.post(
    '/:account_id/accounts',
    {
      config: { scopes: ['create:organizations'], delegated: true },
      schema: {
        summary: 'Create a child account',
        params,
        body: CreateAccount,
        response: { 201: Account, ...failuresOfOne },
      },
    },
    async ({ context, params, body }, reply) => {
      // Named by the path: not there, it is no field of the body that is at fault.
      const { id: parentId } = await getOrganization(context, params.account_id);
      const account = await createOrganization(context, { ...body, parentId });
      reply.code(201);
      return accountBody(account);
    },
  );

  server.get(
    '/:account_id/tree',
    {
      config: reads,
      schema: {
        summary: 'List an account with all that is below it',
        description: 'Each account comes after its parent and before its next sibling.',
        params,
        querystring: AccountsPaging,
        response: { 200: AccountPage, ...failuresOfOne },
      },
    },
    async ({ context, params, query }) =>
      pageBody(await listOrganizationsByKey(context, { subtreeOf: params.account_id }, rangeOf(query)), accountBody),
  );

  server.post(
    '/:account_id/move',
    {
      config: { scopes: ['update:organizations'], delegated: true },
      schema: {
        summary: 'Move an account, with all that is below it',
        params,
        body: MoveAccount,
        response: { 200: Account, ...failuresOfChange },
      },
    },
    async ({ context, params, body }) =>
      accountBody(await moveOrganization(context, params.account_id, body.parent_id)),
  );

  server.post(
    '/:account_id/accounts/search',
    {
      config: reads,
      schema: {
        summary: 'Find accounts by the beginning of their name',
        description: 'In the account and all that is below it, in order of the names.',
        params,
        body: SearchAccounts,
        response: { 200: AccountPage, ...failuresOfOne },
      },
    },
    async ({ context, params, body }) => {
      const filter = { subtreeOf: params.account_id, namePrefix: body.query };
      return pageBody(await listOrganizationsByKey(context, filter, rangeOf(body)), accountBody);
    },
  );
};
