import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { createClient, deleteClient, updateClient } from '../../../domain/clients/clients.ts';
import {
  type ClientFilter,
  type ClientWithKeys,
  getClient,
  listClients,
  listClientsByKey,
} from '../../../domain/clients/read-clients.ts';
import { rotateSecret } from '../../../domain/clients/secrets.ts';
import type { Context } from '../../../domain/context.ts';
import { DomainError } from '../../../kernel/errors.ts';
import { deleteIdempotently } from '../delete.ts';
import { checkpointBody, keysetRange, offsetBody, offsetRange, selectFields, wantsCheckpoint } from '../envelope.ts';
import { assertScope, scopesOf } from '../held-scopes.ts';
import { idParams } from '../schema.ts';
import { credentialRoutes } from './credential-routes.ts';
import { bodyOf, changeOf, createInputOf, visibilityOf } from './mapping.ts';
import { createBody, listQuery, readQuery, rotateBody, updateBody } from './schema.ts';

const readScopes = ['read:clients', 'read:client_keys', 'read:client_credentials', 'read:client_summary'];

/** `/clients`: applications, their secrets and their credentials. */
export const clientRoutes: FastifyPluginAsyncTypebox = async (server) => {
  await server.register(credentialRoutes);

  server.get(
    '/clients',
    { config: { scopes: readScopes }, schema: { summary: 'List clients', querystring: listQuery } },
    async ({ query, context }) => {
      assertReadable(context, query);
      const shape = (client: ClientWithKeys) => selectFields(query, shown(context, client));
      const filter: ClientFilter = {
        ...(query.is_first_party === undefined ? {} : { firstParty: query.is_first_party }),
        ...(query.app_type === undefined ? {} : { type: typeFilter(query.app_type) }),
        ...(query.q === undefined ? {} : { nameContains: query.q }),
      };
      // The client that carries Auth0's shared login page is not there yet: as for a route that is not, deploy-cli has to
      // read a missing scope, for an empty list would end its run.
      if (query.is_global === true) assertScope(context, 'read:global_clients');
      // No client comes from elsewhere.
      if (query.external_client_id !== undefined) {
        const nothing = { items: [], total: 0, ...offsetRange(query) };
        return wantsCheckpoint(query)
          ? checkpointBody('clients', nothing, [])
          : offsetBody('clients', query, nothing, []);
      }
      if (wantsCheckpoint(query)) {
        const page = await listClientsByKey(context, filter, keysetRange(query));
        return checkpointBody('clients', page, page.items.map(shape));
      }
      const page = await listClients(context, filter, offsetRange(query));
      return offsetBody('clients', query, page, page.items.map(shape));
    },
  );

  server.post(
    '/clients',
    { config: { scopes: ['create:clients'] }, schema: { summary: 'Create a client', body: createBody } },
    async ({ body, context }, reply) => {
      if (body.client_authentication_methods != null || body.jwks !== undefined)
        assertScope(context, 'create:client_credentials');
      const client = await createClient(context, createInputOf(context.sites, body));
      return reply.code(201).send(shownToMaker(context, client));
    },
  );

  server.get(
    '/clients/:id',
    { config: { scopes: readScopes }, schema: { summary: 'Read a client', params: idParams, querystring: readQuery } },
    async ({ params, query, context }) => {
      assertReadable(context, query);
      return selectFields(query, shown(context, await getClient(context, params.id)));
    },
  );

  server.patch(
    '/clients/:id',
    {
      config: { scopes: ['update:clients', 'update:client_keys', 'update:client_credentials'] },
      schema: { summary: 'Change a client', params: idParams, body: updateBody },
    },
    async ({ params, body, context }) => {
      assertMayChange(context, body);
      const client = await updateClient(context, params.id, (before) => changeOf(context.sites, body, before));
      return shownToMaker(context, client);
    },
  );

  server.delete(
    '/clients/:id',
    {
      config: { scopes: ['delete:clients'] },
      schema: { summary: 'Delete a client with its grants', params: idParams },
    },
    ({ params, context }, reply) => deleteIdempotently(reply, deleteClient(context, params.id)),
  );

  server.post(
    '/clients/:id/rotate-secret',
    {
      config: { scopes: ['update:client_keys'] },
      schema: { summary: 'Give a client a new secret', params: idParams, body: rotateBody },
    },
    async ({ params, body, context }) => {
      const secret = await rotateSecret(context, params.id, { overlapSeconds: body?.overlap_seconds });
      return shownToMaker(context, { ...(await getClient(context, params.id)), secret });
    },
  );
};

const shown = (context: Context, client: ClientWithKeys) =>
  bodyOf(client, context.site.tenantId, visibilityOf(scopesOf(context)));

/** Who made or changed a client sees it whole. */
const shownToMaker = (context: Context, client: ClientWithKeys) =>
  bodyOf(client, context.site.tenantId, { settings: true, authentication: true });

/** Fields that only some scopes may read are refused when they are asked for by name. */
function assertReadable(context: Context, query: { fields?: string; include_fields?: boolean }): void {
  if (query.include_fields === false) return;
  const { authentication } = visibilityOf(scopesOf(context));
  const guarded = ['client_secret', 'encryption_key', 'client_authentication_methods', 'signing_keys'];
  const asked = (query.fields ?? '').split(',').filter((field) => guarded.includes(field.trim()));
  if (asked.length > 0 && !authentication) {
    throw new DomainError('auth.exceeds_own', `You cannot read the following fields: ${asked.join(', ')}`);
  }
}

/** A secret needs `update:client_keys`, credentials `update:client_credentials`, all else `update:clients`. */
function assertMayChange(context: Context, body: Record<string, unknown>): void {
  const guarded: Record<string, string> = {
    client_secret: 'update:client_keys',
    encryption_key: 'update:client_keys',
    client_authentication_methods: 'update:client_credentials',
  };
  for (const [field, value] of Object.entries(body)) {
    const accompanies =
      field === 'token_endpoint_auth_method' && value === null && 'client_authentication_methods' in body;
    const own = guarded[field];
    if (!accompanies) assertScope(context, ...(own === undefined ? [] : [own]), 'update:clients');
  }
}

const types: Record<string, NonNullable<ClientFilter['type']>> = {
  non_interactive: 'machine',
  regular_web: 'web',
  spa: 'browser',
  native: 'native',
  resource_server: 'resource_server',
};

const typeFilter = (appType: string): ClientFilter['type'] => types[appType] ?? null;
