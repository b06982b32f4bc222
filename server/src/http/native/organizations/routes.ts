/** `/api/organizations`: made, read, changed, deleted. The tree is `tree-routes.ts`, just-in-time membership `jit/`. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  CreateOrganization,
  ListedOrganization,
  Organization as OrganizationBody,
  OrganizationsQuery,
  Problem,
  UpdateOrganization,
} from '@sekisho/contract';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { featuredUsers } from '../../../domain/organizations/featured-users.ts';
import type { Organization } from '../../../domain/organizations/organization.ts';
import {
  createOrganization,
  deleteOrganization,
  updateOrganization,
} from '../../../domain/organizations/organizations.ts';
import {
  getOrganization,
  listOrganizations,
  listOrganizationsByKey,
  type OrganizationFilter,
} from '../../../domain/organizations/read-organizations.ts';
import type { KeysetRange, OffsetRange } from '../../../domain/paging.ts';
import { failuresOfOne } from '../failures.ts';
import { assertScope } from '../held-scopes.ts';
import { sendPage } from '../paging.ts';
import { organizationJitRoutes } from './jit/routes.ts';
import { featuredBody, inLogtosWords, organizationBody, settingsOf } from './mapping.ts';
import { organizationTreeRoutes } from './tree-routes.ts';

const params = Type.Object({ id: Type.String({ description: 'Of an organization.' }) });

export const organizationRoutes: FastifyPluginAsyncTypebox = async (server) => {
  await server.register(organizationTreeRoutes);
  await server.register(organizationJitRoutes);

  server.get(
    '/organizations',
    {
      config: { scopes: ['read:organizations'], delegated: true },
      schema: {
        summary: 'List organizations',
        description:
          'By page in order of creation. By cursor in order of creation too, of a token for an organization in the ' +
          'order of its subtree; by beginning of the name in order of the names.',
        querystring: OrganizationsQuery,
        response: { 200: Type.Array(ListedOrganization), ...failuresOfOne },
      },
    },
    async (request, reply) => {
      const ctx = request.context;
      const { showFeatured = false } = request.query;
      if (showFeatured) assertScope(ctx, 'read:organization_members');
      const filter = filterOf(request.query);
      const list = {
        byKey: (range: KeysetRange) => listOrganizationsByKey(ctx, filter, range),
        byOffset: (range: OffsetRange) => listOrganizations(ctx, filter, range),
      };
      if (!showFeatured) return sendPage(request, reply, list, (organization) => organizationBody(ctx, organization));
      const page = await sendPage(request, reply, list, (organization: Organization) => organization);
      const featured = await featuredUsers(
        ctx,
        page.map(({ id }) => id),
      );
      return page.map((organization) => featuredBody(ctx, organization, featured.get(organization.id)));
    },
  );

  server.post(
    '/organizations',
    {
      config: { scopes: ['create:organizations'], delegated: true },
      schema: {
        summary: 'Create an organization',
        body: CreateOrganization,
        response: { 201: OrganizationBody, ...failuresOfOne, 422: Problem },
      },
    },
    async (request, reply) => {
      const { name, parentId = null } = request.body;
      const settings = { ...settingsOf(request.body), name, parentId };
      const created = await inLogtosWords(createOrganization(request.context, settings));
      reply.code(201);
      return organizationBody(request.context, created);
    },
  );

  const readOne = async (request: FastifyRequest): Promise<OrganizationBody> => {
    const { id } = request.params as { id: string };
    return organizationBody(request.context, await getOrganization(request.context, id));
  };

  server.get(
    '/organizations/:id',
    {
      config: { scopes: ['read:organizations'], delegated: true },
      schema: { summary: 'Read an organization', params, response: { 200: OrganizationBody, ...failuresOfOne } },
    },
    readOne,
  );

  server.patch(
    '/organizations/:id',
    {
      config: { scopes: ['update:organizations'], delegated: true, current: readOne },
      schema: {
        summary: 'Change, suspend or resume an organization',
        description: 'The parent is changed by `POST /organizations/:id/move`.',
        params,
        body: UpdateOrganization,
        response: { 200: OrganizationBody, ...failuresOfOne, 422: Problem },
      },
    },
    async (request) => {
      const { context, params, body } = request;
      const change = (before: Organization) => settingsOf(body, before);
      return organizationBody(context, await inLogtosWords(updateOrganization(context, params.id, change)));
    },
  );

  server.delete(
    '/organizations/:id',
    {
      config: { scopes: ['delete:organizations'], delegated: true },
      schema: {
        summary: 'Delete an organization',
        description: 'With its members, invitations and the applications it owns; its users become its parent’s.',
        params,
        querystring: Type.Object({
          cascade: Type.Optional(
            Type.Boolean({ description: 'With its whole subtree; else it must have no children.' }),
          ),
        }),
        response: { 204: Type.Null(), ...failuresOfOne, 409: Problem },
      },
    },
    async (request, reply) => {
      await deleteOrganization(request.context, request.params.id, { cascade: request.query.cascade === true });
      reply.code(204);
      return null;
    },
  );
};

function filterOf({ q, namePrefix, parentId }: OrganizationsQuery): OrganizationFilter {
  return {
    ...(q === undefined ? {} : { contains: q }),
    ...(namePrefix === undefined ? {} : { namePrefix }),
    ...(parentId === undefined ? {} : { parentId: parentId === '' ? null : parentId }),
  };
}
