/** The tree of organizations, which Logto does not have: children, ancestors, subtree, move. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  MoveOrganization,
  Organization as OrganizationBody,
  OrganizationTree,
  PagingQuery,
  Problem,
} from '@sekisho/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { moveOrganization } from '../../../domain/organizations/move.ts';
import {
  listAncestors,
  listOrganizations,
  listOrganizationsByKey,
  listSubtree,
  type OrganizationFilter,
} from '../../../domain/organizations/read-organizations.ts';
import type { KeysetRange, OffsetRange } from '../../../domain/paging.ts';
import { failuresOfOne } from '../failures.ts';
import { sendPage } from '../paging.ts';
import { organizationBody, treeBody } from './mapping.ts';

const config = { scopes: ['read:organizations'], delegated: true };
const params = Type.Object({ id: Type.String({ description: 'Of an organization.' }) });
const listed = { 200: Type.Array(OrganizationBody), ...failuresOfOne };

function sendOrganizations(
  request: FastifyRequest<{ Querystring: PagingQuery }>,
  reply: FastifyReply,
  filter: OrganizationFilter,
) {
  const ctx = request.context;
  const list = {
    byKey: (range: KeysetRange) => listOrganizationsByKey(ctx, filter, range),
    byOffset: (range: OffsetRange) => listOrganizations(ctx, filter, range),
  };
  return sendPage(request, reply, list, (organization) => organizationBody(ctx, organization));
}

export const organizationTreeRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/organizations/:id/children',
    {
      config,
      schema: {
        summary: 'List the children of an organization',
        description: 'Those right below it, in order of creation.',
        params,
        querystring: PagingQuery,
        response: listed,
      },
    },
    (request, reply) => sendOrganizations(request, reply, { parentId: request.params.id }),
  );

  server.get(
    '/organizations/:id/subtree',
    {
      config,
      schema: {
        summary: 'List an organization with all that is below it',
        description: 'Flat. By cursor each one comes after its parent and before its next sibling.',
        params,
        querystring: PagingQuery,
        response: listed,
      },
    },
    (request, reply) => sendOrganizations(request, reply, { subtreeOf: request.params.id }),
  );

  server.get(
    '/organizations/:id/ancestors',
    {
      config,
      schema: {
        summary: 'List the organizations above one',
        description: 'From the root, or the organization that the token speaks for, down to the parent.',
        params,
        response: listed,
      },
    },
    async ({ context, params }) =>
      (await listAncestors(context, params.id)).map((organization) => organizationBody(context, organization)),
  );

  server.get(
    '/organizations/:id/tree',
    {
      config,
      schema: {
        summary: 'Read an organization with all that is below it, nested',
        description: 'At most 1000 organizations; the flat list `subtree` has all of them.',
        params,
        response: { 200: OrganizationTree, ...failuresOfOne },
      },
    },
    async ({ context, params }) => {
      const { organizations, truncated } = await listSubtree(context, params.id);
      return { truncated, tree: treeBody(context, organizations) };
    },
  );

  server.post(
    '/organizations/:id/move',
    {
      config: { scopes: ['update:organizations'], delegated: true },
      schema: {
        summary: 'Move an organization with its whole subtree',
        description:
          'Below another organization, or, with null, to where it is a root. What it inherited is gone at once.',
        params,
        body: MoveOrganization,
        response: { 200: OrganizationBody, ...failuresOfOne, 409: Problem },
      },
    },
    async ({ context, params, body }) =>
      organizationBody(context, await moveOrganization(context, params.id, body.parentId)),
  );
};
