import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  createClientGrant,
  deleteClientGrant,
  updateClientGrant,
} from '../../../domain/client-grants/client-grants.ts';
import {
  type ClientGrant,
  type ClientGrantFilter,
  getClientGrant,
  listClientGrants,
  listClientGrantsByKey,
} from '../../../domain/client-grants/read-client-grants.ts';
import type { Context } from '../../../domain/context.ts';
import {
  listOrganizationsOfGrant,
  listOrganizationsOfGrantByKey,
} from '../../../domain/organization-client-grants/organization-client-grants.ts';
import { invalid } from '../../../kernel/errors.ts';
import { deleteIdempotently } from '../delete.ts';
import { checkpointBody, keysetRange, offsetBody, offsetRange, wantsCheckpoint } from '../envelope.ts';
import { bodyOf as organizationBodyOf } from '../organizations/mapping.ts';
import { idParams } from '../schema.ts';
import { bodyOf, settingsOf } from './mapping.ts';
import { createBody, listQuery, organizationsQuery, updateBody } from './schema.ts';

/** `/client-grants`: which client may have which scopes at which API. */
export const clientGrantRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/client-grants',
    { config: { scopes: ['read:client_grants'] }, schema: { summary: 'List client grants', querystring: listQuery } },
    async ({ query, context }) => {
      const filter: ClientGrantFilter = {
        withoutNativeManagement: true,
        ...(query.audience === undefined ? {} : { audience: query.audience }),
        ...(query.client_id === undefined ? {} : { clientId: query.client_id }),
        ...(query.allow_any_organization === undefined ? {} : { anyOrganization: query.allow_any_organization }),
        ...(query.subject_type === undefined ? {} : { subjectType: query.subject_type }),
        ...(query.default_for === undefined ? {} : { defaults: true }),
      };
      if (wantsCheckpoint(query)) {
        const page = await listClientGrantsByKey(context, filter, keysetRange(query));
        return checkpointBody('client_grants', page, shown(context, page.items));
      }
      const page = await listClientGrants(context, filter, offsetRange(query));
      return offsetBody('client_grants', query, page, shown(context, page.items));
    },
  );

  server.post(
    '/client-grants',
    { config: { scopes: ['create:client_grants'] }, schema: { summary: 'Create a client grant', body: createBody } },
    async ({ body, context }, reply) => {
      const { audience, client_id, default_for, subject_type = 'client', ...settings } = body;
      if ((client_id === undefined) === (default_for === undefined)) {
        throw invalid('client_id', 'Either client_id or default_for is required');
      }
      const grant = await createClientGrant(context, {
        audience,
        clientId: client_id ?? null,
        subjectType: subject_type,
        ...settingsOf(settings, undefined),
      });
      return reply.code(201).send(shown(context, [grant])[0]);
    },
  );

  server.get(
    '/client-grants/:id',
    { config: { scopes: ['read:client_grants'] }, schema: { summary: 'Read a client grant', params: idParams } },
    async ({ params, context }) => shown(context, [await getClientGrant(context, params.id)])[0],
  );

  server.patch(
    '/client-grants/:id',
    {
      config: { scopes: ['update:client_grants'] },
      schema: { summary: 'Change a client grant', params: idParams, body: updateBody },
    },
    async ({ params, body, context }) => {
      const grant = await updateClientGrant(context, params.id, (before) => settingsOf(body, before));
      return shown(context, [grant])[0];
    },
  );

  server.delete(
    '/client-grants/:id',
    {
      config: { scopes: ['delete:client_grants'] },
      schema: { summary: 'Delete a client grant', params: idParams },
    },
    ({ params, context }, reply) => deleteIdempotently(reply, deleteClientGrant(context, params.id)),
  );

  server.get(
    '/client-grants/:id/organizations',
    {
      config: { scopes: ['read:organization_client_grants'] },
      schema: {
        summary: 'List the organizations of a client grant',
        params: idParams,
        querystring: organizationsQuery,
      },
    },
    async ({ params, query, context }) => {
      if (wantsCheckpoint(query)) {
        const page = await listOrganizationsOfGrantByKey(context, params.id, keysetRange(query));
        return checkpointBody('organizations', page, page.items.map(organizationBodyOf));
      }
      const page = await listOrganizationsOfGrant(context, params.id, offsetRange(query));
      return offsetBody('organizations', query, page, page.items.map(organizationBodyOf));
    },
  );
};

/** A grant of all scopes at a management audience (only the first client has one) is shown with the scopes it gives. */
function shown(context: Context, grants: readonly ClientGrant[]) {
  return grants.map((grant) => {
    const api = context.systemApis.find(({ kind }) => kind === grant.systemKind);
    return bodyOf(
      grant,
      api?.scopes.map(({ value }) => value),
    );
  });
}
