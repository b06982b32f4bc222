/** `/api/applications`: made, read, changed, deleted. Secrets are `secret-routes.ts`, roles `role-routes.ts`. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  Application,
  ApplicationCustomData,
  ApplicationsQuery,
  CreateApplication,
  CreatedApplication,
  OrganizationOfSubject,
  PagingQuery,
  Problem,
  ReadApplication,
  UpdateApplication,
} from '@sekisho/contract';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { managementScopesOf } from '../../../domain/access/management-scopes.ts';
import { createClient, deleteClient, updateClient } from '../../../domain/clients/clients.ts';
import { type ClientFilter, getClient, listClients, listClientsByKey } from '../../../domain/clients/read-clients.ts';
import type { Context } from '../../../domain/context.ts';
import type { KeysetRange, OffsetRange } from '../../../domain/paging.ts';
import { invalid } from '../../../kernel/errors.ts';
import { failures, failuresOfOne } from '../failures.ts';
import { sendOrganizationsOf } from '../organizations-of.ts';
import { sendOptionalPage } from '../paging.ts';
import { searchOf } from '../search/search.ts';
import { nativeManagementApi } from '../system-api.ts';
import { applicationCertificateRoutes } from './certificate-routes.ts';
import {
  applicationBody,
  changeOf,
  clientTypesOf,
  createInputOf,
  customDataChange,
  inLogtosWords,
  keptOf,
} from './mapping.ts';
import { applicationRoleRoutes } from './role-routes.ts';
import { applicationSecretRoutes } from './secret-routes.ts';

const params = Type.Object({ id: Type.String({ description: 'Of an application.' }) });

/** What a search looks into. */
const searched = { id: 'id', name: 'name', description: 'description' } as const;

export const applicationRoutes: FastifyPluginAsyncTypebox = async (server) => {
  await server.register(applicationSecretRoutes);
  await server.register(applicationRoleRoutes);
  await server.register(applicationCertificateRoutes);

  server.get(
    '/applications',
    {
      config: { scopes: ['read:applications'], delegated: true },
      schema: {
        summary: 'List or search applications',
        description:
          'All of them, unless a page is asked for. Fields of a search: id, name, description. A token for an ' +
          'organization lists those that its subtree owns.',
        querystring: ApplicationsQuery,
        response: { 200: Type.Array(Application), ...failures },
      },
    },
    (request, reply) => {
      const ctx = request.context;
      const filter = filterOf(request.query);
      const list = {
        byKey: (range: KeysetRange) => listClientsByKey(ctx, filter, range),
        byOffset: (range: OffsetRange) => listClients(ctx, filter, range),
      };
      return sendOptionalPage(request, reply, list, (client) => applicationBody(ctx, client));
    },
  );

  server.post(
    '/applications',
    {
      config: { scopes: ['create:applications'], delegated: true },
      schema: {
        summary: 'Create an application',
        description:
          'The answer shows the secret, once. A token for an organization makes machine-to-machine applications, which ' +
          'its organization owns, or one below it.',
        body: CreateApplication,
        response: { 200: CreatedApplication, ...failuresOfOne, 422: Problem },
      },
    },
    async ({ context, body }) => {
      const client = await inLogtosWords(createClient(context, createInputOf(body)));
      const { secret } = client;
      return { ...applicationBody(context, client), ...(secret === undefined ? {} : { secret }) };
    },
  );

  const readOne = async ({ context, params }: FastifyRequest): Promise<ReadApplication> => {
    const client = await getClient(context, (params as { id: string }).id);
    return { ...applicationBody(context, client), isAdmin: await isAdmin(context, client.id) };
  };

  server.get(
    '/applications/:id',
    {
      config: { scopes: ['read:applications'], delegated: true },
      schema: { summary: 'Read an application', params, response: { 200: ReadApplication, ...failuresOfOne } },
    },
    readOne,
  );

  server.patch(
    '/applications/:id',
    {
      config: { scopes: ['update:applications'], delegated: true, current: readOne },
      schema: {
        summary: 'Change, disable or enable an application',
        description: 'Its type never changes.',
        params,
        body: UpdateApplication,
        response: { 200: Application, ...failuresOfOne, 409: Problem },
      },
    },
    async ({ context, params, body }) =>
      applicationBody(
        context,
        await inLogtosWords(updateClient(context, params.id, (client) => changeOf(body, client))),
      ),
  );

  server.patch(
    '/applications/:id/custom-data',
    {
      config: { scopes: ['update:applications'], delegated: true },
      schema: {
        summary: 'Change custom data',
        description: 'Key by key; null removes one.',
        params,
        body: ApplicationCustomData,
        response: { 200: ApplicationCustomData, ...failuresOfOne },
      },
    },
    async ({ context, params, body }) =>
      keptOf(await updateClient(context, params.id, (client) => customDataChange(body, client))).customData ?? {},
  );

  server.delete(
    '/applications/:id',
    {
      config: { scopes: ['delete:applications'], delegated: true },
      schema: {
        summary: 'Delete an application',
        description: 'With its secrets, grants, roles and memberships; its users go on.',
        params,
        response: { 204: Type.Null(), ...failuresOfOne, 409: Problem },
      },
    },
    async ({ context, params }, reply) => {
      await deleteClient(context, params.id);
      reply.code(204);
      return null;
    },
  );

  server.get(
    '/applications/:id/organizations',
    {
      config: { scopes: ['read:organization_members'], delegated: true },
      schema: {
        summary: 'List the organizations of an application',
        description: 'Direct memberships, all of them unless a page is asked for.',
        params,
        querystring: PagingQuery,
        response: { 200: Type.Array(OrganizationOfSubject), ...failuresOfOne },
      },
    },
    async (request, reply) => {
      await getClient(request.context, request.params.id);
      return sendOrganizationsOf(request, reply, request.params.id);
    },
  );
};

const isAdmin = async (ctx: Context, clientId: string): Promise<boolean> =>
  (await managementScopesOf(ctx, ctx.db.read, nativeManagementApi, clientId)).has('all');

function filterOf(query: ApplicationsQuery): ClientFilter {
  const { types, isThirdParty, excludeRoleId, excludeOrganizationId } = query;
  if (excludeRoleId !== undefined && excludeOrganizationId !== undefined) {
    throw invalid('excludeRoleId', 'excludeRoleId and excludeOrganizationId exclude each other.');
  }
  return {
    types: types === undefined ? undefined : clientTypesOf(types),
    ...(isThirdParty === undefined ? {} : { firstParty: !isThirdParty }),
    search: searchOf(query, searched),
    withoutRoleId: excludeRoleId,
    withoutOrganizationId: excludeOrganizationId,
  };
}
