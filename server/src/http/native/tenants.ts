import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  CreatedTenant,
  CreateTenant,
  PagingQuery,
  Problem,
  Tenant as TenantBody,
  UpdateTenant,
} from '@sekisho/contract';
import { Type } from 'typebox';
import type { Context } from '../../domain/context.ts';
import { manageTenantsScope, type Tenant } from '../../domain/tenants/tenant.ts';
import {
  createTenant,
  deleteTenant,
  getTenant,
  listTenants,
  listTenantsByKey,
  updateTenant,
} from '../../domain/tenants/tenants.ts';
import { failures, failuresOfOne } from './failures.ts';
import { sendPage } from './paging.ts';
import { nativeManagementApi } from './system-api.ts';

const config = { scopes: [manageTenantsScope] };
const params = Type.Object({ id: Type.String() });

/** `/api/tenants`: with the scope `manage:tenants`, which only the default tenant has. */
export const tenantRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/tenants',
    {
      config,
      schema: {
        summary: 'List tenants',
        querystring: PagingQuery,
        response: { 200: Type.Array(TenantBody), ...failures },
      },
    },
    (request, reply) => {
      const ctx = request.context;
      const list = {
        byKey: (range: Parameters<typeof listTenantsByKey>[1]) => listTenantsByKey(ctx, range),
        byOffset: (range: Parameters<typeof listTenants>[1]) => listTenants(ctx, range),
      };
      return sendPage(request, reply, list, (tenant) => bodyOf(ctx, tenant));
    },
  );

  server.post(
    '/tenants',
    {
      config,
      schema: {
        summary: 'Create a tenant',
        body: CreateTenant,
        response: { 201: CreatedTenant, ...failures, 409: Problem },
      },
    },
    async (request, reply) => {
      const { id, name = id, environment = 'production' } = request.body;
      const { tenant, firstClient } = await createTenant(request.context, { id, name, environment });
      reply.code(201);
      return { ...bodyOf(request.context, tenant), managementClient: firstClient };
    },
  );

  server.get(
    '/tenants/:id',
    { config, schema: { summary: 'Read a tenant', params, response: { 200: TenantBody, ...failuresOfOne } } },
    (request) => read(request.context, request.params),
  );

  server.patch(
    '/tenants/:id',
    {
      config: { ...config, current: (request) => read(request.context, request.params as { id: string }) },
      schema: {
        summary: 'Change, suspend or resume a tenant',
        params,
        body: UpdateTenant,
        response: { 200: TenantBody, ...failuresOfOne, 409: Problem },
      },
    },
    async (request) => {
      const { name, environment, status } = request.body;
      const given = Object.entries({ name, environment, status }).filter(([, value]) => value !== undefined);
      const tenant = await updateTenant(request.context, request.params.id, Object.fromEntries(given));
      return bodyOf(request.context, tenant);
    },
  );

  server.delete(
    '/tenants/:id',
    {
      config,
      schema: { summary: 'Delete a tenant', params, response: { 204: Type.Null(), ...failuresOfOne, 409: Problem } },
    },
    async (request, reply) => {
      await deleteTenant(request.context, request.params.id);
      reply.code(204);
      return null;
    },
  );
};

const read = async (ctx: Context, { id }: { id: string }): Promise<TenantBody> => bodyOf(ctx, await getTenant(ctx, id));

function bodyOf(ctx: Context, tenant: Tenant): TenantBody {
  const site = ctx.sites.ofTenant(tenant.id);
  const { id, name, environment, status, createdAt, updatedAt } = tenant;
  return {
    id,
    name,
    environment,
    status,
    issuer: site.issuer,
    managementAudience: `${site.origin}${nativeManagementApi.path}`,
    createdAt,
    updatedAt,
  };
}
