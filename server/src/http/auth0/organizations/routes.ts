/** `/organizations`: made as roots, read, changed, deleted; what hangs on them is in the files beside. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  createOrganization,
  deleteOrganization,
  updateOrganization,
} from '../../../domain/organizations/organizations.ts';
import {
  getOrganization,
  getOrganizationBySlug,
  listOrganizations,
  listOrganizationsByKey,
} from '../../../domain/organizations/read-organizations.ts';
import { deleteIdempotently } from '../delete.ts';
import { checkpointBody, keysetRange, offsetBody, offsetRange, wantsCheckpoint } from '../envelope.ts';
import { idParams } from '../schema.ts';
import { organizationClientGrantRoutes } from './client-grant-routes.ts';
import { organizationInvitationRoutes } from './invitation-routes.ts';
import { bodyOf, createInputOf, inOwnWords, orderOf, settingsOf } from './mapping.ts';
import { organizationMemberRoleRoutes } from './member-role-routes.ts';
import { organizationMemberRoutes } from './member-routes.ts';
import { createBody, listQuery, nameParams, updateBody } from './schema.ts';
import { organizationSignInRoutes } from './sign-in-routes.ts';

export const organizationRoutes: FastifyPluginAsyncTypebox = async (server) => {
  await server.register(organizationClientGrantRoutes);
  await server.register(organizationMemberRoutes);
  await server.register(organizationMemberRoleRoutes);
  await server.register(organizationInvitationRoutes);
  await server.register(organizationSignInRoutes);

  server.get(
    '/organizations',
    {
      config: { scopes: ['read:organizations'] },
      schema: { summary: 'List organizations', querystring: listQuery },
    },
    async ({ query, context }) => {
      const order = query.sort === undefined ? undefined : orderOf(query.sort);
      if (wantsCheckpoint(query)) {
        const page = await listOrganizationsByKey(context, {}, keysetRange(query));
        return checkpointBody('organizations', page, page.items.map(bodyOf));
      }
      const page = await listOrganizations(context, {}, offsetRange(query), order);
      return offsetBody('organizations', query, page, page.items.map(bodyOf));
    },
  );

  server.post(
    '/organizations',
    { config: { scopes: ['create:organizations'] }, schema: { summary: 'Create an organization', body: createBody } },
    async ({ body, context }, reply) => {
      const organization = await inOwnWords(createOrganization(context, createInputOf(body)));
      return reply.code(201).send(bodyOf(organization));
    },
  );

  server.get(
    '/organizations/name/:name',
    {
      config: { scopes: ['read:organizations'] },
      schema: { summary: 'Read an organization by its name', params: nameParams },
    },
    async ({ params, context }) => bodyOf(await getOrganizationBySlug(context, params.name)),
  );

  server.get(
    '/organizations/:id',
    { config: { scopes: ['read:organizations'] }, schema: { summary: 'Read an organization', params: idParams } },
    async ({ params, context }) => bodyOf(await getOrganization(context, params.id)),
  );

  server.patch(
    '/organizations/:id',
    {
      config: { scopes: ['update:organizations'] },
      schema: { summary: 'Change an organization', params: idParams, body: updateBody },
    },
    async ({ params, body, context }) =>
      bodyOf(await inOwnWords(updateOrganization(context, params.id, (before) => settingsOf(body, before)))),
  );

  server.delete(
    '/organizations/:id',
    { config: { scopes: ['delete:organizations'] }, schema: { summary: 'Delete an organization', params: idParams } },
    ({ params, context }, reply) => deleteIdempotently(reply, deleteOrganization(context, params.id)),
  );
};
