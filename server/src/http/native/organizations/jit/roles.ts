/** `/api/organizations/:id/jit/roles`: the roles of who becomes a member just in time. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { idsOf, OrganizationRole, PagingQuery, Problem } from '@sekisho/contract';
import { Type } from 'typebox';
import {
  listJitRoles,
  listJitRolesByKey,
  removeJitRole,
  setJitRoles,
} from '../../../../domain/organization-jit/roles.ts';
import type { KeysetRange, OffsetRange } from '../../../../domain/paging.ts';
import { failuresOfOne } from '../../failures.ts';
import { organizationRoleBody } from '../../organization-template/mapping.ts';
import { sendOptionalPage } from '../../paging.ts';
import { changes, done, organization, params, reads } from './schemas.ts';

const roleIds = (minItems: number) =>
  Type.Object({ organizationRoleIds: idsOf('organization roles for users', minItems) });

export const jitRoleRoutes: FastifyPluginAsyncTypebox = async (server) => {
  const path = '/organizations/:id/jit/roles';
  server.get(
    path,
    {
      config: reads,
      schema: {
        summary: 'List the roles given just in time',
        description: 'At most 10 000 when no page is asked for.',
        params,
        querystring: PagingQuery,
        response: { 200: Type.Array(OrganizationRole), ...failuresOfOne },
      },
    },
    (request, reply) => {
      const { context, params } = request;
      const list = {
        byKey: (range: KeysetRange) => listJitRolesByKey(context, params.id, range),
        byOffset: (range: OffsetRange) => listJitRoles(context, params.id, range),
      };
      return sendOptionalPage(request, reply, list, (role) => organizationRoleBody(context, role));
    },
  );
  server.post(
    path,
    {
      config: changes,
      schema: {
        summary: 'Give more roles just in time',
        params,
        body: roleIds(1),
        response: { 201: roleIds(1), ...failuresOfOne, 422: Problem },
      },
    },
    async ({ context, params, body }, reply) => {
      await setJitRoles(context, params.id, body.organizationRoleIds, { replace: false });
      reply.code(201);
      return { organizationRoleIds: body.organizationRoleIds };
    },
  );
  server.put(
    path,
    {
      config: changes,
      schema: {
        summary: 'Replace the roles given just in time',
        params,
        body: roleIds(0),
        response: { ...done, 422: Problem },
      },
    },
    async ({ context, params, body }, reply) => {
      await setJitRoles(context, params.id, body.organizationRoleIds, { replace: true });
      reply.code(204);
      return null;
    },
  );
  server.delete(
    `${path}/:organizationRoleId`,
    {
      config: changes,
      schema: {
        summary: 'Give a role just in time no more',
        params: Type.Object({ ...organization, organizationRoleId: Type.String() }),
        response: done,
      },
    },
    async ({ context, params }, reply) => {
      await removeJitRole(context, params.id, params.organizationRoleId);
      reply.code(204);
      return null;
    },
  );
};
