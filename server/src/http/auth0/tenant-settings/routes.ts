import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { getTenant, updateSettings } from '../../../domain/tenants/tenants.ts';
import { selectFields } from '../envelope.ts';
import { bodyOf, changeOf } from './mapping.ts';
import { readQuery, updateBody } from './schema.ts';

/** `/tenants/settings`: the settings of the tenant the request is in. */
export const tenantSettingsRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/tenants/settings',
    {
      config: { scopes: ['read:tenant_settings'] },
      schema: { summary: 'Read the tenant settings', querystring: readQuery },
    },
    async ({ query, context }) => selectFields(query, bodyOf(await getTenant(context, context.site.tenantId))),
  );

  server.patch(
    '/tenants/settings',
    {
      config: { scopes: ['update:tenant_settings'] },
      schema: { summary: 'Change the tenant settings', body: updateBody },
    },
    async ({ body, context }) => bodyOf(await updateSettings(context, changeOf(body))),
  );
};
